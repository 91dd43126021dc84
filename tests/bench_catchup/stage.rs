//! The server, the archive and the installation of one version, and what runs on them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eft_bench::Failure;
use eft_tests::rogue::wire;
use eft_tests::{Certificates, ScriptedServer, Version};
use eft_types::{BareJid, DeviceAddress, DeviceId};
use eft_xmpp::Element;
use tempfile::TempDir;

use super::pages;
use super::process::{self, Process};
use super::script::{self, Script};

/// How long things may take to settle before the archive is released.
const QUIET: Duration = Duration::from_millis(500);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Time of the processor, in nanoseconds.
    Time,
    /// Growth of private dirty memory, in KiB.
    Memory,
}

/// See the module.
pub(crate) struct Stage {
    folder: TempDir,
    version: Version,
    count: usize,
    device: DeviceId,
    server: ScriptedServer,
    floor_port: u16,
    floor_authority: PathBuf,
}

impl Stage {
    /// Installs, lets everybody write, and puts everything down.
    pub(crate) async fn set(version: Version, count: usize) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let program = server_program()?;
        let server = ScriptedServer::start(&program, &folder.path().join("server"), &[]).await?;
        let certificates = Certificates::create(folder.path().join("floor-certificates"))?;
        let mut stage = Self {
            version,
            count,
            device: DeviceId::new(1)?,
            server,
            floor_port: 0,
            floor_authority: certificates.authority_path(),
            folder,
        };
        let mut script = stage.install().await?;
        let archive = stage.folder.path().join("archive");
        let mut text = String::new();
        for number in 0..count {
            let (stanza, id) = script.result(number)?;
            writeln!(text, "{stanza}\t{id}")?;
        }
        std::fs::write(&archive, text)?;
        stage
            .server
            .say(&format!("archive {}", archive.display()))
            .await?;
        stage.server.say("hold").await?;
        stage.floor_port =
            pages::serve(&certificates, script::DOMAIN, pages::of(&archive)?).await?;
        Ok(stage)
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("installed")
    }

    async fn install(&mut self) -> Result<Script, Failure> {
        let contacts: Vec<_> = Script::contacts()?.iter().map(BareJid::to_string).collect();
        self.server
            .say(&format!("contacts {}", contacts.join(" ")))
            .await?;
        let mut reader = self.process(process::INSTALLS, &self.home(), &[])?;
        self.device = reader.hear().await?.parse()?;
        let published = self.published().await?;
        let address = DeviceAddress::new(BareJid::new(script::ACCOUNT)?, self.device);
        let published = wire::published_bundle(self.version, address, &published)?;
        let mut script = Script::begin(self.version, &published)?;
        let (node, item) = wire::list_item(self.version);
        for (jid, list) in script.lists()? {
            let list = String::from(&list);
            self.server
                .say(&format!("node {jid} {node} {item} {list}"))
                .await?;
        }
        self.server.say("forget").await?;
        for greeting in script.greetings()? {
            self.server.say(&format!("send {greeting}")).await?;
        }
        let (mut answered, mut known) = (0, 0);
        while answered < Script::devices() {
            let heard = self.heard().await?;
            // Nothing is forgotten meanwhile: what comes between two words to the server would be lost.
            answered += script.take_answers(heard.get(known..).unwrap_or_default())?;
            known = heard.len();
            tokio::time::sleep(QUIET).await;
        }
        self.server.say("forget").await?;
        reader.tell().await?;
        reader.end().await?;
        Ok(script)
    }

    async fn heard(&mut self) -> Result<Vec<String>, Failure> {
        let heard = self.server.say("heard").await?;
        let stanzas = heard.get("encrypted").ok_or("nothing was heard")?;
        Ok(serde_json::from_value(stanzas.clone())?)
    }

    /// The keys that the reader published.
    async fn published(&mut self) -> Result<Element, Failure> {
        for text in self.heard().await?.iter().rev() {
            let stanza: Element = text.parse()?;
            if let Some(bundle) = find(&stanza, self.version) {
                return Ok(bundle.clone());
            }
        }
        Err("no bundle was published".into())
    }

    fn process(
        &self,
        part: &str,
        folder: &Path,
        more: &[(&str, String)],
    ) -> Result<Process, Failure> {
        let mut environment = vec![
            (process::PORT, self.server.port("direct_tls")?.to_string()),
            (
                process::AUTHORITY,
                self.server.authority_path()?.display().to_string(),
            ),
            (process::COUNT, self.count.to_string()),
            (process::DEVICE, self.device.to_string()),
            (process::VERSION, self.version.word().to_owned()),
        ];
        environment.extend_from_slice(more);
        Process::start(part, folder, &environment)
    }

    /// Catches up once, from a copy of the installation.
    pub(crate) async fn run(&mut self, what: What) -> Result<u64, Failure> {
        let run = tempfile::tempdir_in(self.folder.path())?;
        copy(&self.home(), run.path())?;
        self.server.say("hold").await?;
        let watch = (what == What::Memory).then(|| (process::WATCH, "1".to_owned()));
        let watch: Vec<_> = watch.into_iter().collect();
        let mut reader = self.process(process::READS, run.path(), &watch)?;
        reader.hear().await?;
        while self.server.say("heard").await?.get("archive_waits") != Some(&true.into()) {
            tokio::time::sleep(QUIET).await;
        }
        tokio::time::sleep(QUIET).await;
        reader.tell().await?;
        reader.hear().await?;
        self.server.say("release").await?;
        let measured = reader.hear().await?.parse()?;
        reader.end().await?;
        self.server.say("forget").await?;
        Ok(measured)
    }

    /// The floor, once: nanoseconds.
    pub(crate) async fn run_floor(&mut self) -> Result<u64, Failure> {
        let run = tempfile::tempdir_in(self.folder.path())?;
        let more = [
            (process::PORT, self.floor_port.to_string()),
            (
                process::AUTHORITY,
                self.floor_authority.display().to_string(),
            ),
        ];
        let mut floor = self.process(process::FLOOR, run.path(), &more)?;
        let measured = floor.hear().await?.parse()?;
        floor.end().await?;
        Ok(measured)
    }
}

/// The scripted server costs nothing here, so it need not be of the profile that ships.
fn server_program() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let profiles = own
        .parent()
        .and_then(Path::parent)
        .ok_or("no target folder")?;
    Ok(profiles.join("debug/malicious"))
}

fn find(element: &Element, version: Version) -> Option<&Element> {
    let ns = match version {
        Version::Legacy => eft_xmpp::ns::OMEMO_LEGACY,
        Version::Omemo2 => eft_xmpp::ns::OMEMO_2,
    };
    if element.is("bundle", ns) {
        return Some(element);
    }
    element.children().find_map(|child| find(child, version))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&target)?;
            // Keys are not taken from a folder that others may read.
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o700))?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
