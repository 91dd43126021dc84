//! What holds whatever the server says.

use super::*;

fn any_frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        Just(header()),
        Just(Frame::Close),
        Just(frame(STARTTLS)),
        Just(frame(&mechanisms(&["PLAIN"]))),
        Just(frame(&mechanisms(&["SCRAM-SHA-1", "PLAIN"]))),
        Just(frame("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")),
        Just(sasl("success", "")),
        Just(sasl("challenge", "cj14LHM9eA==")),
        Just(frame(BIND)),
        Just(frame(BOUND)),
        Just(frame("<enabled xmlns='urn:xmpp:sm:3'/>")),
        Just(frame("<message/>")),
    ]
}

proptest! {
    /// Whatever a man in the middle plays before TLS, he sees a header without a name and a request
    /// for TLS.
    #[test]
    fn before_tls_nothing_is_said_but_the_wish_for_it(
        frames in proptest::collection::vec((any_frame(), 0usize..2), 0..12),
        allow_plain: bool,
    ) {
        let mut login = login_with(LoginConfig { allow_plain, ..config(Transport::StartTls) });
        for (frame, unread) in frames {
            let Ok(outputs) = login.handle_frame(frame, unread) else { break };
            for output in outputs {
                match output {
                    LoginOutput::Send(element) => prop_assert!(element.is("starttls", ns::TLS)),
                    LoginOutput::StartTls => prop_assert_eq!(unread, 0),
                    LoginOutput::OpenStream(_) | LoginOutput::Ready(_) | LoginOutput::Invalidated => prop_assert!(false, "{:?}", output),
                }
            }
        }
        prop_assert!(!login.has_begun_authentication());
    }

    /// No order of frames gives a session without the server's proof.
    #[test]
    fn without_the_servers_proof_there_is_no_session(frames in proptest::collection::vec(any_frame(), 0..16)) {
        let mut login = login_with(config(Transport::DirectTls));
        for frame in frames {
            let Ok(outputs) = login.handle_frame(frame, 0) else { break };
            for output in outputs {
                prop_assert!(!matches!(output, LoginOutput::Ready(_) | LoginOutput::OpenStream(_)), "{:?}", output);
            }
        }
    }
}
