//! The least that could do the same.

mod rows;
mod unwrap;
mod xml;

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use eft_bench::{Failure, cpu};
use eft_types::DeviceId;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use self::rows::Rows;
use self::unwrap::Sealed;
use super::process::{AUTHORITY, COUNT, DEVICE, FOLDER, PORT, VERSION};
use super::script;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 16 * 1024;

pub(crate) fn run() -> Result<(), Failure> {
    let count: usize = std::env::var(COUNT)?.parse()?;
    let device: DeviceId = std::env::var(DEVICE)?.parse()?;
    let is_legacy = std::env::var(VERSION)? == "legacy";
    let sealed = (0..count)
        .map(|number| Sealed::new(is_legacy, number))
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = Rows::create(&PathBuf::from(std::env::var(FOLDER)?))?;
    let mut stream = connect()?;
    let before = cpu::used();
    stream.write_all(b"!")?;
    let mut number = 0;
    xml::read(
        BufReader::with_capacity(BUFFER_BYTES, stream),
        device,
        |message| {
            let sealed = sealed.get(number).ok_or("a message too many")?;
            number += 1;
            let text = sealed.open(is_legacy)?;
            rows.insert(&message, &text)
        },
    )?;
    rows.commit()?;
    let took = cpu::used().saturating_sub(before);
    if number != count || rows.count()? != count {
        return Err(format!("{number} messages instead of {count}").into());
    }
    println!("{}", took.as_nanos());
    Ok(())
}

fn connect() -> Result<StreamOwned<ClientConnection, TcpStream>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(std::env::var(AUTHORITY)?)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let port: u16 = std::env::var(PORT)?.parse()?;
    let mut tcp = TcpStream::connect(("127.0.0.1", port))?;
    let name = ServerName::try_from(script::DOMAIN)?;
    let mut connection = ClientConnection::new(Arc::new(config), name)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut tcp)?;
    }
    Ok(StreamOwned::new(connection, tcp))
}
