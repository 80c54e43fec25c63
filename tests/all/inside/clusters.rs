//! The real clusters, unpacked in a place of their own, and what their API servers said of them.

use crate::cli::environment::{Ran, TestEnv};
use crate::objects::real;
use serde_json::Value;

/// When all of them were made.
pub(crate) const SOON: &str = "2026-11-28T12:00:00Z";

pub(crate) const CLUSTERS: [&str; 10] = [
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

/// Puts the snapshot of a cluster into a directory of that name, and its keys beside it.
pub(crate) fn put(env: &TestEnv, cluster: &str) -> String {
    let snapshot = real::unpacked(&format!("clusters/{cluster}/snapshot.db.xz"));
    let archive = real::path(&format!("clusters/{cluster}/static_kuberesources.tar.gz"));
    let archive = std::fs::read(archive).expect("the file is there");
    env.put(
        &format!("{cluster}/static_kuberesources_2026-11-28_060000.tar.gz"),
        archive,
    );
    let path = env.put(
        &format!("{cluster}/snapshot_2026-11-28_060000.db"),
        snapshot,
    );
    path.to_str().expect("plain").to_owned()
}

/// Runs a command without a catalogue, as of soon after.
pub(crate) fn run(env: &TestEnv, arguments: &[&str]) -> Ran {
    let all = [arguments, &["--no-catalogue", "--as-of", SOON]].concat();
    env.run(&all)
}

/// Every object of these kinds, with its secrets.
pub(crate) fn get_all(env: &TestEnv, snapshot: &str, kinds: &str) -> Ran {
    run(
        env,
        &["get", snapshot, kinds, "-A", "-o", "json", "--show-secrets"],
    )
}

/// The API server's own answers.
pub(crate) fn served(cluster: &str) -> Vec<Value> {
    let lines = real::unpacked(&format!("clusters/{cluster}/objects.jsonl.gz"));
    let lines = String::from_utf8(lines).expect("is UTF-8");
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect()
}

/// What etcd's own tools said.
pub(crate) fn facts(cluster: &str) -> Value {
    let facts = real::unpacked(&format!("clusters/{cluster}/facts.json.gz"));
    serde_json::from_slice(&facts).expect("is JSON")
}

pub(crate) fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    let value = object.pointer(pointer).and_then(Value::as_str);
    value.unwrap_or_default()
}

/// Group, kind, namespace and name.
pub(crate) fn identity(object: &Value) -> [String; 4] {
    let version = text(object, "/apiVersion");
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let [kind, namespace, name] =
        ["/kind", "/metadata/namespace", "/metadata/name"].map(|pointer| text(object, pointer));
    [group, kind, namespace, name].map(str::to_owned)
}
