use super::*;
use crate::xml::encode_stanza;

fn own() -> BareJid {
    BareJid::new("me@b.example").unwrap()
}

fn query() -> Query {
    Query::forward(
        Archive::Own,
        "q1".to_owned(),
        Some(&StanzaId::new("m7")),
        50,
    )
}

#[test]
fn a_page_forward_is_asked_of_the_own_account_without_to() {
    assert_eq!(
        encode_stanza(&query().to_iq("i1")).unwrap(),
        "<iq id='i1' type='set'><query xmlns='urn:xmpp:mam:2' queryid='q1'>\
         <set xmlns='http://jabber.org/protocol/rsm'><max>50</max><after>m7</after></set></query></iq>"
    );
}

#[test]
fn filters_and_rooms_are_written() {
    let room = BareJid::new("room@m.example").unwrap();
    let query = Query {
        with: Some(Jid::new("a@b.example").unwrap()),
        start: Some(Timestamp::from_millis(0)),
        end: Some(Timestamp::from_millis(1000)),
        ..Query::backward(Archive::Room(room), "q".to_owned(), None, 10)
    };
    let iq = query.to_iq("1");
    assert_eq!(iq.attr("to"), Some("room@m.example"));
    let payload = iq.get_child("query", ns::MAM).unwrap();
    let form = DataForm::parse(payload.get_child("x", ns::DATA_FORMS).unwrap()).unwrap();
    assert_eq!(form.form_type(), Some(ns::MAM));
    assert_eq!(form.value("start"), Some("1970-01-01T00:00:00.000Z"));
    assert_eq!(form.value("end"), Some("1970-01-01T00:00:01.000Z"));
    assert_eq!(form.value("with"), Some("a@b.example"));
    assert!(
        payload
            .get_child("set", ns::RSM)
            .unwrap()
            .has_child("before", ns::RSM)
    );
}

fn result(from: &str, attributes: &str, forwarded: &str) -> Element {
    format!(
        "<message xmlns='jabber:client' {from}><result xmlns='urn:xmpp:mam:2' {attributes}>\
         <forwarded xmlns='urn:xmpp:forward:0'>{forwarded}</forwarded></result></message>"
    )
    .parse()
    .unwrap()
}

/// What a look at a stanza finds; taking it apart finds the same, and gives back what is nothing.
fn unwrapped(query: &Query, stanza: &Element) -> Result<Option<ArchivedMessage>, ResultError> {
    let found = query.unwrap(stanza, &own());
    match (query.take(stanza.clone(), &own()), &found) {
        (Ok(taken), Ok(Some(found))) => assert_eq!(taken, *found),
        (Err(left), Ok(None) | Err(_)) => assert_eq!(*left, *stanza),
        (taken, _) => panic!("taken: {taken:?}, found: {found:?}"),
    }
    found
}

const INNER: &str = "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>\
    <message xmlns='jabber:client' from='friend@c.example/x' to='me@b.example' id='m'><body>hi</body></message>";

#[test]
fn results_of_the_archive_asked_are_unwrapped() {
    for from in ["", "from='me@b.example'"] {
        let stanza = result(from, "queryid='q1' id='a1'", INNER);
        let archived = unwrapped(&query(), &stanza).unwrap().unwrap();
        assert_eq!(archived.id, StanzaId::new("a1"));
        assert_eq!(archived.message.attr("from"), Some("friend@c.example/x"));
        assert_eq!(datetime::format(archived.stamp), "2026-01-01T00:00:00.000Z");
    }
    let room = BareJid::new("room@m.example").unwrap();
    let of_room = Query::forward(Archive::Room(room), "q1".to_owned(), None, 1);
    let stanza = result("from='room@m.example'", "queryid='q1' id='a1'", INNER);
    assert!(unwrapped(&of_room, &stanza).unwrap().is_some());
    for forged in [
        "",
        "from='me@b.example'",
        "from='room@m.example/nick'",
        "from='m.example'",
    ] {
        let stanza = result(forged, "queryid='q1' id='a1'", INNER);
        assert_eq!(
            unwrapped(&of_room, &stanza),
            Err(ResultError::Forged),
            "{forged}"
        );
    }
}

#[test]
fn forged_and_foreign_results_are_refused() {
    for from in [
        "from='friend@c.example'",
        "from='b.example'",
        "from='me@b.example/desk'",
        "from='mе@b.example'",
        "from='@'",
    ] {
        let stanza = result(from, "queryid='q1' id='a1'", INNER);
        assert_eq!(
            unwrapped(&query(), &stanza),
            Err(ResultError::Forged),
            "{from}"
        );
        assert!(is_result(&stanza));
    }
    for attributes in ["queryid='q2' id='a1'", "id='a1'", "queryid='' id='a1'"] {
        assert_eq!(
            unwrapped(&query(), &result("", attributes, INNER)),
            Err(ResultError::OtherQuery)
        );
    }
    for (attributes, inner) in [
        ("queryid='q1'", INNER),
        ("queryid='q1' id=''", INNER),
        ("queryid='q1' id='1'", ""),
        ("queryid='q1' id='1'", "<message xmlns='jabber:client'/>"),
    ] {
        assert_eq!(
            unwrapped(&query(), &result("", attributes, inner)),
            Err(ResultError::Malformed)
        );
    }
    let ordinary: Element = "<message xmlns='jabber:client'><body>x</body></message>"
        .parse()
        .unwrap();
    assert_eq!(unwrapped(&query(), &ordinary), Ok(None));
}

#[test]
fn the_end_of_a_page_is_read() {
    let fin = |attributes: &str| {
        let text = format!(
            "<iq xmlns='jabber:client' type='result' id='1'><fin xmlns='urn:xmpp:mam:2' {attributes}>\
            <set xmlns='http://jabber.org/protocol/rsm'><first>a</first><last>b</last></set></fin></iq>"
        );
        Fin::parse(&text.parse().unwrap()).unwrap()
    };
    assert!(!fin("").is_complete && fin("").is_stable);
    assert!(fin("complete='true'").is_complete && fin("complete='1'").is_complete);
    assert!(!fin("stable='false'").is_stable);
    assert_eq!(fin("").set.last.as_deref(), Some("b"));
    assert_eq!(Fin::parse(&element("iq", ns::CLIENT)), None);
}

#[test]
fn both_ends_of_an_archive_are_read() {
    let result: Element = "<iq xmlns='jabber:client'><metadata xmlns='urn:xmpp:mam:2'>\
        <start id='a' timestamp='2008-08-22T21:09:04Z'/><end id='b' timestamp='x'/></metadata></iq>"
        .parse()
        .unwrap();
    let metadata = Metadata::find(&result).unwrap();
    assert_eq!(metadata.start.unwrap().0, StanzaId::new("a"));
    assert_eq!(metadata.end, None);
    assert_eq!(Metadata::find(&element("iq", ns::CLIENT)), None);
    assert_eq!(metadata_request().name(), "metadata");
}
