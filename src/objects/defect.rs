//! What can be wrong with a stored value, and where.

use crate::protobuf::WireDefect;
use std::fmt;

/// Why bytes are no protobuf message; only its words matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedMessage(WireDefect);

/// What is wrong with a stored value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeDefect {
    /// The bytes are no protobuf message of their kind.
    #[error("{0}")]
    Wire(MalformedMessage),
    /// A field has another wire type than the table says.
    #[error("wire type is another one than the field's")]
    WireType,
    /// A text is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// An embedded or whole JSON text is malformed.
    #[error("JSON is malformed at byte {offset}")]
    Json {
        /// Bytes from the start of the JSON text.
        offset: usize,
    },
    /// Deeper than any real object.
    #[error("nests deeper than {limit} levels")]
    Depth {
        /// Deepest level that is decoded.
        limit: usize,
    },
    /// More than any API server takes.
    #[error("{found} bytes, more than the {limit} that are decoded")]
    Size {
        /// Bytes of the stored value.
        found: usize,
        /// Most bytes that are decoded.
        limit: usize,
    },
    /// More fields than such a value can hold in an API server's hands.
    #[error("more fields than a value of this size can hold")]
    Fields,
    /// An instant that no calendar has.
    #[error("instant is out of range")]
    Instant,
    /// A number that JSON cannot spell.
    #[error("number is not finite")]
    Number,
    /// A field in a type that has none to add.
    #[error("unknown field {number} in a type that has no others")]
    Foreign {
        /// The field's number.
        number: u32,
    },
    /// A kind that the table does not have.
    #[error("kind is not known to this program")]
    Kind,
    /// Content in another encoding than protobuf's own.
    #[error("content is encoded once more")]
    Encoding,
    /// CBOR, which API servers can be told to write for custom resources.
    #[error("value is CBOR, which is not decoded")]
    Cbor,
    /// Still encrypted.
    #[error("value is encrypted")]
    Encrypted,
    /// Neither protobuf nor JSON.
    #[error("value is no object")]
    NoObject,
}

impl From<WireDefect> for DecodeDefect {
    fn from(defect: WireDefect) -> Self {
        Self::Wire(MalformedMessage(defect))
    }
}

/// Longest path that is told whole, in characters.
const MAX_SHOWN_PATH: usize = 120;

/// A defect and where it is; no value is ever part of it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct DecodeError {
    /// Path of names from the object's root, such as `spec.containers[2].image`; empty for the object itself.
    pub path: String,
    /// What is wrong there.
    pub defect: DecodeDefect,
}

impl DecodeError {
    /// Puts a step in front of the path.
    pub(super) fn below(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, step);
        self
    }

    /// Puts the number of a list's item in front of the path.
    pub(super) fn below_item(self, index: usize) -> Self {
        self.below(&format!("[{index}]"))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return self.defect.fmt(f);
        }
        let steps = self.path.chars().count();
        if steps <= MAX_SHOWN_PATH {
            return write!(f, "{}: {}", self.path.escape_debug(), self.defect);
        }
        // Both ends: where it begins is known to the reader, and where it ends is what is wrong.
        let start: String = self.path.chars().take(MAX_SHOWN_PATH / 2).collect();
        let end = self.path.chars().skip(steps - MAX_SHOWN_PATH / 2);
        let end: String = end.collect();
        let (start, end) = (start.escape_debug(), end.escape_debug());
        write!(f, "{start}…{end}: {}", self.defect)
    }
}

impl<D: Into<DecodeDefect>> From<D> for DecodeError {
    fn from(defect: D) -> Self {
        let defect = defect.into();
        let path = String::new();
        Self { path, defect }
    }
}
