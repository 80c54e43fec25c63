//! Keys of pages, kept for the proof in a few bytes each.
//!
//! Nearly all pages of an etcd file belong to one bucket whose keys are 17 or 18 bytes of the shape
//! *u64 `_` u64* [*byte*], ascending; these are stored as differences. Any other key is stored as it is.

use crate::protobuf::varint;
use std::borrow::Cow;

const PLAIN: u8 = 0;
const PAIR: u8 = 1;
const MARKED_PAIR: u8 = 2;
const SEPARATOR: u8 = b'_';

/// Writes keys one behind the other; each is encoded against the one before.
#[derive(Debug)]
pub(super) struct KeyWriter<'a> {
    bytes: &'a mut Vec<u8>,
    previous: u64,
}

impl<'a> KeyWriter<'a> {
    /// Appends to `bytes`; a reader starts at what is its length now.
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes, previous: 0 }
    }

    /// Appends an integer between keys.
    pub(super) fn number(&mut self, number: u64) {
        varint::push(self.bytes, number);
    }

    /// Appends a key.
    pub(super) fn key(&mut self, key: &[u8]) {
        match split_pair(key) {
            Some((first, second, mark)) => {
                self.bytes
                    .push(if mark.is_some() { MARKED_PAIR } else { PAIR });
                varint::push_signed(self.bytes, first.wrapping_sub(self.previous).cast_signed());
                varint::push(self.bytes, second);
                self.bytes.extend(mark);
                self.previous = first;
            }
            None => {
                self.bytes.push(PLAIN);
                varint::push(self.bytes, crate::bytes::to_u64(key.len()));
                self.bytes.extend_from_slice(key);
            }
        }
    }
}

/// Reads what a [`KeyWriter`] wrote, in the same order.
#[derive(Clone, Debug)]
pub(super) struct KeyReader<'a> {
    rest: &'a [u8],
    previous: u64,
}

impl<'a> KeyReader<'a> {
    /// Starts where the writer started.
    pub(super) fn new(bytes: &'a [u8], start: u64) -> Self {
        Self {
            rest: bytes
                .get(crate::bytes::to_usize(start)..)
                .unwrap_or_default(),
            previous: 0,
        }
    }

    /// The next integer.
    pub(super) fn number(&mut self) -> Option<u64> {
        varint::take(&mut self.rest)
    }

    /// The next key.
    pub(super) fn key(&mut self) -> Option<StoredKey<'a>> {
        let (&tag, rest) = self.rest.split_first()?;
        self.rest = rest;
        if tag == PLAIN {
            let length = crate::bytes::to_usize(varint::take(&mut self.rest)?);
            let (key, rest) = self.rest.split_at_checked(length)?;
            self.rest = rest;
            return Some(StoredKey::Plain(Cow::Borrowed(key)));
        }
        let first = self
            .previous
            .wrapping_add(varint::take_signed(&mut self.rest)?.cast_unsigned());
        let second = varint::take(&mut self.rest)?;
        self.previous = first;
        let mark = if tag == MARKED_PAIR {
            let (&mark, rest) = self.rest.split_first()?;
            self.rest = rest;
            Some(mark)
        } else {
            None
        };
        Some(StoredKey::Pair(join_pair(first, second, mark)))
    }
}

/// A key taken out of the store.
#[derive(Clone, Debug)]
pub(super) enum StoredKey<'a> {
    /// 17 or 18 bytes, rebuilt.
    Pair(PairKey),
    /// Any other key.
    Plain(Cow<'a, [u8]>),
}

/// 17 or 18 bytes and how many of them count.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairKey {
    bytes: [u8; 18],
    length: usize,
}

impl StoredKey<'_> {
    /// The bytes of the key.
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Pair(pair) => pair.bytes.get(..pair.length).unwrap_or_default(),
            Self::Plain(key) => key,
        }
    }
}

fn split_pair(key: &[u8]) -> Option<(u64, u64, Option<u8>)> {
    let (first, rest) = key.split_first_chunk()?;
    let (&separator, rest) = rest.split_first()?;
    let (second, rest) = rest.split_first_chunk()?;
    let mark = match *rest {
        [] => None,
        [mark] => Some(mark),
        _ => return None,
    };
    (separator == SEPARATOR).then(|| {
        (
            u64::from_be_bytes(*first),
            u64::from_be_bytes(*second),
            mark,
        )
    })
}

fn join_pair(first: u64, second: u64, mark: Option<u8>) -> PairKey {
    let mut bytes = [0; 18];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&first.to_be_bytes());
    if let [separator, second_bytes @ .., last] = tail {
        *separator = SEPARATOR;
        second_bytes.copy_from_slice(&second.to_be_bytes());
        *last = mark.unwrap_or_default();
    }
    PairKey {
        bytes,
        length: 17 + usize::from(mark.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyReader, KeyWriter};

    #[test]
    fn keys_come_back_as_they_went_in() {
        let keys: [&[u8]; 7] = [
            b"\0\0\0\0\0\0\0\x05_\0\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\x05_\0\0\0\0\0\0\0\x01t",
            b"\xff\xff\xff\xff\xff\xff\xff\xff_\xff\xff\xff\xff\xff\xff\xff\xff",
            b"",
            b"members",
            b"finishedCompactRev",
            b"\0\0\0\0\0\0\0\x01_\0\0\0\0\0\0\0\0t",
        ];
        let mut bytes = b"before".to_vec();
        let start = crate::bytes::to_u64(bytes.len());
        let mut writer = KeyWriter::new(&mut bytes);
        for key in keys {
            writer.number(77);
            writer.key(key);
        }
        let mut reader = KeyReader::new(&bytes, start);
        for key in keys {
            assert_eq!(reader.number(), Some(77));
            assert_eq!(
                reader.key().expect("as many as were written").as_slice(),
                key
            );
        }
        assert!(reader.key().is_none());
    }
}
