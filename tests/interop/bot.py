"""A small OMEMO client that Eft has to get on with: commands and events as JSON lines (README.md lists them).

XMPP is slixmpp, OMEMO is python-omemo (both versions), the envelope of omemo:2 is sce.py. The plugin
slixmpp-omemo brings its session manager, the publishing and the fetching; its own message functions know only
the legacy version, so encrypting and decrypting is done here.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import oldmemo
import oldmemo.etree
import omemo
import twomemo
import twomemo.etree
from slixmpp import JID, ClientXMPP
from slixmpp.plugins import register_plugin
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp_omemo import XEP_0384, TrustLevel

import sce
from keys import KeyFile

NAMESPACES = {"omemo2": twomemo.twomemo.NAMESPACE, "legacy": oldmemo.oldmemo.NAMESPACE}
WORDS = {namespace: word for word, namespace in NAMESPACES.items()}
EME = "urn:xmpp:eme:0"
FALLBACK = "This message is encrypted with OMEMO."
ECHO = "echo: "
COMMAND_SECONDS = 25
LINE_LIMIT_BYTES = 1 << 24


def emit(event, **fields):
    """One event to whoever started us."""
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


class Omemo(XEP_0384):
    """The plugin with our storage and our answer to untrusted devices."""

    default_config = {**XEP_0384.default_config, "key_file": None, "manual_trust": False}

    def plugin_init(self):
        self._key_file = KeyFile(self.key_file)
        super().plugin_init()

    @property
    def storage(self):
        return self._key_file

    @property
    def _btbv_enabled(self):
        return not self.manual_trust

    async def _devices_blindly_trusted(self, blindly_trusted, identifier):
        emit("trusted_blindly", devices=[[device.bare_jid, device.device_id] for device in blindly_trusted])

    async def _prompt_manual_trust(self, manually_trusted, identifier):
        manager = await self.get_session_manager()
        for device in manually_trusted:
            await manager.set_trust(device.bare_jid, device.identity_key, TrustLevel.DISTRUSTED.value)


register_plugin(Omemo)


class Bot(ClientXMPP):
    """The connected client."""

    def __init__(self, options, password):
        super().__init__(f"{options.jid}/bot", password)
        self.echo = options.echo
        self.only = options.only
        self.ended = asyncio.Event()
        # python-omemo loads a session, awaits, and stores it: two calls at once overwrite each other.
        self.ratchets = asyncio.Lock()
        self.ca_certs = Path(options.authority)
        self.enable_direct_tls = False
        for plugin in ("xep_0030", "xep_0060", "xep_0163", "xep_0280", "xep_0334"):
            self.register_plugin(plugin)
        settings = {"key_file": options.store, "manual_trust": options.manual_trust}
        self.register_plugin("xep_0384", settings, module=sys.modules[__name__])
        self.roster.auto_authorize = True
        self.roster.auto_subscribe = True
        self.add_event_handler("session_start", self.on_session)
        self.add_event_handler("omemo_initialized", self.on_omemo)
        self.add_event_handler("failed_all_auth", lambda _: self.fail("authentication", "the server refuses the password"))
        self.add_event_handler("ssl_invalid_chain", lambda error: self.fail("certificate", str(error)))
        self.add_event_handler("connection_failed", lambda error: emit("err", op="connect", why=str(error)))
        self.add_event_handler("disconnected", lambda reason: emit("disconnected", why=str(reason)))
        self.add_event_handler("carbon_received", lambda message: self.on_carbon(message, "carbon_received"))
        self.add_event_handler("carbon_sent", lambda message: self.on_carbon(message, "carbon_sent"))
        # slixmpp's own "message" event wants a <body/>, which OMEMO's empty messages do not have.
        every_message = MatchXPath(f"{{{self.default_ns}}}message")
        self.register_handler(CoroutineCallback("every message", every_message, self.on_message))

    def fail(self, operation, why):
        emit("err", op=operation, why=f"{operation}: {why}")
        self.ended.set()

    async def on_session(self, _):
        self.send_presence()
        await self.get_roster()
        await self.plugin["xep_0280"].enable()

    def speaks(self, word):
        return self.only in (None, word)

    @staticmethod
    def deafen(manager, namespace):
        """Lists of a version that this bot does not speak: slixmpp-omemo asks for them all the same."""
        def unless_unspoken(method):
            async def call(of, *arguments):
                if of != namespace:
                    await method(of, *arguments)
            return call

        manager.update_device_list = unless_unspoken(manager.update_device_list)
        manager.refresh_device_list = unless_unspoken(manager.refresh_device_list)

    async def on_omemo(self, _):
        manager = await self.manager()
        for word, namespace in NAMESPACES.items():
            if not self.speaks(word):
                self.deafen(manager, namespace)
                await manager.purge_backend(namespace)
        own, _others = await manager.get_own_device_information()
        emit("ready", jid=self.boundjid.bare, device=own.device_id, identity_key=own.identity_key.hex())

    async def manager(self):
        return await self.plugin["xep_0384"].get_session_manager()

    # Receiving

    def on_carbon(self, message, kind):
        asyncio.ensure_future(self.receive(message[kind], carbon=True))

    async def on_message(self, message):
        if message["type"] == "error":
            emit("bounced", id=message["id"], sender=message["from"].bare, condition=message["error"]["condition"])
        elif message["type"] in ("chat", "normal"):
            await self.receive(message, carbon=False)

    async def receive(self, message, carbon):
        sender = message["from"].bare
        about = {"id": message["id"], "sender": sender, "carbon": carbon}
        found = {word: message.xml.find(f"{{{namespace}}}encrypted") for word, namespace in NAMESPACES.items()}
        elements = {word: element for word, element in found.items() if element is not None and self.speaks(word)}
        if not elements:
            if message["body"]:
                emit("msg", version="plain", body=message["body"], **about)
            return
        # One stanza may carry both versions; the key for this device stands in one of them.
        for word, element in elements.items():
            try:
                plaintext, device = await self.decrypt(word, element, sender)
                break
            except omemo.MessageNotForUs:
                continue
            except Exception as error:
                return emit("err", op="receive", why=describe(error), version=word, **about)
        else:
            return emit("not_for_us", versions=sorted(elements), **about)
        about.update(version=word, device=device.device_id, trust=device.trust_level_name)
        if plaintext is None:
            return emit("empty", **about)
        try:
            content = sce.unwrap(plaintext, sender) if word == "omemo2" else {"body": plaintext.decode()}
        except (sce.SceError, UnicodeDecodeError) as error:
            return emit("err", op="receive", why=describe(error), **about)
        emit("msg", **content, **about)
        body = content["body"]
        if self.echo and not carbon and body and not body.startswith(ECHO):
            try:
                await self.send_body(sender, ECHO + body, word)
            except Exception as error:
                emit("err", op="echo", why=describe(error), **about)

    async def decrypt(self, word, element, sender):
        manager = await self.manager()
        async with self.ratchets:
            if word == "omemo2":
                message = twomemo.etree.parse_message(element, sender)
            else:
                message = await oldmemo.etree.parse_message(element, sender, self.boundjid.bare, manager)
            plaintext, device, _key_material = await manager.decrypt(message)
        return plaintext, device

    # Sending

    async def send_body(self, recipient, body, word):
        """Encrypts for all devices of `recipient` and our other ones; returns the stanza's id."""
        namespace = NAMESPACES[word]
        await self.plugin["xep_0384"].refresh_device_lists({JID(recipient)})
        plaintext = sce.wrap_body(body, self.boundjid.bare) if word == "omemo2" else body.encode()
        manager = await self.manager()
        async with self.ratchets:
            messages, errors = await manager.encrypt(
                frozenset({recipient}), {namespace: plaintext}, backend_priority_order=[namespace]
            )
        for error in errors:
            emit("left_out", jid=error.bare_jid, device=error.device_id, why=describe(error.exception))
        stanza = self.make_message(mto=JID(recipient), mtype="chat")
        for message in messages:
            serialize = (twomemo if word == "omemo2" else oldmemo).etree.serialize_message
            stanza.append(serialize(message))
        hint = ElementTree.SubElement(stanza.xml, f"{{{EME}}}encryption")
        hint.set("namespace", namespace)
        hint.set("name", "OMEMO")
        stanza["body"] = FALLBACK
        stanza.enable("store")
        stanza.send()
        return stanza["id"]

    # Commands

    async def carry_out(self, command):
        operation = command["op"]
        handlers = {"send": self.do_send, "devices": self.do_devices, "trust": self.do_trust, "raw": self.do_raw}
        if operation not in handlers:
            return emit("err", op=operation, why="no such command")
        try:
            answer = await asyncio.wait_for(handlers[operation](command), COMMAND_SECONDS)
        except Exception as error:
            return emit("err", op=operation, why=describe(error))
        emit("done", op=operation, **answer)

    async def do_send(self, command):
        recipient, body, version = command["to"], command["body"], command["version"]
        if version == "plain":
            stanza = self.make_message(mto=JID(recipient), mtype="chat", mbody=body)
            stanza.send()
            return {"id": stanza["id"]}
        return {"id": await self.send_body(recipient, body, version)}

    async def do_devices(self, command):
        await self.plugin["xep_0384"].refresh_device_lists({JID(command["jid"])}, force_download=True)
        manager = await self.manager()
        devices = [
            {
                "id": device.device_id,
                "versions": sorted(WORDS[namespace] for namespace in device.namespaces),
                "active": sorted(WORDS[namespace] for namespace, active in device.active if active),
                "trust": device.trust_level_name,
                "identity_key": device.identity_key.hex(),
            }
            for device in await manager.get_device_information(command["jid"])
        ]
        return {"devices": sorted(devices, key=lambda device: device["id"])}

    async def do_trust(self, command):
        manager = await self.manager()
        level = TrustLevel.TRUSTED if command["trusted"] else TrustLevel.DISTRUSTED
        wanted = command.get("device")
        decided = 0
        for device in await manager.get_device_information(command["jid"]):
            if wanted in (None, device.device_id):
                await manager.set_trust(device.bare_jid, device.identity_key, level.value)
                decided += 1
        if not decided:
            raise LookupError("no such device is known")
        return {"decided": decided}

    async def do_raw(self, command):
        self.send_raw(command["xml"])
        return {}


