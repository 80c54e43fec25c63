//! Types whose JSON is another one than their message: instants, quantities, embedded JSON, unions.

use super::budget::Budget;
use super::decode;
use super::defect::{DecodeDefect, DecodeError};
use super::json;
use super::scalar::{bytes, low_bits, utf8, varint};
use super::schema::{FieldKind, MessageId, Schema};
use super::value::{Map, Value};
use crate::protobuf::{MessageFields, WireValue};
use chrono::{DateTime, Utc};

/// Go's zero time, 1 January of year 1, is `null` in JSON.
const ZERO_SECONDS: i64 = -62_135_596_800;
/// The first second of year 10,000, which RFC 3339 cannot spell.
const END_SECONDS: i64 = 253_402_300_800;
/// Definitions are stored as JSON; their protobuf is read all the same.
const SCHEMA_KIND: (&str, &str) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");

impl Budget {
    /// A value of one of these types; without bytes its zero value.
    pub(super) fn special(
        &mut self,
        kind: FieldKind,
        message: &[u8],
    ) -> Result<Value, DecodeError> {
        match kind {
            FieldKind::Time => instant(message, "%Y-%m-%dT%H:%M:%SZ"),
            FieldKind::MicroTime => instant(message, "%Y-%m-%dT%H:%M:%S%.6fZ"),
            FieldKind::Quantity => quantity(message),
            FieldKind::IntOrString => int_or_string(message),
            FieldKind::RawExtension => self.raw_extension(message),
            FieldKind::FieldsV1 | FieldKind::Json => self.raw_json(message),
            FieldKind::SchemaOrArray => self.schema_or_array(message),
            FieldKind::SchemaOrBool => self.schema_or_bool(message),
            FieldKind::SchemaOrTexts => self.schema_or_texts(message),
            _ => Ok(Value::Null),
        }
    }

    /// 1: JSON, or a whole protobuf object.
    fn raw_extension(&mut self, message: &[u8]) -> Result<Value, DecodeError> {
        match members(message, [1])?
            .first()
            .and_then(|found| found.last())
        {
            Some(&raw) => match bytes(raw)? {
                b"" => Ok(Value::Null),
                raw if raw.starts_with(b"k8s\0") => decode::value(raw, self),
                raw => json::parse(raw, self),
            },
            None => Ok(Value::Null),
        }
    }

    /// 1: JSON.
    fn raw_json(&mut self, message: &[u8]) -> Result<Value, DecodeError> {
        match members(message, [1])?
            .first()
            .and_then(|found| found.last())
        {
            Some(&raw) if !bytes(raw)?.is_empty() => json::parse(bytes(raw)?, self),
            _ => Ok(Value::Null),
        }
    }

    /// 1: schema, 2: schemas.
    fn schema_or_array(&mut self, message: &[u8]) -> Result<Value, DecodeError> {
        let [schema, schemas] = members(message, [1, 2])?;
        if schemas.is_empty() {
            return self.json_schema(&schema);
        }
        let items = schemas.iter().map(|&schema| self.json_schema(&[schema]));
        Ok(Value::List(items.collect::<Result<_, _>>()?))
    }

    /// 1: allows, 2: schema.
    fn schema_or_bool(&mut self, message: &[u8]) -> Result<Value, DecodeError> {
        let [allows, schema] = members(message, [1, 2])?;
        if schema.is_empty() {
            return Ok(Value::Bool(varint(allows.last().copied())? != 0));
        }
        self.json_schema(&schema)
    }

    /// 1: schema, 2: texts.
    fn schema_or_texts(&mut self, message: &[u8]) -> Result<Value, DecodeError> {
        let [schema, texts] = members(message, [1, 2])?;
        if texts.is_empty() {
            return self.json_schema(&schema);
        }
        let texts = texts.iter().map(|&text| {
            self.spend()?;
            Ok(Value::Text(utf8(bytes(text)?)?.to_owned()))
        });
        Ok(Value::List(texts.collect::<Result<_, DecodeError>>()?))
    }

