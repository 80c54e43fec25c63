//! Integers in as few bytes as they need: seven bits a byte, low bits first, the high bit set on all but the last.
//!
//! Protobuf writes its tags, lengths and numbers so; the notes that a scan keeps in memory are written so too.

/// 64 bits take ten bytes.
const MAX_BYTES: usize = 10;

/// Why there is no integer at the front.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum VarintDefect {
    /// The bytes run out before its last one.
    Short,
    /// More than ten bytes, or more than 64 bits.
    Long,
}

/// Appends `value`.
pub(crate) fn push(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    bytes.push(low_bits(value));
}

/// Appends a difference that may be negative, small magnitudes in few bytes.
pub(crate) fn push_signed(bytes: &mut Vec<u8>, value: i64) {
    push(bytes, zigzag(value));
}

/// A difference as an integer that is small when its magnitude is.
fn zigzag(difference: i64) -> u64 {
    (difference.cast_unsigned() << 1) ^ (difference >> 63).cast_unsigned()
}

/// The difference that [`zigzag`] made an integer.
fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// Takes one integer off the front; nearly all of them are a byte.
///
/// # Errors
///
/// The bytes run out, or there are more than 64 bits.
#[inline]
pub(crate) fn read(bytes: &mut &[u8]) -> Result<u64, VarintDefect> {
    match bytes.split_first() {
        Some((&first, rest)) if first < 0x80 => {
            *bytes = rest;
            Ok(u64::from(first))
        }
        _ => read_long(bytes),
    }
}

fn read_long(bytes: &mut &[u8]) -> Result<u64, VarintDefect> {
    let mut value = 0_u64;
    for (position, &byte) in bytes.iter().take(MAX_BYTES).enumerate() {
        // The tenth byte carries bit 63 alone.
        if position == 9 && byte > 1 {
            return Err(VarintDefect::Long);
        }
        value |= u64::from(byte & 0x7F) << (7 * position);
        if byte < 0x80 {
            *bytes = bytes.get(position + 1..).unwrap_or_default();
            return Ok(value);
        }
    }
    Err(if bytes.len() < MAX_BYTES {
        VarintDefect::Short
    } else {
        VarintDefect::Long
    })
}

/// Takes an integer that [`push`] wrote; `None` when there is none.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    read(bytes).ok()
}

/// Takes a difference written by [`push_signed`].
pub(crate) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    take(bytes).map(unzigzag)
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{VarintDefect, push, push_signed, read, take, take_signed};

    #[test]
    fn what_is_pushed_is_taken_back() {
        let values = [
            0,
            1,
            127,
            128,
            300,
            u64::from(u32::MAX),
            u64::MAX - 1,
            u64::MAX,
        ];
        let mut bytes = Vec::new();
        for value in values {
            push(&mut bytes, value);
        }
        let mut rest = bytes.as_slice();
        for value in values {
            assert_eq!(take(&mut rest), Some(value));
        }
        assert_eq!(take(&mut rest), None);
    }

    #[test]
    fn signed_differences_are_taken_back() {
        for value in [0, 1, -1, 63, -64, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            push_signed(&mut bytes, value);
            assert_eq!(take_signed(&mut bytes.as_slice()), Some(value));
        }
    }

    #[test]
    fn a_varint_without_an_end_is_refused() {
        assert_eq!(take(&mut [0xff_u8; 11].as_slice()), None);
        assert_eq!(take(&mut [0xff_u8; 3].as_slice()), None);
        assert_eq!(read(&mut [0xff_u8; 10].as_slice()), Err(VarintDefect::Long));
        assert_eq!(read(&mut [0xff_u8; 9].as_slice()), Err(VarintDefect::Short));
        assert_eq!(read(&mut [].as_slice()), Err(VarintDefect::Short));
    }
}
