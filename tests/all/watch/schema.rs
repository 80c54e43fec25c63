//! Manifests held against the schemas of the API server: a field that it does not know is an error.

use crate::support::samples;
use serde_json::Value;

/// The schemas of `testdata/deploy/schemas.json`.
pub(crate) struct Schemas(Value);

impl Schemas {
    pub(crate) fn load() -> Self {
        let path = samples::testdata().join("deploy/schemas.json");
        let text = std::fs::read_to_string(path).expect("it is there");
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    /// What is wrong with a manifest.
    pub(crate) fn complaints(&self, manifest: &Value) -> Vec<String> {
        let text = |field: &str| manifest[field].as_str().unwrap_or_default();
        let kind = format!("{} {}", text("apiVersion"), text("kind"));
        let Some(schema) = self.0["kinds"].get(&kind) else {
            return vec![format!("{kind}: there is no such kind")];
        };
        let mut complaints = Vec::new();
        self.check(manifest, schema, &kind, &mut complaints);
        complaints
    }

    fn check(&self, value: &Value, schema: &Value, place: &str, complaints: &mut Vec<String>) {
        if let Some(name) = schema["ref"].as_str() {
            return self.check(value, &self.0["definitions"][name], place, complaints);
        }
        let is_of_type = match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            Some("scalar") => value.is_string() || value.is_i64(),
            _ => true,
        };
        if !is_of_type {
            complaints.push(format!("{place}: {value} is no {}", schema["type"]));
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            complaints.push(format!("{place}: {value} is none of {allowed:?}"));
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().expect("a name");
            if value.get(name).is_none() {
                complaints.push(format!("{place}: {name} is missing"));
            }
        }
        for item in value.as_array().into_iter().flatten() {
            if let Some(items) = schema.get("items") {
                self.check(item, items, place, complaints);
            }
        }
        for (name, field) in value.as_object().into_iter().flatten() {
            let place = format!("{place}.{name}");
            match schema["fields"].get(name).or(schema.get("values")) {
                Some(schema) => self.check(field, schema, &place, complaints),
                // An object of which nothing is said may hold anything.
                None if schema.get("fields").is_none() => {}
                None => complaints.push(format!("{place}: there is no such field")),
            }
        }
    }
}

#[test]
fn what_the_api_server_would_refuse_is_refused() {
    let schemas = Schemas::load();
    let job = |change: &str, by: &str| {
        let text = r#"{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": {"backoffLimit": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x"}]}}}}"#;
        assert!(text.contains(change), "{change}");
        let job: Value = serde_json::from_str(&text.replacen(change, by, 1)).expect("JSON");
        schemas.complaints(&job)
    };
    assert_eq!(job("x", "x"), Vec::<String>::new());
    for (change, by) in [
        ("backoffLimit", "backOffLimit"),
        ("batch/v1", "batch/v2"),
        (r#""backoffLimit": 0"#, r#""backoffLimit": "0""#),
        (r#""name": "x", "image""#, r#""image""#),
        (
            r#""containers": ["#,
            r#""initcontainers": [], "containers": ["#,
        ),
        (r#""metadata": {"name": "x"}"#, r#""metadata": "x""#),
    ] {
        assert_eq!(job(change, by).len(), 1, "{by}: {:?}", job(change, by));
    }
}