    fn json_schema(&mut self, found: &[WireValue<'_>]) -> Result<Value, DecodeError> {
        let (Some(id), false) = (json_schema_id(), found.is_empty()) else {
            return Ok(Value::Null);
        };
        self.spend()?;
        let parts: Vec<&[u8]> = found
            .iter()
            .map(|&part| bytes(part))
            .collect::<Result<_, _>>()?;
        let mut map = Map::default();
        self.descend(|budget| budget.message(id, &parts, &mut map))?;
        Ok(Value::Map(map))
    }
}

/// JSONSchemaProps has no kind of its own: it is the type of a definition's `openAPIV3Schema`.
fn json_schema_id() -> Option<MessageId> {
    let schema = Schema::get();
    let definition = schema.kind(SCHEMA_KIND.0, SCHEMA_KIND.1)?;
    let path = ["spec", "versions", "schema", "openAPIV3Schema"];
    path.iter().try_fold(definition, |id, name| {
        let fields = &schema.message(id).fields;
        match fields.iter().find(|field| field.name == *name)?.kind {
            FieldKind::Message(id) => Some(id),
            _ => None,
        }
    })
}

/// The values of a message's fields, which must have these numbers.
fn members<const N: usize>(
    message: &[u8],
    numbers: [u32; N],
) -> Result<[Vec<WireValue<'_>>; N], DecodeError> {
    let mut members = [const { Vec::new() }; N];
    for field in MessageFields::new(message) {
        let (number, value) = field?;
        let index = numbers.iter().position(|own| *own == number);
        match index.and_then(|index| members.get_mut(index)) {
            Some(values) => values.push(value),
            None => return Err(DecodeDefect::Foreign { number }.into()),
        }
    }
    Ok(members)
}

/// 1: seconds, 2: nanoseconds, of which Kubernetes keeps none or the microseconds.
fn instant(message: &[u8], format: &str) -> Result<Value, DecodeError> {
    if message.is_empty() {
        return Ok(Value::Null);
    }
    let [seconds, nanos] = members(message, [1, 2])?;
    let seconds = varint(seconds.last().copied())?.cast_signed();
    let nanos = low_bits(varint(nanos.last().copied())?);
    if seconds == ZERO_SECONDS && nanos == 0 {
        return Ok(Value::Null);
    }
    if !(ZERO_SECONDS..END_SECONDS).contains(&seconds) {
        return Err(DecodeDefect::Instant.into());
    }
    let at: DateTime<Utc> =
        DateTime::from_timestamp(seconds, nanos).ok_or(DecodeDefect::Instant)?;
    Ok(Value::Text(at.format(format).to_string()))
}

/// 1: the quantity as a text.
fn quantity(message: &[u8]) -> Result<Value, DecodeError> {
    let [text] = members(message, [1])?;
    let text = match text.last() {
        Some(&text) => utf8(bytes(text)?)?,
        None => "",
    };
    let text = if text.is_empty() { "0" } else { text };
    Ok(Value::Text(text.to_owned()))
}

/// 1: which of both, 2: the number, 3: the text.
fn int_or_string(message: &[u8]) -> Result<Value, DecodeError> {
    let [which, number, text] = members(message, [1, 2, 3])?;
    if varint(which.last().copied())? == 0 {
        let number = low_bits(varint(number.last().copied())?);
        return Ok(Value::integer(number.cast_signed()));
    }
    let text = match text.last() {
        Some(&text) => utf8(bytes(text)?)?,
        None => "",
    };
    Ok(Value::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_out_of_the_calendar_are_refused() {
        let rows: [(&str, &[u8]); 2] = [
            ("year 10000", b"\x08\x80\x83\xD1\xFF\xAF\x07"),
            (
                "two seconds of nanoseconds",
                b"\x08\x01\x10\x80\xA8\xD6\xB9\x07",
            ),
        ];
        for (name, message) in rows {
            let refused = instant(message, "%Y").map_err(|error| error.defect);
            assert_eq!(refused, Err(DecodeDefect::Instant), "{name}");
        }
        assert_eq!(instant(b"", "%Y"), Ok(Value::Null));
    }

    #[test]
    fn a_union_holds_what_its_first_field_says() {
        assert_eq!(
            int_or_string(b"\x08\x00\x10\x50\x1A\x00"),
            Ok(Value::integer(80))
        );
        let text = Value::Text("http".to_owned());
        assert_eq!(int_or_string(b"\x08\x01\x10\x00\x1A\x04http"), Ok(text));
    }

    #[test]
    fn nothing_is_dropped_from_types_that_have_no_more_fields() {
        let refused = quantity(b"\x0A\x011\x10\x01").map_err(|error| error.defect);
        assert_eq!(refused, Err(DecodeDefect::Foreign { number: 2 }));
    }

    #[test]
    fn the_schema_of_a_definition_is_found() {
        assert!(json_schema_id().is_some());
    }
}
