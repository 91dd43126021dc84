//! Prosody and ejabberd, each with its own folder, ports and certificate, as long as the value lives.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

/// Domain of the accounts.
pub(crate) const DOMAIN: &str = "eft.test";
/// The one account.
pub(crate) const JID: &str = "user@eft.test";
pub(crate) const PASSWORD: &str = "pencil";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 13, with the community modules `sasl2`, `sasl2_bind2`, `sasl2_fast`, `sasl2_sm`, `http_altconnect`.
    Prosody,
    /// 24.12.
    Ejabberd,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Prosody, Kind::Ejabberd];

/// A server that runs.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) starttls: u16,
    pub(crate) direct: u16,
    pub(crate) https: u16,
    /// To be trusted.
    pub(crate) certificate: String,
    child: Child,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A program as a user who may do nothing, if we may do everything; it dies with the thread that started it.
fn unprivileged(program: &str, folder: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    command
        .args(["--", program])
        .env("HOME", folder)
        .stdin(Stdio::null());
    command
}

fn give_away(path: &Path) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
    // Fails for everybody but root, who alone needs it.
    let _ = std::os::unix::fs::chown(path, Some(65534), Some(65534));
}

/// With a name and dates that Erlang can read.
fn certificate() -> (String, String) {
    let mut params = CertificateParams::new(vec![DOMAIN.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, DOMAIN);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

impl Server {
    /// Starts it and waits until it listens. The caller's thread has to outlive the server.
    pub(crate) fn start(kind: Kind) -> Self {
        let [starttls, direct, https, http] = [(); 4].map(|()| free_port());
        let folder = std::env::temp_dir().join(format!("eft-real-{}-{direct}", std::process::id()));
        fs::create_dir_all(folder.join("data")).unwrap();
        let (certificate, key) = certificate();
        fs::write(folder.join("cert.pem"), &certificate).unwrap();
        fs::write(folder.join("key.pem"), &key).unwrap();
        fs::write(folder.join("both.pem"), format!("{key}{certificate}")).unwrap();
        let ports = [starttls, direct, https, http];
        let (name, text) = match kind {
            Kind::Prosody => ("prosody.cfg.lua", prosody(&folder, ports)),
            Kind::Ejabberd => ("ejabberd.yml", ejabberd(&folder, ports)),
        };
        fs::write(folder.join(name), text).unwrap();
        let resolver =
            "{resolv_conf, \"/dev/null\"}.\n{hosts_file, \"/dev/null\"}.\n{lookup, [dns]}.\n";
        fs::write(folder.join("inetrc"), resolver).unwrap();
        give_away(&folder);
        let child = match kind {
            Kind::Prosody => spawn_prosody(&folder),
            Kind::Ejabberd => spawn_ejabberd(&folder),
        };
        let mut server = Self {
            kind,
            starttls,
            direct,
            https,
            certificate,
            child,
            folder,
        };
        server.wait_until_it_listens();
        if kind == Kind::Ejabberd {
            register(http);
        }
        server
    }

    fn wait_until_it_listens(&mut self) {
        let until = Instant::now() + Duration::from_secs(30);
        for port in [self.starttls, self.direct, self.https] {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                let ended = self.child.try_wait().unwrap();
                assert!(
                    ended.is_none() && Instant::now() < until,
                    "{:?}: {}",
                    self.kind,
                    self.log()
                );
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// What it wrote down.
    pub(crate) fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        read("output") + &read("data/ejabberd.log") + &read("prosody.log")
    }
}

fn output(folder: &Path) -> Stdio {
    fs::File::create(folder.join("output")).unwrap().into()
}

fn prosody(folder: &Path, [starttls, direct, https, _]: [u16; 4]) -> String {
    let folder = folder.display();
    format!(
        r#"
data_path = "{folder}/data"
pidfile = "{folder}/prosody.pid"
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = "{folder}/prosody.log" }} }}
interfaces = {{ "127.0.0.1" }}
local_interfaces = {{ "127.0.0.1" }}
use_ipv6 = false
c2s_ports = {{ {starttls} }}
c2s_direct_tls_ports = {{ {direct} }}
s2s_ports = {{}}
http_ports = {{}}
https_ports = {{ {https} }}
https_ssl = {{ certificate = "{folder}/cert.pem", key = "{folder}/key.pem" }}
storage = "internal"
authentication = "internal_hashed"
password_hash = "SHA-256"
c2s_require_encryption = true
modules_disabled = {{ "s2s" }}
modules_enabled = {{ "blocklist", "carbons", "csi", "csi_simple", "disco", "http_altconnect", "mam", "offline", "pep",
  "ping", "roster", "saslauth", "smacks", "tls", "websocket", "sasl2", "sasl2_bind2", "sasl2_fast", "sasl2_sm" }}
ssl = {{ certificate = "{folder}/cert.pem", key = "{folder}/key.pem" }}
VirtualHost "{DOMAIN}"
http_host = "{DOMAIN}"
http_external_url = "https://{DOMAIN}/"
"#
    )
}

