//! The other side of SCRAM, for tests.

use super::*;

/// A server that knows the password `pencil`.
pub(crate) struct ScramServer {
    hash: Hash,
    salt: &'static [u8],
    iterations: u32,
    client_first_bare: String,
    server_first: String,
    /// What `c=` must hold beside the header that the client sent.
    binding_data: Vec<u8>,
    gs2_header: String,
    /// Further attributes behind `i=`.
    extra: String,
}

impl ScramServer {
    pub(crate) fn new(mechanism: Mechanism) -> Self {
        Self {
            hash: Hash::of(mechanism).unwrap(),
            salt: b"salty",
            iterations: SCRAM_MIN_ITERATIONS,
            client_first_bare: String::new(),
            server_first: String::new(),
            binding_data: Vec::new(),
            gs2_header: String::new(),
            extra: String::new(),
        }
    }

    /// This connection's channel-binding data, in case the client binds.
    pub(crate) fn bound_to(mut self, data: &[u8]) -> Self {
        self.binding_data = data.to_vec();
        self
    }

    /// Adds attributes to the first message, with their comma.
    pub(crate) fn claiming(mut self, extra: &str) -> Self {
        self.extra = extra.to_owned();
        self
    }

    /// The client's `gs2-header`.
    pub(crate) fn gs2_header(&self) -> &str {
        &self.gs2_header
    }

    /// Takes the text of `<auth/>`, gives that of `<challenge/>`.
    pub(crate) fn first(&mut self, auth: &str) -> String {
        let message = String::from_utf8(BASE64.decode(auth).unwrap()).unwrap();
        let (header, bare) = message.split_once(",,").unwrap();
        self.gs2_header = format!("{header},,");
        self.client_first_bare = bare.to_owned();
        let (_, nonce) = self.client_first_bare.split_once(",r=").unwrap();
        self.server_first = format!(
            "r={nonce}SERVER,s={},i={}{}",
            BASE64.encode(self.salt),
            self.iterations,
            self.extra
        );
        BASE64.encode(&self.server_first)
    }

    /// Takes the text of `<response/>`, gives that of `<success/>`, or `None` for a wrong password.
    pub(crate) fn last(&self, response: &str) -> Option<String> {
        let message = String::from_utf8(BASE64.decode(response).unwrap()).unwrap();
        let (without_proof, proof) = message.split_once(",p=").unwrap();
        let mut binding = self.gs2_header.clone().into_bytes();
        if self.gs2_header.starts_with("p=") {
            binding.extend(&self.binding_data);
        }
        let expected = format!("c={},r=", BASE64.encode(binding));
        if !without_proof.starts_with(&expected) {
            return None;
        }
        let auth_message = format!(
            "{},{},{without_proof}",
            self.client_first_bare, self.server_first
        );
        let salted = self.hash.hi("pencil", self.salt, self.iterations);
        let stored_key = self.hash.h(&self.hash.hmac(&salted, b"Client Key"));
        let signature = self.hash.hmac(&stored_key, auth_message.as_bytes());
        let client_key: Vec<u8> = BASE64
            .decode(proof)
            .unwrap()
            .iter()
            .zip(signature.iter())
            .map(|(proof, signature)| proof ^ signature)
            .collect();
        if self.hash.h(&client_key).as_slice() != stored_key.as_slice() {
            return None;
        }
        let server_key = self.hash.hmac(&salted, b"Server Key");
        let signature = self.hash.hmac(&server_key, auth_message.as_bytes());
        Some(BASE64.encode(format!("v={}", BASE64.encode(signature.as_slice()))))
    }
}
