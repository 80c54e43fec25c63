//! One message into named values, by the table. Follows what Go's JSON encoder does with the API's own types: which
//! empty fields are left out, and which are told.

use super::budget::Budget;
use super::defect::{DecodeDefect, DecodeError};
use super::scalar;
use super::schema::{Field, FieldKind, Form, Message, MessageId, Schema, Shape};
use super::value::{Map, Value};
use crate::protobuf::{MessageFields, WireDefect, WireValue};
use std::collections::BTreeMap;

/// The one instant that is left out when it is zero: since 1.34 it is `omitzero`.
const CREATED: &str = "creationTimestamp";
/// Unknown fields that are told one by one.
const MAX_UNKNOWN: usize = 64;

impl Budget {
    /// Decodes a message behind the entries of `map`. Of a message that stands there in several parts, protobuf takes
    /// them as one.
    pub(super) fn message(
        &mut self,
        id: MessageId,
        parts: &[&[u8]],
        map: &mut Map,
    ) -> Result<(), DecodeError> {
        let message = Schema::get().message(id);
        let found = Found::read(message, parts)?;
        for (index, field) in message.fields.iter().enumerate() {
            let values = found.of(index);
            if values.is_empty() && field.omit_empty && !field.is_inline {
                continue;
            }
            if let Some(value) = self.field(field, values, map)? {
                map.push(field.name, value);
            }
        }
        self.unknown(&found.unknown, map)
    }

