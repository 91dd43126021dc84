//! The server as a child process, as it would stand before any client.

use std::path::Path;

use eft_tests::ScriptedServer;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Program {
    server: ScriptedServer,
    folder: TempDir,
}

impl Program {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_malicious"));
        let server = ScriptedServer::start(program, &folder.path().join("server"), &[])
            .await
            .unwrap();
        Self { server, folder }
    }

    /// Says a line, which has to be carried out.
    pub(crate) async fn say(&mut self, line: &str) -> Value {
        self.server.say(line).await.unwrap()
    }

    pub(crate) fn account(&self) -> &str {
        self.server.told("account").unwrap()
    }

    pub(crate) fn port(&self, name: &str) -> u16 {
        self.server.port(name).unwrap()
    }

    pub(crate) fn authority(&self) -> String {
        std::fs::read_to_string(self.server.authority_path().unwrap()).unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
