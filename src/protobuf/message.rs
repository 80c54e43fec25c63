//! The wire format of protobuf, as far as reading needs it: a message is a run of numbered fields.
//!
//! Nothing is copied and no length is believed before it was compared with what is there.
//! Groups (wire types 3 and 4) are refused: neither etcd nor Kubernetes writes them.
//!
//! Source: the protobuf encoding guide, section *Message structure*.

use super::varint::{self, VarintDefect};

/// What is wrong with the bytes of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum WireDefect {
    /// A varint, a number or a length runs past the end.
    #[error("protobuf message ends inside a field")]
    Short,
    /// More than ten bytes, or more than 64 bits.
    #[error("protobuf varint is longer than 64 bits")]
    Varint,
    /// Wire types are 0, 1, 2 and 5.
    #[error("protobuf wire type is {found}, expected one of 0, 1, 2, 5")]
    WireType {
        /// The three low bits of the tag.
        found: u8,
    },
    /// Field numbers are 1 to 536,870,911.
    #[error("protobuf field number is {found}, expected 1 to 536870911")]
    Number {
        /// The number as it stands in the tag.
        found: u64,
    },
    /// A field of a known message has another wire type than its definition.
    #[error("protobuf field {number} has another wire type than expected")]
    Kind {
        /// The field's number.
        number: u32,
    },
}

impl From<VarintDefect> for WireDefect {
    #[inline]
    fn from(defect: VarintDefect) -> Self {
        match defect {
            VarintDefect::Short => Self::Short,
            VarintDefect::Long => Self::Varint,
        }
    }
}

/// The value of one field, not yet interpreted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WireValue<'a> {
    /// Wire type 0: integers, booleans, enums.
    Varint(u64),
    /// Wire type 1, little-endian.
    Fixed64(u64),
    /// Wire type 2: text, bytes, messages.
    Bytes(&'a [u8]),
    /// Wire type 5, little-endian.
    Fixed32(u32),
}

/// The fields of one message in the order of the bytes; ends after the first defect.
#[derive(Clone, Debug)]
pub(crate) struct MessageFields<'a> {
    rest: &'a [u8],
}

impl<'a> MessageFields<'a> {
    /// Reads `message`, which has no length in front of it.
    #[inline]
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    #[inline]
    fn read(&mut self) -> Result<(u32, WireValue<'a>), WireDefect> {
        let tag = varint::read(&mut self.rest)?;
        let found = tag >> 3;
        let number = u32::try_from(found)
            .ok()
            .filter(|number| (1..=0x1FFF_FFFF).contains(number));
        let number = number.ok_or(WireDefect::Number { found })?;
        let value = match tag & 7 {
            0 => WireValue::Varint(varint::read(&mut self.rest)?),
            1 => WireValue::Fixed64(u64::from_le_bytes(self.take_array()?)),
            2 => WireValue::Bytes(self.take_bytes()?),
            5 => WireValue::Fixed32(u32::from_le_bytes(self.take_array()?)),
            other => {
                let found = u8::try_from(other).unwrap_or(u8::MAX);
                return Err(WireDefect::WireType { found });
            }
        };
        Ok((number, value))
    }

    #[inline]
    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], WireDefect> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(WireDefect::Short)?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    fn take_bytes(&mut self) -> Result<&'a [u8], WireDefect> {
        let length =
            usize::try_from(varint::read(&mut self.rest)?).map_err(|_| WireDefect::Short)?;
        let (bytes, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(WireDefect::Short)?;
        self.rest = rest;
        Ok(bytes)
    }
}

