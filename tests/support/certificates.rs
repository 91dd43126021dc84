//! A certificate authority of this run, and the leaves it signed.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificatesError {
    /// A name is no DNS name, or key generation failed.
    #[error("the certificate could not be made: {0}")]
    Generate(#[from] rcgen::Error),
    /// A server cannot be made of them.
    #[error("the certificate cannot be used: {0}")]
    Unusable(String),
    /// The folder cannot be written to.
    #[error("the certificate could not be written to {}: {source}", path.display())]
    Write {
        /// The file in question.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Where a leaf certificate and its key lie, both PEM.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// The leaf, followed by the authority.
    pub chain_path: PathBuf,
    /// The private key (PKCS #8).
    pub key_path: PathBuf,
}

/// A certificate authority (ECDSA P-256) that lives as long as its folder.
pub struct Certificates {
    folder: PathBuf,
    issuer: Arc<Issuer<'static, KeyPair>>,
    authority_pem: String,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Certificates {
    /// Makes an authority and writes its certificate to `folder`, which is created if need be.
    ///
    /// # Errors
    ///
    /// [`CertificatesError::Write`] when the folder cannot be written to.
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self, CertificatesError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|source| CertificatesError::Write {
            path: folder.clone(),
            source,
        })?;

        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Eft test authority");
        set_validity(&mut params);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let authority_pem = params.self_signed(&key)?.pem();

        let certificates = Self {
            folder,
            issuer: Arc::new(Issuer::new(params, key)),
            authority_pem,
        };
        write(&certificates.authority_path(), &certificates.authority_pem)?;
        Ok(certificates)
    }

    /// The same authority with files in another folder: what either signs, who trusts one trusts.
    ///
    /// # Errors
    ///
    /// As for [`Self::create`].
    pub fn in_folder(&self, folder: impl Into<PathBuf>) -> Result<Self, CertificatesError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|source| CertificatesError::Write {
            path: folder.clone(),
            source,
        })?;
        let certificates = Self {
            folder,
            issuer: Arc::clone(&self.issuer),
            authority_pem: self.authority_pem.clone(),
        };
        write(&certificates.authority_path(), &certificates.authority_pem)?;
        Ok(certificates)
    }

    /// The authority's certificate, PEM: what a client of the test trusts.
    pub fn authority_path(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The folder all files lie in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Signs a leaf for `domain`, its service names below it, `localhost` and 127.0.0.1.
    ///
    /// # Errors
    ///
    /// [`CertificatesError::Generate`] when `domain` is no DNS name.
    pub fn issue(&self, domain: &str) -> Result<Leaf, CertificatesError> {
        let mut names = vec![domain.to_owned(), "localhost".to_owned()];
        names.extend(["conference", "upload", "push"].map(|service| format!("{service}.{domain}")));
        let mut params = CertificateParams::new(names)?;
        params
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        self.sign(domain, params)
    }

    /// Signs a leaf that is good for `domain` and nothing else: shown by a server of another name, a client has
    /// to refuse it.
    ///
    /// # Errors
    ///
    /// [`CertificatesError::Generate`] when `domain` is no DNS name.
    pub fn issue_only(&self, domain: &str) -> Result<Leaf, CertificatesError> {
        self.sign(domain, CertificateParams::new(vec![domain.to_owned()])?)
    }

    /// What answers clients with a leaf that is good for `domain` and nothing else.
    ///
    /// # Errors
    ///
    /// [`CertificatesError::Generate`] when `domain` is no DNS name.
    pub fn acceptor(&self, domain: &str) -> Result<TlsAcceptor, CertificatesError> {
        let leaf = self.issue_only(domain)?;
        let chain = CertificateDer::pem_file_iter(&leaf.chain_path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unusable)?;
        let key = PrivateKeyDer::from_pem_file(&leaf.key_path).map_err(unusable)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(unusable)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn sign(&self, domain: &str, mut params: CertificateParams) -> Result<Leaf, CertificatesError> {
        params.distinguished_name.push(DnType::CommonName, domain);
        set_validity(&mut params);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;

        let leaf = Leaf {
            chain_path: self.folder.join(format!("{domain}.crt")),
            key_path: self.folder.join(format!("{domain}.key")),
        };
        write(
            &leaf.chain_path,
            &format!("{}{}", certificate.pem(), self.authority_pem),
        )?;
        write(&leaf.key_path, &key.serialize_pem())?;
        Ok(leaf)
    }
}

fn unusable(error: impl ToString) -> CertificatesError {
    CertificatesError::Unusable(error.to_string())
}

/// Long enough for any checkout. rcgen's default, until the year 4096, is more than ejabberd can set a timer for.
fn set_validity(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
}

fn write(path: &Path, text: &str) -> Result<(), CertificatesError> {
    fs::write(path, text).map_err(|source| CertificatesError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaf_and_authority_are_written_as_pem() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::create(folder.path().join("certs")).unwrap();
        let leaf = certificates.issue("eft.test").unwrap();
        let authority = fs::read_to_string(certificates.authority_path()).unwrap();
        let chain = fs::read_to_string(&leaf.chain_path).unwrap();
        assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"));
        assert_eq!(chain.matches("-----BEGIN CERTIFICATE-----").count(), 2);
        assert!(chain.ends_with(&authority));
        assert!(
            fs::read_to_string(&leaf.key_path)
                .unwrap()
                .starts_with("-----BEGIN PRIVATE KEY-----")
        );
    }

    #[test]
    fn name_that_is_no_domain_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::create(folder.path()).unwrap();
        assert!(matches!(
            certificates.issue("töst"),
            Err(CertificatesError::Generate(_))
        ));
    }
}
