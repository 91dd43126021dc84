//! X13: nothing to strangers by default.

use super::client::{CONTACT, Client};
use super::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_no_receipt_no_marker_and_no_presence() {
    let mut program = Program::start().await;
    let mut client = Client::new(&program, "strangers").await;
    client.online(&program).await;
    program.say("forget").await;
    let from = "from='stranger@s.example/phone' to='{to}'";
    let asked = [
        format!(
            "<message {from} type='chat' id='s1'><body>who are you</body>\
             <request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/>\
             <active xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
        format!(
            "<message {from} type='chat' id='s2'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
        format!("<presence {from} type='subscribe'/>"),
        format!("<presence {from} type='probe'/>"),
        format!("<presence {from}/>"),
    ];
    for stanza in asked {
        program.say(&format!("send {stanza}")).await;
    }
    program
        .say(&format!(
            "send <message type='chat' from='{CONTACT}/phone' to='{{to}}' id='b'><body>behind</body></message>"
        ))
        .await;
    client.wait_for_text("behind").await;
    // What would be said would be said soon.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let heard = program.say("heard").await;
    for stanza in heard["encrypted"].as_array().unwrap() {
        let stanza = stanza.as_str().unwrap();
        assert!(!stanza.contains("s.example"), "{stanza}");
        assert!(!stanza.starts_with("<presence"), "{stanza}");
        assert!(!stanza.contains("urn:xmpp:receipts"), "{stanza}");
    }
}
