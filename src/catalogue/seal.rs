//! How a record is written down: a version, a checksum, and the value in postcard's encoding.
//!
//! | offset | bytes | field | meaning |
//! |---|---|---|---|
//! | 0 | 1 | `version` | [`RECORD_VERSION`] |
//! | 1 | 4 | `checksum` | CRC-32C over key and value, little-endian |
//! | 5 | to the end | `value` | postcard |
//!
//! The checksum is ours because a store reads a flipped bit back without a word.

use crate::digest::Crc32c;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Raised whenever the shape of any record changes: postcard does not say what its bytes mean.
pub(super) const RECORD_VERSION: u8 = 1;

/// Why a record is passed over.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// Written by another etcd-cat, or nothing at all.
    #[error("record version is {found:?}, expected {RECORD_VERSION}")]
    Version {
        /// The first byte.
        found: Option<u8>,
    },
    /// Not the bytes that were written under this key.
    #[error("record checksum is {found:#010x}, expected {expected:#010x}")]
    Checksum {
        /// Over the bytes as they are.
        found: u32,
        /// As written.
        expected: u32,
    },
    /// The value is no such value.
    #[error("record does not decode: {0}")]
    Shape(String),
    /// The key is no such key.
    #[error("record key has {found_bytes} bytes and does not decode")]
    Key {
        /// Length of the key.
        found_bytes: usize,
    },
}

/// Writes a value down for its key.
pub(super) fn seal(key: &[u8], value: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    let value = postcard::to_stdvec(value).map_err(|e| RecordError::Shape(e.to_string()))?;
    let mut record = vec![RECORD_VERSION];
    record.extend_from_slice(&checksum(key, &value).to_le_bytes());
    record.extend_from_slice(&value);
    Ok(record)
}

/// Reads the value that was written down for this key.
pub(super) fn unseal<T: DeserializeOwned>(key: &[u8], record: &[u8]) -> Result<T, RecordError> {
    let (version, rest) = record
        .split_first()
        .ok_or(RecordError::Version { found: None })?;
    if *version != RECORD_VERSION {
        let found = Some(*version);
        return Err(RecordError::Version { found });
    }
    let cut = || RecordError::Shape("it ends early".to_owned());
    let (expected, value) = rest.split_first_chunk().ok_or_else(cut)?;
    let (found, expected) = (checksum(key, value), u32::from_le_bytes(*expected));
    if found != expected {
        return Err(RecordError::Checksum { found, expected });
    }
    match postcard::take_from_bytes(value) {
        Ok((value, [])) => Ok(value),
        Ok((_, more)) => Err(RecordError::Shape(format!("{} bytes too many", more.len()))),
        Err(error) => Err(RecordError::Shape(error.to_string())),
    }
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    Crc32c::of(key).followed_by(value).value
}

#[cfg(test)]
mod tests {
    use super::{RecordError, seal, unseal};

    #[test]
    fn a_record_comes_back_under_its_own_key_only() {
        let record = seal(b"key", &("text".to_owned(), 7u64)).expect("plain values encode");
        let value = ("text".to_owned(), 7u64);
        assert_eq!(unseal(b"key", &record), Ok(value));
        let other = unseal::<(String, u64)>(b"kez", &record);
        assert!(
            matches!(other, Err(RecordError::Checksum { .. })),
            "{other:?}"
        );
    }

    #[test]
    fn no_flipped_bit_and_no_cut_goes_unnoticed() {
        let record = seal(b"key", &("text".to_owned(), 7u64)).expect("plain values encode");
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            if let Some(byte) = damaged.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            assert!(
                unseal::<(String, u64)>(b"key", &damaged).is_err(),
                "bit {bit}"
            );
        }
        for length in 0..record.len() {
            let cut = record.get(..length).expect("shorter than the record");
            assert!(
                unseal::<(String, u64)>(b"key", cut).is_err(),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_value_of_another_shape_is_refused() {
        let record = seal(b"key", &(1u8, 2u8)).expect("plain values encode");
        let found = unseal::<u8>(b"key", &record);
        assert_eq!(
            found,
            Err(RecordError::Shape("1 bytes too many".to_owned()))
        );
    }
}
