//! How a record is written down: a version, a checksum, and the value in postcard's encoding.
//!
//! | offset | bytes | field | meaning |
//! |---|---|---|---|
//! | 0 | 1 | `version` | [`Table::version`] |
//! | 1 | 4 | `checksum` | CRC-32C over key, value and (from version 2 on) version, little-endian |
//! | 5 | to the end | `value` | postcard |
//!
//! The checksum is ours because a store reads a flipped bit back without a word.

use super::earlier::whole;
use super::error::RecordError;
use super::store::Table;
use super::version::{FIRST_VERSION, Record};
use crate::digest::Crc32c;
use serde::Serialize;

/// Writes a value down for its key, in the present version of its table.
pub(super) fn seal(
    table: Table,
    key: &[u8],
    value: &impl Serialize,
) -> Result<Vec<u8>, RecordError> {
    let value = postcard::to_stdvec(value).map_err(|e| RecordError::Shape(e.to_string()))?;
    let version = table.version();
    let mut record = vec![version];
    record.extend_from_slice(&checksum(version, key, &value).to_le_bytes());
    record.extend_from_slice(&value);
    Ok(record)
}

/// Reads the value that was written down for this key, in whatever version.
pub(super) fn unseal<R: Record>(key: &[u8], record: &[u8]) -> Result<R, RecordError> {
    let present = R::TABLE.version();
    let version = |found| RecordError::Version {
        found,
        expected: present,
    };
    let (found, rest) = record.split_first().ok_or(version(None))?;
    if !(FIRST_VERSION..=present).contains(found) {
        return Err(version(Some(*found)));
    }
    let (expected, value) = rest.split_first_chunk().ok_or(RecordError::Cut)?;
    let (computed, expected) = (checksum(*found, key, value), u32::from_le_bytes(*expected));
    if computed != expected {
        return Err(RecordError::Checksum {
            found: computed,
            expected,
        });
    }
    if *found == present {
        return whole(postcard::take_from_bytes(value));
    }
    R::from_earlier(*found, value)
}

/// True for a record that is as it was written under this key, whatever it means.
pub(super) fn is_intact(table: Table, key: &[u8], record: &[u8]) -> bool {
    let split = record.split_first().and_then(|(version, rest)| {
        let (expected, value) = rest.split_first_chunk()?;
        Some((*version, u32::from_le_bytes(*expected), value))
    });
    split.is_some_and(|(version, expected, value)| {
        (FIRST_VERSION..=table.version()).contains(&version)
            && checksum(version, key, value) == expected
    })
}

/// True for a record that is not as it was written under this key; false for one of a later version, too.
pub(super) fn is_damaged(table: Table, key: &[u8], record: &[u8]) -> bool {
    let is_later = record
        .first()
        .is_some_and(|version| *version > table.version());
    !is_later && !is_intact(table, key, record)
}

fn checksum(version: u8, key: &[u8], value: &[u8]) -> u32 {
    let covered = Crc32c::of(key).followed_by(value);
    if version == FIRST_VERSION {
        covered.value
    } else {
        covered.followed_by(&[version]).value
    }
}

#[cfg(test)]
mod tests {
    use super::{Record, RecordError, Table, seal, unseal};

    const TABLE: Table = Table::Locations;

    impl Record for (String, u64) {
        const TABLE: Table = TABLE;
    }

    impl Record for u8 {
        const TABLE: Table = TABLE;
    }

    #[test]
    fn a_record_comes_back_under_its_own_key_only() {
        let record = seal(TABLE, b"key", &("text".to_owned(), 7u64)).expect("plain values encode");
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
        let record = seal(TABLE, b"key", &("text".to_owned(), 7u64)).expect("plain values encode");
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
        let record = seal(TABLE, b"key", &(1u8, 2u8)).expect("plain values encode");
        let found = unseal::<u8>(b"key", &record);
        assert_eq!(
            found,
            Err(RecordError::Shape("1 bytes too many".to_owned()))
        );
    }
}