fn spawn_prosody(folder: &Path) -> Child {
    let config = folder.join("prosody.cfg.lua");
    let config = config.to_str().unwrap();
    let registered = unprivileged("prosodyctl", folder)
        .args(["--config", config, "register", "user", DOMAIN, PASSWORD])
        .output()
        .expect("Prosody 13 is not installed");
    assert!(
        registered.status.success(),
        "{}",
        String::from_utf8_lossy(&registered.stderr)
    );
    unprivileged("prosody", folder)
        .args(["--config", config, "-F"])
        .stdout(output(folder))
        .stderr(Stdio::null())
        .spawn()
        .expect("Prosody 13 is not installed")
}

fn ejabberd(folder: &Path, [starttls, direct, https, http]: [u16; 4]) -> String {
    let folder = folder.display();
    let listen = |port: u16, module: &str, more: &str| {
        format!("  - {{ port: {port}, ip: \"127.0.0.1\", module: {module}, {more} }}")
    };
    let listeners = [
        listen(starttls, "ejabberd_c2s", "starttls: true, starttls_required: true"),
        listen(direct, "ejabberd_c2s", "tls: true"),
        listen(
            https,
            "ejabberd_http",
            "tls: true, allow_unencrypted_sasl2: true, request_handlers: { /xmpp-websocket: ejabberd_http_ws, /.well-known/host-meta: mod_host_meta, \
             /.well-known/host-meta.json: mod_host_meta }",
        ),
        listen(http, "ejabberd_http", "request_handlers: { /api: mod_http_api }"),
    ]
    .join("\n");
    format!(
        r#"
hosts: [ {DOMAIN} ]
loglevel: debug
certfiles: [ "{folder}/both.pem" ]
auth_method: [ internal ]
auth_password_format: scram
auth_scram_hash: sha256
disable_sasl_mechanisms: [ digest-md5, X-OAUTH2 ]
registration_timeout: infinity
listen:
{listeners}
acl: {{ loopback: {{ ip: [ 127.0.0.0/8 ] }}, local: {{ user_regexp: '' }} }}
access_rules: {{ local: {{ allow: local }} }}
api_permissions: {{ 'loopback': {{ from: [ mod_http_api ], who: {{ access: {{ allow: [ {{ acl: loopback }} ] }} }}, what: [ '*' ] }} }}
modules:
  mod_auth_fast: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_host_meta: {{ bosh_service_url: undefined, websocket_url: "wss://{DOMAIN}/xmpp-websocket" }}
  mod_http_api: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_stream_mgmt: {{ resume_timeout: 600, resend_on_timeout: if_offline }}
"#
    )
}

/// Where Debian and others keep Erlang's libraries, and ejabberd's own among them.
fn spawn_ejabberd(folder: &Path) -> Child {
    let libraries = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib",
    ];
    let found = libraries.iter().find_map(|library| {
        let entries = fs::read_dir(library).ok()?;
        let mut entries = entries.flatten().map(|entry| entry.path());
        let own = entries.find(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.starts_with("ejabberd-") && path.join("ebin/ejabberd.app").is_file()
        })?;
        Some((*library, own.join("ebin")))
    });
    let (library, code) = found.expect("ejabberd 24.12 is not installed");
    unprivileged("erl", folder)
        .current_dir(folder.join("data"))
        .args([
            "+S",
            "2",
            "+sbwt",
            "none",
            "+sbwtdcpu",
            "none",
            "+sbwtdio",
            "none",
            "-noinput",
            "-pa",
        ])
        .arg(code)
        .args(["-mnesia", "dir"])
        .arg(format!("{:?}", folder.join("data")))
        .args(["-s", "ejabberd"])
        .env("EJABBERD_CONFIG_PATH", folder.join("ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", folder.join("data/ejabberd.log"))
        .env("ERL_INETRC", folder.join("inetrc"))
        .env("ERL_LIBS", library)
        .env("ERL_CRASH_DUMP", folder.join("crash.dump"))
        .stdout(output(folder))
        .stderr(Stdio::null())
        .spawn()
        .expect("ejabberd 24.12 is not installed")
}

/// By ejabberd's own HTTP interface.
fn register(port: u16) {
    use std::io::{Read, Write};
    let body = format!("{{\"user\":\"user\",\"host\":\"{DOMAIN}\",\"password\":\"{PASSWORD}\"}}");
    let request = format!(
        "POST /api/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    // Its listeners are there before all that stands behind them.
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match ask() {
            Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => return,
            answer => assert!(Instant::now() < until, "{answer:?}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
