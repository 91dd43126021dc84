//! A chain of certificates as a public authority issues them: RSA with 2048 bits, an intermediate, and the extensions that
//! make a real one large. By the `openssl` program: our own certificates are elliptic, and small.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Fault;

/// What both certificates on the wire have to weigh together: less would be a nicer server than there are.
const AT_LEAST_BYTES: usize = 3072;

/// A chain, PEM.
pub(crate) struct Chain {
    /// Where the certificate lies that a client trusts.
    pub(crate) root: PathBuf,
    /// Leaf and intermediate.
    pub(crate) certificates: String,
    pub(crate) key: String,
    /// What the server sends, without PEM around it.
    pub(crate) bytes: usize,
}

const SUBJECT: &str = "/C=ZZ/O=Test Authority of a Long Enough Name";

const INTERMEDIATE: &str = "basicConstraints = critical, CA:TRUE, pathlen:0\n\
    keyUsage = critical, digitalSignature, keyCertSign, cRLSign\n\
    extendedKeyUsage = clientAuth, serverAuth\n\
    subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
    authorityInfoAccess = caIssuers;URI:http://authority.test/intermediate.der\n\
    crlDistributionPoints = URI:http://authority.test/root.crl\n\
    certificatePolicies = 2.23.140.1.2.1, 1.3.6.1.4.1.99999.1.1.1\n";

/// With three timestamps of logs (RFC 6962), which are 119 bytes each, and the names of a provider of some size.
fn leaf(host: &str) -> String {
    let mut names = vec![format!("DNS:{host}")];
    names.extend((1..=24).map(|number| format!("DNS:service-{number}.{host}")));
    format!(
        "basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\n\
         extendedKeyUsage = serverAuth, clientAuth\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n\
         authorityInfoAccess = OCSP;URI:http://ocsp.authority.test,caIssuers;URI:http://authority.test/leaf.der\n\
         certificatePolicies = 2.23.140.1.2.1, 1.3.6.1.4.1.99999.1.1.1\n\
         crlDistributionPoints = URI:http://authority.test/crl/107.crl\n\
         subjectAltName = {}\n1.3.6.1.4.1.11129.2.4.2 = ASN1:FORMAT:HEX,OCTETSTRING:{}\n",
        names.join(","),
        "5a".repeat(2 + 3 * 119)
    )
}

/// Makes one for `host`.
pub(crate) fn issue(host: &str, folder: &Path) -> Result<Chain, Fault> {
    fs::create_dir_all(folder)?;
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (root, root_key) = (path("root.pem"), path("root.key"));
    openssl(&[
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", SUBJECT,
        "-keyout", &root_key, "-out", &root,
    ])?;
    let sign =
        |name: &str, subject: &str, issuer: &str, extensions: &str| -> Result<String, Fault> {
            let (request, key) = (path(&format!("{name}.csr")), path(&format!("{name}.key")));
            let (certificate, extra) = (path(&format!("{name}.pem")), path(&format!("{name}.ext")));
            fs::write(&extra, extensions)?;
            openssl(&[
                "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", &key, "-out",
                &request,
            ])?;
            let (ca, ca_key) = (
                path(&format!("{issuer}.pem")),
                path(&format!("{issuer}.key")),
            );
            openssl(&[
                "x509",
                "-req",
                "-in",
                &request,
                "-CA",
                &ca,
                "-CAkey",
                &ca_key,
                "-CAcreateserial",
                "-days",
                "3650",
                "-extfile",
                &extra,
                "-out",
                &certificate,
            ])?;
            Ok(certificate)
        };
    let between = format!("{SUBJECT}/CN=Intermediate 1");
    let intermediate = sign("intermediate", &between, "root", INTERMEDIATE)?;
    let leaf = sign("leaf", &format!("/CN={host}"), "intermediate", &leaf(host))?;
    let both = fs::read_to_string(&leaf)? + &fs::read_to_string(&intermediate)?;
    let key = fs::read_to_string(folder.join("leaf.key"))?;
    let base64: usize = both
        .lines()
        .filter(|line| !line.starts_with("---"))
        .map(str::len)
        .sum();
    let bytes = base64 / 4 * 3;
    if bytes < AT_LEAST_BYTES {
        return Err(format!("a chain of {bytes} bytes is smaller than real ones").into());
    }
    Ok(Chain {
        root: root.into(),
        certificates: both,
        key,
        bytes,
    })
}

fn openssl(arguments: &[&str]) -> Result<(), Fault> {
    let done = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("openssl: {}", String::from_utf8_lossy(&done.stderr)).into()),
    }
}
