use super::*;

const NONCE_1: &str = "fyko+d2lbbFgONRv9qkxdawL";
const FIRST_1: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const FINAL_1: &[u8] = b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

fn start(mechanism: Mechanism, nonce: &str) -> AwaitServerFirst {
    AwaitServerFirst::with_nonce(mechanism, "user", "pencil", nonce.to_owned())
        .unwrap()
        .0
}

fn refused(server_first: &str) -> ScramError {
    start(Mechanism::ScramSha1, NONCE_1)
        .respond(server_first.as_bytes())
        .err()
        .unwrap()
}

#[test]
fn sha_1_exchange_of_rfc_5802_section_5() {
    let (state, first) =
        AwaitServerFirst::with_nonce(Mechanism::ScramSha1, "user", "pencil", NONCE_1.to_owned())
            .unwrap();
    assert_eq!(first, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    let (state, last) = state.respond(FIRST_1.as_bytes()).unwrap();
    assert_eq!(
        last,
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    );
    state.verify(FINAL_1).unwrap();
}

#[test]
fn sha_256_exchange_of_rfc_7677_section_3() {
    let (state, first) = AwaitServerFirst::with_nonce(
        Mechanism::ScramSha256,
        "user",
        "pencil",
        "rOprNGfwEbeRWgbNEkqO".to_owned(),
    )
    .unwrap();
    assert_eq!(first, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let (state, last) = state
        .respond(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        .unwrap();
    assert_eq!(
        last,
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    state
        .verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        .unwrap();
}

#[test]
fn commas_and_equals_signs_in_names_are_escaped() {
    let (_, first) =
        AwaitServerFirst::with_nonce(Mechanism::ScramSha1, "a=b,c", "x", "n".to_owned()).unwrap();
    assert_eq!(first, "n,,n=a=3Db=2Cc,r=n");
}

#[test]
fn plain_is_no_scram() {
    assert!(AwaitServerFirst::with_nonce(Mechanism::Plain, "a", "b", "n".to_owned()).is_none());
}

#[test]
fn a_nonce_that_is_not_an_extension_of_ours_is_refused() {
    for nonce in [NONCE_1, "other", "", "fyko", "Xfyko+d2lbbFgONRv9qkxdawL3"] {
        assert_eq!(
            refused(&format!("r={nonce},s=QSXCR+Q6sek8bf92,i=4096")),
            ScramError::Nonce
        );
    }
}

#[test]
fn iteration_counts_out_of_bounds_are_refused_before_any_work() {
    for (text, got) in [
        ("0", 0),
        ("1", 1),
        ("4095", 4095),
        ("1000001", 1_000_001),
        ("1000000000", 1_000_000_000),
        ("4294967296", 4_294_967_296),
        ("99999999999999999999999", u64::MAX),
    ] {
        let message = FIRST_1.replace("i=4096", &format!("i={text}"));
        assert_eq!(refused(&message), ScramError::Iterations { got });
    }
}

#[test]
fn malformed_first_messages_are_refused() {
    let nonce = "r=fyko+d2lbbFgONRv9qkxdawL3rfc";
    for bad in [
        String::new(),
        ",,,".to_owned(),
        nonce.to_owned(),
        format!("{nonce},s=QSXC"),
        format!("{nonce},s=,i=4096"),
        format!("{nonce},s=!!!,i=4096"),
        format!("{nonce},s=QSXCR+Q6sek8bf92,i="),
        format!("{nonce},s=QSXCR+Q6sek8bf92,i=-1"),
        format!("{nonce},s=QSXCR+Q6sek8bf92,i=+4096"),
        format!("{nonce},i=4096,s=QSXCR+Q6sek8bf92"),
        format!("{nonce},s={},i=4096", "QUJD".repeat(2000)),
    ] {
        assert_eq!(refused(&bad), ScramError::Malformed, "{bad:.60}");
    }
    assert_eq!(
        refused(&format!("m=x,{nonce},s=QSXC,i=4096")),
        ScramError::MandatoryExtension
    );
    let state = start(Mechanism::ScramSha1, NONCE_1);
    assert_eq!(
        state.respond(b"\xFF\xFE").err(),
        Some(ScramError::Malformed)
    );
}

#[test]
fn a_wrong_or_missing_server_signature_is_refused() {
    let respond = || {
        start(Mechanism::ScramSha1, NONCE_1)
            .respond(FIRST_1.as_bytes())
            .unwrap()
            .0
    };
    for (message, error) in [
        (
            &b"v=rmF9pqV8S7suAoZWja4dJRkFsKR="[..],
            ScramError::Malformed,
        ),
        (
            b"v=smF9pqV8S7suAoZWja4dJRkFsKQ=",
            ScramError::ServerSignature,
        ),
        (b"v=rmF9pqV8", ScramError::ServerSignature),
        (b"v=", ScramError::ServerSignature),
        (b"", ScramError::Malformed),
        (b"x", ScramError::Malformed),
        (
            b"e=invalid-proof",
            ScramError::ServerError("invalid-proof".to_owned()),
        ),
    ] {
        assert_eq!(respond().verify(message).err(), Some(error), "{message:?}");
    }
}

#[test]
fn names_and_passwords_are_prepared() {
    use crate::stream::sasl::prepare;
    // RFC 4013 §3.
    assert_eq!(prepare("I\u{AD}X").unwrap().as_str(), "IX");
    assert_eq!(prepare("\u{AA}").unwrap().as_str(), "a");
    assert_eq!(prepare("\u{2168}").unwrap().as_str(), "IX");
    assert!(prepare("\u{7}").is_none());
    assert!(prepare("\u{627}1").is_none());
    assert!(prepare("").is_none());
    assert!(prepare("\u{AD}").is_none(), "nothing is left");
}

proptest::proptest! {
    #[test]
    fn arbitrary_server_messages_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
        let _ = start(Mechanism::ScramSha256, "n").respond(&bytes).err();
        let state = AwaitServerFinal { server_signature: Zeroizing::new(vec![1; 20]) };
        let _ = state.verify(&bytes);
    }
}
