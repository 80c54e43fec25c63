//! Leaves out what belongs to the cluster that an object lived in, so that another one takes it.

use super::decode::Object;
use super::value::{Map, Value};

/// Fields of `metadata` that an API server sets. An owner is known by its uid, which a new cluster does not have: the
/// garbage collector would remove what names one.
const METADATA: [&str; 9] = [
    "managedFields",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "selfLink",
    "ownerReferences",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];
/// What `oc apply` writes itself.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The job controller gives every Job a selector of its own uid and refuses any other.
const JOB_LABELS: [&str; 4] = [
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
];

/// Leaves out managed fields, status, uid and the like, ready for `oc apply`.
pub fn clean(object: &mut Object) {
    let (group, kind) = (object.group().to_owned(), object.kind().to_owned());
    let Some(fields) = object.fields.as_map_mut() else {
        return;
    };
    fields.remove("status");
    clean_metadata(fields);
    match (&*group, &*kind) {
        ("batch", "Job") => clean_job(&mut object.fields),
        ("", "PersistentVolume") => clean_claim(&mut object.fields),
        ("apps", "StatefulSet") => clean_claim_templates(&mut object.fields),
        ("", "List") => clean_items(object),
        _ => {}
    }
}

fn clean_metadata(fields: &mut Map) {
    let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_map_mut) else {
        return;
    };
    metadata.retain(|name, _| !METADATA.contains(&name));
    let annotations = metadata.get_mut("annotations").and_then(Value::as_map_mut);
    let is_empty = annotations.is_some_and(|annotations| {
        annotations.remove(LAST_APPLIED);
        annotations.is_empty()
    });
    if is_empty {
        metadata.remove("annotations");
    }
}

fn clean_job(fields: &mut Value) {
    if fields.at(&["spec", "manualSelector"]) == Some(&Value::Bool(true)) {
        return;
    }
    if let Some(spec) = fields.at_mut(&["spec"]).and_then(Value::as_map_mut) {
        spec.remove("selector");
    }
    let labels: [&[&str]; 2] = [&["metadata"], &["spec", "template", "metadata"]];
    for path in labels {
        let Some(metadata) = fields.at_mut(path).and_then(Value::as_map_mut) else {
            continue;
        };
        let labels = metadata.get_mut("labels").and_then(Value::as_map_mut);
        let is_empty = labels.is_some_and(|labels| {
            labels.retain(|name, _| !JOB_LABELS.contains(&name));
            labels.is_empty()
        });
        if is_empty {
            metadata.remove("labels");
        }
    }
}

/// A volume is bound to the uid of its claim; by name alone the claim that comes back can have it again.
fn clean_claim(fields: &mut Value) {
    if let Some(claim) = fields
        .at_mut(&["spec", "claimRef"])
        .and_then(Value::as_map_mut)
    {
        claim.remove("uid");
        claim.remove("resourceVersion");
    }
}

fn clean_claim_templates(fields: &mut Value) {
    let templates = fields.at_mut(&["spec", "volumeClaimTemplates"]);
    for template in templates.map(Value::items_mut).unwrap_or_default() {
        if let Some(template) = template.as_map_mut() {
            template.remove("status");
            clean_metadata(template);
        }
    }
}

fn clean_items(list: &mut Object) {
    let items = list.fields.at_mut(&["items"]);
    for item in items.map(Value::items_mut).unwrap_or_default() {
        let fields = std::mem::replace(item, Value::Null);
        let mut object = Object {
            fields,
            unknown_fields: Vec::new(),
        };
        if object.kind() != "List" {
            clean(&mut object);
        }
        *item = object.fields;
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::super::json;
    use super::*;

    fn cleaned(text: &str) -> String {
        let mut object = decode(text.as_bytes()).expect("is JSON").served(7);
        clean(&mut object);
        json::print_line(&object.fields)
    }

    #[test]
    fn what_an_api_server_sets_is_left_out() {
        let stored = r#"{"apiVersion":"v1","kind":"X","metadata":{"name":"n","uid":"u","generation":2,
            "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"},"labels":{"a":"b"},
            "ownerReferences":[{"uid":"u"}]},"spec":{"status":1},"status":{"a":1}}"#;
        let expected = r#"{"apiVersion":"v1","kind":"X","metadata":{"name":"n","labels":{"a":"b"}},"spec":{"status":1}}"#;
        assert_eq!(cleaned(stored), expected);
    }

    #[test]
    fn jobs_lose_the_selector_that_was_made_for_them() {
        let stored = r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"labels":{"job-name":"j","a":"b"}},
            "spec":{"selector":{},"template":{"metadata":{"labels":{"controller-uid":"u"}},"spec":{}}}}"#;
        let expected = r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"labels":{"a":"b"}},"spec":{"template":{"metadata":{},"spec":{}}}}"#;
        assert_eq!(cleaned(stored), expected);
        let by_hand = r#"{"apiVersion":"batch/v1","kind":"Job","spec":{"manualSelector":true,"selector":{}}}"#;
        assert_eq!(cleaned(by_hand), by_hand);
    }

    #[test]
    fn volumes_keep_their_claim_by_name() {
        let stored = r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{},"spec":{"claimRef":{"name":"c","uid":"u","resourceVersion":"1"}}}"#;
        let expected = r#"{"apiVersion":"v1","kind":"PersistentVolume","metadata":{},"spec":{"claimRef":{"name":"c"}}}"#;
        assert_eq!(cleaned(stored), expected);
    }
}
