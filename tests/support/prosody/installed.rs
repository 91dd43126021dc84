//! Which Prosody this machine has.

use std::process::{Command, Stdio};

use super::ProsodyError;

/// 13.0 is the first with `mod_cloud_notify`, roles and SASL channel binding in the core distribution.
const OLDEST_MAJOR: u32 = 13;

/// Looks once for a Prosody that is new enough.
pub(super) fn require() -> Result<(), ProsodyError> {
    let about = Command::new("prosodyctl")
        .arg("about")
        .stdin(Stdio::null())
        .output()
        .map_err(|_| ProsodyError::NotInstalled)?;
    judge(&String::from_utf8_lossy(&about.stdout))
}

/// Reads the first line of `prosodyctl about`, "Prosody 13.0.1".
fn judge(about: &str) -> Result<(), ProsodyError> {
    let version = about
        .lines()
        .find_map(|line| line.trim().strip_prefix("Prosody "))
        .ok_or(ProsodyError::NotInstalled)?;
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        // "trunk nightly build 1234" and the like: newer than any release.
        None => Ok(()),
        Some(major) if major >= OLDEST_MAJOR => Ok(()),
        // Before 13, releases were called 0.12 and so on.
        Some(_) => Err(ProsodyError::TooOld {
            found: version.to_owned(),
            needed: OLDEST_MAJOR,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_before_13_is_too_old_and_the_error_says_what_to_run() {
        let error = judge("Prosody 0.12.3\n\n# Prosody directories\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Prosody 0.12.3 is too old, the tests need 13 or newer: run tests/setup/install.sh"
        );
    }

    #[test]
    fn release_13_and_newer_and_development_builds_will_do() {
        for about in [
            "Prosody 13.0.1\n",
            "Prosody 14.0.0\n",
            "Prosody trunk nightly build 2051 (2026-01-01)\n",
        ] {
            assert!(judge(about).is_ok(), "{about}");
        }
    }

    #[test]
    fn answer_without_a_version_is_no_prosody() {
        assert!(matches!(judge(""), Err(ProsodyError::NotInstalled)));
    }
}