def describe(error):
    """An exception in one line, with its cause: python-omemo's own texts seldom say what went wrong below."""
    text = f"{type(error).__name__}: {error}"
    return text if error.__cause__ is None else f"{text} (because {describe(error.__cause__)})"


async def read_commands(bot):
    """Carries commands out one after the other, until "quit" or the end of input."""
    reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        if command["op"] == "quit":
            break
        await bot.carry_out(command)
    bot.ended.set()


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jid", required=True, help="bare JID; the password is in EFT_BOT_PASSWORD")
    parser.add_argument("--port", required=True, type=int, help="STARTTLS port on 127.0.0.1")
    parser.add_argument("--authority", required=True, help="PEM file of the authority that signed the server")
    parser.add_argument("--store", required=True, help="file for the device's keys")
    parser.add_argument("--echo", action="store_true", help="answer each message with its own text")
    parser.add_argument("--only", choices=sorted(NAMESPACES), help="be a client that knows this version alone")
    parser.add_argument("--manual-trust", action="store_true", help="encrypt to no device before it is trusted by a command")
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    bot = Bot(options, os.environ.pop("EFT_BOT_PASSWORD"))
    bot.connect("127.0.0.1", options.port)
    commands = asyncio.ensure_future(read_commands(bot))
    await bot.ended.wait()
    commands.cancel()
    await bot.disconnect(wait=2.0)


if __name__ == "__main__":
    asyncio.run(main())