impl<'a> Iterator for MessageFields<'a> {
    type Item = Result<(u32, WireValue<'a>), WireDefect>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// The fields of a small message asked for in the order of their numbers, as most writers write them. Numbers are below 16.
///
/// A field that is not there is empty, or 0. `None` is a defect; which one, [`MessageFields`] tells.
#[derive(Clone, Debug)]
pub(crate) struct OrderedFields<'a> {
    rest: &'a [u8],
}

impl<'a> OrderedFields<'a> {
    /// Reads `message`, which has no length in front of it.
    #[inline]
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field if it is bytes and has this number.
    #[inline]
    pub(crate) fn bytes(&mut self, number: u8) -> Option<&'a [u8]> {
        if !self.is_next(number << 3 | 2) {
            return Some(&[]);
        }
        let length = usize::try_from(varint::read(&mut self.rest).ok()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// The next field if it is a varint and has this number.
    #[inline]
    pub(crate) fn varint(&mut self, number: u8) -> Option<u64> {
        if !self.is_next(number << 3) {
            return Some(0);
        }
        varint::read(&mut self.rest).ok()
    }

    /// Nothing is left.
    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    fn is_next(&mut self, tag: u8) -> bool {
        match self.rest.split_first() {
            Some((&next, rest)) if next == tag => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

/// The bytes of field `number`; of several, the last one counts, as protobuf has it. `None`: no such field.
///
/// # Errors
///
/// The message is malformed anywhere, or the field is no bytes.
pub(crate) fn bytes_field(message: &[u8], number: u32) -> Result<Option<&[u8]>, WireDefect> {
    let mut found = None;
    for field in MessageFields::new(message) {
        match field? {
            (n, WireValue::Bytes(bytes)) if n == number => found = Some(bytes),
            (n, _) if n == number => return Err(WireDefect::Kind { number }),
            _ => {}
        }
    }
    Ok(found)
}

/// A varint field as a signed 64-bit integer (`int64` is stored as two's complement). `None`: no such field.
///
/// # Errors
///
/// The message is malformed anywhere, or the field is no varint.
pub(crate) fn integer_field(message: &[u8], number: u32) -> Result<Option<i64>, WireDefect> {
    let mut found = None;
    for field in MessageFields::new(message) {
        match field? {
            (n, WireValue::Varint(value)) if n == number => found = Some(value.cast_signed()),
            (n, _) if n == number => return Err(WireDefect::Kind { number }),
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_come_in_the_order_of_the_bytes() {
        let message = b"\x08\x96\x01\x12\x02hi\x1D\x01\0\0\0\x21\x02\0\0\0\0\0\0\0";
        let fields: Result<Vec<_>, _> = MessageFields::new(message).collect();
        let expected = vec![
            (1, WireValue::Varint(150)),
            (2, WireValue::Bytes(b"hi")),
            (3, WireValue::Fixed32(1)),
            (4, WireValue::Fixed64(2)),
        ];
        assert_eq!(fields, Ok(expected));
    }

    #[test]
    fn malformed_messages_are_refused_and_named() {
        let rows: [(&str, &[u8], WireDefect); 8] = [
            ("cut varint", b"\x08\x96", WireDefect::Short),
            ("length past the end", b"\x12\x05hi", WireDefect::Short),
            (
                "huge length",
                b"\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
                WireDefect::Short,
            ),
            ("cut fixed", b"\x1D\x01", WireDefect::Short),
            ("group", b"\x0B", WireDefect::WireType { found: 3 }),
            ("field zero", b"\x00\x00", WireDefect::Number { found: 0 }),
            (
                "65 bits",
                b"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02",
                WireDefect::Varint,
            ),
            (
                "eleven bytes",
                b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
                WireDefect::Varint,
            ),
        ];
        for (name, message, expected) in rows {
            let mut fields = MessageFields::new(message);
            assert_eq!(fields.next(), Some(Err(expected)), "{name}");
            assert_eq!(fields.next(), None, "{name}");
        }
    }

    #[test]
    fn of_a_repeated_field_the_last_counts() {
        assert_eq!(
            bytes_field(b"\x12\x01a\x12\x01b", 2),
            Ok(Some(b"b".as_slice()))
        );
        assert_eq!(
            bytes_field(b"\x10\x01", 2),
            Err(WireDefect::Kind { number: 2 })
        );
        assert_eq!(
            integer_field(b"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 1),
            Ok(Some(-1))
        );
        assert_eq!(integer_field(b"", 1), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_panic(message: Vec<u8>) {
            let fields = MessageFields::new(&message).count();
            prop_assert!(fields <= message.len());
        }
    }
}
