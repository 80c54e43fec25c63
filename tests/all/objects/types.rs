//! 904 objects of all kinds that are stored as protobuf: every field set, half of them, few, none.

use super::equal::{differences, line_difference};
use super::real;
use data_encoding::BASE64;
use etcd_cat::objects::{self, Value as Own, json, yaml};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is known of one object.
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) stored: Vec<u8>,
    pub(crate) json: Value,
    /// The same, in its own order.
    pub(crate) fields: Own,
}

pub(crate) fn rows() -> Vec<Row> {
    let lines = real::unpacked("types/objects.jsonl.xz");
    let lines = String::from_utf8(lines).expect("is UTF-8");
    let rows = lines.lines().map(|line| {
        let row: Value = serde_json::from_str(line).expect("is JSON");
        let fields = json::read(line.as_bytes()).expect("is JSON");
        let text = |name: &str| row[name].as_str().expect("is a text").to_owned();
        Row {
            kind: format!("{}/{} {}", text("apiVersion"), text("kind"), text("fill")),
            stored: BASE64.decode(text("stored").as_bytes()).expect("is base64"),
            json: row["json"].clone(),
            fields: fields.at(&["json"]).expect("is there").clone(),
        }
    });
    rows.collect()
}

#[test]
fn every_kind_is_decoded_as_the_api_prints_it() {
    let rows = rows();
    assert_eq!(rows.len(), 904);
    let mut wrong = Vec::new();
    for row in &rows {
        let object = match objects::decode(&row.stored) {
            Ok(object) => object,
            Err(error) => {
                wrong.push(format!("{}: {error}", row.kind));
                continue;
            }
        };
        assert!(
            object.unknown_fields.is_empty(),
            "{}: {:?}",
            row.kind,
            object.unknown_fields
        );
        let own: Value = serde_json::from_str(&json::print(&object.fields)).expect("is JSON");
        let mut found = differences(&own, &row.json);
        found.extend(line_difference(&object.fields, &row.fields));
        if !found.is_empty() {
            wrong.push(format!("{}: {}", row.kind, found.join(", ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    let kinds: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row.kind.split(' ').next())
        .collect();
    assert_eq!(kinds.len(), 226);
}

#[test]
fn yaml_and_json_say_the_same() {
    for row in rows() {
        let object = objects::decode(&row.stored).expect("decodes");
        // Every JSON is YAML; one reader for both reads their numbers alike.
        let own: Value = yaml_serde::from_str(&json::print(&object.fields)).expect("is YAML");
        let yaml: Value = yaml_serde::from_str(&yaml::print(&object.fields)).expect("is YAML");
        assert_eq!(
            differences(&yaml, &own),
            Vec::<String>::new(),
            "{}",
            row.kind
        );
    }
}

/// Names in the order in which they stand, for objects whose JSON keeps it.
#[test]
fn fields_stand_in_the_order_of_the_api() {
    for row in rows().iter().filter(|row| row.kind.ends_with("Pod full")) {
        let object = objects::decode(&row.stored).expect("decodes");
        let names = |path: &[&str]| -> Vec<String> {
            let map = object
                .fields
                .at(path)
                .and_then(Own::as_map)
                .expect("is there");
            map.iter().map(|(name, _)| name.to_owned()).collect()
        };
        assert_eq!(
            names(&[]),
            ["apiVersion", "kind", "metadata", "spec", "status"]
        );
        assert_eq!(
            names(&["metadata"])[..5],
            ["name", "generateName", "namespace", "selfLink", "uid"]
        );
    }
}
