//! When two objects are the same: the same values, whereby absent, `null`, `{}` and `[]` are one.

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
