//! What the API server adds to a stored object when it serves it.

use super::decode::Object;
use super::definition;
use super::value::{Map, Value};

/// Names in front of `resourceVersion` in the API's order.
const BEFORE: [&str; 5] = ["name", "generateName", "namespace", "selfLink", "uid"];

impl Object {
    /// Turns the object as it is stored into what the API server would give for it.
    ///
    /// The revision of its last change becomes its `resourceVersion`, which is never stored. Definitions, stored as
    /// `v1beta1`, come out as `v1`, and the few defaults that are not stored are told.
    #[must_use]
    pub fn served(mut self, mod_revision: i64) -> Self {
        definition::to_v1(&mut self.fields);
        match (self.group(), self.kind()) {
            ("apps", "StatefulSet") => tell_claim_kinds(&mut self.fields),
            ("", "PersistentVolume" | "PersistentVolumeClaim") => {
                default_phase(&mut self.fields, "Pending");
            }
            ("", "Namespace") => default_phase(&mut self.fields, "Active"),
            _ => {}
        }
        set_resource_version(&mut self.fields, mod_revision);
        self
    }
}

fn set_resource_version(object: &mut Value, mod_revision: i64) {
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
        let before = names.iter().filter(|name| **name < "resourceVersion");
        before.count()
    } else {
        let last = names.iter().rposition(|name| BEFORE.contains(name));
        last.map_or(0, |last| last + 1)
    };
    metadata.insert(position, "resourceVersion", version);
}

/// The kind of a StatefulSet's claim templates is not stored.
///
/// Source: kubernetes `pkg/apis/apps/v1/conversion.go`, StatefulSetSpec.
fn tell_claim_kinds(fields: &mut Value) {
    let templates = fields.at_mut(&["spec", "volumeClaimTemplates"]);
    for template in templates.map(Value::items_mut).unwrap_or_default() {
        if let Some(map) = template.as_map_mut()
            && map.get("kind").is_none()
        {
            map.insert(0, "apiVersion", Value::Text("v1".to_owned()));
            map.insert(0, "kind", Value::Text("PersistentVolumeClaim".to_owned()));
        }
    }
}

/// Source: kubernetes `pkg/apis/core/v1/defaults.go`.
fn default_phase(fields: &mut Value, phase: &str) {
    let Some(fields) = fields.as_map_mut() else {
        return;
    };
    if fields.get("status").is_none() {
        fields.set("status", Value::Map(Map::default()));
    }
    let status = fields.get_mut("status").and_then(Value::as_map_mut);
    if let Some(status) = status
        && status.get("phase").is_none()
    {
        status.insert(0, "phase", Value::Text(phase.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::super::json;

    fn served(stored: &str) -> String {
        let object = decode(stored.as_bytes()).expect("is JSON");
        json::print_line(&object.served(7).fields)
    }

    #[test]
    fn the_revision_stands_where_the_api_has_it() {
        let rows = [
            (
                r#"{"metadata":{"name":"n","uid":"u","creationTimestamp":"t"}}"#,
                r#"{"metadata":{"name":"n","uid":"u","resourceVersion":"7","creationTimestamp":"t"}}"#,
            ),
            (
                r#"{"metadata":{"creationTimestamp":"t","name":"n","uid":"u"}}"#,
                r#"{"metadata":{"creationTimestamp":"t","name":"n","resourceVersion":"7","uid":"u"}}"#,
            ),
            (
                r#"{"metadata":{"resourceVersion":"3"}}"#,
                r#"{"metadata":{"resourceVersion":"7"}}"#,
            ),
        ];
        for (stored, expected) in rows {
            assert_eq!(served(stored), expected);
        }
    }

    #[test]
    fn a_claim_without_a_phase_is_pending() {
        let stored = r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","status":{}}"#;
        let expected =
            r#"{"apiVersion":"v1","kind":"PersistentVolumeClaim","status":{"phase":"Pending"}}"#;
        assert_eq!(served(stored), expected);
    }
}
