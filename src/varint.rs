//! Unsigned integers in as few bytes as they need (LEB128), for the notes that a scan keeps in memory.

/// Appends `value`: seven bits a byte, low bits first.
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

/// Takes one integer off the front.
///
/// Reads only what [`push`] wrote, or a protobuf varint: `None` when the bytes run out or ten bytes do not end it.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(u64::from(first));
    }
    take_long(bytes)
}

/// Takes a difference written by [`push_signed`].
pub(crate) fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    take(bytes).map(unzigzag)
}

fn take_long(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        let shift = 7 * u32::try_from(index).ok()?;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            *bytes = bytes.get(index + 1..)?;
            return Some(value);
        }
    }
    None
}

fn low_bits(value: u64) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{push, push_signed, take, take_signed};

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
    }
}
