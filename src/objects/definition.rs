//! CustomResourceDefinitions: the names they give, and from `v1beta1`, as which every API server stores them, to `v1`,
//! as which it serves them.
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/v1beta1/conversion.go`, `v1/conversion.go`, `v1/types.go`.

use super::resource::{Resource, Scope};
use super::value::{Map, Value};

const GROUP: &str = "apiextensions.k8s.io";
const KIND: &str = "CustomResourceDefinition";

/// Fields of `spec` in the order of `v1`.
const SPEC: [&str; 6] = [
    "group",
    "names",
    "scope",
    "versions",
    "conversion",
    "preserveUnknownFields",
];
/// Fields of a version in the order of `v1`.
const VERSION: [&str; 9] = [
    "name",
    "served",
    "storage",
    "deprecated",
    "deprecationWarning",
    "schema",
    "subresources",
    "additionalPrinterColumns",
    "selectableFields",
];
/// Fields of `spec` that belong to each version in `v1`: where they stood, and their name there.
const MOVED: [(&str, &str); 4] = [
    ("validation", "schema"),
    ("subresources", "subresources"),
    ("additionalPrinterColumns", "additionalPrinterColumns"),
    ("selectableFields", "selectableFields"),
];

/// The resource that a definition defines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Definition {
    /// Its names.
    pub resource: Resource,
}

/// What is read of a stored definition.
#[derive(serde::Deserialize)]
struct StoredDefinition {
    spec: StoredSpec,
}

#[derive(serde::Deserialize)]
struct StoredSpec {
    group: String,
    names: StoredNames,
    #[serde(default)]
    scope: String,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredNames {
    plural: String,
    singular: Option<String>,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    short_names: Vec<String>,
}

impl Definition {
    /// Reads a definition in either version; `None` for other objects, and for one without a name or a group.
    pub fn of(object: &Value) -> Option<Self> {
        let fields = object.as_map()?;
        if fields.text("kind") != Some(KIND) {
            return None;
        }
        let spec = fields.get("spec")?.as_map()?;
        let names = spec.get("names")?.as_map()?;
        let kind = names.text("kind").unwrap_or_default();
        let singular = names
            .text("singular")
            .filter(|singular| !singular.is_empty());
        let short_names = names.get("shortNames").map_or(&[][..], Value::items);
        let short_names = short_names.iter().filter_map(Value::as_text);
        let resource = Resource {
            plural: names.text("plural")?.to_owned(),
            group: spec.text("group")?.to_owned(),
            kind: kind.to_owned(),
            singular: singular.map_or_else(|| kind.to_lowercase(), str::to_owned),
            short_names: short_names.map(str::to_owned).collect(),
            scope: match spec.text("scope") {
                Some("Cluster") => Scope::Cluster,
                _ => Scope::Namespaced,
            },
        };
        Some(Self { resource })
    }

    /// Reads a definition as it is stored. Of a large schema nothing is kept.
    pub fn of_stored(stored: &[u8]) -> Option<Self> {
        let StoredDefinition { spec } = serde_json::from_slice(stored).ok()?;
        let names = spec.names;
        let singular = names.singular.filter(|singular| !singular.is_empty());
        let resource = Resource {
            singular: singular.unwrap_or_else(|| names.kind.to_lowercase()),
            plural: names.plural,
            group: spec.group,
            kind: names.kind,
            short_names: names.short_names,
            scope: match &*spec.scope {
                "Cluster" => Scope::Cluster,
                _ => Scope::Namespaced,
            },
        };
        Some(Self { resource })
    }
}

/// Turns a definition of `v1beta1` into one of `v1`; leaves everything else alone.
pub(super) fn to_v1(object: &mut Value) {
    let Some(fields) = object.as_map_mut() else {
        return;
    };
    let is_old = fields.text("kind") == Some(KIND)
        && fields.text("apiVersion") == Some("apiextensions.k8s.io/v1beta1");
    if !is_old {
        return;
    }
    fields.set("apiVersion", Value::Text(format!("{GROUP}/v1")));
    if let Some(spec) = fields.get_mut("spec").and_then(Value::as_map_mut) {
        convert_spec(spec);
    }
}

fn convert_spec(spec: &mut Map) {
    let name = spec.remove("version");
    if spec
        .get("versions")
        .is_none_or(|versions| versions.items().is_empty())
    {
        spec.set("versions", Value::List(only_version(name)));
    }
    let moved = MOVED.map(|(own, name)| (name, spec.remove(own)));
    let versions = spec.get_mut("versions").map(Value::items_mut);
    for version in versions.unwrap_or_default() {
        if let Some(version) = version.as_map_mut() {
            convert_version(version, &moved);
        }
    }
    if let Some(conversion) = spec.get_mut("conversion").and_then(Value::as_map_mut) {
        convert_conversion(conversion);
    }
    // The default of `v1beta1` is `true`, that of `v1` is `false`.
    match spec.remove("preserveUnknownFields") {
        Some(Value::Bool(false)) => {}
        _ => spec.push("preserveUnknownFields", Value::Bool(true)),
    }
    sort_like(spec, &SPEC);
}

/// Before there were several versions, the one had its name in `spec.version`.
fn only_version(name: Option<Value>) -> Vec<Value> {
    let Some(name) = name else {
        return Vec::new();
    };
    let mut version = Map::default();
    version.push("name", name);
    version.push("served", Value::Bool(true));
    version.push("storage", Value::Bool(true));
    vec![Value::Map(version)]
}

fn convert_version(version: &mut Map, moved: &[(&'static str, Option<Value>); 4]) {
    for (name, value) in moved {
        if let Some(value) = value {
            version.set(*name, value.clone());
        }
    }
    let columns = version.get_mut("additionalPrinterColumns");
    for column in columns.map(Value::items_mut).unwrap_or_default() {
        if let Some(column) = column.as_map_mut()
            && let Some(path) = column.remove("JSONPath")
        {
            column.push("jsonPath", path);
        }
    }
    sort_like(version, &VERSION);
}

fn convert_conversion(conversion: &mut Map) {
    let mut webhook = Map::default();
    if let Some(client) = conversion.remove("webhookClientConfig") {
        webhook.push("clientConfig", client);
    }
    if let Some(versions) = conversion.remove("conversionReviewVersions") {
        webhook.push("conversionReviewVersions", versions);
    }
    if !webhook.is_empty() {
        conversion.push("webhook", Value::Map(webhook));
    }
}

/// Puts the fields in this order, those that are not in it behind them.
fn sort_like(map: &mut Map, order: &[&str]) {
    let place = |name: &str| {
        order
            .iter()
            .position(|own| *own == name)
            .unwrap_or(order.len())
    };
    map.sort_by_key(place);
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::super::json;
    use super::*;

    fn converted(spec: &str) -> String {
        let stored = format!(
            r#"{{"kind":"{KIND}","apiVersion":"{GROUP}/v1beta1","metadata":{{}},"spec":{spec}}}"#
        );
        let object = decode(stored.as_bytes()).expect("is JSON").served(1);
        assert_eq!(object.api_version(), "apiextensions.k8s.io/v1");
        json::print_line(object.fields.at(&["spec"]).expect("is there"))
    }

    #[test]
    fn what_stood_once_stands_in_every_version() {
        let old = r#"{"group":"g","version":"v1","names":{},"scope":"Cluster",
            "validation":{"openAPIV3Schema":{"type":"object"}},"subresources":{"status":{}},
            "additionalPrinterColumns":[{"name":"Age","type":"date","JSONPath":".a"}],
            "versions":[{"name":"v1","served":true,"storage":true},{"name":"v2","served":false,"storage":false}],
            "conversion":{"strategy":"Webhook","webhookClientConfig":{"url":"u"},"conversionReviewVersions":["v1"]},
            "preserveUnknownFields":false}"#;
        let each = concat!(
            r#""schema":{"openAPIV3Schema":{"type":"object"}},"subresources":{"status":{}},"#,
            r#""additionalPrinterColumns":[{"name":"Age","type":"date","jsonPath":".a"}]"#
        );
        let expected = format!(
            concat!(
                r#"{{"group":"g","names":{{}},"scope":"Cluster","versions":["#,
                r#"{{"name":"v1","served":true,"storage":true,{each}}},"#,
                r#"{{"name":"v2","served":false,"storage":false,{each}}}],"#,
                r#""conversion":{{"strategy":"Webhook","webhook":{{"clientConfig":{{"url":"u"}},"#,
                r#""conversionReviewVersions":["v1"]}}}}}}"#
            ),
            each = each
        );
        assert_eq!(converted(old), expected);
    }

    #[test]
    fn the_only_version_is_made_of_its_name() {
        let expected = concat!(
            r#"{"group":"g","versions":[{"name":"v1","served":true,"storage":true}],"#,
            r#""preserveUnknownFields":true}"#
        );
        assert_eq!(converted(r#"{"group":"g","version":"v1"}"#), expected);
    }
}
