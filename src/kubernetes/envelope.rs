//! The outer form of built-in types: `k8s\0` and a protobuf `Unknown` around the object.
//!
//! Source: apimachinery `pkg/runtime/generated.proto`.

use super::encoding::PROTOBUF_MAGIC;
use crate::protobuf::{MessageFields, WireDefect, WireValue};

/// A protobuf object without its envelope.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct Envelope<'v> {
    /// `apiVersion` such as `v1`.
    pub(crate) api_version: &'v [u8],
    /// `kind` such as `Secret`.
    pub(crate) kind: &'v [u8],
    /// The object's own message.
    pub(crate) raw: &'v [u8],
}

impl<'v> Envelope<'v> {
    /// Opens a stored value; `None` when it is not protobuf.
    ///
    /// # Errors
    ///
    /// It begins with `k8s\0` but the envelope is malformed.
    pub(crate) fn parse(value: &'v [u8]) -> Result<Option<Self>, WireDefect> {
        let Some(unknown) = value.strip_prefix(PROTOBUF_MAGIC) else {
            return Ok(None);
        };
        let [type_meta, raw] = two_fields(unknown)?;
        let [api_version, kind] = two_fields(type_meta)?;
        Ok(Some(Self {
            api_version,
            kind,
            raw,
        }))
    }
}

impl std::fmt::Debug for Envelope<'_> {
    /// The object may be a Secret: its length alone is told.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Envelope({}, {} bytes)",
            self.kind.escape_ascii(),
            self.raw.len()
        )
    }
}

/// MessageFields 1 and 2 of a message, empty where they are not there.
#[inline]
fn two_fields(message: &[u8]) -> Result<[&[u8]; 2], WireDefect> {
    let mut found: [&[u8]; 2] = [b"", b""];
    for field in MessageFields::new(message) {
        match (field?, &mut found) {
            ((1, WireValue::Bytes(bytes)), [first, _]) => *first = bytes,
            ((2, WireValue::Bytes(bytes)), [_, second]) => *second = bytes,
            ((number @ (1 | 2), _), _) => return Err(WireDefect::Kind { number }),
            _ => {}
        }
    }
    Ok(found)
}
