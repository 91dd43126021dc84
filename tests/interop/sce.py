"""Stanza Content Encryption (XEP-0420): the envelope inside an omemo:2 message.

No library for Python has it, so this one is written from the XEP, apart from Eft's.
"""

import datetime
import secrets
import string
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "urn:xmpp:sce:1"
CLIENT = "jabber:client"
MAX_PADDING = 200


class SceError(Exception):
    """The decrypted bytes are no envelope for us."""


def wrap_body(body, sender, recipient=None):
    """The envelope around one <body/>, as bytes. `recipient` is for rooms, where the XEP demands it."""
    padding = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(secrets.randbelow(MAX_PADDING) + 1))
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Written by hand: ElementTree would invent namespace prefixes, and a deployed client drops envelopes with
    # prefixes and wants the namespace repeated on the affix elements.
    affixes = f"<rpad xmlns='{NAMESPACE}'>{padding}</rpad><time xmlns='{NAMESPACE}' stamp='{now}'/><from xmlns='{NAMESPACE}' jid={quoteattr(sender)}/>"
    if recipient is not None:
        affixes += f"<to xmlns='{NAMESPACE}' jid={quoteattr(recipient)}/>"
    content = f"<content><body xmlns='{CLIENT}'>{escape(body)}</body></content>"
    return f"<envelope xmlns='{NAMESPACE}'>{content}{affixes}</envelope>".encode()


def unwrap(plaintext, sender):
    """Reads an envelope that `sender` (a bare JID) is said to have sent: what the bot reports of it.

    Strict on purpose: a missing affix is a fault of the other side that a test should see.
    """
    try:
        envelope = ElementTree.fromstring(plaintext)
    except ElementTree.ParseError as error:
        raise SceError(f"no XML: {error}") from error
    if envelope.tag != f"{{{NAMESPACE}}}envelope":
        raise SceError(f"root is {envelope.tag}")
    parts = {name: envelope.find(f"{{{NAMESPACE}}}{name}") for name in ("content", "rpad", "time", "from", "to")}
    if parts["content"] is None:
        raise SceError("no content")
    if parts["rpad"] is None:
        raise SceError("no rpad, which XEP-0384 demands")
    if parts["from"] is None:
        raise SceError("no from, which XEP-0384 demands")
    if parts["from"].get("jid", "").partition("/")[0] != sender:
        raise SceError(f"from is {parts['from'].get('jid')!r}, the stanza came from {sender!r}")
    body = parts["content"].find(f"{{{CLIENT}}}body")
    return {
        "body": None if body is None else body.text or "",
        "content": [ElementTree.tostring(child, encoding="unicode") for child in parts["content"]],
        "time": None if parts["time"] is None else parts["time"].get("stamp"),
        "to": None if parts["to"] is None else parts["to"].get("jid"),
        "padding_count": len(parts["rpad"].text or ""),
    }
