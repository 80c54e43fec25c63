//! Every object of every real cluster, as its API server gave it.

use crate::equal::{differences, line_difference};
use crate::real;
use crate::support::bolt::Bolt;
use etcd_cat::etcd::{KeyValue, RevisionKey};
use etcd_cat::kuberesources::{self, Limits};
use etcd_cat::kubernetes::encryption::{KeyRing, OpenError};
use etcd_cat::kubernetes::storage_key::resource_of;
use etcd_cat::objects::{
    self, Definition, Masker, Object, Place, Resources, Value as Own, json, yaml,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

const CLUSTERS: [&str; 10] = [
    "cbc-421",
    "cbc35-420",
    "gcm-421",
    "kms-421",
    "next-423",
    "prod-421",
    "prod-421-later",
    "registry-136",
    "three-421",
    "upgraded-421",
];

/// Group, kind, namespace and name.
type Identity = [String; 4];

struct Cluster {
    name: &'static str,
    objects: HashMap<Identity, (Vec<u8>, Object)>,
    /// Keys of values that only a KMS opens.
    sealed: Vec<String>,
    /// Keys that hold no object.
    others: Vec<String>,
}

impl Cluster {
    fn read(name: &'static str) -> Self {
        let mut cluster = Self {
            name,
            objects: HashMap::new(),
            sealed: Vec::new(),
            others: Vec::new(),
        };
        let ring = key_ring(name);
        for (key, (mod_revision, stored)) in live(name) {
            let shown = String::from_utf8_lossy(&key).into_owned();
            if Place::of(&key).is_none() {
                cluster.others.push(shown);
                continue;
            }
            let resource = resource_of(&key).expect("has a resource").to_string();
            let opened = match ring
                .as_ref()
                .map(|ring| ring.open(&resource, &key, &stored))
            {
                Some(Ok(opened)) => opened.to_vec(),
                Some(Err(OpenError::External)) => {
                    cluster.sealed.push(shown);
                    continue;
                }
                Some(Err(OpenError::ConfigMissing)) | None => stored,
                Some(Err(error)) => panic!("{name}: {shown}: {error}"),
            };
            let object = objects::decode(&opened);
            let object = object.unwrap_or_else(|error| panic!("{name}: {shown}: {error}"));
            let object = object.served(mod_revision);
            assert!(object.unknown_fields.is_empty(), "{name}: {shown}");
            let identity = [
                object.group(),
                object.kind(),
                object.namespace(),
                object.name(),
            ];
            cluster
                .objects
                .insert(identity.map(str::to_owned), (key, object));
        }
        cluster
    }
}

fn key_ring(name: &str) -> Option<KeyRing> {
    let bytes = std::fs::read(real::path(&format!(
        "clusters/{name}/static_kuberesources.tar.gz"
    )));
    let bytes = bytes.expect("the file is there");
    let size = u64::try_from(bytes.len()).expect("is small");
    kuberesources::read(&bytes[..], size, &Limits::default()).1
}

/// Newest value and mod revision of every key that lives.
fn live(name: &str) -> BTreeMap<Vec<u8>, (i64, Vec<u8>)> {
    let bolt = Bolt::open(&real::unpacked(&format!("clusters/{name}/snapshot.db.xz")));
    let buckets = bolt.content();
    let (_, entries) = buckets
        .iter()
        .find(|(name, _)| name == b"key")
        .expect("has the bucket");
    let mut live = BTreeMap::new();
    for (revision, value) in entries {
        let key = RevisionKey::parse(revision).expect("is a revision");
        let value = KeyValue::decode(value).expect("is a KeyValue");
        if key.is_tombstone {
            live.remove(value.key);
        } else {
            live.insert(
                value.key.to_vec(),
                (key.revision.main, value.value.to_vec()),
            );
        }
    }
    live
}

/// The API server's own answer, line by line.
fn served(name: &str) -> Vec<String> {
    let lines = real::unpacked(&format!("clusters/{name}/objects.jsonl.gz"));
    let lines = String::from_utf8(lines).expect("is UTF-8");
    lines.lines().map(str::to_owned).collect()
}

fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn identity(object: &Value) -> Identity {
    let group = text(object, "/apiVersion")
        .rsplit_once('/')
        .map_or("", |(group, _)| group);
    let [kind, namespace, name] =
        ["/kind", "/metadata/namespace", "/metadata/name"].map(|pointer| text(object, pointer));
    [group, kind, namespace, name].map(str::to_owned)
}

#[test]
fn every_object_is_as_its_api_server_gave_it() {
    for name in CLUSTERS {
        let cluster = Cluster::read(name);
        let mut compared = 0;
        let mut wrong = Vec::new();
        for answer in served(name) {
            let expected: Value = serde_json::from_str(&answer).expect("is JSON");
            // Events under their second group are the same objects again.
            if text(&expected, "/apiVersion").starts_with("events.k8s.io/") {
                continue;
            }
            let identity = identity(&expected);
            let Some((_, object)) = cluster.objects.get(&identity) else {
                let is_sealed =
                    name == "kms-421" && matches!(&*identity[1], "Secret" | "ConfigMap");
                assert!(is_sealed, "{name}: {identity:?} is not in the snapshot");
                continue;
            };
            compared += 1;
            let mut own: Value =
                serde_json::from_str(&json::print(&object.fields)).expect("is JSON");
            if is_stored_in_another_version(&identity[1]) {
                own["apiVersion"] = expected["apiVersion"].clone();
            }
            let found = differences(&own, &expected);
            if !found.is_empty() {
                wrong.push(format!("{identity:?}: {}", found.join(", ")));
            }
            let answer = json::read(answer.as_bytes()).expect("is JSON");
            if !is_stored_in_another_version(&identity[1]) {
                let [own, answer] = [object.fields.clone(), answer].map(|mut object| {
                    // What was put by hand got its revision at the end.
                    let metadata = object.at_mut(&["metadata"]).and_then(Own::as_map_mut);
                    metadata.expect("is there").remove("resourceVersion");
                    object
                });
                let found = line_difference(&own, &answer);
                wrong.extend(found.map(|found| format!("{identity:?}: {found}")));
            }
        }
        assert!(
            wrong.is_empty(),
            "{name}: {} of {compared}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert!(compared > 350, "{name}: only {compared} were compared");
        assert_eq!(cluster.sealed.is_empty(), name != "kms-421", "{name}");
    }
}

/// Kinds that API servers of these releases serve as `v1` and store as a beta.
fn is_stored_in_another_version(kind: &str) -> bool {
    matches!(
        kind,
        "DeviceClass" | "ResourceClaimTemplate" | "ResourceSlice" | "VolumeAttributesClass"
    )
}

#[test]
fn every_key_tells_the_name_of_its_object() {
    for name in CLUSTERS {
        let cluster = Cluster::read(name);
        let definitions = cluster.objects.values();
        let definitions = definitions.filter_map(|(_, object)| Definition::of(&object.fields));
        let resources = Resources::new(definitions);
        for ([group, kind, namespace, object_name], (key, _)) in &cluster.objects {
            let place = Place::of(key).expect("has a place");
            if kind == "RangeAllocation" {
                continue;
            }
            assert_eq!(
                (&place.name, place.namespace.as_deref().unwrap_or_default()),
                (object_name, &**namespace)
            );
            let resource = resources
                .of(&place)
                .unwrap_or_else(|| panic!("{name}: {place:?}"));
            assert_eq!(
                (&resource.kind, &resource.group),
                (kind, group),
                "{name}: {place:?}"
            );
            for word in [&resource.plural, &resource.singular].map(|word| format!("{word}.{group}"))
            {
                let word = word.trim_end_matches('.');
                assert_eq!(resources.find(word), Ok(resource), "{name}: {word}");
            }
            let key = String::from_utf8_lossy(key);
            let prefixes = resource.storage_prefixes();
            assert!(
                prefixes.iter().any(|prefix| key.starts_with(prefix)),
                "{name}: {key}"
            );
        }
        let is_no_object = |key: &String| key == "compact_rev_key";
        assert!(
            cluster.others.iter().all(is_no_object),
            "{}: {:?}",
            cluster.name,
            cluster.others
        );
    }
}

/// What the masker takes for secret must not be seen in any form, of any object.
#[test]
fn no_secret_of_a_cluster_is_shown() {
    for name in CLUSTERS {
        let mut cluster = Cluster::read(name);
        let secrets = secrets(&cluster);
        assert!(
            name == "kms-421" || secrets.len() > 10,
            "{name}: {}",
            secrets.len()
        );
        let mut masker = Masker::default();
        for (key, object) in cluster.objects.values_mut() {
            // A test's own ConfigMaps repeat what their Secrets hold.
            if object.kind() == "ConfigMap" {
                continue;
            }
            masker.mask(object);
            let shown = [
                json::print(&object.fields),
                yaml::print(&object.fields),
                format!("{object:?}"),
            ];
            for secret in &secrets {
                let is_shown = shown.iter().any(|shown| shown.contains(secret));
                assert!(!is_shown, "{name}: {}", String::from_utf8_lossy(key));
            }
        }
    }
}

/// Texts of the secret fields, as they stand in JSON; short ones are words that stand elsewhere too.
fn secrets(cluster: &Cluster) -> Vec<String> {
    let mut secrets = Vec::new();
    for (_, object) in cluster.objects.values() {
        let paths: &[&[&str]] = match object.kind() {
            "Secret" => &[&["data"], &["stringData"]],
            "Route" => &[&["spec", "tls", "key"]],
            "OAuthAccessToken" => &[
                &["metadata", "name"],
                &["authorizeToken"],
                &["refreshToken"],
            ],
            "OAuthClient" => &[&["secret"], &["additionalSecrets"]],
            _ => &[],
        };
        for path in paths {
            match object.fields.at(path) {
                Some(Own::Text(text)) => secrets.push(text.clone()),
                Some(Own::Map(map)) => secrets.extend(
                    map.iter()
                        .filter_map(|(_, value)| value.as_text().map(str::to_owned)),
                ),
                _ => {}
            }
        }
    }
    secrets.retain(|secret| secret.len() >= 16);
    secrets
}
