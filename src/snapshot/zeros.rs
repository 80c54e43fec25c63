//! Runs of zero bytes in stored objects: what is left where a disk lost a sector.
//!
//! Most of an object is not decoded as it passes. Where zeros stand the whole of it is: they are no fields of a message,
//! and no text of the API holds so many. Bytes may, as those of a Secret.

use crate::kubernetes::encoding::Encoding;
use crate::kubernetes::stored_object::ObjectDefect;
use crate::objects::{DecodeDefect, Object, Value, decode};

/// Zeros that are looked into.
const RUN_BYTES: usize = 64;
/// A run has a byte at one of these distances, and as many on both sides of it.
const STEP_BYTES: usize = RUN_BYTES / 2;
/// Zeros in a row that no text of the API holds.
const TEXT_RUN_BYTES: usize = 16;
/// Largest value that is decoded. Unless told otherwise etcd takes 1.5 MiB in one request.
const MAX_VALUE_BYTES: usize = 2 << 20;

/// Are there zeros in the plain value where an object has none?
pub(super) fn zeros_in(value: &[u8]) -> Option<ObjectDefect<'static>> {
    if value.len() > MAX_VALUE_BYTES || !has_run(value) || Encoding::of(value) != Encoding::Protobuf
    {
        return None;
    }
    let is_lost = match decode(value) {
        Ok(object) => object_has_zeros(&object),
        Err(error) => matches!(error.defect, DecodeDefect::Wire(_) | DecodeDefect::WireType),
    };
    is_lost.then_some(ObjectDefect::Zeros)
}

fn has_run(bytes: &[u8]) -> bool {
    let is_zero = |byte: &&u8| **byte == 0;
    (0..bytes.len()).step_by(STEP_BYTES).any(|at| {
        let (before, after) = bytes.split_at(at);
        let after = after.iter().take(RUN_BYTES).take_while(is_zero).count();
        let before = before.iter().rev().take(RUN_BYTES).take_while(is_zero);
        after > 0 && after + before.count() >= RUN_BYTES
    })
}

fn object_has_zeros(object: &Object) -> bool {
    let Value::Map(fields) = &object.fields else {
        return false;
    };
    // What people put into a ConfigMap is their own business.
    let is_own = |name: &str| name == "data" && object.kind() == "ConfigMap";
    fields
        .iter()
        .any(|(name, value)| !is_own(name) && has_zeros(value))
}

fn has_zeros(value: &Value) -> bool {
    match value {
        Value::Text(text) => is_of_zeros(text),
        Value::List(items) => items.iter().any(has_zeros),
        Value::Map(map) => map
            .iter()
            .any(|(name, value)| is_of_zeros(name) || has_zeros(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Masked(_) => false,
    }
}

fn is_of_zeros(text: &str) -> bool {
    let mut texts = text.as_bytes().split(|byte| *byte != 0);
    texts.any(|zeros| zeros.len() >= TEXT_RUN_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{RUN_BYTES, has_run, zeros_in};

    /// A field of a message: number, and bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len()).expect("is short");
        let low = u8::try_from(length & 0x7F).expect("seven bits") | 0x80;
        let high = u8::try_from(length >> 7).expect("is short");
        [&[number << 3 | 2, low, high], bytes].concat()
    }

    fn stored(kind: &str, raw: &[u8]) -> Vec<u8> {
        let head = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &head), field(2, raw)].concat()
    }

    /// An entry of a map from texts to texts or bytes.
    fn entry(value: &[u8]) -> Vec<u8> {
        [field(1, b"key"), field(2, value)].concat()
    }

    #[test]
    fn runs_are_found_wherever_they_begin() {
        for at in 0..100 {
            let mut bytes = vec![1; 300];
            bytes.splice(at..at + RUN_BYTES, [0; RUN_BYTES]);
            assert!(has_run(&bytes), "{at}");
            if let Some(byte) = bytes.get_mut(at + 7) {
                *byte = 1;
            }
            assert!(!has_run(&bytes), "{at}");
        }
        assert!(!has_run(&[0; RUN_BYTES - 1]));
    }

    #[test]
    fn zeros_are_told_where_an_object_has_none() {
        let zeros = [0; 100];
        let name = field(1, &field(1, b"web"));
        let spec = |bytes: &[u8]| [name.clone(), field(2, bytes)].concat();
        let rows = [
            (
                "bytes of a Secret",
                stored("Secret", &spec(&entry(&zeros))),
                false,
            ),
            (
                "text of a ConfigMap",
                stored("ConfigMap", &spec(&entry(&zeros))),
                false,
            ),
            ("no message", stored("Service", &spec(&zeros)), true),
            ("a text", stored("Service", &spec(&field(3, &zeros))), true),
            (
                "a kind that nobody knows",
                stored("Widget", &spec(&zeros)),
                false,
            ),
            ("JSON", [b"{}".as_slice(), &zeros].concat(), false),
        ];
        for (what, value, expected) in rows {
            assert_eq!(zeros_in(&value).is_some(), expected, "{what}");
        }
    }
}
