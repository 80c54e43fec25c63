//! Protocol buffers, as far as reading needs them: variable-length integers, and messages made of numbered fields.

mod message;
pub(crate) mod varint;

pub(crate) use message::{
    Fields, OrderedFields, WireDefect, WireValue, bytes_field, integer_field,
};
