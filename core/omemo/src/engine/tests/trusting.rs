//! Trust policies and what they let through.

use eft_types::BareJid;

use crate::testing::{Device, NOW, connect};
use crate::{
    DistrustedBy, EncryptError, Event, Fingerprint, NotTrusted, Outcome, RecordKey, TrustLevel,
    TrustPolicy, TrustedDevice, VerifiedBy, Version, encrypt, known_keys, permit, set_trust,
    trust_level,
};

use TrustPolicy::{AskAlways, BlindTrustBeforeVerification as Blind, VerifiedOnly};

const FINGERPRINT: TrustLevel = TrustLevel::Verified {
    by: VerifiedBy::Fingerprint,
};
const CONSENT: TrustLevel = TrustLevel::Verified {
    by: VerifiedBy::Consent,
};

fn fingerprint(device: &mut Device) -> Fingerprint {
    device.run(crate::own_fingerprint).unwrap()
}

fn decide(device: &mut Device, jid: &BareJid, key: Fingerprint, level: TrustLevel) {
    let changes = device
        .run(|records| set_trust(records, jid, key, level, NOW))
        .unwrap();
    device.commit(changes);
    device.restart();
}

fn ask(
    device: &mut Device,
    policy: TrustPolicy,
    peer: &Device,
) -> Result<TrustedDevice, NotTrusted> {
    let address = &peer.address;
    device.load(&[
        RecordKey::Device(address.clone()),
        RecordKey::Trust(address.jid.clone()),
    ]);
    permit(policy, &device.records, address)
}

fn level(device: &mut Device, jid: &BareJid, key: Fingerprint) -> TrustLevel {
    device
        .run(|records| trust_level(records, jid, key))
        .unwrap()
}

#[test]
fn every_policy_allows_what_it_says() {
    let distrusted = TrustLevel::Distrusted {
        by: DistrustedBy::User,
    };
    for (level, blind, ask, verified) in [
        (TrustLevel::Undecided, false, false, false),
        (TrustLevel::BlindlyTrusted, true, false, false),
        (CONSENT, true, true, false),
        (FINGERPRINT, true, true, true),
        (
            TrustLevel::Verified {
                by: VerifiedBy::Code,
            },
            true,
            true,
            true,
        ),
        (
            TrustLevel::Verified {
                by: VerifiedBy::TrustMessage,
            },
            true,
            true,
            true,
        ),
        (distrusted, false, false, false),
    ] {
        assert_eq!(Blind.allows(level), blind, "{level:?}");
        assert_eq!(AskAlways.allows(level), ask, "{level:?}");
        assert_eq!(VerifiedOnly.allows(level), verified, "{level:?}");
    }
    assert_eq!(TrustPolicy::default(), Blind);
}

#[test]
fn pitfall_27_blind_trust_ends_with_the_first_authentication_of_an_account() {
    let version = Version::Omemo2;
    let (mut alice, mut bob) = connect(version);
    let jid = bob.address.jid.clone();
    let (first, second_seed) = (fingerprint(&mut bob), 22);
    let seen = Event::KeyAppeared {
        address: bob.address.clone(),
        fingerprint: first,
        level: TrustLevel::BlindlyTrusted,
    };
    assert!(alice.events.contains(&seen));
    assert!(ask(&mut alice, Blind, &bob).is_ok());
    assert!(matches!(
        ask(&mut alice, AskAlways, &bob),
        Err(NotTrusted::Refused { .. })
    ));
    // Consent is not authentication: a second device is still trusted blindly.
    decide(&mut alice, &jid, first, CONSENT);
    let mut second = Device::install("bob@b.example", second_seed);
    let bundle = second.bundle(version);
    alice.initiate(&bundle).unwrap();
    assert!(ask(&mut alice, Blind, &second).is_ok());
    // Now one is compared; a third one waits for a decision, the second one stays as it was.
    decide(&mut alice, &jid, first, FINGERPRINT);
    let mut third = Device::install("bob@b.example", 23);
    let bundle = third.bundle(version);
    alice.initiate(&bundle).unwrap();
    let third_key = fingerprint(&mut third);
    let refused = NotTrusted::Refused {
        address: third.address.clone(),
        fingerprint: third_key,
        level: TrustLevel::Undecided,
    };
    assert_eq!(ask(&mut alice, Blind, &third), Err(refused));
    assert!(ask(&mut alice, Blind, &second).is_ok());
    assert!(ask(&mut alice, VerifiedOnly, &second).is_err());
    assert!(ask(&mut alice, VerifiedOnly, &bob).is_ok());
    let known = alice.run(|records| known_keys(records, &jid)).unwrap();
    let levels: Vec<_> = known.iter().map(|key| key.level).collect();
    assert_eq!(
        levels,
        [
            FINGERPRINT,
            TrustLevel::BlindlyTrusted,
            TrustLevel::Undecided
        ]
    );
    // Distrusting the compared one brings blind trust back for nobody.
    decide(
        &mut alice,
        &jid,
        first,
        TrustLevel::Distrusted {
            by: DistrustedBy::User,
        },
    );
    assert!(ask(&mut alice, Blind, &bob).is_err());
    assert!(ask(&mut alice, Blind, &third).is_err());
}

