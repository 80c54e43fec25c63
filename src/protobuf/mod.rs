//! Protocol buffers, as far as reading needs them: variable-length integers, and messages made of numbered fields.

mod message;
pub(crate) mod varint;

pub(crate) use message::{
    MessageFields, OrderedFields, WireDefect, WireValue, bytes_field, integer_field,
};
