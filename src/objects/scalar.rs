//! Types that the wire holds directly: texts, numbers, bytes.

use super::budget::Budget;
use super::character::is_plain;
use super::defect::{DecodeDefect, DecodeError};
use super::schema::FieldKind;
use super::value::Value;
use crate::protobuf::{MessageFields, WireDefect, WireValue};
use data_encoding::BASE64;

/// One bit pattern after the other decides that Go writes an exponent.
const MIN_PLAIN: f64 = 1e-6;
const MAX_PLAIN: f64 = 1e21;

impl Budget {
    /// A value of a type that is no message of the table; without bytes its zero value.
    pub(super) fn scalar(
        &mut self,
        kind: FieldKind,
        found: Option<WireValue<'_>>,
    ) -> Result<Value, DecodeError> {
        let value = match kind {
            FieldKind::Text => Value::Text(utf8(bytes_or_none(found)?)?.to_owned()),
            FieldKind::Bytes => match found {
                Some(value) => Value::Text(BASE64.encode(bytes(value)?)),
                None => Value::Null,
            },
            FieldKind::Bool => Value::Bool(varint(found)? != 0),
            FieldKind::Int64 => Value::integer(varint(found)?.cast_signed()),
            FieldKind::Uint32 => Value::integer(low_bits(varint(found)?)),
            FieldKind::Int32 => Value::integer(low_bits(varint(found)?).cast_signed()),
            FieldKind::Double => double(found)?,
            _ => return self.special(kind, bytes_or_none(found)?),
        };
        Ok(value)
    }
}

/// Types whose repeated fields may be packed.
pub(super) fn is_varint(kind: FieldKind) -> bool {
    use FieldKind as K;
    matches!(kind, K::Bool | K::Int32 | K::Int64 | K::Uint32)
}

/// Takes one number off the front of a packed field.
pub(super) fn take_varint(packed: &mut &[u8]) -> Result<u64, DecodeError> {
    let end = packed.iter().position(|&byte| byte < 0x80);
    let end = end.ok_or(WireDefect::Short)? + 1;
    let (number, rest) = packed.split_at_checked(end).ok_or(WireDefect::Short)?;
    // One field of a message, with a tag of its own in front.
    let mut field = vec![0x08];
    field.extend_from_slice(number);
    *packed = rest;
    match MessageFields::new(&field).next() {
        Some(Ok((_, WireValue::Varint(number)))) => Ok(number),
        Some(Err(defect)) => Err(defect.into()),
        _ => Err(WireDefect::Short.into()),
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, DecodeDefect> {
    std::str::from_utf8(bytes).map_err(|_| DecodeDefect::Utf8)
}

/// The bytes of a field that must have some.
pub(super) fn bytes(value: WireValue<'_>) -> Result<&[u8], DecodeError> {
    match value {
        WireValue::Bytes(bytes) => Ok(bytes),
        _ => Err(wrong_type()),
    }
}

fn bytes_or_none(found: Option<WireValue<'_>>) -> Result<&[u8], DecodeError> {
    found.map_or(Ok(b""), bytes)
}

/// The number of a varint field, 0 when it is not there.
pub(super) fn varint(found: Option<WireValue<'_>>) -> Result<u64, DecodeError> {
    match found {
        Some(WireValue::Varint(number)) => Ok(number),
        Some(_) => Err(wrong_type()),
        None => Ok(0),
    }
}

fn wrong_type() -> DecodeError {
    DecodeDefect::WireType.into()
}

/// Integers of 32 bits are stored in 64; readers in Go take the low half.
pub(super) fn low_bits(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn double(found: Option<WireValue<'_>>) -> Result<Value, DecodeError> {
    let number = match found {
        Some(WireValue::Fixed64(bits)) => f64::from_bits(bits),
        Some(_) => return Err(wrong_type()),
        None => 0.0,
    };
    if !number.is_finite() {
        return Err(DecodeDefect::Number.into());
    }
    Ok(Value::Number(spell(number).into()))
}

/// As Go's JSON spells it: the shortest digits, an exponent for the very small and the very large alone.
fn spell(number: f64) -> String {
    if number == 0.0 || (MIN_PLAIN..MAX_PLAIN).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// A field that the table does not have.
pub(super) fn unknown(value: WireValue<'_>) -> Value {
    match value {
        WireValue::Varint(number) | WireValue::Fixed64(number) => Value::integer(number),
        WireValue::Fixed32(number) => Value::integer(number),
        WireValue::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if text.chars().all(is_plain) => Value::Text(text.to_owned()),
            _ => Value::Text(format!("base64:{}", BASE64.encode(bytes))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_spelled_as_go_spells_them() {
        let rows = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (0.000_001, "0.000001"),
            (0.000_000_15, "1.5e-7"),
            (-1e300, "-1e+300"),
        ];
        for (number, expected) in rows {
            assert_eq!(spell(number), expected);
        }
    }

    #[test]
    fn packed_numbers_are_taken_one_by_one() {
        let mut packed: &[u8] = b"\x01\x96\x01\x80";
        assert_eq!(take_varint(&mut packed), Ok(1));
        assert_eq!(take_varint(&mut packed), Ok(150));
        assert_eq!(take_varint(&mut packed), Err(WireDefect::Short.into()));
    }

    #[test]
    fn unknown_bytes_are_shown_as_text_only_when_all_of_it_can_be_seen() {
        let text = |value| {
            unknown(WireValue::Bytes(value))
                .as_text()
                .map(str::to_owned)
        };
        assert_eq!(text(b"plain"), Some("plain".to_owned()));
        assert_eq!(text(b"\x1B[2J"), Some("base64:G1sySg==".to_owned()));
        assert_eq!(text(b"\xFF"), Some("base64:/w==".to_owned()));
    }
}
