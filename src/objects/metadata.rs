//! What the API server adds to `metadata` when it serves an object.

use super::value::Value;

/// Names in front of `resourceVersion` in the API's order.
const BEFORE: [&str; 5] = ["name", "generateName", "namespace", "selfLink", "uid"];

/// Puts the revision of the last change where the API has it. It is never stored.
pub(super) fn set_resource_version(object: &mut Value, mod_revision: i64) {
    let Some(metadata) = object.at_mut(&["metadata"]).and_then(Value::as_map_mut) else {
        return;
    };
    let version = Value::Text(mod_revision.to_string());
    if let Some(own) = metadata.get_mut("resourceVersion") {
        *own = version;
        return;
    }
    let names: Vec<&str> = metadata.iter().map(|(name, _)| name).collect();
    let position = if names.is_sorted() {
        // Custom resources are stored by name.
        names
            .iter()
            .filter(|name| **name < "resourceVersion")
            .count()
    } else {
        let last = names.iter().rposition(|name| BEFORE.contains(name));
        last.map_or(0, |last| last + 1)
    };
    metadata.insert(position, "resourceVersion", version);
}
