"""python-omemo's two engines without XMPP: one device, commands and answers as JSON lines (README.md lists them).

Only the engines are foreign (oldmemo, twomemo). What stands around them is kept simple and generous: this device
keeps every session it ever had and tries all of them, so that whatever is deliverable to a patient device is
deliverable to this one.
"""

import asyncio
import json
import sys

import oldmemo
import oldmemo.oldmemo
import twomemo
import twomemo.twomemo
import x3dh
import xeddsa
from omemo.backend import DecryptionFailed
from omemo.session import Initiation
from omemo.storage import Just, Nothing, Storage

PRE_KEYS = 12


class Memory(Storage):
    """A storage that ends with the process."""

    def __init__(self):
        super().__init__(True)
        self._values = {}

    async def _load(self, key):
        return Just(self._values[key]) if key in self._values else Nothing()

    async def _store(self, key, value):
        self._values[key] = value

    async def _delete(self, key):
        self._values.pop(key, None)


class Refused(Exception):
    """This device cannot read the message."""


class Device:
    """One device in one version, with one peer."""

    def __init__(self, version, peer_jid, peer_device, skip):
        self.legacy = version == "legacy"
        self.module = oldmemo.oldmemo if self.legacy else twomemo.twomemo
        engine = oldmemo.Oldmemo if self.legacy else twomemo.Twomemo
        self.engine = engine(Memory(), skip)
        self.peer = (peer_jid, peer_device)
        # Newest first.
        self.sessions = []

    async def bundle(self):
        missing = PRE_KEYS - await self.engine.get_num_visible_pre_keys()
        if missing > 0:
            await self.engine.generate_pre_keys(missing)
        bundle = await self.engine.get_bundle("self@python.example", 1)
        inner = bundle.bundle
        identity, signature = inner.identity_key, bytearray(inner.signed_pre_key_sig)
        if self.legacy:
            signature[63] |= identity[31] & 0x80
            identity = self._wire(xeddsa.ed25519_pub_to_curve25519_pub(identity))
        return {
            "identity_key": identity.hex(),
            "signed_pre_key_id": bundle.signed_pre_key_id,
            "signed_pre_key": self._wire(inner.signed_pre_key).hex(),
            "signature": signature.hex(),
            "pre_keys": [[number, self._wire(key).hex()] for key, number in bundle.pre_key_ids.items()],
        }

    async def initiate(self, bundle, text):
        identity, signature = bytes.fromhex(bundle["identity_key"]), bytearray.fromhex(bundle["signature"])
        if self.legacy:
            sign = bool(signature[63] >> 7)
            signature[63] &= 0x7F
            identity = xeddsa.curve25519_pub_to_ed25519_pub(self._unwire(identity), sign)
        numbers = {self._unwire(bytes.fromhex(key)): number for number, key in bundle["pre_keys"]}
        signed = self._unwire(bytes.fromhex(bundle["signed_pre_key"]))
        inner = x3dh.Bundle(identity, signed, bytes(signature), frozenset(numbers))
        theirs = self.module.BundleImpl(*self.peer, inner, bundle["signed_pre_key_id"], numbers)
        content, material = await self.engine.encrypt_plaintext(bytes.fromhex(text))
        session, encrypted = await self.engine.build_session_active(*self.peer, theirs, material)
        self.sessions.insert(0, session)
        return self._message(session, encrypted, content)

    async def send(self, text):
        session = self.sessions[0]
        if text is None:
            content, material = await self.engine.encrypt_empty()
        else:
            content, material = await self.engine.encrypt_plaintext(bytes.fromhex(text))
        encrypted = await self.engine.encrypt_key_material(session, material)
        return self._message(session, encrypted, content)

    def _message(self, session, encrypted, content):
        data = encrypted.serialize()
        kex = session.initiation is Initiation.ACTIVE and not session.confirmed
        if kex:
            data = session.key_exchange.serialize(data)
            data = data[0] if self.legacy else data
        iv = content.initialization_vector.hex() if self.legacy else None
        payload = None if content.empty else content.ciphertext.hex()
        return {"kex": kex, "key": data.hex(), "iv": iv, "payload": payload}

    async def receive(self, message, sign):
        data, exchange = bytes.fromhex(message["key"]), None
        if message["kex"]:
            parse = self.module.KeyExchangeImpl.parse
            exchange, data = parse(data, sign) if self.legacy else parse(data)
        encrypted = self.module.EncryptedKeyMaterialImpl.parse(data, *self.peer)
        material = await self._open(exchange, encrypted)
        if message["payload"] is None:
            return {"text": None}
        payload = bytes.fromhex(message["payload"])
        iv = [bytes.fromhex(message["iv"])] if self.legacy else []
        content = self.module.ContentImpl(payload, *iv)
        return {"text": (await self.engine.decrypt_plaintext(content, material)).hex()}

    async def _open(self, exchange, encrypted):
        for session in list(self.sessions):
            if exchange is not None and not self._same(session, exchange):
                continue
            try:
                material = await self.engine.decrypt_key_material(session, encrypted)
            except DecryptionFailed:  # it leaves the session as it was, and another may know better
                continue
            self.sessions.remove(session)
            self.sessions.insert(0, session)
            return material
        if exchange is None or any(self._same(session, exchange) for session in self.sessions):
            raise Refused("no session reads it")
        session, material = await self.engine.build_session_passive(*self.peer, exchange, encrypted)
        self.sessions.insert(0, session)
        await self.engine.hide_pre_key(session)
        return material

    @staticmethod
    def _same(session, exchange):
        return session.key_exchange.builds_same_session(exchange)

    def _wire(self, key):
        return self.module.StateImpl.serialize_public_key(key) if self.legacy else key

    def _unwire(self, key):
        return self.module.StateImpl.parse_public_key(key) if self.legacy else key


