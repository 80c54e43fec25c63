//! How a stored value is encoded, by its first bytes.

/// First bytes of a protobuf object.
pub(crate) const PROTOBUF_MAGIC: &[u8] = b"k8s\0";

/// First bytes of a CBOR object: the self-described tag.
pub(crate) const CBOR_MAGIC: &[u8] = b"\xD9\xD9\xF7";

/// How a stored value is encoded, by its first bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub(crate) enum Encoding {
    /// `k8s\0` and an `Unknown` message: built-in types.
    Protobuf,
    /// `{`: custom resources.
    Json,
    /// Self-described CBOR: custom resources of later versions.
    Cbor,
    /// `k8s:enc:`: see [`StoredValue`](crate::kubernetes::encryption::StoredValue).
    Encrypted,
    /// None of these, or no bytes at all.
    Other,
}

impl Encoding {
    /// Looks at the first bytes of a stored value.
    #[inline]
    pub(crate) fn of(value: &[u8]) -> Self {
        if value.starts_with(PROTOBUF_MAGIC) {
            Self::Protobuf
        } else if value.starts_with(b"{") {
            Self::Json
        } else if value.starts_with(b"k8s:enc:") {
            Self::Encrypted
        } else if value.starts_with(CBOR_MAGIC) {
            Self::Cbor
        } else {
            Self::Other
        }
    }

    /// True for the encodings that an API server writes: the sign of a rightly opened value.
    pub(crate) fn is_plain_object(self) -> bool {
        matches!(self, Self::Protobuf | Self::Json | Self::Cbor)
    }
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    #[test]
    fn encodings_are_told_by_the_first_bytes() {
        let rows: [(&[u8], Encoding); 6] = [
            (b"k8s\0\x0A", Encoding::Protobuf),
            (b"{\"a\":1}", Encoding::Json),
            (b"\xD9\xD9\xF7\xA0", Encoding::Cbor),
            (b"k8s:enc:aescbc:v1:1:", Encoding::Encrypted),
            (b"", Encoding::Other),
            (b"k8s", Encoding::Other),
        ];
        for (value, expected) in rows {
            assert_eq!(Encoding::of(value), expected, "{}", value.escape_ascii());
        }
    }
}