    /// One field in the API's order; `None` when JSON does not show it.
    fn field(
        &mut self,
        field: &Field,
        found: &[WireValue<'_>],
        parent: &mut Map,
    ) -> Result<Option<Value>, DecodeError> {
        if field.is_inline {
            return self.inline(field, found, parent).map(|()| None);
        }
        let first_unknown = self.unknown_fields.len();
        let value = match field.shape {
            Shape::Repeated | Shape::Map | Shape::Pointer if found.is_empty() => Ok(Value::Null),
            Shape::Repeated => self.list(field.kind, found),
            Shape::Map => self.map(field.kind, found),
            Shape::Single | Shape::Pointer => self.single(field.kind, found),
        };
        let value = value.map_err(|error| error.below(field.name))?;
        for path in self.unknown_fields.iter_mut().skip(first_unknown) {
            let dot = if path.starts_with('[') { "" } else { "." };
            *path = format!("{}{dot}{path}", field.name);
        }
        Ok(Some(value).filter(|value| !is_left_out(field, value)))
    }

    fn inline(
        &mut self,
        field: &Field,
        found: &[WireValue<'_>],
        parent: &mut Map,
    ) -> Result<(), DecodeError> {
        match field.kind {
            FieldKind::Message(id) if field.shape != Shape::Pointer || !found.is_empty() => {
                self.descend(|budget| budget.message(id, &parts(found)?, parent))
            }
            _ => Ok(()),
        }
    }

    /// A field that occurs once, or its zero value.
    fn single(&mut self, kind: FieldKind, found: &[WireValue<'_>]) -> Result<Value, DecodeError> {
        self.spend()?;
        match kind {
            FieldKind::Message(id) => {
                let parts = parts(found)?;
                self.descend(|budget| budget.object(id, &parts))
            }
            _ => self.scalar(kind, found.last().copied()),
        }
    }

    fn object(&mut self, id: MessageId, parts: &[&[u8]]) -> Result<Value, DecodeError> {
        let message = Schema::get().message(id);
        if message.form == Form::Object {
            let mut map = Map::default();
            self.message(id, parts, &mut map)?;
            return Ok(Value::Map(map));
        }
        let found = Found::read(message, parts)?;
        if let Some(&(number, _)) = found.unknown.first() {
            return Err(DecodeDefect::Foreign { number }.into());
        }
        let values = found.of(0);
        match message.fields.first() {
            Some(field) if !values.is_empty() && field.shape == Shape::Map => {
                self.map(field.kind, values)
            }
            Some(field) if !values.is_empty() => self.list(field.kind, values),
            _ => Ok(Value::Null),
        }
    }

    fn list(&mut self, kind: FieldKind, found: &[WireValue<'_>]) -> Result<Value, DecodeError> {
        let mut items = Vec::new();
        for &value in found {
            let index = items.len();
            let first_unknown = self.unknown_fields.len();
            match (scalar::is_varint(kind), value) {
                (true, WireValue::Bytes(packed)) => self.packed(kind, packed, &mut items),
                _ => self.single(kind, &[value]).map(|item| items.push(item)),
            }
            .map_err(|error| error.below_item(index))?;
            for path in self.unknown_fields.iter_mut().skip(first_unknown) {
                *path = format!("[{index}].{path}");
            }
        }
        Ok(Value::List(items))
    }

    /// Numbers of a repeated field may stand in one run without tags.
    fn packed(
        &mut self,
        kind: FieldKind,
        mut packed: &[u8],
        items: &mut Vec<Value>,
    ) -> Result<(), DecodeError> {
        while !packed.is_empty() {
            let number = scalar::take_varint(&mut packed)?;
            items.push(self.single(kind, &[WireValue::Varint(number)])?);
        }
        Ok(())
    }

    /// Entries are messages of a key and a value; Go prints them by key.
    fn map(&mut self, kind: FieldKind, found: &[WireValue<'_>]) -> Result<Value, DecodeError> {
        let mut map = Map::default();
        for &entry in found {
            let WireValue::Bytes(entry) = entry else {
                return Err(WireDefect::Kind { number: 1 }.into());
            };
            let mut key = "";
            let mut values = Vec::new();
            for field in MessageFields::new(entry) {
                match field? {
                    (1, WireValue::Bytes(bytes)) => key = scalar::utf8(bytes)?,
                    (2, value) => values.push(value),
                    (number, _) => return Err(DecodeDefect::Foreign { number }.into()),
                }
            }
            let value = self
                .single(kind, &values)
                .map_err(|error| error.below("[]"))?;
            map.push(key.to_owned(), value);
        }
        map.sort();
        Ok(Value::Map(map))
    }

    /// What the table does not have is shown under its number, whatever it may be.
    fn unknown(
        &mut self,
        unknown: &[(u32, WireValue<'_>)],
        map: &mut Map,
    ) -> Result<(), DecodeError> {
        let mut by_number: BTreeMap<u32, Vec<Value>> = BTreeMap::new();
        for &(number, value) in unknown {
            self.spend()?;
            by_number
                .entry(number)
                .or_default()
                .push(scalar::unknown(value));
        }
        for (number, mut values) in by_number {
            let name = format!("f{number}");
            if self.unknown_fields.len() < MAX_UNKNOWN {
                self.unknown_fields.push(name.clone());
            }
            let value = match (values.pop(), values.is_empty()) {
                (Some(only), true) => only,
                (last, _) => Value::List(values.into_iter().chain(last).collect()),
            };
            map.push(name, value);
        }
        Ok(())
    }
}

/// The fields of a message as they stand there, each with all its values.
struct Found<'a> {
    /// Values in the order of the table's fields, and to which field each belongs.
    known: Vec<WireValue<'a>>,
    indexes: Vec<usize>,
    unknown: Vec<(u32, WireValue<'a>)>,
}

impl<'a> Found<'a> {
    fn read(message: &Message, parts: &[&'a [u8]]) -> Result<Self, DecodeError> {
        let mut known: Vec<(usize, WireValue<'a>)> = Vec::new();
        let mut unknown = Vec::new();
        for field in parts.iter().flat_map(|part| MessageFields::new(part)) {
            let (number, value) = field?;
            let mut fields = message.fields.iter();
            match fields.position(|field| field.number == number) {
                Some(index) => known.push((index, value)),
                None => unknown.push((number, value)),
            }
        }
        known.sort_by_key(|(index, _)| *index);
        let (indexes, known) = known.into_iter().unzip();
        Ok(Self {
            known,
            indexes,
            unknown,
        })
    }

    /// All values of a field.
    fn of(&self, index: usize) -> &[WireValue<'a>] {
        let start = self.indexes.partition_point(|own| *own < index);
        let end = self.indexes.partition_point(|own| *own <= index);
        self.known.get(start..end).unwrap_or_default()
    }
}

/// The bytes of a message's parts.
fn parts<'a>(found: &[WireValue<'a>]) -> Result<Vec<&'a [u8]>, DecodeError> {
    found.iter().map(|&value| scalar::bytes(value)).collect()
}

/// Go's `omitempty`, and `null` for what a list, map or pointer does not hold.
fn is_left_out(field: &Field, value: &Value) -> bool {
    let is_empty = match value {
        Value::Null => field.shape != Shape::Single || !is_instant(field) || field.name == CREATED,
        Value::List(items) => items.is_empty() && field.shape != Shape::Pointer,
        Value::Map(map) => map.is_empty() && (field.shape == Shape::Map || is_named(field.kind)),
        Value::Text(text) => field.shape == Shape::Single && text.is_empty(),
        Value::Bool(value) => field.shape == Shape::Single && !value,
        Value::Number(number) => {
            field.shape == Shape::Single && is_integer(field.kind) && **number == *"0"
        }
        Value::Masked(_) => false,
    };
    field.omit_empty && is_empty
}

/// An instant is a struct in Go, which `omitempty` does not leave out: it is told as `null`.
fn is_instant(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Time | FieldKind::MicroTime)
}

fn is_named(kind: FieldKind) -> bool {
    matches!(kind, FieldKind::Message(id) if Schema::get().message(id).form == Form::Named)
}

/// False for a type that is a struct in Go: that is never left out.
fn is_integer(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Int32 | FieldKind::Int64 | FieldKind::Uint32
    )
}
