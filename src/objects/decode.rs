//! From the bytes at a storage key to an object.

use super::budget::Budget;
use super::defect::{DecodeDefect, DecodeError};
use super::json;
use super::schema::Schema;
use super::value::{Map, Value};
use crate::kubernetes::encoding::{CBOR_MAGIC, PROTOBUF_MAGIC};
use crate::protobuf::{MessageFields, WireDefect, WireValue};
use std::fmt;

/// Largest value that is decoded. Unless told otherwise etcd takes 1.5 MiB in one request.
const MAX_VALUE_BYTES: usize = 16 << 20;

/// An object with its fields in the API's order.
#[derive(Clone, PartialEq)]
pub struct Object {
    /// `apiVersion`, `kind`, `metadata` and the rest.
    pub fields: Value,
    /// Paths of fields that the table does not have; they stand in `fields` as `f` and their number.
    pub unknown_fields: Vec<String>,
}

impl Object {
    /// Such as `apps/v1`.
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"])
    }

    /// Such as `Deployment`.
    pub fn kind(&self) -> &str {
        self.text(&["kind"])
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        group(self.api_version())
    }

    /// Name; empty when there is none.
    pub fn name(&self) -> &str {
        self.text(&["metadata", "name"])
    }

    /// Namespace; empty for cluster-wide objects.
    pub fn namespace(&self) -> &str {
        self.text(&["metadata", "namespace"])
    }

    /// Labels in order.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let labels = self
            .fields
            .at(&["metadata", "labels"])
            .and_then(Value::as_map);
        let labels = labels.into_iter().flat_map(Map::iter);
        labels.filter_map(|(name, value)| Some((name, value.as_text()?)))
    }

    fn text(&self, path: &[&str]) -> &str {
        self.fields
            .at(path)
            .and_then(Value::as_text)
            .unwrap_or_default()
    }
}

/// Several objects in one document, as `oc get` gives them.
pub fn list(objects: impl IntoIterator<Item = Object>) -> Value {
    let items = objects.into_iter().map(|object| object.fields).collect();
    let mut metadata = Map::default();
    metadata.push("resourceVersion", Value::Text(String::new()));
    let mut list = Map::default();
    list.push("apiVersion", Value::Text("v1".to_owned()));
    list.push("kind", Value::Text("List".to_owned()));
    list.push("metadata", Value::Map(metadata));
    list.push("items", Value::List(items));
    Value::Map(list)
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Object({}, {:?})",
            self.kind().escape_debug(),
            self.fields
        )
    }
}

/// The group of an `apiVersion`; empty for the core group.
pub(super) fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Decodes a stored value that is not encrypted, or not any more, into the object that it is.
///
/// # Errors
///
/// The value is no object, of an unknown kind, malformed, or beyond the limits.
pub fn decode(stored: &[u8]) -> Result<Object, DecodeError> {
    if stored.len() > MAX_VALUE_BYTES {
        let (found, limit) = (stored.len(), MAX_VALUE_BYTES);
        return Err(DecodeDefect::Size { found, limit }.into());
    }
    let mut budget = Budget::new(stored.len());
    let fields = value(stored, &mut budget)?;
    Ok(Object {
        fields,
        unknown_fields: budget.unknown_fields,
    })
}

/// Decodes a value in either encoding, at the top or embedded in another one.
pub(super) fn value(stored: &[u8], budget: &mut Budget) -> Result<Value, DecodeError> {
    if let Some(unknown) = stored.strip_prefix(PROTOBUF_MAGIC) {
        return budget.descend(|budget| protobuf(unknown, budget));
    }
    if stored.starts_with(b"{") {
        return json::parse(stored, budget);
    }
    let defect = if stored.starts_with(CBOR_MAGIC) {
        DecodeDefect::Cbor
    } else if stored.starts_with(b"k8s:enc:") {
        DecodeDefect::Encrypted
    } else {
        DecodeDefect::NoObject
    };
    Err(defect.into())
}

/// Opens the message `Unknown` around an object: 1 type meta, 2 object, 3 content encoding, 4 content type.
///
/// Source: apimachinery `pkg/runtime/generated.proto`, `pkg/runtime/types_proto.go`.
fn protobuf(unknown: &[u8], budget: &mut Budget) -> Result<Value, DecodeError> {
    let [type_meta, raw, encoding, content_type] = texts(unknown)?;
    if !encoding.is_empty() {
        return Err(DecodeDefect::Encoding.into());
    }
    if content_type == b"application/json" {
        return json::parse(raw, budget);
    }
    let [api_version, kind] = texts(type_meta)?;
    let api_version = std::str::from_utf8(api_version).map_err(|_| DecodeDefect::Utf8)?;
    let kind = std::str::from_utf8(kind).map_err(|_| DecodeDefect::Utf8)?;
    let id = Schema::get()
        .kind(api_version, kind)
        .ok_or(DecodeDefect::Kind)?;
    let mut object = Map::default();
    object.push("apiVersion", Value::Text(api_version.to_owned()));
    object.push("kind", Value::Text(kind.to_owned()));
    budget.message(id, &[raw], &mut object)?;
    Ok(Value::Map(object))
}

/// Fields 1 to `N` of a message that has bytes alone, empty where they are not there.
fn texts<const N: usize>(message: &[u8]) -> Result<[&[u8]; N], DecodeError> {
    let mut texts = [b"".as_slice(); N];
    for field in MessageFields::new(message) {
        let (number, value) = field?;
        let index = usize::try_from(number).unwrap_or(usize::MAX) - 1;
        match (texts.get_mut(index), value) {
            (Some(text), WireValue::Bytes(bytes)) => *text = bytes,
            (Some(_), _) => return Err(WireDefect::Kind { number }.into()),
            (None, _) => return Err(DecodeDefect::Foreign { number }.into()),
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    #[test]
    fn several_objects_are_one_list() {
        let object = |name| decode(format!("{{\"kind\":{name:?}}}").as_bytes()).expect("is JSON");
        let expected = concat!(
            "apiVersion: v1\n",
            "kind: List\n",
            "metadata:\n",
            "  resourceVersion: \"\"\n",
            "items:\n",
            "- kind: A\n",
            "- kind: B\n",
        );
        assert_eq!(yaml::print(&list([object("A"), object("B")])), expected);
    }

    #[test]
    fn paths_are_joined_as_they_are_written() {
        let error = DecodeError::from(DecodeDefect::Utf8);
        let error = error
            .below("image")
            .below_item(2)
            .below("containers")
            .below("spec");
        assert_eq!(
            error.to_string(),
            "spec.containers[2].image: text is not UTF-8"
        );
    }
}
