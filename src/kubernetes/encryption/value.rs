//! The prefix of a stored value: which provider and which key sealed it.
//!
//! | bytes | meaning |
//! |---|---|
//! | `k8s:enc:` | encrypted; anything else is plain |
//! | `aescbc`, `aesgcm`, `secretbox`, `kms` | provider, up to `:` |
//! | `v1`, `v2` | version, up to `:` |
//! | key name; for `kms` the provider's name | up to `:` |
//! | the rest | payload |
//!
//! Nothing is allocated: a scan asks for every value.
//!
//! Source: apiserver `pkg/server/options/encryptionconfig/config.go`.

use std::fmt;

const MAGIC: &[u8] = b"k8s:enc:";

/// Longest provider or version that is looked for. The longest known is `secretbox`.
const MAX_PROVIDER_BYTES: usize = 64;

/// Longest key name that is looked for. OpenShift writes `7`, and `7_secrets` for KMS; Kubernetes sets no limit,
/// but the name is repeated in every value, so a longer one is no name.
const MAX_KEY_NAME_BYTES: usize = 256;

/// A value as it lies in etcd, by its first bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StoredValue<'v> {
    /// Not encrypted.
    Plain,
    /// Encrypted, with a complete prefix.
    Encrypted(EncryptedValue<'v>),
    /// Begins as an encrypted value, but the prefix does not end within its bounds.
    Malformed,
}

/// A sealed value, its prefix taken apart.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct EncryptedValue<'v> {
    /// Who sealed it.
    pub provider: StoredProvider<'v>,
    /// The key's name; for KMS the provider's name.
    pub key_name: &'v [u8],
    /// What follows the prefix: nonce, ciphertext, tag.
    pub payload: &'v [u8],
}

/// The provider and format version in a prefix.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub(crate) enum StoredProvider<'v> {
    /// AES-CBC with PKCS#7 padding, not authenticated.
    AesCbc,
    /// AES-GCM; the storage key is authenticated along with it.
    AesGcm,
    /// XSalsa20-Poly1305.
    Secretbox,
    /// A key management service, `v1` or `v2`: the key is elsewhere.
    Kms,
    /// StoredProvider, or provider and version, as they stand in the prefix.
    Other(&'v [u8]),
}

impl<'v> StoredValue<'v> {
    /// Looks at the first bytes of a stored value.
    #[inline]
    pub(crate) fn parse(value: &'v [u8]) -> Self {
        match value.strip_prefix(MAGIC) {
            None => Self::Plain,
            Some(rest) => Self::parse_prefix(rest).map_or(Self::Malformed, Self::Encrypted),
        }
    }

    fn parse_prefix(rest: &'v [u8]) -> Option<EncryptedValue<'v>> {
        let (provider, after_provider) = split_at_colon(rest, MAX_PROVIDER_BYTES)?;
        let (version, after_version) = split_at_colon(after_provider, MAX_PROVIDER_BYTES)?;
        let (key_name, payload) = split_at_colon(after_version, MAX_KEY_NAME_BYTES)?;
        let provider = match (provider, version) {
            (b"aescbc", b"v1") => StoredProvider::AesCbc,
            (b"aesgcm", b"v1") => StoredProvider::AesGcm,
            (b"secretbox", b"v1") => StoredProvider::Secretbox,
            (b"kms", b"v1" | b"v2") => StoredProvider::Kms,
            // A new version of a known provider is not that provider.
            _ => StoredProvider::Other(rest.get(..provider.len() + 1 + version.len())?),
        };
        Some(EncryptedValue {
            provider,
            key_name,
            payload,
        })
    }
}

impl EncryptedValue<'_> {
    /// The key name as [`EncryptionUse::key_name`](super::EncryptionUse::key_name) holds it: unprintable bytes escaped.
    pub(crate) fn key_text(&self) -> String {
        self.key_name.escape_ascii().to_string()
    }
}

impl fmt::Debug for EncryptedValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider, payload, ..
        } = self;
        write!(
            f,
            "EncryptedValue({provider}, key {:?}, {} bytes)",
            self.key_text(),
            payload.len()
        )
    }
}

impl fmt::Display for StoredProvider<'_> {
    /// As [`EncryptionUse::provider`](super::EncryptionUse::provider) holds it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AesCbc => f.write_str("aescbc"),
            Self::AesGcm => f.write_str("aesgcm"),
            Self::Secretbox => f.write_str("secretbox"),
            Self::Kms => f.write_str("kms"),
            Self::Other(text) => write!(f, "{}", text.escape_ascii()),
        }
    }
}

fn split_at_colon(text: &[u8], max_bytes: usize) -> Option<(&[u8], &[u8])> {
    let colon = text
        .iter()
        .take(max_bytes + 1)
        .position(|&byte| byte == b':')?;
    let (head, rest) = text.split_at_checked(colon)?;
    Some((head, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted<'v>(
        provider: StoredProvider<'v>,
        key_name: &'v [u8],
        payload: &'v [u8],
    ) -> StoredValue<'v> {
        StoredValue::Encrypted(EncryptedValue {
            provider,
            key_name,
            payload,
        })
    }

    #[test]
    fn prefixes_are_taken_apart() {
        let rows: [(&[u8], StoredValue<'_>); 10] = [
            (b"", StoredValue::Plain),
            (b"k8s\0\x0A\x00", StoredValue::Plain),
            (b"{}", StoredValue::Plain),
            (
                b"k8s:enc:aescbc:v1:7:xyz",
                encrypted(StoredProvider::AesCbc, b"7", b"xyz"),
            ),
            (
                b"k8s:enc:aesgcm:v1:key:1",
                encrypted(StoredProvider::AesGcm, b"key", b"1"),
            ),
            (
                b"k8s:enc:secretbox:v1:1:",
                encrypted(StoredProvider::Secretbox, b"1", b""),
            ),
            (
                b"k8s:enc:kms:v2:7_secrets:\x0A",
                encrypted(StoredProvider::Kms, b"7_secrets", b"\x0A"),
            ),
            (
                b"k8s:enc:aescbc:v2:7:x",
                encrypted(StoredProvider::Other(b"aescbc:v2"), b"7", b"x"),
            ),
            (b"k8s:enc:aescbc:v1:7", StoredValue::Malformed),
            (b"k8s:enc:", StoredValue::Malformed),
        ];
        for (value, expected) in rows {
            assert_eq!(
                StoredValue::parse(value),
                expected,
                "{}",
                value.escape_ascii()
            );
        }
    }

    #[test]
    fn a_key_name_without_end_is_not_searched_through_the_value() {
        let prefix =
            |length: usize| [b"k8s:enc:aescbc:v1:", vec![b'a'; length].as_slice(), b":x"].concat();
        assert!(matches!(
            StoredValue::parse(&prefix(MAX_KEY_NAME_BYTES)),
            StoredValue::Encrypted(_)
        ));
        assert_eq!(
            StoredValue::parse(&prefix(MAX_KEY_NAME_BYTES + 1)),
            StoredValue::Malformed
        );
    }
}