#[test]
fn a_code_may_be_scanned_before_the_device_is_met() {
    let (mut alice, mut bob) = (
        Device::install("alice@a.example", 1),
        Device::install("bob@b.example", 2),
    );
    let (jid, key) = (bob.address.jid.clone(), fingerprint(&mut bob));
    decide(
        &mut alice,
        &jid,
        key,
        TrustLevel::Verified {
            by: VerifiedBy::Code,
        },
    );
    assert!(matches!(
        ask(&mut alice, VerifiedOnly, &bob),
        Err(NotTrusted::UnknownDevice { .. })
    ));
    let bundle = bob.bundle(Version::Omemo2);
    alice.initiate(&bundle).unwrap();
    assert!(ask(&mut alice, VerifiedOnly, &bob).is_ok());
    // Another device under the same account did not come with the code.
    let mut ghost = Device::install("bob@b.example", 3);
    let bundle = ghost.bundle(Version::Omemo2);
    alice.initiate(&bundle).unwrap();
    assert!(ask(&mut alice, Blind, &ghost).is_err());
}

#[test]
fn trust_is_the_same_for_both_versions() {
    let (mut alice, mut bob) = connect(Version::Legacy);
    let (jid, key) = (bob.address.jid.clone(), fingerprint(&mut bob));
    decide(&mut alice, &jid, key, FINGERPRINT);
    let bundle = bob.bundle(Version::Omemo2);
    alice.initiate(&bundle).unwrap();
    let proof = ask(&mut alice, VerifiedOnly, &bob).unwrap();
    assert_eq!((proof.address(), proof.fingerprint()), (&bob.address, key));
    assert_eq!(level(&mut alice, &jid, key), FINGERPRINT);
}

#[test]
fn a_proof_of_trust_is_bound_to_the_key() {
    let version = Version::Omemo2;
    let (mut alice, bob) = connect(version);
    let proof = ask(&mut alice, Blind, &bob).unwrap();
    // Meanwhile the device came back under another key, and the user agreed.
    let effects = alice
        .run(|records| crate::forget_device(records, &bob.address))
        .unwrap();
    alice.take(effects);
    let mut other = Device::install("bob@b.example", 77);
    let mut bundle = other
        .run(|records| crate::bundle(records, version))
        .unwrap()
        .into_unverified(bob.address.clone());
    bundle.address = bob.address.clone();
    alice.initiate(&bundle.verify().unwrap()).unwrap();
    alice.load(&crate::encrypt_needs(version, [&bob.address]));
    let mut rng = alice.rng.clone();
    let error = encrypt(&alice.records, version, b"secret", &[proof], &mut rng).unwrap_err();
    assert!(matches!(error, EncryptError::OtherKey { .. }), "{error:?}");
}

#[test]
fn content_of_untrusted_devices_is_read_and_marked() {
    for version in Version::ALL {
        let (mut alice, mut bob) = connect(version);
        let key = fingerprint(&mut alice);
        let jid = alice.address.jid.clone();
        decide(
            &mut bob,
            &jid,
            key,
            TrustLevel::Distrusted {
                by: DistrustedBy::User,
            },
        );
        let message = alice.send(&bob.address, version, "text");
        match bob.receive(&message) {
            Outcome::Decrypted {
                trust, fingerprint, ..
            } => {
                assert_eq!(
                    trust,
                    TrustLevel::Distrusted {
                        by: DistrustedBy::User
                    }
                );
                assert_eq!(fingerprint, key);
            }
            other => panic!("{other:?}"),
        }
        // An empty message needs no trust.
        let empty = bob.send_empty(&alice.address, version);
        assert!(matches!(alice.receive(&empty), Outcome::Empty { .. }));
    }
}

#[test]
fn pitfall_32_encrypting_for_nobody_or_for_a_device_without_a_session_is_an_answer() {
    let version = Version::Omemo2;
    let (mut alice, bob) = connect(version);
    let mut rng = alice.rng.clone();
    let nobody = encrypt(&alice.records, version, b"text", &[], &mut rng);
    assert_eq!(nobody, Err(EncryptError::NoDevices));
    let proof = ask(&mut alice, Blind, &bob).unwrap();
    let devices = [proof.clone(), proof];
    alice.load(&crate::encrypt_needs(Version::Legacy, [&bob.address]));
    let legacy = encrypt(&alice.records, Version::Legacy, b"text", &devices, &mut rng);
    assert_eq!(legacy, Err(EncryptError::NoSession(bob.address.clone())));
    // Named twice, encrypted for once.
    alice.load(&crate::encrypt_needs(version, [&bob.address]));
    let sent = encrypt(&alice.records, version, b"text", &devices, &mut rng).unwrap();
    assert_eq!(sent.message.keys.len(), 1);
    assert_eq!(sent.changes.len(), 1);
}

#[test]
fn our_own_key_is_trusted_and_no_excuse_to_doubt_our_other_devices() {
    let mut alice = Device::install("alice@a.example", 1);
    let own = fingerprint(&mut alice);
    let jid = alice.address.jid.clone();
    let ourselves = TrustLevel::Verified {
        by: VerifiedBy::Ourselves,
    };
    assert_eq!(level(&mut alice, &jid, own), ourselves);
    let mut tablet = Device::install("alice@a.example", 2);
    let bundle = tablet.bundle(Version::Omemo2);
    alice.initiate(&bundle).unwrap();
    assert!(ask(&mut alice, Blind, &tablet).is_ok());
}
