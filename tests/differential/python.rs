//! The other side: python-omemo's engines in a process of their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use eft_omemo::{Bundle, EncryptedKey, EncryptedMessage, UnverifiedBundle, Version};
use eft_types::DeviceAddress;
use serde_json::{Value, json};

/// The process, which answers each command with one line.
pub(crate) struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    pub(crate) fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
        let mut child = Command::new(folder.join("venv/bin/python"))
            .arg(folder.join("engines.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python environment, which `make test` sets up");
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.input, "{command}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("an answer; if there is none, the process printed why")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who is who, and under which limits.
pub(crate) struct Introduction<'a> {
    pub(crate) version: Version,
    /// Eft's device, as the other side knows it.
    pub(crate) eft: &'a DeviceAddress,
    /// Keys that a message may skip, and keys that a session keeps.
    pub(crate) skip: u32,
}

/// Replaces the foreign device by a new one.
pub(crate) fn renew(python: &mut Python, introduction: &Introduction<'_>) {
    python.ask(&json!({
        "do": "new",
        "version": match introduction.version {
            Version::Legacy => "legacy",
            Version::Omemo2 => "omemo2",
        },
        "peer": introduction.eft.jid.as_str(),
        "peer_device": introduction.eft.device.as_u32(),
        "skip": introduction.skip,
    }));
}

pub(crate) fn bundle_of(
    version: Version,
    address: &DeviceAddress,
    answer: &Value,
) -> UnverifiedBundle {
    let bundle = &answer["bundle"];
    UnverifiedBundle {
        version,
        address: address.clone(),
        identity_key: bytes(&bundle["identity_key"]),
        signed_pre_key_id: number(&bundle["signed_pre_key_id"]),
        signed_pre_key: bytes(&bundle["signed_pre_key"]),
        signature: bytes(&bundle["signature"]),
        pre_keys: bundle["pre_keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (number(&pair[0]), bytes(&pair[1])))
            .collect(),
    }
}

pub(crate) fn bundle_for(bundle: &Bundle) -> Value {
    json!({
        "identity_key": hex(&bundle.identity_key),
        "signed_pre_key_id": bundle.signed_pre_key_id,
        "signed_pre_key": hex(&bundle.signed_pre_key),
        "signature": hex(&bundle.signature),
        "pre_keys": bundle.pre_keys.iter().map(|(id, key)| json!([id, hex(key)])).collect::<Vec<_>>(),
    })
}

/// A message of the other side, as an `<encrypted/>` element would bring it.
pub(crate) fn message_from(
    version: Version,
    from: &DeviceAddress,
    to: &DeviceAddress,
    answer: &Value,
) -> EncryptedMessage {
    let message = &answer["message"];
    EncryptedMessage {
        version,
        sender: from.jid.clone(),
        sid: from.device,
        keys: vec![EncryptedKey {
            jid: (version == Version::Omemo2).then(|| to.jid.clone()),
            rid: to.device,
            kex: message["kex"].as_bool().unwrap(),
            data: bytes(&message["key"]),
        }],
        iv: optional(&message["iv"]),
        payload: optional(&message["payload"]),
    }
}

/// A message of ours for the other side, which has one device.
pub(crate) fn message_for(message: &EncryptedMessage) -> Value {
    let [key] = message.keys.as_slice() else {
        panic!("{} keys", message.keys.len())
    };
    json!({
        "kex": key.kex,
        "key": hex(&key.data),
        "iv": message.iv.as_deref().map(hex),
        "payload": message.payload.as_deref().map(hex),
    })
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn optional(value: &Value) -> Option<Vec<u8>> {
    (!value.is_null()).then(|| bytes(value))
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn hexadecimal_there_and_back() {
    assert_eq!(bytes(&json!(hex(&[0, 15, 255]))), [0, 15, 255]);
}
