//! X.509 certificates: who, from when, until when.

use crate::kubernetes::object::{ObjectMeta, data_entries};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;
use zeroize::Zeroizing;

/// The calendar entry of one certificate. No key material.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Certificate {
    /// Where it lies: archive member, or etcd key and data field.
    pub place: String,
    /// Subject as one line (`CN=..., O=...`).
    pub subject: String,
    /// Issuer as one line.
    pub issuer: String,
    /// Basic constraints say CA.
    pub is_ca: bool,
    /// Start of validity.
    #[serde(with = "crate::instant")]
    pub not_before: DateTime<Utc>,
    /// End of validity.
    #[serde(with = "crate::instant")]
    pub not_after: DateTime<Utc>,
    /// The object that holds it carries the annotations by which operators rotate certificates.
    pub is_annotated: bool,
}

/// What an operator writes on each Secret whose certificate it has made.
///
/// Source: library-go `pkg/operator/certrotation/annotations.go`.
const ROTATION_ANNOTATION: &str = "auth.openshift.io/certificate-not-after";

/// The certificates of one place. Copies share them: backups of one cluster hold the same few hundred.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Certificates(Arc<Vec<Certificate>>);

impl Certificates {
    /// True when both are one in memory; never true by chance.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Certificates {
    type Target = Vec<Certificate>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Certificates {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl From<Vec<Certificate>> for Certificates {
    fn from(certificates: Vec<Certificate>) -> Self {
        Self(Arc::new(certificates))
    }
}

impl<'c> IntoIterator for &'c Certificates {
    type Item = &'c Certificate;
    type IntoIter = std::slice::Iter<'c, Certificate>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for Certificates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Certificates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// Longest subject or issuer that is kept, in characters. Real ones are below 200; the name comes from a file.
const MAX_NAME_CHARACTERS: usize = 300;

/// The certificates in a PEM bundle, in its order. What is between them is passed over, and so is one that cannot be
/// read: it hides none of the others.
pub(crate) fn parse_pem(place: &str, bundle: &[u8]) -> Vec<Certificate> {
    let blocks = PemBlocks { rest: bundle };
    blocks
        .filter_map(|block| parse_block(place, block))
        .collect()
}

/// The certificates in the data of a Secret or ConfigMap (its own message, without envelope).
/// Each one's place is the storage key, a space and the data field.
pub(crate) fn parse_object(storage_key: &[u8], object: &[u8]) -> Vec<Certificate> {
    let storage_key = storage_key.escape_ascii();
    let entries = data_entries(object);
    let mut certificates: Vec<Certificate> = entries
        .flat_map(|(field, data)| {
            parse_pem(&format!("{storage_key} {}", field.escape_ascii()), data)
        })
        .collect();
    let meta = ObjectMeta::of(object).ok();
    if meta.is_some_and(|meta| meta.annotation(ROTATION_ANNOTATION).is_some()) {
        for certificate in &mut certificates {
            certificate.is_annotated = true;
        }
    }
    certificates
}

/// The base64 texts between the marks.
struct PemBlocks<'b> {
    rest: &'b [u8],
}

impl<'b> Iterator for PemBlocks<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let (_, after_begin) = split_at(self.rest, BEGIN)?;
        let (block, after_end) = split_at(after_begin, END)?;
        self.rest = after_end;
        // A mark inside: the block before it never ended.
        let mut innermost = block;
        while let Some((_, inner)) = split_at(innermost, BEGIN) {
            innermost = inner;
        }
        Some(innermost)
    }
}

fn split_at<'b>(bytes: &'b [u8], mark: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let position = memchr::memmem::find(bytes, mark)?;
    let (before, rest) = bytes.split_at_checked(position)?;
    Some((before, rest.get(mark.len()..)?))
}

fn parse_block(place: &str, base64: &[u8]) -> Option<Certificate> {
    // Line lengths vary and Windows tools add carriage returns: only base64 matters.
    let mut text = Zeroizing::new(Vec::with_capacity(base64.len()));
    text.extend(base64.iter().filter(|byte| !byte.is_ascii_whitespace()));
    let der = data_encoding::BASE64.decode(&text).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let validity = certificate.validity();
    Some(Certificate {
        place: place.to_owned(),
        subject: one_line(certificate.subject()),
        issuer: one_line(certificate.issuer()),
        is_ca: certificate.is_ca(),
        not_before: instant(validity.not_before)?,
        not_after: instant(validity.not_after)?,
        is_annotated: false,
    })
}

fn instant(time: ASN1Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.timestamp(), 0)
}

/// Control characters would break the line, or steer the terminal.
fn one_line(name: &X509Name<'_>) -> String {
    let text = name.to_string();
    let mut line = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MAX_NAME_CHARACTERS {
            line.push_str("...");
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P-256, self-signed, `OU = openshift, CN = etcd-signer`, 2024-01-01 to 2029-01-01.
    const SIGNER: &str = include_str!("certificate_test.pem");

    #[test]
    fn a_broken_certificate_and_a_key_hide_no_other() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let endless = "-----BEGIN CERTIFICATE-----\nMIIB\n";
        let crlf = SIGNER.replace('\n', "\r\n");
        let bundle = [SIGNER, key, broken, "some words\n", endless, &crlf, endless].concat();
        let found = parse_pem("a/b.crt", bundle.as_bytes());
        assert_eq!(found.len(), 2, "{found:?}");
        for certificate in found {
            assert_eq!(certificate.subject, "OU=openshift, CN=etcd-signer");
            assert_eq!(
                certificate.not_after.to_rfc3339(),
                "2029-01-01T00:00:00+00:00"
            );
            assert!(certificate.is_ca);
            assert_eq!(certificate.place, "a/b.crt");
        }
    }

    #[test]
    fn damaged_certificates_are_passed_over_without_panic() {
        for position in 0..SIGNER.len() {
            for byte in [b'A', b'/', b'\0', 0xFF] {
                let mut pem = SIGNER.as_bytes().to_vec();
                *pem.get_mut(position).expect("inside the text") = byte;
                assert!(parse_pem("x", &pem).len() <= 1);
            }
        }
    }
}
