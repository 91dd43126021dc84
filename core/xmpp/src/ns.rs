//! XML namespaces, each under the name of the text that defines it.

/// RFC 6120: the content namespace of a client's stream.
pub const CLIENT: &str = "jabber:client";
/// RFC 6120: the stream's own elements.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// RFC 6120 §4.9: conditions of a stream error.
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// RFC 6120 §8.3: conditions of a stanza error.
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// RFC 6120 §5: STARTTLS.
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// RFC 6120 §6: SASL.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// XEP-0388: SASL2.
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0386: Bind 2.
pub const BIND2: &str = "urn:xmpp:bind:0";
/// XEP-0484: FAST.
pub const FAST: &str = "urn:xmpp:fast:0";
/// XEP-0440: channel-binding types.
pub const SASL_CB: &str = "urn:xmpp:sasl-cb:0";
/// RFC 6120 §7: resource binding.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// RFC 3921: the session of old, a no-op that some servers still announce.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// RFC 6121 §2: roster.
pub const ROSTER: &str = "jabber:iq:roster";
/// Namespaces in XML: the `xml` prefix.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// XEP-0004: data forms.
pub const DATA_FORMS: &str = "jabber:x:data";
/// XEP-0030: service discovery, information.
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// XEP-0030: service discovery, items.
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0059: result set management.
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0060: publish-subscribe.
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// XEP-0060: what a node's owner may say.
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// XEP-0060: events.
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0060: conditions beside the stanza error.
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
/// XEP-0060: form type of publish options; also the feature that announces them.
pub const PUBSUB_PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";
/// XEP-0060: form type of a node's configuration.
pub const PUBSUB_NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";
/// XEP-0115: entity capabilities.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// XEP-0184: delivery receipts.
pub const RECEIPTS: &str = "urn:xmpp:receipts";
/// XEP-0191: block list.
pub const BLOCKING: &str = "urn:xmpp:blocking";
/// XEP-0198: stream management.
pub const SM: &str = "urn:xmpp:sm:3";
/// XEP-0199: ping.
pub const PING: &str = "urn:xmpp:ping";
/// XEP-0203: delayed delivery.
pub const DELAY: &str = "urn:xmpp:delay";
/// XEP-0280: carbons.
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// XEP-0297: forwarding.
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// XEP-0313: message archive.
pub const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0313: the extended query fields.
pub const MAM_EXTENDED: &str = "urn:xmpp:mam:2#extended";
/// XEP-0334: hints.
pub const HINTS: &str = "urn:xmpp:hints";
/// XEP-0352: client state indication.
pub const CSI: &str = "urn:xmpp:csi:0";
/// XEP-0357: push.
pub const PUSH: &str = "urn:xmpp:push:0";
/// XEP-0359: stanza ids.
pub const SID: &str = "urn:xmpp:sid:0";
/// XEP-0380: explicit message encryption.
pub const EME: &str = "urn:xmpp:eme:0";
/// XEP-0384: OMEMO.
pub const OMEMO_2: &str = "urn:xmpp:omemo:2";
/// XEP-0384: node of the device list.
pub const OMEMO_2_DEVICES: &str = "urn:xmpp:omemo:2:devices";
/// XEP-0384: node of the bundles.
pub const OMEMO_2_BUNDLES: &str = "urn:xmpp:omemo:2:bundles";
/// XEP-0384 0.3: legacy OMEMO.
pub const OMEMO_LEGACY: &str = "eu.siacs.conversations.axolotl";
/// XEP-0384 0.3: node of the device list.
pub const OMEMO_LEGACY_DEVICES: &str = "eu.siacs.conversations.axolotl.devicelist";
/// XEP-0384 0.3: node of one device's bundle, without the decimal device id at its end.
pub const OMEMO_LEGACY_BUNDLE_PREFIX: &str = "eu.siacs.conversations.axolotl.bundles:";
/// XEP-0420: stanza content encryption.
pub const SCE: &str = "urn:xmpp:sce:1";
/// XEP-0490: how far a conversation was read; also the node.
pub const MDS: &str = "urn:xmpp:mds:displayed:0";
/// XEP-0478: stream limits.
pub const STREAM_LIMITS: &str = "urn:xmpp:stream-limits:0";
/// XEP-0045: what a room says about occupants.
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
/// XEP-0033: multicast addresses.
pub const ADDRESSES: &str = "http://jabber.org/protocol/address";
/// XEP-0421: occupant ids.
pub const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
/// Links of a host, RFC 6415.
pub const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";
/// A stream over WebSocket, RFC 7395.
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
