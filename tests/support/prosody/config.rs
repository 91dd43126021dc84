//! Prosody's configuration file.

use std::fmt::Write as _;
use std::path::Path;

use crate::certificates::Leaf;

use super::builder::{ArchivePolicy, Mechanisms, ProsodyBuilder};
use super::{OtherServers, Ports, log_path};

/// What a client hopes to find. No `limits`: a loopback scenario sends faster than any person.
const MODULES: &[&str] = &[
    "admin_shell",
    "admin_socket",
    "blocklist",
    "bookmarks",
    "carbons",
    "cloud_notify",
    "csi",
    "csi_simple",
    "disco",
    "mam",
    "offline",
    "pep",
    "ping",
    "private",
    "roster",
    "saslauth",
    "smacks",
    "time",
    "tls",
    "vcard4",
    "vcard_legacy",
    "version",
];

/// Prosody's community modules for SASL2, Bind 2, FAST.
const ONE_STEP_MODULES: &[&str] = &["sasl2", "sasl2_bind2", "sasl2_fast", "sasl2_sm"];

pub(super) fn render(
    builder: &ProsodyBuilder,
    folder: &Path,
    ports: Ports,
    leaf: &Leaf,
    second_leaf: Option<&Leaf>,
    servers: Option<&OtherServers>,
) -> String {
    let mut lines = vec![
        format!("data_path = {}", quote_path(&folder.join("data"))),
        format!(
            "certificates = {}",
            quote_path(&folder.join("certificates"))
        ),
        format!("pidfile = {}", quote_path(&folder.join("prosody.pid"))),
        format!(
            "log = {{ {{ levels = {{ min = {} }}, to = \"file\", filename = {} }} }}",
            quote(builder.log_level),
            quote_path(&log_path(folder))
        ),
        r#"interfaces = { "127.0.0.1" }"#.to_owned(),
        r#"local_interfaces = { "127.0.0.1" }"#.to_owned(),
        format!("c2s_ports = {{ {} }}", ports.starttls),
        format!("c2s_direct_tls_ports = {{ {} }}", ports.direct_tls),
        "http_ports = {}".to_owned(),
        "https_ports = {}".to_owned(),
        "use_ipv6 = false".to_owned(),
        r#"storage = "internal""#.to_owned(),
        r#"authentication = "internal_hashed""#.to_owned(),
        format!("password_hash = {}", quote(builder.scram_hash)),
        "c2s_require_encryption = true".to_owned(),
        format!("modules_enabled = {{ {} }}", modules(builder)),
        format!(
            "disable_sasl_mechanisms = {{ {} }}",
            disabled_mechanisms(builder.mechanisms)
        ),
        format!(
            "default_archive_policy = {}",
            archive_policy(builder.archive)
        ),
        r#"archive_expires_after = "never""#.to_owned(),
        format!(
            "smacks_hibernation_time = {}",
            builder.hibernation.as_secs()
        ),
        ssl(leaf, servers.map(|servers| servers.authority.as_path())),
    ];
    if let Some(count) = builder.archive_page_messages {
        lines.push(format!("max_archive_query_results = {count}"));
    }
    if let Some(limit) = builder.stanza_limit_bytes {
        lines.push(format!("c2s_stanza_size_limit = {limit}"));
    }
    if let Some(place) = &builder.app_server {
        lines.push(format!("component_ports = {{ {} }}", place.port));
    }
    if let Some(count) = builder.pep_max_items {
        lines.push(format!("pep_max_items = {count}"));
    }
    lines.extend(other_servers(servers));
    lines.extend(builder.extra_settings.iter().cloned());
    lines.extend(host_section(&builder.host, None));
    if let Some(place) = &builder.app_server {
        lines.push(format!("Component {}", quote(&place.name)));
        lines.push(format!("component_secret = {}", quote(&place.secret)));
    }
    if let Some(second) = &builder.second_host {
        lines.extend(host_section(second, second_leaf));
    }

    let mut text = String::new();
    for line in lines {
        // Writing to a `String` cannot fail.
        let _written = writeln!(text, "{line}");
    }
    text
}

