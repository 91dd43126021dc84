//! What is left out of a report, and how.

use core::net::{IpAddr, SocketAddr};

use eft_types::BareJid;
use zeroize::Zeroizing;

/// Most characters of a text that is not ours.
const TEXT_MAX_CHARS: usize = 300;

/// A secret that is shorter stands in too many words.
const SECRET_MIN_BYTES: usize = 4;

/// Takes out of texts what is nobody's business.
pub(crate) struct Redactor {
    own: BareJid,
    secrets: Vec<Zeroizing<String>>,
}

impl Redactor {
    /// `secrets` are known here and must not be in any text, whoever put them there.
    pub(crate) const fn new(own: BareJid, secrets: Vec<Zeroizing<String>>) -> Self {
        Self { own, secrets }
    }

    /// The own address.
    pub(crate) fn account(&self) -> String {
        let domain = host(self.own.domain().as_str());
        match self.own.node() {
            Some(node) => format!("{}@{domain}", letter(node.as_str())),
            None => domain,
        }
    }

    /// A sentence that may have come from a server.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if secret.len() >= SECRET_MIN_BYTES {
                text = text.replace(secret.as_str(), "[secret]");
            }
        }
        let mut redacted = String::new();
        let mut word = String::new();
        for character in text.chars().take(TEXT_MAX_CHARS) {
            if is_between_words(character) {
                redacted.push_str(&self.word(&word));
                word.clear();
                redacted.push(if character.is_control() {
                    ' '
                } else {
                    character
                });
            } else {
                word.push(character);
            }
        }
        redacted.push_str(&self.word(&word));
        redacted
    }

    fn word(&self, word: &str) -> String {
        let bare = word.trim_end_matches(['.', ':', '!', '?']);
        let end = &word[bare.len()..];
        let before_port = bare.rsplit_once(':').map_or(bare, |(before, _)| before);
        let is_own_name = self
            .own
            .node()
            .is_some_and(|node| bare.eq_ignore_ascii_case(node.as_str()));
        let shown = if is_own_name || bare.contains('@') {
            "[address]"
        } else if bare.parse::<IpAddr>().is_ok() || bare.parse::<SocketAddr>().is_ok() {
            "[IP address]"
        } else if is_host(bare) || is_host(before_port) {
            "[host]"
        } else {
            bare
        };
        format!("{shown}{end}")
    }
}

/// A host's name by the first letter and the last label: `e….org`.
pub(crate) fn host(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((before, last)) if name.parse::<IpAddr>().is_err() => {
            format!("{}.{last}", letter(before))
        }
        _ => letter(name),
    }
}

fn letter(text: &str) -> String {
    text.chars().take(1).chain(['…']).collect()
}

fn is_between_words(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || "()[]{}<>\"'`,;=/|“”‘’«»".contains(character)
}

/// Whether a word looks like a host's name: labels with dots between them, and not a number.
fn is_host(word: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|character| character.is_alphanumeric() || "-_".contains(character))
    };
    word.contains('.') && word.split('.').all(is_label) && word.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(
            "alice@chat.example.org".parse().unwrap(),
            vec!["corréct horse".to_owned().into(), "abc".to_owned().into()],
        )
    }

    #[test]
    fn the_own_address_is_recognised_by_its_user_and_by_nobody_else() {
        assert_eq!(redactor().account(), "a…@c….org");
        let short = Redactor::new("localhost".parse().unwrap(), Vec::new());
        assert_eq!(short.account(), "l…");
        assert_eq!(host("192.0.2.1"), "1…");
    }

    #[test]
    fn addresses_hosts_and_secrets_are_taken_out_of_words_that_are_not_ours() {
        for (said, shown) in [
            (
                "no server answered: xmpp.chat.example.org:5222 (connection refused), 192.0.2.7:5222 (timed out).",
                "no server answered: [host] (connection refused), [IP address] (timed out).",
            ),
            ("no account 'alice' here", "no account '[address]' here"),
            (
                "Bob <bob@b.example/phone> said: no!",
                "Bob <[address]/phone> said: no!",
            ),
            ("it is \"corréct horse\", abc", "it is \"[secret]\", abc"),
            (
                "[2001:db8::1]:5222 and ::1",
                "[[IP address]]:5222 and [IP address]",
            ),
            ("Prosody 13.0.1, TLS 1.3", "Prosody 13.0.1, TLS 1.3"),
            ("two\nlines\u{7}", "two lines "),
            ("bücher.example: gone", "[host]: gone"),
        ] {
            assert_eq!(redactor().text(said), shown);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = redactor().text(&"word ".repeat(1000));
        assert_eq!(long.chars().count(), TEXT_MAX_CHARS);
    }
}