def signatures(cases):
    """Signs with a Curve25519 private key: Signal's XEdDSA, the sign of the Ed25519 form forced or left as it is."""
    answer = []
    for case in cases:
        private, message = bytes.fromhex(case["private"]), bytes.fromhex(case["message"])
        nonce = bytes.fromhex(case["nonce"])
        montgomery = xeddsa.priv_to_curve25519_pub(private)
        public = xeddsa.priv_to_ed25519_pub(private)
        if case["force_sign"] is not None:
            private = xeddsa.priv_force_sign(private, case["force_sign"])
            public = xeddsa.curve25519_pub_to_ed25519_pub(montgomery, case["force_sign"])
        signature = xeddsa.ed25519_priv_sign(private, message, nonce)
        answer.append([signature.hex(), public.hex(), montgomery.hex()])
    return answer


def verdicts(cases):
    """Whether each is a signature under the Ed25519 key, and the Montgomery form of that key."""
    answer = []
    for case in cases:
        public, message = bytes.fromhex(case["public"]), bytes.fromhex(case["message"])
        good = xeddsa.ed25519_verify(bytes.fromhex(case["signature"]), public, message)
        answer.append([good, xeddsa.ed25519_pub_to_curve25519_pub(public).hex()])
    return answer


async def answer(devices, command):
    do = command["do"]
    if do == "new":
        device = Device(command["version"], command["peer"], command["peer_device"], command["skip"])
        devices["now"] = device
        return {"bundle": await device.bundle()}
    if do == "bundle":
        return {"bundle": await devices["now"].bundle()}
    if do == "rotate":
        await devices["now"].engine.rotate_signed_pre_key()
        return {"bundle": await devices["now"].bundle()}
    if do == "initiate":
        return {"message": await devices["now"].initiate(command["bundle"], command["text"])}
    if do == "send":
        return {"message": await devices["now"].send(command["text"])}
    if do == "receive":
        try:
            return await devices["now"].receive(command["message"], command["sign"])
        except Exception as refusal:  # every failure is an answer; the caller knows which ones it expects
            return {"refused": f"{type(refusal).__name__}: {refusal}"}
    if do == "sign":
        return {"signatures": signatures(command["cases"])}
    if do == "verify":
        return {"verdicts": verdicts(command["cases"])}
    raise ValueError(do)


async def main():
    devices = {}
    for line in sys.stdin:
        print(json.dumps(await answer(devices, json.loads(line))), flush=True)


asyncio.run(main())