/// Another server is who its certificate says, or nobody: without `dialback` there is no other proof.
fn other_servers(servers: Option<&OtherServers>) -> Vec<String> {
    let Some(servers) = servers else {
        return vec![
            "s2s_ports = {}".to_owned(),
            r#"modules_disabled = { "s2s" }"#.to_owned(),
        ];
    };
    let names = quote(&format!("127.0.0.1@{}", servers.names.port()));
    vec![
        format!("s2s_ports = {{ {} }}", servers.port),
        "s2s_require_encryption = true".to_owned(),
        "s2s_secure_auth = true".to_owned(),
        // libunbound says of its own accord that nothing exists below `test.`, and asks nobody on this machine.
        format!(
            "unbound = {{ resolvconf = false, hoststxt = false, forward = {{ {names} }}, options = {{ \
             [\"do-not-query-localhost:\"] = \"no\", [\"local-zone:\"] = \"test. transparent\" }} }}"
        ),
    ]
}

fn host_section(host: &str, leaf: Option<&Leaf>) -> Vec<String> {
    let rooms = format!("conference.{host}");
    let mut lines = vec![format!("VirtualHost {}", quote(host))];
    lines.extend(leaf.map(|leaf| ssl(leaf, None)));
    lines.push(format!("Component {} \"muc\"", quote(&rooms)));
    lines.push(r#"modules_enabled = { "muc_mam" }"#.to_owned());
    lines.push("restrict_room_creation = false".to_owned());
    lines.extend(leaf.map(|leaf| ssl(leaf, None)));
    lines
}

/// The server's certificate, and the authority that other servers' certificates have to be from.
fn ssl(leaf: &Leaf, authority: Option<&Path>) -> String {
    let authority = authority.map_or_else(String::new, |path| {
        format!(", cafile = {}", quote_path(path))
    });
    format!(
        "ssl = {{ certificate = {}, key = {}{authority} }}",
        quote_path(&leaf.chain_path),
        quote_path(&leaf.key_path)
    )
}

fn modules(builder: &ProsodyBuilder) -> String {
    let extra = if builder.one_step_login {
        ONE_STEP_MODULES
    } else {
        &[]
    };
    let wanted = MODULES.iter().chain(extra).filter(|module| {
        !builder
            .without_modules
            .iter()
            .any(|left_out| left_out == *module)
    });
    let more = builder.more_modules.iter().map(String::as_str);
    list(wanted.copied().chain(more))
}

fn disabled_mechanisms(mechanisms: Mechanisms) -> String {
    const SCRAM: &[&str] = &["SCRAM-SHA-1", "SCRAM-SHA-256"];
    const SCRAM_PLUS: &[&str] = &["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"];
    match mechanisms {
        Mechanisms::All => String::new(),
        Mechanisms::ScramOnly => list(["PLAIN"]),
        Mechanisms::WithoutChannelBinding => list(SCRAM_PLUS.iter().copied()),
        Mechanisms::PlainOnly => list(SCRAM.iter().chain(SCRAM_PLUS).copied()),
    }
}

fn archive_policy(policy: ArchivePolicy) -> &'static str {
    match policy {
        ArchivePolicy::Always => "true",
        ArchivePolicy::Roster => "\"roster\"",
        ArchivePolicy::Never => "false",
    }
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

pub(super) fn quote_path(path: &Path) -> String {
    quote(&path.to_string_lossy())
}

/// A Lua string literal.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_stays_one_lua_string() {
        assert_eq!(quote("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }

    #[test]
    fn left_out_module_is_not_in_the_list() {
        let builder = ProsodyBuilder::default().without_module("mam");
        assert!(!modules(&builder).contains("\"mam\""));
        assert!(modules(&ProsodyBuilder::default()).contains("\"mam\""));
    }

    #[test]
    fn plain_only_disables_every_scram() {
        let disabled = disabled_mechanisms(Mechanisms::PlainOnly);
        assert_eq!(disabled.matches("SCRAM").count(), 4);
        assert!(!disabled.contains("PLAIN"));
    }
}
