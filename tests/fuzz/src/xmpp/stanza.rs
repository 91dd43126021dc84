//! Stanzas: archives, copies, events, errors, presence, roster, discovery.

use eft_types::{BareJid, FullJid, Timestamp};
use eft_xmpp::Element;
use eft_xmpp::stream::{IqTracker, StreamError, StreamFeatures};
use eft_xmpp::xep::{
    caps, carbons, data_forms, datetime, delay, disco, eme, forward, hints, iq, mam, message, ping,
    presence, pubsub, receipts, roster, rsm, stanza_error, stanza_id, stream_limits,
};

/// Our account.
const OWN: &str = "juliet@capulet.example";
/// The query that is under way, and the archive that it asks.
const QUERY: &str = "q1";
const ROOM: &str = "coven@chat.shakespeare.example";
/// The request that is under way.
const REQUEST: &str = "r1";

/// No stanza makes a parser panic, and nobody speaks for somebody else.
pub(crate) fn run(data: &[u8]) {
    let own = BareJid::new(OWN).unwrap();
    let full = FullJid::new(&format!("{OWN}/balcony")).unwrap();
    let mut requests = IqTracker::new(full);
    let deadline = Timestamp::from_millis(1000);
    requests.track(REQUEST, None, deadline, ()).unwrap();
    for stanza in super::stanzas(data) {
        wrapped(&stanza, &own);
        from_server(&stanza, &own);
        values(&stanza);
        if requests.handle(&stanza).is_some() {
            let from = stanza.attr("from");
            assert!(
                speaks_for_account(from, &own),
                "{from:?} answers for our server"
            );
        }
    }
    assert!(requests.expire(deadline).len() <= 1);
}

/// Messages inside messages: whoever may not wrap must not be believed.
fn wrapped(stanza: &Element, own: &BareJid) {
    let from = stanza.attr("from");
    if let Ok(Some(carbon)) = carbons::unwrap(stanza, own) {
        assert!(
            from.is_some() && speaks_for_account(from, own),
            "a forged copy"
        );
        assert!(message::MessageHead::parse(&carbon.message).is_some());
        values(&carbon.message);
    }
    let room = BareJid::new(ROOM).unwrap();
    let archives = [mam::Archive::Own, mam::Archive::Room(room.clone())];
    for archive in archives {
        let of_account = archive == mam::Archive::Own;
        let query = mam::Query::forward(archive, QUERY.to_owned(), None, 50);
        if let Ok(Some(archived)) = query.unwrap(stanza, own) {
            let genuine = if of_account {
                speaks_for_account(from, own)
            } else {
                from.and_then(|from| BareJid::new(from).ok()).as_ref() == Some(&room)
            };
            assert!(genuine && mam::is_result(stanza), "a forged result");
            values(&archived.message);
        }
    }
    if let Some(event) = pubsub::PubSubEvent::parse(stanza)
        && let pubsub::NodeChange::Items { published, .. } = event.change
    {
        published
            .iter()
            .filter_map(|item| item.payload.as_ref())
            .for_each(values);
    }
    if let Some(forwarded) = forward::Forwarded::find(stanza) {
        let _ = forwarded.to_element();
    }
}

fn from_server(stanza: &Element, own: &BareJid) {
    if let Ok(Some(_)) = roster::parse_push(stanza, own) {
        assert!(
            speaks_for_account(stanza.attr("from"), own),
            "a forged roster push"
        );
    }
    let _ = roster::parse_answer(stanza);
    let _ = presence::Presence::parse(stanza);
    let _ = mam::Fin::parse(stanza);
    let _ = mam::Metadata::find(stanza);
    let _ = rsm::ResultSet::find(stanza);
    let _ = pubsub::parse_items(stanza, "urn:xmpp:omemo:2:devices");
    if let Some(form) = pubsub::parse_configuration(stanza) {
        let _ = pubsub::NodeConfig::default().is_met_by(&form);
    }
    let _ = disco::parse_items(stanza);
    let _ = disco::asked_info(stanza);
    if let Some(info) = disco::DiscoInfo::parse(stanza) {
        let made = caps::Caps::of("https://eft.example", &info);
        let _ = made.vouches_for(&info);
        let _ = info.to_element();
    }
    let error = stanza_error::StanzaError::parse(stanza);
    assert!(!error.to_string().is_empty());
    if let Some(request) = iq::Request::parse(stanza) {
        assert!(matches!(stanza.attr("type"), Some("get" | "set")));
        let _ = request.payload;
        // An answer to a request is none.
        if let Some(answer) = iq::result(stanza, None) {
            assert!(iq::Request::parse(&answer).is_none());
        }
    }
    if let Some(features) = StreamFeatures::parse(stanza) {
        let _ = features.has("sm", "urn:xmpp:sm:3");
    }
    let _ = stream_limits::parse(stanza);
    let _ = StreamError::parse(stanza);
    let _ = ping::is_ping(stanza);
}

