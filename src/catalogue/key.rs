//! Keys of the catalogue's tables, and the bytes they are.

use super::error::RecordError;
use crate::digest::Sha256Digest;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Tells snapshots apart: the same data with another trailer, or with more behind it, is another file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SnapshotKey {
    /// SHA-256 over all bytes but the trailer.
    pub computed: Sha256Digest,
    /// The trailer, when there is one.
    pub trailer: Option<Sha256Digest>,
    /// Length of the (uncompressed) file in bytes.
    pub size_bytes: u64,
}

impl SnapshotKey {
    /// The key of these facts.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            computed: snapshot.computed,
            trailer: snapshot.trailer,
            size_bytes: snapshot.size_bytes,
        }
    }

    /// 73 bytes: computed, 1 when there is a trailer, trailer or zeros, size (big-endian).
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.computed.0.to_vec();
        bytes.push(u8::from(self.trailer.is_some()));
        bytes.extend_from_slice(&self.trailer.map_or([0; 32], |trailer| trailer.0));
        bytes.extend_from_slice(&self.size_bytes.to_be_bytes());
        bytes
    }

    fn split_from(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (computed, rest) = bytes.split_first_chunk()?;
        let (has_trailer, rest) = rest.split_first()?;
        let (trailer, rest) = rest.split_first_chunk()?;
        let (size_bytes, rest) = rest.split_first_chunk()?;
        let trailer = match has_trailer {
            0 => None,
            1 => Some(Sha256Digest(*trailer)),
            _ => return None,
        };
        let key = Self {
            computed: Sha256Digest(*computed),
            trailer,
            size_bytes: u64::from_be_bytes(*size_bytes),
        };
        Some((key, rest))
    }
}

/// What a verification is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Subject {
    /// A snapshot, with its kuberesources if it had one.
    Snapshot(SnapshotKey),
    /// A kuberesources, by its digest.
    Kuberesources(Sha256Digest),
}

impl Subject {
    /// `s` or `k`, then the key: the beginning of all keys of its verifications.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let (tag, key) = match self {
            Self::Snapshot(key) => (b's', key.to_bytes()),
            Self::Kuberesources(digest) => (b'k', digest.0.to_vec()),
        };
        [&[tag], key.as_slice()].concat()
    }
}

/// Stands for a list of certificates: the first 16 bytes of the SHA-256 over their encoding.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CertificateSetId(pub [u8; 16]);

pub(super) fn proof_bytes(snapshot: SnapshotKey, kuberesources: Sha256Digest) -> Vec<u8> {
    [snapshot.to_bytes(), kuberesources.0.to_vec()].concat()
}

/// Subject, then seconds and nanoseconds so that bytes ascend as time does.
pub(super) fn verification_bytes(subject: Subject, at: DateTime<Utc>) -> Vec<u8> {
    // Flipping the sign bit puts instants before 1970 in front.
    let seconds = at.timestamp().cast_unsigned() ^ (1 << 63);
    let nanos = at.timestamp_subsec_nanos().to_be_bytes();
    [
        &subject.to_bytes(),
        seconds.to_be_bytes().as_slice(),
        &nanos,
    ]
    .concat()
}

/// A key as a store returns it.
pub(super) trait DecodeKey: Send + Sized {
    /// The key, when these are its bytes.
    fn decode(bytes: &[u8]) -> Option<Self>;

    /// The key or the reason against it.
    fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let found_bytes = bytes.len();
        Self::decode(bytes).ok_or(RecordError::Key { found_bytes })
    }
}

impl DecodeKey for ObjectId {
    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_bytes(bytes))
    }
}

/// The name of a kind of run.
impl DecodeKey for String {
    fn decode(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

impl DecodeKey for SnapshotKey {
    fn decode(bytes: &[u8]) -> Option<Self> {
        Self::split_from(bytes).and_then(|(key, rest)| rest.is_empty().then_some(key))
    }
}

impl DecodeKey for Sha256Digest {
    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl DecodeKey for CertificateSetId {
    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl DecodeKey for (SnapshotKey, Sha256Digest) {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = SnapshotKey::split_from(bytes)?;
        Some((key, Sha256Digest::decode(rest)?))
    }
}

/// The instant at the end is in the value too.
impl DecodeKey for Subject {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        let (subject, instant) = match tag {
            b's' => {
                let (key, rest) = SnapshotKey::split_from(rest)?;
                (Self::Snapshot(key), rest)
            }
            b'k' => {
                let (digest, rest) = rest.split_first_chunk()?;
                (Self::Kuberesources(Sha256Digest(*digest)), rest)
            }
            _ => return None,
        };
        (instant.len() == 12).then_some(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        DateTime, DecodeKey, Sha256Digest, SnapshotKey, Subject, proof_bytes, verification_bytes,
    };

    fn keys() -> [SnapshotKey; 2] {
        let with = |trailer| SnapshotKey {
            computed: Sha256Digest([1; 32]),
            trailer,
            size_bytes: 7,
        };
        [with(None), with(Some(Sha256Digest([2; 32])))]
    }

    #[test]
    fn keys_come_back_as_they_were() {
        let digest = Sha256Digest([3; 32]);
        for key in keys() {
            assert_eq!(SnapshotKey::decode(&key.to_bytes()), Some(key));
            let pair = proof_bytes(key, digest);
            assert_eq!(
                <(SnapshotKey, Sha256Digest)>::decode(&pair),
                Some((key, digest))
            );
            for subject in [Subject::Snapshot(key), Subject::Kuberesources(digest)] {
                let bytes = verification_bytes(subject, DateTime::UNIX_EPOCH);
                assert_eq!(Subject::decode(&bytes), Some(subject));
            }
        }
    }

    #[test]
    fn cut_keys_are_refused() {
        let [key, _] = keys();
        let whole = key.to_bytes();
        for length in 0..whole.len() {
            let cut = whole.get(..length).expect("shorter than the key");
            assert_eq!(SnapshotKey::decode(cut), None, "{length} bytes");
        }
        assert_eq!(Subject::decode(b"x"), None);
        assert_eq!(Subject::decode(b""), None);
    }

    #[test]
    fn verifications_sort_by_instant() {
        let subject = Subject::Kuberesources(Sha256Digest([0; 32]));
        let instants = [
            "1960-01-01T00:00:00Z",
            "1969-12-31T23:59:59.5Z",
            "2024-11-02T03:00:07Z",
        ];
        let bytes =
            instants.map(|text| verification_bytes(subject, text.parse().expect("RFC 3339")));
        assert!(bytes.is_sorted());
    }
}
