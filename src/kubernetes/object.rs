//! The few fields that we read of protobuf objects. Custom resources are JSON and read elsewhere.
//!
//! Field numbers are those of the `generated.proto` files of Kubernetes.
//!
//! Source: apimachinery `pkg/apis/meta/v1/generated.proto`; api `core/v1/generated.proto`,
//! `coordination/v1/generated.proto`.

use crate::protobuf::{
    MessageFields, OrderedFields, WireDefect, WireValue, bytes_field, integer_field,
};
use chrono::{DateTime, Utc};

/// The fields of ObjectMeta that we use. Texts are bytes: nobody promised that they are UTF-8.
#[derive(Clone, Copy)]
pub(crate) struct ObjectMeta<'o> {
    /// Name; empty when absent.
    pub(crate) name: &'o [u8],
    /// Namespace; empty for cluster-wide objects.
    pub(crate) namespace: &'o [u8],
    message: &'o [u8],
}

impl<'o> ObjectMeta<'o> {
    /// Reads field 1 of an object's message, where nearly every type has its ObjectMeta.
    ///
    /// # Errors
    ///
    /// The object or its ObjectMeta is malformed.
    pub(crate) fn of(object: &'o [u8]) -> Result<Self, WireDefect> {
        let message = bytes_field(object, 1)?.unwrap_or_default();
        let mut meta = Self {
            name: b"",
            namespace: b"",
            message,
        };
        for field in MessageFields::new(message) {
            match field? {
                (1, WireValue::Bytes(text)) => meta.name = text,
                (3, WireValue::Bytes(text)) => meta.namespace = text,
                _ => {}
            }
        }
        Ok(meta)
    }

    /// The labels in the order of the bytes (Kubernetes writes them sorted).
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'o [u8], &'o [u8])> {
        map_entries(self.message, 11)
    }

    /// The annotations in the order of the bytes (Kubernetes writes them sorted).
    pub(crate) fn annotations(&self) -> impl Iterator<Item = (&'o [u8], &'o [u8])> {
        map_entries(self.message, 12)
    }

    /// The value of one annotation.
    pub(crate) fn annotation(&self, key: &str) -> Option<&'o [u8]> {
        self.annotations()
            .find(|(name, _)| *name == key.as_bytes())
            .map(|(_, value)| value)
    }
}

impl std::fmt::Debug for ObjectMeta<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ObjectMeta({}/{})",
            self.namespace.escape_ascii(),
            self.name.escape_ascii()
        )
    }
}

/// `data` of a Secret or ConfigMap (field 2 in both), in the order of the bytes. Ends at the first malformed entry.
pub(crate) fn data_entries(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    map_entries(object, 2)
}

/// What a scan asks of every object: which one it is, and when somebody wrote it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ObjectHead<'o> {
    /// Name; empty when absent.
    pub(crate) name: &'o [u8],
    /// Namespace; empty for cluster-wide objects.
    pub(crate) namespace: &'o [u8],
    /// When somebody last wrote a field, in seconds since 1970: the newest of `metadata.creationTimestamp` and
    /// `metadata.managedFields[].time`.
    pub(crate) written_at: Option<i64>,
}

impl<'o> ObjectHead<'o> {
    /// Reads all fields of an object's message as far as its ObjectMeta goes, and this whole.
    ///
    /// # Errors
    ///
    /// The object or its ObjectMeta is malformed.
    pub(crate) fn of(object: &'o [u8]) -> Result<Self, WireDefect> {
        let meta = bytes_field(object, 1)?.unwrap_or_default();
        let mut head = Self::default();
        for field in MessageFields::new(meta) {
            let time = match field? {
                (1, WireValue::Bytes(name)) => {
                    head.name = name;
                    continue;
                }
                (3, WireValue::Bytes(namespace)) => {
                    head.namespace = namespace;
                    continue;
                }
                (8, WireValue::Bytes(time)) => Some(time),
                (17, WireValue::Bytes(entry)) => bytes_field(entry, 4)?,
                (number @ (1 | 3 | 8 | 17), _) => return Err(WireDefect::Kind { number }),
                _ => None,
            };
            if let Some(time) = time {
                let at = timestamp(time)?.map(|at| at.timestamp());
                head.written_at = head.written_at.max(at);
            }
        }
        Ok(head)
    }
}

/// `spec.renewTime` of a Lease.
///
/// # Errors
///
/// The Lease is malformed.
pub(crate) fn lease_renewed_at(lease: &[u8]) -> Result<Option<DateTime<Utc>>, WireDefect> {
    let spec = bytes_field(lease, 2)?.unwrap_or_default();
    bytes_field(spec, 4)?.map_or(Ok(None), timestamp)
}

/// A `map<string, bytes>` or `map<string, string>`: one message {1 key, 2 value} for each entry.
fn map_entries(message: &[u8], number: u32) -> impl Iterator<Item = (&[u8], &[u8])> {
    let entries = MessageFields::new(message)
        .map_while(Result::ok)
        .filter_map(move |field| match field {
            (n, WireValue::Bytes(entry)) if n == number => Some(entry),
            _ => None,
        });
    entries.map_while(|entry| {
        let key = bytes_field(entry, 1).ok()?.unwrap_or_default();
        let value = bytes_field(entry, 2).ok()?.unwrap_or_default();
        Some((key, value))
    })
}