fn values(stanza: &Element) {
    let _ = message::MessageHead::parse(stanza);
    let _ = message::body_of(stanza.children());
    let _ = eme::ExplicitEncryption::find_all(stanza).count();
    let _ = stanza_id::origin_id(stanza);
    let archive = BareJid::new(OWN).unwrap().into();
    let _ = stanza_id::stanza_id(stanza, &archive);
    let _ = delay::Delay::find(stanza, &archive);
    let _ = receipts::confirmed(stanza.children());
    let _ = caps::Caps::find(stanza);
    for child in stanza.children() {
        let _ = hints::Hint::parse(child);
        if let Some(form) = data_forms::DataForm::parse(child) {
            let again = data_forms::DataForm::parse(&form.to_element()).unwrap();
            assert_eq!(again.kind, form.kind);
        }
        if let Some(read) = delay::Delay::parse(child) {
            time(&read.stamp);
        }
        for (_, value) in child.attrs() {
            if let Some(read) = datetime::parse(value) {
                time(&read);
            }
        }
    }
}

/// A time that can be written reads back.
fn time(read: &Timestamp) {
    if (-62_167_219_200_000..253_402_300_800_000).contains(&read.as_millis()) {
        assert_eq!(datetime::parse(&datetime::format(*read)), Some(*read));
    }
}

fn speaks_for_account(from: Option<&str>, own: &BareJid) -> bool {
    from.is_none_or(|from| BareJid::new(from).is_ok_and(|from| from == *own))
}

/// One of each kind, genuine and forged.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let inner = "<message xmlns='jabber:client' from='romeo@montague.example/orchard' to='juliet@capulet.example/balcony' \
        type='chat' id='m1'><body>Hi</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>\
        <encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2' name='OMEMO'/><store xmlns='urn:xmpp:hints'/></message>";
    let forwarded = format!(
        "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/>{inner}</forwarded>"
    );
    let mut texts = vec![inner.to_owned()];
    for from in [OWN, ROOM, "romeo@montague.example"] {
        texts.push(format!(
            "<message from='{from}'><received xmlns='urn:xmpp:carbons:2'>{forwarded}</received></message>"
        ));
        texts.push(format!(
            "<message from='{from}'><result xmlns='urn:xmpp:mam:2' queryid='q1' id='28482-98726-73623'>{forwarded}</result></message>"
        ));
    }
    texts.extend(
        [
            "<iq type='result' id='r1'><fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'>\
             <first index='0'>1</first><last>2</last><count>20</count></set></fin></iq>",
            "<iq type='result' id='r1' from='romeo@montague.example'/>",
            "<iq type='error' id='r1' from='juliet@capulet.example'><error type='cancel' by='x@y.example'>\
             <item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no</text>\
             <precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/></error></iq>",
            "<message from='romeo@montague.example' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>\
             <items node='urn:xmpp:omemo:2:devices'><item id='current'><devices xmlns='urn:xmpp:omemo:2'><device id='1'/></devices></item>\
             <retract id='old'/></items></event></message>",
            "<iq type='result' id='r1'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:omemo:2:devices'>\
             <item id='current'><devices xmlns='urn:xmpp:omemo:2'/></item></items></pubsub></iq>",
            "<presence from='romeo@montague.example/orchard'><show>xa</show><status>away</status>\
             <c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://x.example' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>",
            "<iq type='set' id='p1'><query xmlns='jabber:iq:roster' ver='v2'><item jid='romeo@montague.example' name='Romeo' \
             subscription='both' ask='subscribe'><group>Friends</group></item></query></iq>",
            "<iq type='result' id='r1'><query xmlns='http://jabber.org/protocol/disco#info' node='n'><identity category='client' \
             type='pc' name='Eft' xml:lang='en'/><feature var='urn:xmpp:ping'/><x xmlns='jabber:x:data' type='result'>\
             <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>\
             <field var='os'><value>Mac</value></field></x></query></iq>",
            "<iq type='result' id='r1'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='muc.example' name='Rooms'/></query></iq>",
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls><mechanisms \
             xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256</mechanism></mechanisms><sm xmlns='urn:xmpp:sm:3'/>\
             <limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes><idle-seconds>1800</idle-seconds></limits></stream:features>",
            "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[2001:db8::1]:9222</see-other-host></stream:error>",
            "<iq type='result' id='r1'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'>\
             <x xmlns='jabber:x:data' type='form'><field var='pubsub#access_model'><value>open</value></field></x></configure></pubsub></iq>",
            "<iq type='get' id='g1' from='romeo@montague.example/o'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<message from='juliet@capulet.example'><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='s1'/>\
             <delay xmlns='urn:xmpp:delay' from='juliet@capulet.example' stamp='2002-12-31T24:00:00.9999-14:00'/>\
             <received xmlns='urn:xmpp:receipts' id='m1'/></message>",
        ]
        .map(str::to_owned),
    );
    texts.into_iter().map(String::into_bytes).collect()
}
