#!/usr/bin/env python3
"""Computes omemo.json with implementations of OMEMO that are not ours.

    python3 -m venv venv && venv/bin/pip install Twomemo==2.1.0 Oldmemo==2.1.0
    venv/bin/python remake.py > omemo.json

Every value is computed twice: here, from the formulas of the specifications on top of the `cryptography`
package, and by the libraries Twomemo, Oldmemo, DoubleRatchet, X3DH and XEdDSA. They must agree, else this ends
with an AssertionError. Nothing is random: private keys are SHA-256 of a label, and the libraries' sources of
randomness are replaced.
"""

import asyncio
import hashlib
import hmac as hmac_module
import json
import secrets
import sys

import oldmemo.oldmemo as oldmemo
import twomemo.twomemo as twomemo
import x3dh
import x3dh.identity_key_pair
import xeddsa
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from doubleratchet.recommended import diffie_hellman_ratchet_curve25519
from x3dh import IdentityKeyFormat

DHRatchet = diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet
ZERO = bytes(32)
PRE_KEY_ID, SIGNED_PRE_KEY_ID, REGISTRATION_ID = 7, 1, 4711
NONCE = bytes(range(64))


def secret(label):
    return hashlib.sha256(b"tv:" + label.encode()).digest()


def clamped(label):
    """As RFC 7748 section 5 does on every use; XEdDSA 1.2.0 leaves it to the caller."""
    key = bytearray(secret(label))
    key[0] &= 0xF8
    key[31] = key[31] & 0x7F | 0x40
    return bytes(key)


# --- The formulas, without the libraries -------------------------------------------------------------