/// `metav1.Time` and `metav1.MicroTime` {1 seconds, 2 nanos}. `None`: the zero time, or one that no calendar has.
fn timestamp(message: &[u8]) -> Result<Option<DateTime<Utc>>, WireDefect> {
    let mut fields = OrderedFields::new(message);
    let ordered = fields
        .varint(1)
        .zip(fields.varint(2))
        .filter(|_| fields.is_at_end());
    let (seconds, nanos) = match ordered {
        Some((seconds, nanos)) => (seconds.cast_signed(), nanos.cast_signed()),
        None => (
            integer_field(message, 1)?.unwrap_or_default(),
            integer_field(message, 2)?.unwrap_or_default(),
        ),
    };
    if seconds == 0 && nanos == 0 {
        return Ok(None);
    }
    let nanos = u32::try_from(nanos).ok();
    Ok(nanos.and_then(|nanos| DateTime::from_timestamp(seconds, nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::encoding::PROTOBUF_MAGIC;
    use crate::kubernetes::envelope::Envelope;
    use proptest::prelude::*;

    fn written_at(object: &[u8]) -> Result<Option<i64>, WireDefect> {
        ObjectHead::of(object).map(|head| head.written_at)
    }

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("short test message");
        assert!(length < 0x80 && number < 32, "one-byte varints only");
        // Field numbers from 16 on need a second tag byte.
        let tag = u16::from(number) << 3 | 2;
        let low = u8::try_from(tag & 0x7F).expect("seven bits");
        let high = u8::try_from(tag >> 7).expect("nine bits in all");
        let tag = if high == 0 {
            vec![low]
        } else {
            vec![low | 0x80, high]
        };
        [tag.as_slice(), &[length], bytes].concat()
    }

    #[test]
    fn a_secret_is_opened_down_to_its_data() {
        let annotation = field(12, &[field(1, b"mode"), field(2, b"aescbc")].concat());
        let created = field(
            8,
            &[
                b"\x08".as_slice(),
                &[0x80, 0xA8, 0xD6, 0xB9, 0x06],
                b"\x10\x00",
            ]
            .concat(),
        );
        let meta = [field(1, b"n"), field(3, b"ns"), created, annotation].concat();
        let data = field(2, &[field(1, b"tls.crt"), field(2, b"PEM")].concat());
        let secret = [field(1, &meta), data].concat();
        let type_meta = [field(1, b"v1"), field(2, b"Secret")].concat();
        let value = [
            b"k8s\0",
            field(1, &type_meta).as_slice(),
            &field(2, &secret),
        ]
        .concat();

        let envelope = Envelope::parse(&value)
            .expect("is sound")
            .expect("is protobuf");
        assert_eq!(
            (envelope.api_version, envelope.kind),
            (b"v1".as_slice(), b"Secret".as_slice())
        );
        let meta = ObjectMeta::of(envelope.raw).expect("is sound");
        assert_eq!(
            (meta.name, meta.namespace),
            (b"n".as_slice(), b"ns".as_slice())
        );
        assert_eq!(meta.annotation("mode"), Some(b"aescbc".as_slice()));
        assert_eq!(written_at(envelope.raw), Ok(Some(1_731_564_544)));
        let data: Vec<_> = data_entries(envelope.raw).collect();
        assert_eq!(data, vec![(b"tls.crt".as_slice(), b"PEM".as_slice())]);
    }

    #[test]
    fn the_newest_field_manager_counts() {
        let entry = |seconds: u8| field(17, &field(4, &[0x08, seconds]));
        let meta = field(1, &[entry(5), entry(9), entry(7)].concat());
        assert_eq!(written_at(&meta), Ok(Some(9)));
    }

    #[test]
    fn a_lease_tells_when_it_was_renewed() {
        let lease = field(2, &field(4, b"\x08\x0A\x10\x07"));
        let at = lease_renewed_at(&lease)
            .expect("is sound")
            .expect("is there");
        assert_eq!((at.timestamp(), at.timestamp_subsec_nanos()), (10, 7));
        assert_eq!(lease_renewed_at(b""), Ok(None));
    }

    #[test]
    fn impossible_times_are_no_time() {
        let far = field(2, &field(4, b"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"));
        assert_eq!(lease_renewed_at(&far), Ok(None));
        let meta = |time: &[u8]| field(8, time);
        let [far, near, none] = [
            b"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F".as_slice(),
            b"\x08\x05",
            b"",
        ];
        let object = field(1, &[meta(near), meta(far), meta(none)].concat());
        assert_eq!(written_at(&object), Ok(Some(5)));
        assert_eq!(written_at(&field(1, &meta(none))), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let value = [PROTOBUF_MAGIC, &bytes].concat();
            let _ = Envelope::parse(&value);
            let _ = lease_renewed_at(&bytes);
            let _ = ObjectHead::of(&bytes);
            let _ = data_entries(&bytes).count();
            if let Ok(meta) = ObjectMeta::of(&bytes) {
                let _ = meta.annotations().count();
            }
        }
    }
}
