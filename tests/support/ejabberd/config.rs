//! ejabberd's configuration files.

use std::net::SocketAddr;
use std::path::Path;

use crate::server::Ports;

use super::builder::EjabberdBuilder;

/// All ports of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllPorts {
    pub(super) clients: Ports,
    pub(super) http: u16,
    pub(super) servers: u16,
}

/// `ejabberd.yml`. No shapers: a loopback scenario sends faster than any person.
///
/// Without `mod_s2s_dialback`, another server is who its certificate says, or nobody.
pub(super) fn render(
    builder: &EjabberdBuilder,
    ports: AllPorts,
    certificate: &Path,
    authority: &Path,
) -> String {
    let host = &builder.host;
    let mut lines = vec![
        format!("hosts: [ {host} ]"),
        "loglevel: debug".to_owned(),
        format!("certfiles: [ {certificate:?} ]"),
        format!("ca_file: {authority:?}"),
        format!("s2s_cafile: {authority:?}"),
        "s2s_use_starttls: required".to_owned(),
        "outgoing_s2s_families: [ ipv4 ]".to_owned(),
        "auth_method: [ internal ]".to_owned(),
        "auth_password_format: scram".to_owned(),
        "auth_scram_hash: sha256".to_owned(),
        "disable_sasl_mechanisms: [ digest-md5, X-OAUTH2 ]".to_owned(),
        "default_db: mnesia".to_owned(),
        "registration_timeout: infinity".to_owned(),
        "listen:".to_owned(),
        listener(
            ports.clients.starttls,
            "ejabberd_c2s",
            "starttls: true, starttls_required: true, max_stanza_size: 1048576",
        ),
        listener(
            ports.clients.direct_tls,
            "ejabberd_c2s",
            "tls: true, max_stanza_size: 1048576",
        ),
        listener(
            ports.http,
            "ejabberd_http",
            "request_handlers: { /api: mod_http_api }",
        ),
    ];
    if let Some(place) = &builder.app_server {
        let hosts = format!(
            "hosts: {{ {:?}: {{ password: {:?} }} }}",
            place.name, place.secret
        );
        lines.push(listener(place.port, "ejabberd_service", &hosts));
    }
    if builder.servers.is_some() {
        lines.push(listener(
            ports.servers,
            "ejabberd_s2s_in",
            "max_stanza_size: 1048576",
        ));
    }
    lines.extend(
        [
            "acl: { loopback: { ip: [ 127.0.0.0/8 ] }, local: { user_regexp: '' } }",
            "access_rules: { local: { allow: local } }",
            "api_permissions: { 'loopback': { from: [ mod_http_api ], who: { access: { allow: [ { acl: loopback } ] } }, what: [ '*' ] } }",
            "shaper_rules: { max_user_sessions: 50, max_user_offline_messages: 5000 }",
            "modules:",
            "  mod_admin_extra: {}",
            "  mod_auth_fast: {}",
            "  mod_blocking: {}",
            "  mod_caps: {}",
            "  mod_carboncopy: {}",
            "  mod_client_state: {}",
            "  mod_disco: {}",
            "  mod_http_api: {}",
            "  mod_mam: { default: always, assume_mam_usage: true }",
            "  mod_muc_occupantid: {}",
            "  mod_offline: { access_max_user_messages: max_user_offline_messages }",
            "  mod_ping: {}",
            "  mod_privacy: {}",
            "  mod_private: {}",
            "  mod_push: {}",
            "  mod_roster: { versioning: true }",
            "  mod_time: {}",
            "  mod_vcard: { search: false }",
            "  mod_version: {}",
        ]
        .map(str::to_owned),
    );
    lines.push(format!(
        "  mod_muc: {{ host: \"conference.{host}\", default_room_options: {{ mam: true }} }}"
    ));
    lines.push(format!(
        "  mod_pubsub: {{ host: \"pubsub.{host}\", access_createnode: local, plugins: [ flat, pep ] }}"
    ));
    lines.push(format!(
        "  mod_stream_mgmt: {{ resume_timeout: {}, resend_on_timeout: if_offline }}",
        builder.hibernation.as_secs()
    ));
    lines.push(String::new());
    lines.join("\n")
}

fn listener(port: u16, module: &str, more: &str) -> String {
    format!("  - {{ port: {port}, ip: \"127.0.0.1\", module: {module}, {more} }}")
}

/// Erlang's own resolver. `resolv_conf` stands before `nameserver`: it empties the list of those.
pub(super) fn resolver(names: Option<SocketAddr>) -> String {
    let mut lines = vec![
        "{resolv_conf, \"/dev/null\"}.".to_owned(),
        "{hosts_file, \"/dev/null\"}.".to_owned(),
        "{lookup, [dns]}.".to_owned(),
        "{edns, false}.".to_owned(),
    ];
    lines
        .extend(names.map(|address| format!("{{nameserver, {{127,0,0,1}}, {}}}.", address.port())));
    lines.push(String::new());
    lines.join("\n")
}
