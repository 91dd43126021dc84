use super::*;

const NONCE_1: &str = "fyko+d2lbbFgONRv9qkxdawL";
const FIRST_1: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const FINAL_1: &[u8] = b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

fn begin(mechanism: Mechanism, username: &str, nonce: &str) -> Option<(AwaitServerFirst, String)> {
    AwaitServerFirst::start(
        mechanism,
        &Gs2::CannotBind,
        username,
        "pencil",
        nonce.to_owned(),
    )
}

fn start(mechanism: Mechanism, nonce: &str) -> AwaitServerFirst {
    begin(mechanism, "user", nonce).unwrap().0
}

fn offer() -> SaslOffer {
    SaslOffer {
        mechanisms: vec!["SCRAM-SHA-1-PLUS".to_owned(), "SCRAM-SHA-1".to_owned()],
        bindings: Some(vec![
            "tls-server-end-point".to_owned(),
            "tls-exporter".to_owned(),
        ]),
        is_sasl2: true,
    }
}

fn evidence(offer: &SaslOffer) -> Evidence<'_> {
    Evidence {
        offer,
        tls_version: Some(TlsVersion::Tls13),
        needs_digest: false,
    }
}

fn refused(server_first: &str) -> ScramError {
    start(Mechanism::ScramSha1, NONCE_1)
        .respond(server_first.as_bytes(), evidence(&offer()))
        .err()
        .unwrap()
}

#[test]
fn sha_1_exchange_of_rfc_5802_section_5() {
    let (state, first) = begin(Mechanism::ScramSha1, "user", NONCE_1).unwrap();
    assert_eq!(first, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    let (state, last) = state
        .respond(FIRST_1.as_bytes(), evidence(&offer()))
        .unwrap();
    assert_eq!(
        last,
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    );
    state.verify(FINAL_1).unwrap();
}

#[test]
fn sha_256_exchange_of_rfc_7677_section_3() {
    let (state, first) = begin(Mechanism::ScramSha256, "user", "rOprNGfwEbeRWgbNEkqO").unwrap();
    assert_eq!(first, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let (state, last) = state
        .respond(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", evidence(&offer()))
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
    let (_, first) = begin(Mechanism::ScramSha1, "a=b,c", "n").unwrap();
    assert_eq!(first, "n,,n=a=3Db=2Cc,r=n");
}

#[test]
fn plain_is_no_scram() {
    assert!(begin(Mechanism::Plain, "a", "n").is_none());
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
        state.respond(b"\xFF\xFE", evidence(&offer())).err(),
        Some(ScramError::Malformed)
    );
}

#[test]
fn a_wrong_or_missing_server_signature_is_refused() {
    let respond = || {
        start(Mechanism::ScramSha1, NONCE_1)
            .respond(FIRST_1.as_bytes(), evidence(&offer()))
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

/// The exchange of XEP-0474 §5.3 and XEP-0515 §5.3, which bind to `THIS IS FAKE CB DATA`.
#[test]
fn the_servers_view_of_the_offer_and_of_tls_is_compared() {
    let respond = |claims: &str, offer: &SaslOffer, needs_digest: bool| {
        let gs2 = Gs2::Bound(
            crate::stream::sasl::ChannelBinding::TlsExporter,
            b"THIS IS FAKE CB DATA".to_vec(),
        );
        let nonce = "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6";
        let (state, first) = AwaitServerFirst::start(
            Mechanism::ScramSha1Plus,
            &gs2,
            "user",
            "pencil",
            nonce.to_owned(),
        )
        .unwrap();
        assert_eq!(first, format!("p=tls-exporter,,n=user,r={nonce}"));
        let server_first = format!(
            "r={nonce}a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096{claims}"
        );
        let evidence = Evidence {
            needs_digest,
            ..evidence(offer)
        };
        state.respond(server_first.as_bytes(), evidence)
    };
    let digest = "h=G6k/rBLDqgOhRRaCuuatSDFkJ08=";
    let honest = offer();
    let (state, last) = respond(&format!(",{digest},t=0304"), &honest, true).unwrap();
    assert!(last.starts_with("c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r="));
    assert!(last.ends_with(",p=KHUfN8dSy1K95crT4D5y1ItLJfs="));
    state.verify(b"v=3w34ZIMVRkx2f2Ozb3/ecRPVdv4=").unwrap();

    let error = |claims: &str, offer: &SaslOffer, needs: bool| respond(claims, offer, needs).err();
    // -PLUS or a type taken away, or one added.
    for tamper in [
        |offer: &mut SaslOffer| drop(offer.mechanisms.remove(0)),
        |offer: &mut SaslOffer| drop(offer.bindings.as_mut().unwrap().pop()),
        |offer: &mut SaslOffer| offer.bindings = None,
        |offer: &mut SaslOffer| offer.mechanisms.push("SCRAM-SHA-9".to_owned()),
    ] {
        let mut altered = offer();
        tamper(&mut altered);
        assert_eq!(
            error(&format!(",{digest}"), &altered, false),
            Some(ScramError::OfferAltered)
        );
    }
    assert_eq!(error("", &honest, false), None, "no claim, none needed");
    assert_eq!(error("", &honest, true), Some(ScramError::OfferUnproven));
    assert_eq!(
        error(",h=AAAA", &honest, false),
        Some(ScramError::OfferAltered)
    );
    assert_eq!(
        error(",d=AAAA", &honest, false),
        Some(ScramError::OfferAltered)
    );
    assert_eq!(
        error(&format!(",{digest},{digest}"), &honest, false),
        Some(ScramError::Malformed)
    );
    assert_eq!(
        error(",t=0303", &honest, false),
        Some(ScramError::TlsVersionAltered {
            server: "0303".to_owned()
        })
    );
    let old = BASE64.encode(Sha1::digest(honest.old_digest_input().unwrap()));
    assert_eq!(error(&format!(",d={old}"), &honest, true), None);
    assert_eq!(
        error(",x=anything,,é", &honest, false),
        None,
        "unknown attributes"
    );
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
        let _ = start(Mechanism::ScramSha256, "n").respond(&bytes, evidence(&offer())).err();
        let state = AwaitServerFinal { server_signature: Zeroizing::new(vec![1; 20]) };
        let _ = state.verify(&bytes);
    }
}
