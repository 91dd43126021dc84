//! `tls-server-end-point` (RFC 5929 §4.1): the hash of the server's certificate, by the hash of the
//! certificate's own signature.

use sha2::{Digest, Sha256, Sha384, Sha512};

/// Tag of a DER `SEQUENCE`.
const SEQUENCE: u8 = 0x30;
/// Tag of a DER `OBJECT IDENTIFIER`.
const OID: u8 = 0x06;
/// Tag of a DER `INTEGER`.
const INTEGER: u8 = 0x02;
/// Tag of the explicit field `version`.
const VERSION: u8 = 0xA0;
/// Tag of the first explicit field, `hashAlgorithm`, of the parameters of RSASSA-PSS.
const PSS_HASH: u8 = 0xA0;

/// `1.2.840.113549.1.1`, RSA with PKCS #1; one more byte names the algorithm.
const PKCS1: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01];
/// `1.2.840.10045.4`, signatures with ECDSA.
const ECDSA: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04];
/// `2.16.840.1.101.3.4.2`, the SHA-2 family.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The binding of a certificate in DER. `None` if it is no certificate, or if its signature has no
/// hash of its own (Ed25519): RFC 5929 leaves that case undefined.
#[must_use]
pub fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(match signature_hash(certificate)? {
        Hash::Sha256 => Sha256::digest(certificate).to_vec(),
        Hash::Sha384 => Sha384::digest(certificate).to_vec(),
        Hash::Sha512 => Sha512::digest(certificate).to_vec(),
    })
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }` (RFC 5280 §4.1).
fn signature_hash(certificate: &[u8]) -> Option<Hash> {
    let (certificate, _) = field(certificate, SEQUENCE)?;
    let (_, rest) = field(certificate, SEQUENCE)?;
    let (algorithm, _) = field(rest, SEQUENCE)?;
    let (oid, parameters) = field(algorithm, OID)?;
    if let Some(&[last]) = oid.strip_prefix(PKCS1) {
        return match last {
            // MD5 and SHA-1 are replaced by SHA-256 (RFC 5929 §4.1).
            4 | 5 | 11 => Some(Hash::Sha256),
            12 => Some(Hash::Sha384),
            13 => Some(Hash::Sha512),
            10 => pss_hash(parameters),
            _ => None,
        };
    }
    match oid.strip_prefix(ECDSA)? {
        [1] | [3, 2] => Some(Hash::Sha256),
        [3, 3] => Some(Hash::Sha384),
        [3, 4] => Some(Hash::Sha512),
        _ => None,
    }
}

/// `SubjectPublicKeyInfo` of a certificate in DER, the whole value: what stands for the server's key
/// in a pin. `None` if it is no certificate.
#[must_use]
pub(crate) fn public_key_info(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = field(certificate, SEQUENCE)?;
    let (mut rest, _) = field(certificate, SEQUENCE)?;
    // `TBSCertificate` (RFC 5280 §4.1.2): the version is there only if it is not 1.
    if let Some((_, behind)) = field(rest, VERSION) {
        rest = behind;
    }
    let (_, rest) = field(rest, INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    let rest = (0..4).try_fold(rest, |rest, _| Some(field(rest, SEQUENCE)?.1))?;
    let (_, behind) = field(rest, SEQUENCE)?;
    rest.get(..rest.len().checked_sub(behind.len())?)
}

/// `RSASSA-PSS-params` (RFC 4055 §3.1): the hash is field 0, SHA-1 if it is absent.
fn pss_hash(parameters: &[u8]) -> Option<Hash> {
    let (parameters, _) = field(parameters, SEQUENCE)?;
    let Some((hash, _)) = field(parameters, PSS_HASH) else {
        return Some(Hash::Sha256);
    };
    let (hash, _) = field(hash, SEQUENCE)?;
    let (oid, _) = field(hash, OID)?;
    match oid.strip_prefix(SHA2) {
        Some([1]) => Some(Hash::Sha256),
        Some([2]) => Some(Hash::Sha384),
        Some([3]) => Some(Hash::Sha512),
        Some(_) => None,
        // SHA-1, written out.
        None => Some(Hash::Sha256),
    }
}

/// Content of the DER value at the start of `bytes`, which must have this tag, and what follows.
fn field(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, bytes) = bytes.split_first()?;
    if found != tag {
        return None;
    }
    let (&first, bytes) = bytes.split_first()?;
    if first < 0x80 {
        return bytes.split_at_checked(usize::from(first));
    }
    // No certificate needs more than three bytes of length.
    let count = usize::from(first & 0x7F);
    if !(1..=3).contains(&count) {
        return None;
    }
    let (length, bytes) = bytes.split_at_checked(count)?;
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    bytes.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        if content.len() < 0x80 {
            out.push(content.len() as u8);
        } else {
            out.extend([0x82, (content.len() >> 8) as u8, content.len() as u8]);
        }
        out.extend(content);
        out
    }

    /// A certificate with a long body, this signature algorithm and these parameters.
    fn certificate(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
        let algorithm = der(SEQUENCE, &[&der(OID, oid)[..], parameters].concat());
        let body = der(SEQUENCE, &[0; 300]);
        der(
            SEQUENCE,
            &[&body[..], &algorithm, &der(0x03, &[0; 9])].concat(),
        )
    }

    #[test]
    fn the_hash_is_that_of_the_signature_and_never_weaker_than_sha_256() {
        let length = |oid: &[u8]| {
            let certificate = certificate(oid, &[0x05, 0x00]);
            server_end_point(&certificate).map(|hash| hash.len())
        };
        let pkcs1 = |last: u8| [PKCS1, &[last]].concat();
        let ecdsa = |last: &[u8]| [ECDSA, last].concat();
        for (oid, expected) in [
            (pkcs1(4), Some(32)),
            (pkcs1(5), Some(32)),
            (pkcs1(11), Some(32)),
            (pkcs1(12), Some(48)),
            (pkcs1(13), Some(64)),
            (pkcs1(1), None),
            (ecdsa(&[1]), Some(32)),
            (ecdsa(&[3, 2]), Some(32)),
            (ecdsa(&[3, 3]), Some(48)),
            (ecdsa(&[3, 4]), Some(64)),
            // Ed25519.
            (vec![0x2B, 0x65, 0x70], None),
        ] {
            assert_eq!(length(&oid), expected, "{oid:?}");
        }
        let whole = certificate(&pkcs1(11), &[]);
        assert_eq!(
            server_end_point(&whole),
            Some(Sha256::digest(&whole).to_vec())
        );
    }

    #[test]
    fn pss_names_its_hash_in_its_parameters() {
        let pss = |parameters: &[u8]| {
            let certificate = certificate(&[PKCS1, &[10]].concat(), &der(SEQUENCE, parameters));
            server_end_point(&certificate).map(|hash| hash.len())
        };
        let hash = |oid: &[u8]| der(PSS_HASH, &der(SEQUENCE, &der(OID, oid)));
        assert_eq!(pss(&[]), Some(32), "SHA-1 by default");
        assert_eq!(pss(&hash(&[0x2B, 0x0E, 0x03, 0x02, 0x1A])), Some(32));
        assert_eq!(pss(&hash(&[SHA2, &[1]].concat())), Some(32));
        assert_eq!(pss(&hash(&[SHA2, &[2]].concat())), Some(48));
        assert_eq!(pss(&hash(&[SHA2, &[3]].concat())), Some(64));
        assert_eq!(pss(&hash(&[SHA2, &[4]].concat())), None);
    }

    #[test]
    fn a_real_certificate_is_understood() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["b.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let der = certificate.der();
        assert_eq!(server_end_point(der), Some(Sha256::digest(der).to_vec()));
        use rcgen::PublicKeyData;
        let info = public_key_info(der).unwrap();
        assert_eq!(info, key.subject_public_key_info());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = server_end_point(&bytes);
            let _ = public_key_info(&bytes);
        }
    }
}
