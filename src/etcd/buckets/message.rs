//! Whether bytes are a protobuf message as etcd decodes it: known fields with their own wire types, the rest well formed.

use crate::protobuf::{MessageFields, WireDefect, WireValue};

/// What a known field of a message is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    /// An integer, an enum or a boolean.
    Varint,
    /// Text or bytes; etcd's decoder asks for no UTF-8.
    Bytes,
    /// A message inside the message.
    Message(&'static Message),
}

/// The known fields of a message by their numbers.
pub(super) type Message = [(u32, Field)];

/// `leasepb.Lease`: ID, TTL and remaining TTL.
///
/// Source: etcd `server/lease/leasepb/lease.proto` at c34dc7e.
pub(super) const LEASE: &Message = &[(1, Field::Varint), (2, Field::Varint), (3, Field::Varint)];

/// `etcdserverpb.AlarmMember`: member id and alarm.
///
/// Source: etcd `api/etcdserverpb/rpc.proto` at c34dc7e.
pub(super) const ALARM_MEMBER: &Message = &[(1, Field::Varint), (2, Field::Varint)];

/// `authpb.User`: name, password, roles, options.
///
/// Source: etcd `api/authpb/auth.proto` at c34dc7e.
pub(super) const USER: &Message = &[
    (1, Field::Bytes),
    (2, Field::Bytes),
    (3, Field::Bytes),
    (4, Field::Message(&[(1, Field::Varint)])),
];

/// `authpb.Role`: name and permissions.
///
/// Source: etcd `api/authpb/auth.proto` at c34dc7e.
pub(super) const ROLE: &Message = &[
    (1, Field::Bytes),
    (
        2,
        Field::Message(&[(1, Field::Varint), (2, Field::Bytes), (3, Field::Bytes)]),
    ),
];

/// Decodes `bytes` as etcd would, and keeps nothing of it.
///
/// # Errors
///
/// The first defect at which etcd's decoder gives up.
pub(super) fn check(bytes: &[u8], message: &Message) -> Result<(), WireDefect> {
    for field in MessageFields::new(bytes) {
        let (number, value) = field?;
        let known = message.iter().find(|(known, _)| *known == number);
        match (known.map(|(_, field)| field), value) {
            (None, _)
            | (Some(Field::Varint), WireValue::Varint(_))
            | (Some(Field::Bytes), WireValue::Bytes(_)) => {}
            (Some(Field::Message(inner)), WireValue::Bytes(bytes)) => check(bytes, inner)?,
            (Some(_), _) => return Err(WireDefect::Kind { number }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_fields_have_their_own_wire_type_and_others_any() {
        type Row<'r> = (&'r str, &'r [u8], &'r Message, Result<(), WireDefect>);
        let rows: [Row<'_>; 7] = [
            ("a lease", b"\x08\x07\x10\x0f\x18\x03", LEASE, Ok(())),
            ("an unknown field", b"\x08\x07\x22\x01x", LEASE, Ok(())),
            (
                "an id that is bytes",
                b"\x0a\x01x",
                LEASE,
                Err(WireDefect::Kind { number: 1 }),
            ),
            ("cut", b"\x08", LEASE, Err(WireDefect::Short)),
            (
                "a user",
                b"\x0a\x04root\x12\x01h\x1a\x04root\x22\x02\x08\x01",
                USER,
                Ok(()),
            ),
            (
                "options cut",
                b"\x0a\x04root\x22\x01\x08",
                USER,
                Err(WireDefect::Short),
            ),
            (
                "a permission whose key is a number",
                b"\x0a\x01r\x12\x02\x10\x01",
                ROLE,
                Err(WireDefect::Kind { number: 2 }),
            ),
        ];
        for (name, bytes, message, expected) in rows {
            assert_eq!(check(bytes, message), expected, "{name}");
        }
    }
}
