//! SCE envelopes (XEP-0420).

use eft_xmpp::xep::sce::{Envelope, is_server_processed};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

/// What is read holds nothing that only servers may write, and can be written and read again.
pub(crate) fn run(data: &[u8]) {
    let Ok(envelope) = Envelope::parse(data) else {
        return;
    };
    assert!(!envelope.content.iter().any(is_server_processed));
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    // Attributes in foreign namespaces are read, but never written.
    let Ok(text) = envelope.to_text(&mut rng) else {
        return;
    };
    assert!(text.len() >= 512, "an envelope shorter than all others");
    let again = Envelope::parse(text.as_bytes()).unwrap();
    assert!(again.content == envelope.content);
    assert_eq!((&again.from, &again.to), (&envelope.from, &envelope.to));
    // Times before year 0 and after 9999 cannot be written.
    if let Some(time) = envelope.time
        && (-62_167_219_200_000..253_402_300_800_000).contains(&time.as_millis())
    {
        assert_eq!(again.time, Some(time));
    }
    let outer = "<message xmlns='jabber:client' from='a@b.example/c'><body>outside</body>\
        <origin-id xmlns='urn:xmpp:sid:0' id='1'/></message>";
    let [outer] = super::stanzas(outer.as_bytes()).try_into().unwrap();
    let content = envelope.content.len();
    let restored = envelope.restore(&outer);
    assert_eq!(restored.children().count(), content + 1);
    assert_eq!(restored.attr("from"), Some("a@b.example/c"));
}

/// Envelopes as this core and others write them, and what must not be in one.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>Hi</body></content><rpad>xyz</rpad>\
         <time stamp='2026-11-23T06:40:00Z'/><from jid='a@b.example'/><to jid='c@d.example'/></envelope>",
        "<?xml version='1.0'?><envelope xmlns='urn:xmpp:sce:1'><content/><to jid='room@muc.example/x'/></envelope>",
        "\u{feff} <s:envelope xmlns:s='urn:xmpp:sce:1'><s:content><body xmlns='jabber:client' xml:lang='de'>Ä</body>\
         </s:content><s:time stamp='2026-11-23T08:40:00.123+02:00'/></s:envelope> ",
        "<envelope xmlns='urn:xmpp:sce:1'><content><store xmlns='urn:xmpp:hints'/><delay xmlns='urn:xmpp:delay' \
         stamp='2002-09-10T23:08:25Z'/><stanza-id xmlns='urn:xmpp:sid:0' id='1' by='a@b.example'/>\
         <received xmlns='urn:xmpp:receipts' id='m1'/></content></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><content/></envelope>",
        "<envelope xmlns='urn:xmpp:sce:1'><content/><from/></envelope>",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
