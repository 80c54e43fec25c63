//! Values of bucket `key`: `mvccpb.KeyValue`.

use crate::etcd::RevisionKey;
use crate::protobuf::{MessageFields, OrderedFields, WireDefect, WireValue};

/// One stored version of a key, borrowed from the page.
///
/// Protobuf: 1 `key`, 2 `create_revision`, 3 `mod_revision`, 4 `version`, 5 `value`, 6 `lease`.
/// A tombstone holds the key alone.
///
/// Source: etcd `api/mvccpb/kv.proto`, message `KeyValue`, at c34dc7e.
#[derive(Clone, Copy, Default)]
pub(crate) struct KeyValue<'v> {
    /// The etcd key.
    pub(crate) key: &'v [u8],
    /// Main revision of the creation.
    pub(crate) create_revision: i64,
    /// Main revision of this change.
    pub(crate) mod_revision: i64,
    /// 1 at the creation, one more with each change.
    pub(crate) version: i64,
    /// What was put.
    pub(crate) value: &'v [u8],
    /// Lease that the key hangs on, 0 for none.
    pub(crate) lease: i64,
}

impl std::fmt::Debug for KeyValue<'_> {
    /// Values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyValue({} bytes)", self.value.len())
    }
}

/// What is wrong with one entry, looked at alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum KeyValueDefect {
    /// No KeyValue message.
    #[error("value is no KeyValue: {0}")]
    Wire(WireDefect),
    /// A field of the future, or garbage that happens to parse.
    #[error("value is no KeyValue: field {number} is unknown")]
    Field {
        /// The field's number.
        number: u32,
    },
    /// etcd writes each field once; of two it believes the last.
    #[error("value is no KeyValue of etcd: field {number} occurs twice")]
    Repeated {
        /// The field's number.
        number: u32,
    },
    /// A KeyValue without a key.
    #[error("KeyValue has no key")]
    NoKey,
    /// `mod_revision` is not the revision of the entry.
    #[error("mod_revision is {found}, expected {expected}")]
    ModRevision {
        /// As stored.
        found: i64,
        /// Main revision of the entry.
        expected: i64,
    },
    /// `create_revision` is after `mod_revision`, or none.
    #[error("create_revision is {found}, expected 1 to {mod_revision}")]
    CreateRevision {
        /// As stored.
        found: i64,
        /// The revision of the entry.
        mod_revision: i64,
    },
    /// Version 1 means created now, and the other way round; each change has a revision of its own.
    #[error(
        "version is {version}, but create_revision is {create_revision} and mod_revision {mod_revision}"
    )]
    Version {
        /// As stored.
        version: i64,
        /// As stored.
        create_revision: i64,
        /// The revision of the entry.
        mod_revision: i64,
    },
    /// A tombstone that carries more than the key.
    #[error("tombstone carries more than its key")]
    Tombstone,
}

impl<'v> KeyValue<'v> {
    /// Decodes a value of bucket `key`.
    ///
    /// # Errors
    ///
    /// The bytes are no KeyValue.
    pub(crate) fn decode(message: &'v [u8]) -> Result<Self, KeyValueDefect> {
        match Self::decode_canonical(message) {
            Some(decoded) => Ok(decoded),
            None => Self::decode_any(message),
        }
    }

    /// As etcd writes it, each field at most once and in the order of their numbers, without asking at each byte what
    /// may come next; `None` for anything else.
    #[inline]
    fn decode_canonical(message: &'v [u8]) -> Option<Self> {
        let mut fields = OrderedFields::new(message);
        let decoded = Self {
            key: fields.bytes(1)?,
            create_revision: fields.varint(2)?.cast_signed(),
            mod_revision: fields.varint(3)?.cast_signed(),
            version: fields.varint(4)?.cast_signed(),
            value: fields.bytes(5)?,
            lease: fields.varint(6)?.cast_signed(),
        };
        (fields.is_at_end() && !decoded.key.is_empty()).then_some(decoded)
    }

    fn decode_any(message: &'v [u8]) -> Result<Self, KeyValueDefect> {
        let mut decoded = Self::default();
        let mut seen = 0_u64;
        for field in MessageFields::new(message) {
            let field = field.map_err(KeyValueDefect::Wire)?;
            // Numbers above the known ones are refused below.
            let bit = 1_u64.checked_shl(field.0).unwrap_or_default();
            if seen & bit != 0 {
                return Err(KeyValueDefect::Repeated { number: field.0 });
            }
            seen |= bit;
            match field {
                (1, WireValue::Bytes(key)) => decoded.key = key,
                (2, WireValue::Varint(revision)) => {
                    decoded.create_revision = revision.cast_signed();
                }
                (3, WireValue::Varint(revision)) => decoded.mod_revision = revision.cast_signed(),
                (4, WireValue::Varint(version)) => decoded.version = version.cast_signed(),
                (5, WireValue::Bytes(value)) => decoded.value = value,
                (6, WireValue::Varint(lease)) => decoded.lease = lease.cast_signed(),
                (number, _) => return Err(KeyValueDefect::Field { number }),
            }
        }
        if decoded.key.is_empty() {
            Err(KeyValueDefect::NoKey)
        } else {
            Ok(decoded)
        }
    }

    /// Checks that the fields agree with the entry's own key and with each other.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub(crate) fn check(&self, entry: RevisionKey) -> Result<(), KeyValueDefect> {
        let Self {
            create_revision,
            mod_revision,
            version,
            ..
        } = *self;
        if entry.is_tombstone {
            let is_bare =
                create_revision == 0 && mod_revision == 0 && version == 0 && self.value.is_empty();
            return if is_bare {
                Ok(())
            } else {
                Err(KeyValueDefect::Tombstone)
            };
        }
        let expected = entry.revision.main;
        if mod_revision != expected {
            return Err(KeyValueDefect::ModRevision {
                found: mod_revision,
                expected,
            });
        }
        if create_revision < 1 || create_revision > mod_revision {
            return Err(KeyValueDefect::CreateRevision {
                found: create_revision,
                mod_revision,
            });
        }
        // A transaction writes a key once, so each change since the creation has a revision of its own.
        let most = mod_revision - create_revision + 1;
        if version < 1 || version > most || (version == 1) != (create_revision == mod_revision) {
            return Err(KeyValueDefect::Version {
                version,
                create_revision,
                mod_revision,
            });
        }
        Ok(())
    }
}
