//! The table in `src/objects/schema.txt` is what the schema says.

use super::real;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// Set to write the table instead of comparing it: `ETCD_CAT_WRITE_SCHEMA=1 cargo test schema`.
const WRITE: &str = "ETCD_CAT_WRITE_SCHEMA";
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/objects/schema.txt");

#[test]
fn the_table_is_made_from_the_schema() {
    let made = table();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(TABLE, &made).expect("the source tree can be written");
    }
    let own = std::fs::read_to_string(TABLE).expect("the table is there");
    assert!(made == own, "run with {WRITE}=1 and commit {TABLE}");
}

fn table() -> String {
    let schema: Value =
        serde_json::from_slice(&real::unpacked("types/schema.json.xz")).expect("is JSON");
    let messages: BTreeMap<&str, &Value> = entries(&schema["messages"]).collect();
    let numbers: HashMap<&str, usize> = messages.keys().copied().zip(0..).collect();
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (kind, message) in entries(&schema["kinds"]) {
        kinds.entry(text(message)).or_default().push(kind);
    }
    let mut table =
        "# Made by the test `schema` from testdata/real/types/schema.json.xz.\n".to_owned();
    for (name, message) in messages {
        let kinds = kinds.get(name).into_iter().flatten();
        let kinds: String = kinds.map(|kind| format!(" {kind}")).collect();
        let form = if message.get("fields").is_some() {
            '='
        } else {
            '['
        };
        writeln!(table, "{form} {}{kinds}", short(name)).expect("memory is there");
        for field in fields(message) {
            table.push_str(&line(&field, &numbers));
        }
    }
    table
}

/// The fields of a message; the one of a named type is made up.
fn fields(message: &Value) -> Vec<Value> {
    if let Some(fields) = message["fields"].as_array() {
        return fields.clone();
    }
    let mut field = serde_json::json!({"number": 1, "name": "", "repeated": true});
    field["type"] = message
        .get("list_of")
        .or(message.get("map_of"))
        .expect("a named type")
        .clone();
    if let Some(key) = message.get("key") {
        field["key"] = key.clone();
    }
    vec![field]
}

fn line(field: &Value, numbers: &HashMap<&str, usize>) -> String {
    let number = &field["number"];
    let name = Some(text(&field["name"]))
        .filter(|name| !name.is_empty())
        .unwrap_or("-");
    let kind = kind(text(&field["type"]), numbers);
    let flags = [
        ("key", 'k'),
        ("repeated", 'r'),
        ("optional", 'p'),
        ("omitempty", 'e'),
        ("inline", 'i'),
    ];
    let flags: String = flags
        .into_iter()
        .filter(|(flag, _)| field.get(flag).is_some_and(|value| value != false))
        .map(|(_, letter)| letter)
        .collect();
    format!("{number} {name} {kind} {flags}")
        .trim_end()
        .to_owned()
        + "\n"
}

fn kind(name: &str, numbers: &HashMap<&str, usize>) -> String {
    if let Some((_, message)) = name.split_once(' ') {
        return format!(
            "m{}",
            numbers.get(message).expect("the message is in the schema")
        );
    }
    let letter = match name {
        "string" => "s",
        "bool" => "b",
        "int32" => "i",
        "int64" => "l",
        "uint32" => "u",
        "double" => "d",
        "bytes" => "y",
        "Time" => "T",
        "MicroTime" => "M",
        "Quantity" => "Q",
        "IntOrString" => "I",
        "RawExtension" => "R",
        "FieldsV1" => "F",
        "JSON" => "J",
        "JSONSchemaPropsOrArray" => "A",
        "JSONSchemaPropsOrBool" => "B",
        "JSONSchemaPropsOrStringArray" => "S",
        _ => panic!("{name} is a new type"),
    };
    letter.to_owned()
}

/// Go paths without what all have in common.
fn short(name: &str) -> &str {
    let prefixes = ["k8s.io/api/", "github.com/", "k8s.io/"];
    let mut short = prefixes
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix));
    short.next().unwrap_or(name)
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let map: &Map<String, Value> = value.as_object().expect("is an object");
    map.iter().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("is a text")
}
