//! `eft trust`: the user's decision about a key.

use eft::{
    Account, BareJid, DeviceInfo, DistrustedBy, Eft, Fingerprint, Trust, TrustLevel, VerifiedBy,
};

use crate::Failure;
use crate::args::Decide;
use crate::output::Output;

/// Carries out the decision, then prints the devices that show the key. Does not connect.
pub(crate) async fn run(eft: &Eft, decide: Decide, output: Output) -> Result<(), Failure> {
    let fingerprint = fingerprint(&decide.fingerprint)?;
    let account = eft.account(&decide.me).await?;
    let decided = carry_out(&account, &decide, fingerprint).await;
    account.shut_down().await;
    let devices = decided?;
    for device in &devices {
        output.device("trust", device)?;
    }
    if devices.is_empty() {
        output.unseen(&decide.peer, &fingerprint.to_string(), trust(&decide))?;
    }
    Ok(())
}

async fn carry_out(
    account: &Account,
    decide: &Decide,
    fingerprint: Fingerprint,
) -> Result<Vec<DeviceInfo>, Failure> {
    // A typing error must not become a decision about a key that nobody has.
    if !decide.unseen
        && with_key(account, &decide.peer, fingerprint)
            .await?
            .is_empty()
    {
        return Err(format!(
            "no device of {} has shown this fingerprint; --unseen decides about it all the same",
            decide.peer
        )
        .into());
    }
    account
        .set_trust(&decide.peer, fingerprint, level(decide))
        .await?;
    with_key(account, &decide.peer, fingerprint).await
}

/// The devices of an account that have shown this key.
async fn with_key(
    account: &Account,
    jid: &BareJid,
    fingerprint: Fingerprint,
) -> Result<Vec<DeviceInfo>, Failure> {
    let mut devices = account.devices(jid).await?;
    devices.retain(|device| device.fingerprint == Some(fingerprint));
    Ok(devices)
}

const fn level(decide: &Decide) -> TrustLevel {
    if decide.distrust {
        TrustLevel::Distrusted {
            by: DistrustedBy::User,
        }
    } else {
        TrustLevel::Verified {
            by: VerifiedBy::Fingerprint,
        }
    }
}

fn trust(decide: &Decide) -> Trust {
    level(decide).into()
}

/// The words of a fingerprint, as a shell splits it.
fn fingerprint(words: &[String]) -> Result<Fingerprint, Failure> {
    Ok(words
        .concat()
        .parse()
        .map_err(|error| format!("this is no fingerprint: {error}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_understood_in_one_word_and_in_groups() {
        let digits = "0123456789abcdef".repeat(4);
        let groups: Vec<String> = digits
            .as_bytes()
            .chunks(8)
            .map(|group| String::from_utf8(group.to_vec()).unwrap())
            .collect();
        let in_one = fingerprint(std::slice::from_ref(&digits)).unwrap();
        assert_eq!(in_one.to_hex(), digits);
        assert_eq!(fingerprint(&groups).unwrap(), in_one);
        assert_eq!(fingerprint(&[groups.join(" ")]).unwrap(), in_one);
        assert_eq!(fingerprint(&[digits.to_uppercase()]).unwrap(), in_one);
        for wrong in [&groups[..7], &["x".repeat(64)], &[]] {
            assert!(fingerprint(wrong).is_err(), "{wrong:?}");
        }
    }
}
