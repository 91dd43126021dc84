//! Logins and what they cost.

use eft_xmpp::driver::{CloseStyle, invalidate_token};
use eft_xmpp::stream::sasl::ChannelBinding;
use eft_xmpp::stream::{Authentication, Password, TokenNews, Transport};

use super::bench::{Bench, ask};
use super::servers::{KINDS, Kind, PASSWORD, Server};

/// Round trips of a login by token, pipelined: TCP, TLS, login; over STARTTLS the request for TLS besides, over
/// WebSocket the request for one.
fn most_round_trips(transport: Transport) -> usize {
    match transport {
        Transport::DirectTls => 3,
        Transport::StartTls | Transport::WebSocket => 4,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_gives_a_token_and_the_token_a_session_in_three_round_trips() {
    for kind in KINDS {
        let server = Server::start(kind);
        for transport in [
            Transport::DirectTls,
            Transport::StartTls,
            Transport::WebSocket,
        ] {
            // ejabberd 24.12 sees nothing of TLS there, and so has neither bound mechanisms nor tokens: see reach.rs.
            if (kind, transport) == (Kind::Ejabberd, Transport::WebSocket) {
                continue;
            }
            let bench = Bench::new(&server, transport, 1).await;
            password_then_token(bench, most_round_trips(transport)).await;
        }
    }
}

async fn password_then_token(mut bench: Bench, most: usize) {
    let mut first = bench.login("first").await;
    let Authentication::Password {
        mechanism,
        channel_binding,
    } = first.session().authentication
    else {
        panic!("no password was used");
    };
    assert!(mechanism.binds_channel(), "{mechanism}");
    assert_eq!(channel_binding, Some(ChannelBinding::TlsExporter));
    assert!(first.session().carbons && first.session().stream_management.is_some());
    let token = bench.config.login.token.clone().expect("no token");
    assert_eq!(token.mechanism.binding, Some(ChannelBinding::TlsExporter));
    ask(&mut first, "p1").await;
    first.sender().close(CloseStyle::EndStream).await.unwrap();

    bench.config.login.password = None;
    let mut second = bench.login_within("token", most).await;
    assert_eq!(
        second.session().authentication,
        Authentication::Token(token.mechanism)
    );
    ask(&mut second, "p2").await;
    second.sender().close(CloseStyle::EndStream).await.unwrap();

    // With the password again, pipelined as well.
    let token = bench.config.login.token.take();
    bench.config.login.password = Some(Password::new(PASSWORD.to_owned()));
    bench.config.login.request_token = false;
    let mut third = bench.login_within("password, pipelined", most + 1).await;
    assert!(matches!(
        third.session().authentication,
        Authentication::Password { .. }
    ));
    ask(&mut third, "p3").await;
    third.sender().close(CloseStyle::EndStream).await.unwrap();

    // Logged out: the token is worth nothing, and the password still is.
    bench.config.login.token = token.clone();
    invalidate_token(&bench.config, &mut bench.rng)
        .await
        .unwrap();
    invalidate_token(&bench.config, &mut bench.rng)
        .await
        .unwrap();
    bench.config.login.token = token;
    let mut fourth = bench.login("dead token, then password").await;
    assert!(matches!(
        fourth.session().authentication,
        Authentication::Password { .. }
    ));
    assert_eq!(fourth.session().token, TokenNews::Rejected);
    ask(&mut fourth, "p4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_stanza_is_learnt_although_the_login_does_not_wait_for_it() {
    for kind in KINDS {
        let server = Server::start(kind);
        learns_limits(kind, Bench::new(&server, Transport::DirectTls, 3).await).await;
    }
}

async fn learns_limits(kind: Kind, mut bench: Bench) {
    let mut connection = bench.login("limits").await;
    ask(&mut connection, "l1").await;
    let limits = connection.sender().limits();
    println!("limits {limits:?}");
    // ejabberd 24.12 has no XEP-0478.
    let expected = (kind == Kind::Prosody).then_some(262_144);
    assert_eq!(limits.max_bytes, expected);
    connection
        .sender()
        .close(CloseStyle::EndStream)
        .await
        .unwrap();
}
