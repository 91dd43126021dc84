//! What a client proved, and to whom.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::program::Program;

/// Of what was said in base64, the texts.
pub(crate) fn decoded(said: &str) -> Vec<Vec<u8>> {
    let texts = said.split(['<', '>']).filter(|text| !text.is_empty());
    texts.filter_map(|text| BASE64.decode(text).ok()).collect()
}

/// What a client said to a server or to somebody between.
pub(crate) struct Said {
    between: Vec<Vec<u8>>,
    /// What the server behind decided.
    pub(crate) verdicts: Vec<String>,
    pub(crate) is_online: bool,
}

fn contains(said: &[u8], what: &[u8]) -> bool {
    said.windows(what.len()).any(|window| window == what)
}

impl Said {
    pub(crate) async fn read(program: &mut Program) -> Self {
        let heard = program.say("heard").await;
        let between = heard["between"].as_str().unwrap();
        assert!(!between.contains("pencil"), "{between}");
        let verdicts = heard["verdicts"].as_array().unwrap().iter();
        Self {
            between: decoded(between),
            verdicts: verdicts
                .map(|verdict| verdict.as_str().unwrap().to_owned())
                .collect(),
            is_online: heard["online"] == true,
        }
    }

    /// Proofs of the password by SCRAM, or the password itself.
    pub(crate) fn proofs(&self) -> usize {
        let is_proof = |said: &&Vec<u8>| {
            contains(said, b"pencil") || (said.starts_with(b"c=") && contains(said, b",p="))
        };
        self.between.iter().filter(is_proof).count()
    }

    /// Proofs of a token, each for one connection.
    pub(crate) fn token_proofs(&self) -> usize {
        let is_proof = |said: &&Vec<u8>| said.starts_with(b"user\0");
        self.between.iter().filter(is_proof).count()
    }

    pub(crate) fn is_let_in(&self) -> bool {
        let is_in = |verdict: &String| verdict.starts_with("let in");
        self.is_online || self.verdicts.iter().any(is_in)
    }
}
