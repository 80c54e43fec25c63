//! When two objects are the same: the same values, whereby absent, `null`, `{}` and `[]` are one.

use etcd_cat::objects::{Value as Own, json};
use serde_json::Value;

/// Without what is empty.
pub(crate) fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(name, value)| (name.clone(), pruned(value)));
            let map: serde_json::Map<_, _> =
                entries.filter(|(_, value)| !value.is_null()).collect();
            if map.is_empty() {
                Value::Null
            } else {
                Value::Object(map)
            }
        }
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => Value::Array(items.iter().map(pruned).collect()),
        other => other.clone(),
    }
}

/// The first paths at which two objects differ; none when they are equal.
pub(crate) fn differences(own: &Value, expected: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", &pruned(own), &pruned(expected), &mut found);
    found.truncate(5);
    found
}

fn compare(path: &str, own: &Value, expected: &Value, found: &mut Vec<String>) {
    match (own, expected) {
        (Value::Object(left), Value::Object(right)) => {
            let names: std::collections::BTreeSet<&String> =
                left.keys().chain(right.keys()).collect();
            for name in names {
                let [own, expected] =
                    [left, right].map(|map| map.get(name).unwrap_or(&Value::Null));
                compare(&format!("{path}.{name}"), own, expected, found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (own, expected)) in left.iter().zip(right).enumerate() {
                compare(&format!("{path}[{index}]"), own, expected, found);
            }
        }
        _ if own != expected => found.push(format!("{path}: {own} instead of {expected}")),
        _ => {}
    }
}

/// Where two objects differ as texts: in the order of their fields, in what is empty, in the digits of a number.
pub(crate) fn line_difference(own: &Own, expected: &Own) -> Option<String> {
    let (own, expected) = (line(own), line(expected));
    let same = own
        .bytes()
        .zip(expected.bytes())
        .take_while(|(own, expected)| own == expected);
    let from = same.count().saturating_sub(60);
    let part = |text: &str| {
        String::from_utf8_lossy(text.as_bytes().get(from..).unwrap_or_default())
            .chars()
            .take(150)
            .collect::<String>()
    };
    (own != expected).then(|| {
        format!(
            "\n  own      {}\n  expected {}",
            part(&own),
            part(&expected)
        )
    })
}

/// One line in the API's order, but for the kind: Go has it in front of the version, and items of a list do not tell it,
/// so it was put at their end.
fn line(object: &Own) -> String {
    let map = object.as_map().expect("is an object");
    let first = ["apiVersion", "kind"];
    let kind = first.map(|name| (name.into(), map.get(name).expect("is told").clone()));
    let rest = map.iter().filter(|(name, _)| !first.contains(name));
    let rest = rest.map(|(name, value)| (name.to_owned().into(), value.clone()));
    json::print_line(&Own::Map(kind.into_iter().chain(rest).collect()))
}