def hkdf(salt, ikm, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(ikm)


def hmac(key, message):
    return hmac_module.new(key, message, hashlib.sha256).digest()


def cbc(key, iv, plaintext):
    pad = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(pad.update(plaintext) + pad.finalize()) + encryptor.finalize()


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


class Omemo2:
    name, library = "omemo2", twomemo
    x3dh_info, root_info, message_info = b"OMEMO X3DH", b"OMEMO Root Chain", b"OMEMO Message Key Material"
    mac_length = 16

    @staticmethod
    def key(public):
        return public

    @staticmethod
    def identity(ed25519):
        return ed25519

    @staticmethod
    def message(n, pn, dh_pub, ciphertext):
        return number(1, n) + number(2, pn) + data(3, dh_pub) + data(4, ciphertext)

    @staticmethod
    def sealed(message, mac):
        return data(1, mac) + data(2, message)

    @staticmethod
    def key_exchange(identity, ephemeral, sealed):
        return (number(1, PRE_KEY_ID) + number(2, SIGNED_PRE_KEY_ID) + data(3, identity) + data(4, ephemeral)
                + data(5, sealed))

    @staticmethod
    def library_key_exchange(exchange, sealed):
        return exchange.serialize(sealed)


class Legacy:
    name, library = "legacy", oldmemo
    x3dh_info, root_info, message_info = b"WhisperText", b"WhisperRatchet", b"WhisperMessageKeys"
    mac_length = 8

    @staticmethod
    def key(public):
        return b"\x05" + public

    @staticmethod
    def identity(ed25519):
        return b"\x05" + xeddsa.ed25519_pub_to_curve25519_pub(ed25519)

    @staticmethod
    def message(n, pn, dh_pub, ciphertext):
        return b"\x33" + data(1, b"\x05" + dh_pub) + number(2, n) + number(3, pn) + data(4, ciphertext)

    @staticmethod
    def sealed(message, mac):
        return message + mac

    @staticmethod
    def key_exchange(identity, ephemeral, sealed, registration_id=REGISTRATION_ID):
        # libsignal writes a registration id, Oldmemo does not.
        registration = b"" if registration_id is None else number(5, registration_id)
        return (b"\x33" + number(1, PRE_KEY_ID) + data(2, b"\x05" + ephemeral) + data(3, identity)
                + data(4, sealed) + registration + number(6, SIGNED_PRE_KEY_ID))

    @staticmethod
    def library_key_exchange(exchange, sealed):
        return exchange.serialize(sealed)[0]


# --- The libraries, without randomness ---------------------------------------------------------------

UNFORCED_PUBLIC, UNFORCED_SIGN = xeddsa.priv_to_ed25519_pub, xeddsa.ed25519_priv_sign


def force_sign(force):
    """Whether the libraries' identity keys are those of XEdDSA: sign bit 0, the private key negated for
    signing where needed. They leave that to whoever makes the key, and expect a clamped one."""
    if force:
        xeddsa.priv_to_ed25519_pub = lambda key: xeddsa.curve25519_pub_to_ed25519_pub(
            xeddsa.priv_to_curve25519_pub(key), False)
        xeddsa.ed25519_priv_sign = lambda key, message, nonce=None: UNFORCED_SIGN(
            xeddsa.priv_force_sign(key, False), message, nonce or secrets.token_bytes(64))
    else:
        xeddsa.priv_to_ed25519_pub, xeddsa.ed25519_priv_sign = UNFORCED_PUBLIC, UNFORCED_SIGN


class Randomness:
    """Stands where the libraries ask for random bytes."""

    def __init__(self):
        self.tokens, self.ratchets = [], []

    def install(self):
        secrets.token_bytes = lambda size: self.token(size)
        DHRatchet._generate_priv = staticmethod(lambda: self.ratchets.pop(0)())

    def token(self, size):
        token = self.tokens.pop(0)
        assert len(token) == size, (len(token), size)
        return token


RANDOM = Randomness()


class Party:
    """One device, played by a library."""

    def __init__(self, profile, name, identity_private):
        self.profile, self.name = profile, name
        self.identity_private = identity_private
        self.identity = xeddsa.priv_to_ed25519_pub(identity_private)
        self.ratchet_count, self.ratchet_private = 0, None
        self.ratchet_is_new = False
        RANDOM.tokens = [secret(f"spk_{name}"), NONCE]
        self.state = profile.library.StateImpl.create(
            IdentityKeyFormat.ED_25519, x3dh.HashFunction.SHA_256, profile.library.StateImpl.INFO,
            x3dh.identity_key_pair.IdentityKeyPairPriv(identity_private))
        RANDOM.tokens = [secret(f"opk_{name}")]
        self.state.generate_pre_keys(1)
        self.bundle = self.state.bundle
        self.ratchet, self.initiated = None, False

    def next_ratchet_private(self):
        label = f"ratchet_{self.name}" + (str(self.ratchet_count) if self.ratchet_count else "")
        self.ratchet_count += 1
        self.ratchet_private, self.ratchet_is_new = secret(label), True
        return self.ratchet_private

    def ratchet_arguments(self):
        library = self.profile.library
        return (DHRatchet, library.RootChainKDFImpl, library.MessageChainKDFImpl,
                library.DoubleRatchetImpl.MESSAGE_CHAIN_CONSTANT, 1000, 1000, library.AEADImpl)

    async def initiate(self, peer, key_material):
        RANDOM.tokens = [secret(f"ek_{self.name}")]
        RANDOM.ratchets = [self.next_ratchet_private]
        bundle = peer.bundle
        self.shared_secret, self.associated_data, header = await self.state.get_shared_secret_active(bundle)
        self.exchange = self.profile.library.KeyExchangeImpl(header, SIGNED_PRE_KEY_ID, PRE_KEY_ID)
        self.ratchet, message = await self.profile.library.DoubleRatchetImpl.encrypt_initial_message(
            *self.ratchet_arguments(), self.shared_secret, bundle.signed_pre_key, key_material,
            self.associated_data)
        self.initiated, self.answered = True, False
        return message

    def directed(self, sending):
        """Legacy's associated data: sender first."""
        ad = self.associated_data
        if self.profile is Legacy and self.initiated != sending:
            return ad[len(ad) // 2:] + ad[:len(ad) // 2]
        return ad

    async def send(self, key_material):
        message = await self.ratchet.encrypt_message(key_material, self.directed(True))
        return message

    async def receive(self, message, exchange):
        RANDOM.ratchets = [self.next_ratchet_private] * 2
        if self.ratchet is None:
            self.shared_secret, self.associated_data, spk = await self.state.get_shared_secret_passive(
                exchange.header)
            self.ratchet, key_material = await self.profile.library.DoubleRatchetImpl.decrypt_initial_message(
                *self.ratchet_arguments(), self.shared_secret, spk.priv, message, self.directed(False))
        else:
            key_material = await self.ratchet.decrypt_message(message, self.directed(False))
        self.answered = True
        return key_material


def wire(profile, sender, message):
    """The bytes of a <key/>, by formula; the library must agree."""
    sealed = message.ciphertext
    if not sender.initiated or sender.answered:
        return sealed, False
    header = sender.exchange.header
    identity = profile.identity(header.identity_key)
    bare = {} if profile is Omemo2 else {"registration_id": None}
    ours = profile.key_exchange(identity, header.ephemeral_key, sealed, **bare)
    assert ours == profile.library_key_exchange(sender.exchange, sealed)
    return profile.key_exchange(identity, header.ephemeral_key, sealed), True


# --- What is written ---------------------------------------------------------------------------------

def private(label):
    key = secret(label)
    return {"private": key.hex(), "public": xeddsa.priv_to_curve25519_pub(key).hex()}


def identity(label):
    key = clamped(label)
    ed25519 = UNFORCED_PUBLIC(key)
    forced = xeddsa.priv_to_ed25519_pub(key)
    assert forced == ed25519[:31] + bytes([ed25519[31] & 0x7F])
    return {**private(label), "ed25519": forced.hex(), "sign_of_unforced_ed25519": ed25519[31] >> 7}


def signature(profile):
    key = clamped("ik_b")
    message = profile.key(xeddsa.priv_to_curve25519_pub(secret("spk_b")))
    signed = xeddsa.ed25519_priv_sign(key, message, NONCE)
    assert xeddsa.ed25519_verify(signed, xeddsa.priv_to_ed25519_pub(key), message)
    return signed


def signal_signature():
    """libsignal's older scheme: the sign of kB is not forced, it travels in the signature's top bit."""
    key, message = clamped("ik_b"), b"\x05" + xeddsa.priv_to_curve25519_pub(secret("spk_b"))
    signed = bytearray(UNFORCED_SIGN(key, message, NONCE))
    public = UNFORCED_PUBLIC(key)
    assert xeddsa.ed25519_verify(bytes(signed), public, message)
    assert public[31] >> 7 == 1 and signed[63] >> 7 == 0
    signed[63] |= 0x80
    return bytes(signed)


async def first_message(profile):
    alice = Party(profile, "a", clamped("ik_a"))
    bob = Party(profile, "b", clamped("ik_b"))
    x = xeddsa.x25519
    ik_b, spk_b, opk_b = (xeddsa.priv_to_curve25519_pub(secret(s)) for s in ("ik_b", "spk_b", "opk_b"))
    dh = [x(secret("ik_a"), spk_b), x(secret("ek_a"), ik_b), x(secret("ek_a"), spk_b), x(secret("ek_a"), opk_b)]
    derived = hkdf(ZERO, b"\xff" * 32 + b"".join(dh), profile.x3dh_info, 64)
    shared = derived[:32]
    root_and_chain = hkdf(shared, x(secret("ratchet_a"), spk_b), profile.root_info, 64)
    root, chain = root_and_chain[:32], root_and_chain[32:]
    message_key, next_chain = hmac(chain, b"\x01"), hmac(chain, b"\x02")
    keys = hkdf(ZERO, message_key, profile.message_info, 80)
    key = secret("payload_key")
    key_material = (key if profile is Omemo2 else key[:16]) + bytes(range(16))
    ciphertext = cbc(keys[:32], keys[64:], key_material)
    dh_pub = xeddsa.priv_to_curve25519_pub(secret("ratchet_a"))
    ad = profile.identity(alice.identity) + profile.identity(bob.identity)
    authenticated = profile.message(0, 0, dh_pub, ciphertext)
    mac = hmac(keys[32:64], ad + authenticated)[:profile.mac_length]
    sealed = profile.sealed(authenticated, mac)
    # The library from here on.
    message = await alice.initiate(bob, key_material)
    assert (alice.shared_secret, alice.associated_data) == (shared, ad)
    assert message.ciphertext == sealed
    exchange, _ = wire(profile, alice, message)
    assert await bob.receive(message, alice.exchange) == key_material
    return {
        "signature": signature(profile).hex(),
        "dh": [d.hex() for d in dh],
        "shared_secret": shared.hex(),
        # libsignal derives a chain for the responder as well, which nobody ever uses.
        **({} if profile is Omemo2 else {"unused_chain_key": derived[32:].hex()}),
        "root_key": root.hex(),
        "chain_key": chain.hex(),
        "message_key": message_key.hex(),
        "next_chain_key": next_chain.hex(),
        "encryption_key": keys[:32].hex(),
        "authentication_key": keys[32:64].hex(),
        "iv": keys[64:].hex(),
        "key_material": key_material.hex(),
        "ciphertext": ciphertext.hex(),
        "associated_data": ad.hex(),
        "authenticated": authenticated.hex(),
        "mac": mac.hex(),
        "message": sealed.hex(),
        "key_exchange": exchange.hex(),
    }


def payload(profile, key, iv, plaintext):
    """(key material, payload)"""
    if profile is Omemo2:
        keys = hkdf(ZERO, key, b"OMEMO Payload", 80)
        ciphertext = cbc(keys[:32], keys[64:], plaintext)
        return key + hmac(keys[32:64], ciphertext)[:16], ciphertext
    sealed = AESGCM(key).encrypt(iv, plaintext, None)
    return key + sealed[-16:], sealed[:-16]


async def checked_payload(profile, key, iv, plaintext):
    material, ciphertext = payload(profile, key, iv, plaintext)
    backend = (twomemo.Twomemo if profile is Omemo2 else oldmemo.Oldmemo)(None)
    RANDOM.tokens = [key] if profile is Omemo2 else [key, iv]
    content, plain = await backend.encrypt_plaintext(plaintext)
    assert (content.ciphertext, plain.key + plain.auth_tag) == (ciphertext, material)
    return material, ciphertext


async def one_payload(profile):
    key, iv = secret("payload_key"), bytes(range(12))
    if profile is Omemo2:
        plaintext = (b"<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>hi</body></content>"
                     b"<rpad>x</rpad></envelope>")
        derived = {"derived": hkdf(ZERO, key, b"OMEMO Payload", 80).hex()}
    else:
        key, plaintext, derived = key[:16], b"hi", {"iv": iv.hex()}
    material, ciphertext = await checked_payload(profile, key, iv, plaintext)
    return {"key": key.hex(), **derived, "plaintext": plaintext.decode(), "ciphertext": ciphertext.hex(),
            "key_material": material.hex()}


SCRIPT = """
a> a> b<1 b<0         the exchange comes with both messages and arrives in the wrong order
b> b> b> a<2          messages 3 and 4 are late
a> a> b<6 b<5         reordered within a chain
b> a<7                a new chain, whose pn tells of messages 3 and 4
a<4 a<3               which come now
b>empty a<8
a> b<9
"""


async def conversation(profile):
    """Two devices, byte for byte. Sends and deliveries in the order in which they happen."""
    parties = {"a": Party(profile, "a", clamped("ik_a")),
               "b": Party(profile, "b", clamped("ik_b"))}
    sent, steps = [], []
    words = [word for line in SCRIPT.strip().splitlines() for word in line.split("  ")[0].split()]
    for word in words:
        party, peer = parties[word[0]], parties["b" if word[0] == "a" else "a"]
        if word[1] == "<":
            index = int(word[2:])
            message, key_material = sent[index]
            exchange = None if party.ratchet else peer.exchange
            assert await party.receive(message, exchange) == key_material
            steps.append({"deliver": index})
            continue
        key = secret(f"payload_key_{len(sent)}")[:32 if profile is Omemo2 else 16]
        iv = secret(f"payload_iv_{len(sent)}")[:12]
        plaintext = None if word.endswith("empty") else f"message {len(sent)}".encode()
        if plaintext is None:
            key_material, ciphertext = (ZERO if profile is Omemo2 else key), None
        else:
            key_material, ciphertext = await checked_payload(profile, key, iv, plaintext)
        if party.ratchet is None:
            message = await party.initiate(peer, key_material)
        else:
            message = await party.send(key_material)
        data_on_wire, kex = wire(profile, party, message)
        steps.append({
            "send": len(sent), "from": party.name, "payload_key": key.hex(),
            **({} if profile is Omemo2 else {"iv": iv.hex()}),
            "ratchet_private": party.ratchet_private.hex() if party.ratchet_is_new else None,
            "plaintext": plaintext and plaintext.decode(),
            "key": data_on_wire.hex(), "kex": kex, "payload": ciphertext and ciphertext.hex(),
        })
        party.ratchet_is_new = False
        sent.append((message, key_material))
    return steps


async def unforced_sign():
    """omemo:2 with an initiator whose Ed25519 key has sign bit 1, as devices with an Ed25519 seed may."""
    bob = Party(Omemo2, "b", clamped("ik_b"))
    force_sign(False)
    alice = Party(Omemo2, "a", clamped("ik_a"))
    assert alice.identity[31] >> 7 == 1
    key = secret("payload_key")
    material, ciphertext = await checked_payload(Omemo2, key, None, b"message")
    message = await alice.initiate(bob, material)
    data_on_wire, _ = wire(Omemo2, alice, message)
    bundle = alice.bundle
    force_sign(True)
    assert await bob.receive(message, alice.exchange) == material
    return {"identity_key": bundle.identity_key.hex(), "signed_pre_key": bundle.signed_pre_key.hex(),
            "signature": bundle.signed_pre_key_sig.hex(), "key": data_on_wire.hex(), "plaintext": "message",
            "payload": ciphertext.hex()}


async def main():
    RANDOM.install()
    force_sign(True)
    written = {
        "identity": {"a": identity("ik_a"), "b": identity("ik_b")},
        "signed_pre_key_b": {"id": SIGNED_PRE_KEY_ID, **private("spk_b")},
        "pre_key_b": {"id": PRE_KEY_ID, **private("opk_b")},
        "ephemeral_a": private("ek_a"),
        "ratchet_a": private("ratchet_a"),
        "signature_randomness": NONCE.hex(),
        "registration_id": REGISTRATION_ID,
    }
    for profile in (Omemo2, Legacy):
        written[profile.name] = {
            "first_message": await first_message(profile),
            "payload": await one_payload(profile),
            "conversation": await conversation(profile),
        }
    written["omemo2"]["unforced_sign"] = await unforced_sign()
    written["legacy"]["signal_signature"] = signal_signature().hex()
    json.dump(written, sys.stdout, indent=1)
    print()


asyncio.run(main())
