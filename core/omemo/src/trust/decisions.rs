//! Trust as a value that goes from one installation of an account to the next.

use eft_types::BareJid;

use super::KnownKey;
use crate::engine::Step;
use crate::{Changes, RecordKey, Records, StepError};

/// All that is remembered about the keys of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustDecisions {
    /// Whether new keys wait for a decision instead of being trusted blindly.
    pub asks_about_new_keys: bool,
    /// Every key seen or decided about, the oldest first.
    pub keys: Vec<KnownKey>,
}

/// What is remembered about the keys of an account, for an export.
///
/// # Errors
/// [`StepError::Missing`] if the account's trust record is not loaded.
pub fn trust_decisions(records: &Records, jid: &BareJid) -> Result<TrustDecisions, StepError> {
    let step = Step::new(records);
    let trust = step.trust(jid)?;
    Ok(
        trust.map_or_else(TrustDecisions::default, |trust| TrustDecisions {
            asks_about_new_keys: trust.authenticated_once,
            keys: trust.keys.clone(),
        }),
    )
}

/// Adds what another installation knew about the keys of an account, from its export.
///
/// A decision beats what nobody decided; of two decisions the later one stands. Blind trust comes along for a key that
/// is new here, unless this installation asks about new keys of that account: then it waits for a decision. The key of
/// the other installation becomes one that the user consented to, because nobody compared it; the key of this one stays
/// what it is. An import before [`install_imported`](crate::install_imported) and one after it come to the same.
///
/// # Errors
/// [`StepError::Missing`] if the account's trust record is not loaded.
pub fn restore_trust(
    records: &Records,
    jid: &BareJid,
    decisions: &TrustDecisions,
) -> Result<Changes, StepError> {
    let mut step = Step::new(records);
    let before = step.trust(jid)?.cloned().unwrap_or_default();
    let mut after = before.clone();
    after.restore(decisions);
    if after != before {
        step.put(RecordKey::Trust(jid.clone()), after);
    }
    Ok(step.into_changes())
}

#[cfg(test)]
mod tests {
    use eft_types::Timestamp;

    use super::*;
    use crate::limits::MAX_KNOWN_KEYS;
    use crate::testing::Device;
    use crate::{DistrustedBy, Fingerprint, TrustLevel, VerifiedBy, set_trust};

    const CONSENT: TrustLevel = TrustLevel::Verified {
        by: VerifiedBy::Consent,
    };
    const COMPARED: TrustLevel = TrustLevel::Verified {
        by: VerifiedBy::Fingerprint,
    };
    const DISTRUSTED: TrustLevel = TrustLevel::Distrusted {
        by: DistrustedBy::User,
    };
    const BLIND: TrustLevel = TrustLevel::BlindlyTrusted;
    const UNDECIDED: TrustLevel = TrustLevel::Undecided;

