//! Streams that go on.

use eft_xmpp::Element;
use eft_xmpp::driver::{CloseStyle, ConnectError, Event};
use eft_xmpp::stream::{LoginError, LostStream, Pins, Resumption, StreamRecord, Transport};
use std::time::Duration;

use super::bench::{Bench, ask, leave, next, note_to_self, stanza_with_id};
use super::servers::{KINDS, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_in_another_process_and_loses_nothing() {
    for kind in KINDS {
        let server = Server::start(kind);
        for transport in [
            Transport::DirectTls,
            Transport::StartTls,
            Transport::WebSocket,
        ] {
            goes_on(Bench::new(&server, transport, 2).await).await;
        }
    }
}

/// The end has to reach all parts of the server before it is true. Until then it goes on with the stream, and has more of
/// it than was kept here.
async fn until_the_server_knows(bench: &mut Bench) {
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        match bench.connect().await {
            Err(ConnectError::Login(LoginError::HandledCountTooHigh(_))) => {}
            // Left at once, without a word: the next one finds what this one found.
            _ => return,
        }
    }
    panic!("the server goes on with a stream that was ended");
}

async fn goes_on(mut bench: Bench) {
    for sasl2 in [true, false] {
        bench.config.login.sasl2 = sasl2;
        bench.config.login.pins = Pins::default();
        bench.config.login.token = None;
        bench.config.resume = None;
        let mut before = bench.login("to be resumed").await;
        let full_jid = before.session().full_jid.clone();
        ask(&mut before, "r1").await;
        let lost = leave(before).await;

        // Another process: it has the record, and not the stanzas that left no trace on disk.
        let mut record = StreamRecord::from_bytes(&lost.record.to_bytes()).unwrap();
        record.acked = 0;
        bench.config.resume = Some(LostStream {
            record,
            unacked: Vec::new(),
            sent: None,
        });
        let mut after = bench.login("resumed").await;
        let Resumption::Resumed { h } = after.session().resumption else {
            panic!("{:?}", after.session().resumption);
        };
        assert!(h >= 1, "the ping was counted");
        assert_eq!(after.session().full_jid, full_jid);
        after
            .sender()
            .send(&note_to_self(full_jid.as_str(), "after"), Some(1))
            .await
            .unwrap();
        stanza_with_id(&mut after, "after").await;
        ask(&mut after, "r2").await;

        // Killed with two messages unacknowledged that the server never got.
        let mut stream = leave(after).await;
        let lost = |number, id: &str| eft_xmpp::stream::Unacked {
            number,
            text: format!(
                "<message type='chat' to='{full_jid}' id='{id}'><body>{id}</body></message>"
            )
            .into(),
            token: Some(number.into()),
            queued_at: eft_types::Timestamp::from_millis(0),
        };
        let last = stream.sent.unwrap();
        stream.unacked = vec![lost(last + 1, "lost1"), lost(last + 2, "lost2")];
        stream.sent = Some(last + 2);
        bench.config.resume = Some(stream.clone());
        let mut again = bench.login("resumed with a queue").await;
        assert!(matches!(
            again.session().resumption,
            Resumption::Resumed { .. }
        ));
        stanza_with_id(&mut again, "lost1").await;
        stanza_with_id(&mut again, "lost2").await;
        ask(&mut again, "r3").await;
        again.sender().close(CloseStyle::EndStream).await.unwrap();
        while !matches!(next(&mut again).await, Event::Closed(_)) {}
        // The stream was ended: it cannot be resumed, and what it left goes out on the new one.
        bench.config.resume = Some(stream);
        until_the_server_knows(&mut bench).await;
        let mut new = bench.login("refused").await;
        assert!(
            matches!(new.session().resumption, Resumption::Refused { .. }),
            "{:?}",
            new.session().resumption
        );
        let leftover = new.take_leftover();
        println!("leftover {leftover:?}");
        assert!(!leftover.unsent.is_empty());
        let to = new.session().full_jid.clone();
        let presence: Element = "<presence xmlns='jabber:client'/>".parse().unwrap();
        new.sender().send(&presence, None).await.unwrap();
        new.sender()
            .send(&note_to_self(to.as_str(), "new"), None)
            .await
            .unwrap();
        for stanza in &leftover.unsent {
            new.sender().send_again(stanza).await.unwrap();
        }
        stanza_with_id(&mut new, "new").await;
        ask(&mut new, "r4").await;
        new.sender().close(CloseStyle::EndStream).await.unwrap();
    }
}
