//! What a worker has learnt, in one file that is whole or worth nothing.
//!
//! | bytes | meaning |
//! |---|---|
//! | 20 | `etcd-cat fragment 1\n` |
//! | for each record | length and name of the table, length and key, length and value; lengths in 4 bytes, little-endian |
//! | 32 | SHA-256 of all before |
//!
//! Values are sealed as in a catalogue: their versions and checksums go with them.

use crate::catalogue::{CarriedRecord, Table};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

const MAGIC: &[u8] = b"etcd-cat fragment 1\n";
const DIGEST: usize = 32;

/// The bytes of a fragment.
pub(super) fn write(records: &[CarriedRecord]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for record in records {
        for part in [record.table.as_bytes(), &record.key, &record.value] {
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(part);
        }
    }
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

/// The records of a fragment, or what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<CarriedRecord>, String> {
    let (covered, digest) = bytes
        .split_last_chunk::<DIGEST>()
        .ok_or("it is cut short")?;
    if Sha256::digest(covered).as_slice() != digest {
        return Err("its SHA-256 is another one".to_owned());
    }
    let mut rest = covered
        .strip_prefix(MAGIC)
        .ok_or("it is no fragment of this etcd-cat")?;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (table, key, value) = (part(&mut rest)?, part(&mut rest)?, part(&mut rest)?);
        records.push(CarriedRecord {
            table: table_name(table),
            key: key.to_vec(),
            value: value.to_vec(),
        });
    }
    Ok(records)
}

/// Nearly all are of tables that are known: those need no text of their own.
fn table_name(bytes: &[u8]) -> Cow<'static, str> {
    let name = String::from_utf8_lossy(bytes);
    match Table::named(&name) {
        Some(table) => table.name().into(),
        None => name.into_owned().into(),
    }
}

fn part<'b>(rest: &mut &'b [u8]) -> Result<&'b [u8], String> {
    let (length, after) = rest.split_first_chunk().ok_or("a record is cut short")?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (part, after) = after
        .split_at_checked(length)
        .ok_or("a record is cut short")?;
    *rest = after;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_no_damage_goes_unnoticed() {
        let record = |key: &[u8]| CarriedRecord {
            table: "files".into(),
            key: key.to_vec(),
            value: b"value".to_vec(),
        };
        let records = [record(b"/a\xff"), record(b"")];
        let bytes = write(&records);
        assert_eq!(read(&bytes).as_deref(), Ok(records.as_slice()));
        assert_eq!(read(&write(&[])), Ok(Vec::new()));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            if let Some(byte) = damaged.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            assert!(read(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(
                read(bytes.get(..length).expect("shorter")).is_err(),
                "{length}"
            );
        }
    }

    /// With a right digest, too, as whoever makes such a file can give it one.
    #[test]
    fn lengths_that_lie_are_refused() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        assert_eq!(read(&bytes), Err("a record is cut short".to_owned()));
    }
}