    fn key(number: usize, level: TrustLevel, millis: i64) -> KnownKey {
        let mut bytes = [9; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        KnownKey {
            fingerprint: Fingerprint::from_bytes(bytes),
            level,
            since: Timestamp::from_millis(millis),
        }
    }

    fn decisions(asks_about_new_keys: bool, keys: Vec<KnownKey>) -> TrustDecisions {
        TrustDecisions {
            asks_about_new_keys,
            keys,
        }
    }

    fn juliet() -> BareJid {
        BareJid::new("juliet@capulet.example").unwrap()
    }

    fn restored(device: &mut Device, jid: &BareJid, decisions: &TrustDecisions) -> TrustDecisions {
        let changes = device
            .run(|records| restore_trust(records, jid, decisions))
            .unwrap();
        device.commit(changes);
        device.restart();
        device.run(|records| trust_decisions(records, jid)).unwrap()
    }

    #[test]
    fn where_nothing_is_known_all_comes_back_as_it_was_and_a_second_time_changes_nothing() {
        let mut device = Device::install("romeo@montague.example", 1);
        let known = decisions(
            true,
            vec![
                key(1, BLIND, 5),
                key(2, COMPARED, 6),
                key(3, DISTRUSTED, 7),
                key(4, UNDECIDED, 8),
                key(5, CONSENT, 9),
            ],
        );
        assert_eq!(restored(&mut device, &juliet(), &known), known);
        let again = device
            .run(|records| restore_trust(records, &juliet(), &known))
            .unwrap();
        assert!(again.is_empty());
    }

    #[test]
    fn of_two_decisions_the_later_stands_and_any_beats_none() {
        for (here, there, expected) in [
            (key(1, COMPARED, 5), key(1, DISTRUSTED, 6), DISTRUSTED),
            (key(1, COMPARED, 6), key(1, DISTRUSTED, 5), COMPARED),
            (key(1, DISTRUSTED, 5), key(1, COMPARED, 5), DISTRUSTED),
            (key(1, DISTRUSTED, 5), key(1, BLIND, 6), DISTRUSTED),
            (key(1, COMPARED, 5), key(1, UNDECIDED, 6), COMPARED),
            (key(1, BLIND, 9), key(1, DISTRUSTED, 5), DISTRUSTED),
            (key(1, UNDECIDED, 9), key(1, CONSENT, 5), CONSENT),
            (key(1, UNDECIDED, 5), key(1, BLIND, 6), UNDECIDED),
            (key(1, BLIND, 5), key(1, UNDECIDED, 6), BLIND),
        ] {
            let mut device = Device::install("romeo@montague.example", 1);
            let changes = device
                .run(|records| {
                    set_trust(records, &juliet(), here.fingerprint, here.level, here.since)
                })
                .unwrap();
            device.commit(changes);
            let found = restored(&mut device, &juliet(), &decisions(false, vec![there]));
            assert_eq!(found.keys.len(), 1);
            assert_eq!(found.keys[0].level, expected, "{here:?} {there:?}");
            let of = if expected == there.level { there } else { here };
            assert_eq!(found.keys[0].since, of.since, "{here:?} {there:?}");
        }
    }

    #[test]
    fn blind_trust_does_not_come_in_where_new_keys_are_asked_about() {
        let mut device = Device::install("romeo@montague.example", 1);
        restored(
            &mut device,
            &juliet(),
            &decisions(false, vec![key(1, BLIND, 5)]),
        );
        restored(&mut device, &juliet(), &decisions(true, vec![]));
        let found = restored(
            &mut device,
            &juliet(),
            &decisions(false, vec![key(2, BLIND, 6), key(3, COMPARED, 7)]),
        );
        assert!(found.asks_about_new_keys);
        let levels: Vec<_> = found.keys.iter().map(|key| key.level).collect();
        assert_eq!(levels, [BLIND, UNDECIDED, COMPARED]);
    }

    #[test]
    fn keys_that_nobody_decided_about_are_limited() {
        let mut device = Device::install("romeo@montague.example", 1);
        let mut many: Vec<_> = (0..MAX_KNOWN_KEYS + 5)
            .map(|number| key(number, BLIND, 5))
            .collect();
        many.push(key(MAX_KNOWN_KEYS + 5, DISTRUSTED, 6));
        let found = restored(&mut device, &juliet(), &decisions(false, many));
        assert_eq!(found.keys.len(), MAX_KNOWN_KEYS + 1);
        assert_eq!(found.keys[MAX_KNOWN_KEYS].level, DISTRUSTED);
    }

    #[test]
    fn the_key_of_this_installation_stays_and_that_of_another_is_one_consented_to() {
        let mut device = Device::install("romeo@montague.example", 1);
        let own = device.address.jid.clone();
        let ours = device.run(crate::own_fingerprint).unwrap();
        let before = device
            .run(|records| trust_decisions(records, &own))
            .unwrap();
        let mut distrusted = key(1, DISTRUSTED, i64::MAX);
        distrusted.fingerprint = ours;
        let other = key(2, TrustLevel::OURSELVES, 5);
        let found = restored(
            &mut device,
            &own,
            &decisions(false, vec![distrusted, other]),
        );
        assert_eq!(found.keys[0], before.keys[0]);
        assert_eq!(found.keys[0].level, TrustLevel::OURSELVES);
        assert_eq!(found.keys[1].level, CONSENT);
        assert!(!found.asks_about_new_keys);
    }
}
