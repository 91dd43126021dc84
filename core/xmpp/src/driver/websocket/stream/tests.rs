use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;

fn pair() -> (WebSocketStream<DuplexStream>, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let nonces = Nonces::draw(&mut ChaCha20Rng::seed_from_u64(1));
    (WebSocketStream::new(ours, &nonces), theirs)
}

/// What the client sent, unmasked: first byte and payload of each frame.
async fn frames(server: &mut DuplexStream) -> Vec<(u8, String)> {
    let mut bytes = Vec::new();
    server.read_to_end(&mut bytes).await.unwrap();
    let (mut rest, mut frames) = (bytes.as_slice(), Vec::new());
    while let [first, length, a, b, c, d, payload @ ..] = rest {
        let length = usize::from(length & 0x7F);
        assert!(length <= 125, "these tests send little");
        let text = payload[..length]
            .iter()
            .zip([a, b, c, d].into_iter().cycle())
            .map(|(byte, mask)| byte ^ mask)
            .collect();
        frames.push((
            *first,
            String::from_utf8_lossy(&Vec::from_iter::<Vec<u8>>(text)).into(),
        ));
        rest = &payload[length..];
    }
    frames
}

#[tokio::test]
async fn messages_in_pieces_with_pings_between_are_one_stream() {
    let (mut client, mut server) = pair();
    let sent = [
        &b"\x01\x09<message>"[..],
        b"\x89\x02hi",
        b"\x00\x05<body",
        b"\x8a\x00",
        b"\x80\x0b/></message",
        b"\x81\x01>",
        b"\x81\x00",
        b"\x88\x02\x03\xe8",
    ]
    .concat();
    // One byte at a time, too.
    for byte in sent {
        server.write_all(&[byte]).await.unwrap();
    }
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "<message><body/></message>");
    assert!(
        client.write_all(b"<a/>").await.is_err(),
        "both sides have closed"
    );
    drop(client);
    let answers = frames(&mut server).await;
    assert_eq!(answers[0], (0x8A, "hi".to_owned()));
    assert_eq!((answers[1].0, answers.len()), (0x88, 2));
}

#[tokio::test]
async fn faults_of_the_server_are_errors() {
    for bytes in [
        &b"\x80\x01a"[..],
        b"\x01\x01<\x01\x01<",
        b"\x82\x01a",
        b"\x81\x81aaaaa",
        b"\x81\x06<open>",
    ] {
        let (mut client, mut server) = pair();
        server.write_all(bytes).await.unwrap();
        let error = client.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
    }
}

#[tokio::test]
async fn an_ended_stream_is_closed_when_the_server_has_ended_it_too_and_one_left_open_is_not() {
    let kinds = async |client: WebSocketStream<DuplexStream>, mut server: DuplexStream| {
        drop(client);
        let frames = frames(&mut server).await;
        frames.iter().map(|(kind, _)| *kind).collect::<Vec<u8>>()
    };
    let ack = b"<r xmlns='urn:xmpp:sm:3'/>";
    let (mut client, server) = pair();
    client.write_all(ack).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(kinds(client, server).await, [0x81]);

    let close = b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
    let message = [&[0x81, close.len() as u8], &close[..]].concat();
    let last_words = b"\x81\x04<a/>";
    for (answer, expected) in [
        (
            &[&last_words[..], &message].concat()[..],
            &[0x81, 0x81, 0x88][..],
        ),
        (b"\x88\x00", &[0x81, 0x81, 0x88]),
    ] {
        let (mut client, mut server) = pair();
        client.write_all(ack).await.unwrap();
        client.write_all(b"</stream:stream>").await.unwrap();
        let waiting =
            tokio::time::timeout(core::time::Duration::from_millis(50), client.shutdown());
        assert!(waiting.await.is_err(), "the server has not answered");
        server.write_all(answer).await.unwrap();
        client.shutdown().await.unwrap();
        assert_eq!(kinds(client, server).await, expected);
    }
}

#[tokio::test]
async fn pings_that_nobody_reads_answers_to_cost_no_memory() {
    let (ours, mut theirs) = tokio::io::duplex(256);
    let nonces = Nonces::draw(&mut ChaCha20Rng::seed_from_u64(1));
    let mut client = WebSocketStream::new(ours, &nonces);
    let flood = tokio::spawn(async move {
        for _ in 0..20_000 {
            theirs.write_all(b"\x89\x02hi").await.unwrap();
        }
        theirs.write_all(b"\x81\x01>").await.unwrap();
        theirs
    });
    let mut byte = [0];
    client.read_exact(&mut byte).await.unwrap();
    assert!(
        client.waiting.capacity() <= 4 * WAITING_BYTES,
        "{}",
        client.waiting.capacity()
    );
    drop(flood.await.unwrap());
}
