//! `tests/vectors/omemo.json`; its README tells where it comes from.

use serde_json::Value;

/// The vectors, or a part of them.
#[derive(Clone)]
pub(crate) struct Vectors(Value);

impl Vectors {
    pub(crate) fn load() -> Self {
        let text = include_str!("../../tests/vectors/omemo.json");
        Self(serde_json::from_str(text).unwrap())
    }

    /// A part, by its path with slashes.
    pub(crate) fn at(&self, path: &str) -> Self {
        let part = self.0.pointer(&format!("/{path}"));
        Self(part.unwrap_or_else(|| panic!("no vector {path}")).clone())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn text(&self, path: &str) -> String {
        self.at(path).0.as_str().unwrap().to_owned()
    }

    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        unhex(&self.text(path))
    }

    pub(crate) fn key(&self, path: &str) -> [u8; 32] {
        self.bytes(path).try_into().unwrap()
    }

    pub(crate) fn number(&self, path: &str) -> u32 {
        u32::try_from(self.at(path).0.as_u64().unwrap()).unwrap()
    }

    pub(crate) fn flag(&self, path: &str) -> bool {
        self.at(path).0.as_bool().unwrap()
    }

    pub(crate) fn list(&self, path: &str) -> Vec<Self> {
        let list = self.at(path).0.as_array().unwrap().clone();
        list.into_iter().map(Self).collect()
    }

    /// The value itself, if it is bytes.
    pub(crate) fn as_bytes(&self) -> Vec<u8> {
        unhex(self.0.as_str().unwrap())
    }
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
