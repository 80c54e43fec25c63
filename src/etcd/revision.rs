//! Keys of bucket `key`: revisions.

use std::fmt;

/// One change of the keyspace: the transaction (`main`) and the position in it (`sub`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Revision {
    /// Counts transactions.
    pub(crate) main: i64,
    /// Counts changes within one transaction, from 0.
    pub(crate) sub: i64,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.main, self.sub)
    }
}

/// A key of bucket `key`.
///
/// | offset | bytes | field | meaning |
/// |---|---|---|---|
/// | 0 | 8 | `main` | i64, big-endian on every machine |
/// | 8 | 1 | | `_` |
/// | 9 | 8 | `sub` | i64, big-endian on every machine |
/// | 17 | 1 | mark | `t` for a tombstone; absent otherwise |
///
/// Source: etcd `server/storage/mvcc/revision.go`, `BytesToBucketKey`, at c34dc7e.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct RevisionKey {
    /// The revision.
    pub(crate) revision: Revision,
    /// The entry is a deletion.
    pub(crate) is_tombstone: bool,
}

/// Why bytes are no key of bucket `key`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum RevisionKeyDefect {
    /// Neither 17 nor 18 bytes.
    #[error("key is {found} bytes long, expected 17 or 18")]
    Length {
        /// The length found.
        found: usize,
    },
    /// No `_` between the numbers.
    #[error("separator is {found:#04x}, expected 0x5f")]
    Separator {
        /// The byte found.
        found: u8,
    },
    /// The 18th byte is no `t`.
    #[error("mark is {found:#04x}, expected 0x74")]
    Mark {
        /// The byte found.
        found: u8,
    },
    /// Revisions count from zero.
    #[error("revision {0} is negative")]
    Negative(Revision),
}

impl RevisionKey {
    /// Reads a key of bucket `key`.
    ///
    /// # Errors
    ///
    /// A [`RevisionKeyDefect`] for the first byte that is off.
    pub(crate) fn parse(key: &[u8]) -> Result<Self, RevisionKeyDefect> {
        let length = RevisionKeyDefect::Length { found: key.len() };
        let (main, rest) = key.split_first_chunk().ok_or(length)?;
        let (&separator, rest) = rest.split_first().ok_or(length)?;
        let (sub, mark) = rest.split_first_chunk().ok_or(length)?;
        if separator != b'_' {
            return Err(RevisionKeyDefect::Separator { found: separator });
        }
        let is_tombstone = match *mark {
            [] => false,
            [b't'] => true,
            [found] => return Err(RevisionKeyDefect::Mark { found }),
            _ => return Err(length),
        };
        let revision = Revision {
            main: i64::from_be_bytes(*main),
            sub: i64::from_be_bytes(*sub),
        };
        if revision.main < 0 || revision.sub < 0 {
            return Err(RevisionKeyDefect::Negative(revision));
        }
        Ok(Self {
            revision,
            is_tombstone,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Revision, RevisionKey, RevisionKeyDefect};

    #[test]
    fn a_revision_and_a_tombstone_are_read() {
        let key = b"\0\0\0\0\0\0\x01\x02_\0\0\0\0\0\0\0\x03t";
        let revision = Revision {
            main: 0x102,
            sub: 3,
        };
        assert_eq!(
            RevisionKey::parse(key),
            Ok(RevisionKey {
                revision,
                is_tombstone: true
            })
        );
        let put = key.get(..17).expect("18 bytes");
        assert_eq!(
            RevisionKey::parse(put),
            Ok(RevisionKey {
                revision,
                is_tombstone: false
            })
        );
    }

    #[test]
    fn anything_else_is_refused_and_named() {
        let rows: [(&[u8], RevisionKeyDefect); 5] = [
            (b"short", RevisionKeyDefect::Length { found: 5 }),
            (
                b"\0\0\0\0\0\0\x01\x02_\0\0\0\0\0\0\0\x03tt",
                RevisionKeyDefect::Length { found: 19 },
            ),
            (
                b"\0\0\0\0\0\0\x01\x02-\0\0\0\0\0\0\0\x03",
                RevisionKeyDefect::Separator { found: b'-' },
            ),
            (
                b"\0\0\0\0\0\0\x01\x02_\0\0\0\0\0\0\0\x03u",
                RevisionKeyDefect::Mark { found: b'u' },
            ),
            (
                b"\xff\0\0\0\0\0\0\0_\0\0\0\0\0\0\0\0",
                RevisionKeyDefect::Negative(Revision {
                    main: i64::from_be_bytes([0xff, 0, 0, 0, 0, 0, 0, 0]),
                    sub: 0,
                }),
            ),
        ];
        for (key, defect) in rows {
            assert_eq!(RevisionKey::parse(key), Err(defect));
        }
    }
}
