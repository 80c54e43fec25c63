//! What the manifests allow is what the commands ask for, no more and no less: runs of them against the fake `oc` tell what
//! that is.

use super::deploy::all_manifests;
use crate::oc::cluster::TestResult;
use crate::oc::command::Night;
use serde_json::Value;
use std::collections::BTreeSet;

/// Something that may be done: in which namespace (none: the whole cluster), to what, by which name, and the verb.
type Right = (Option<String>, String, Option<String>, String);

fn right(namespace: Option<&str>, resource: &str, name: Option<&str>, verb: &str) -> Right {
    let owned = |text: &str| text.to_owned();
    (
        namespace.map(owned),
        owned(resource),
        name.map(owned),
        owned(verb),
    )
}

fn texts(value: &Value) -> Vec<&str> {
    let list = value.as_array().into_iter().flatten();
    list.map(|one| one.as_str().expect("text")).collect()
}

/// What a role of the manifests grants there; of another role, that it may be used.
fn of_role(manifests: &[Value], binding: &Value, granted: &mut BTreeSet<Right>) {
    let role = &binding["roleRef"];
    let namespace = binding["metadata"]["namespace"].as_str();
    let is_role = |one: &&Value| {
        one["kind"] == role["kind"]
            && one["metadata"]["name"] == role["name"]
            && (role["kind"] == "ClusterRole" || one["metadata"]["namespace"].as_str() == namespace)
    };
    let Some(found) = manifests.iter().find(is_role) else {
        let resource = format!("role {}", role["name"].as_str().expect("a name"));
        granted.insert(right(namespace, &resource, None, "use"));
        return;
    };
    for rule in found["rules"].as_array().expect("rules") {
        let mut names: Vec<Option<&str>> = texts(&rule["resourceNames"])
            .into_iter()
            .map(Some)
            .collect();
        if names.is_empty() {
            names.push(None);
        }
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                let resource = format!("{group}/{resource}");
                for verb in texts(&rule["verbs"]) {
                    let rights = names
                        .iter()
                        .map(|name| right(namespace, &resource, *name, verb));
                    granted.extend(rights);
                }
            }
        }
    }
}

/// What one account may do.
fn granted(manifests: &[Value], account: &str) -> BTreeSet<Right> {
    let mut granted = BTreeSet::new();
    for binding in manifests {
        let kind = binding["kind"].as_str().unwrap_or_default();
        let subjects = binding["subjects"].as_array().into_iter().flatten();
        let is_meant = |subject: &Value| {
            subject["kind"] == "ServiceAccount"
                && subject["name"] == account
                && subject["namespace"] == "etcd-cat"
        };
        if kind.ends_with("Binding") && subjects.clone().any(is_meant) {
            of_role(manifests, binding, &mut granted);
        }
    }
    granted
}

/// Of what there is one for each run or host, no rule can name one.
fn fixed(resource: &str, name: &str) -> Option<String> {
    (!matches!(resource, "/nodes" | "/pods")).then(|| name.to_owned())
}

/// What the API server is asked for by one call of `oc`, as its words are logged.
fn asked_by(words: &[String]) -> BTreeSet<Right> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words: Vec<&str> = words
        .into_iter()
        .filter(|word| !word.starts_with("--request-timeout="))
        .take_while(|word| *word != "--")
        .collect();
    let namespace = words
        .iter()
        .skip_while(|word| **word != "-n")
        .nth(1)
        .copied();
    let mut asked = BTreeSet::new();
    match words.as_slice() {
        ["version", ..] | ["auth", "can-i", ..] => {}
        ["get", kind, rest @ ..] => {
            let (plural, group) = kind.split_once('.').unwrap_or((kind, ""));
            let plural = if plural.ends_with('s') {
                plural.to_owned()
            } else {
                format!("{plural}s")
            };
            let resource = format!("{group}/{plural}");
            let names = rest.iter().take_while(|word| !word.starts_with('-'));
            for name in names.clone() {
                let name = fixed(&resource, name);
                asked.insert(right(namespace, &resource, name.as_deref(), "get"));
            }
            if names.count() == 0 {
                asked.insert(right(namespace, &resource, None, "list"));
            }
        }
        ["debug", _node, to] => {
            let own = to
                .strip_prefix("--to-namespace=")
                .expect("where the pod is made");
            debug(own, &mut asked);
        }
        ["exec", ..] => {
            asked.insert(right(namespace, "/pods", None, "get"));
            // Newer clients do it over websockets, which the API server counts as get.
            for verb in ["create", "get"] {
                asked.insert(right(namespace, "/pods/exec", None, verb));
            }
        }
        ["annotate", "pod", ..] => {
            for verb in ["get", "patch"] {
                asked.insert(right(namespace, "/pods", None, verb));
            }
        }
        ["delete", "pod", ..] => {
            asked.insert(right(namespace, "/pods", None, "delete"));
        }
        other => panic!("which rights does this take? {other:?}"),
    }
    asked
}

/// `oc debug node/NODE`: looks at the node, at its namespace and for the image; makes the pod, waits for it, reads its log,
/// and removes it. The pod is privileged.
fn debug(namespace: &str, asked: &mut BTreeSet<Right>) {
    asked.insert(right(None, "/nodes", None, "get"));
    asked.insert(right(None, "/namespaces", Some(namespace), "get"));
    for resource in ["imagestreams", "imagestreamtags"] {
        let resource = format!("image.openshift.io/{resource}");
        asked.insert(right(Some("openshift"), &resource, None, "get"));
    }
    for verb in ["create", "get", "list", "watch", "delete"] {
        asked.insert(right(Some(namespace), "/pods", None, verb));
    }
    asked.insert(right(Some(namespace), "/pods/log", None, "get"));
    asked.insert(privileged());
}

/// Only in the namespace of ours.
fn privileged() -> Right {
    let role = "role system:openshift:scc:privileged";
    right(Some("etcd-cat"), role, None, "use")
}

/// The words of the container of a CronJob or a Deployment.
fn command_of(manifests: &[Value], name: &str) -> Vec<String> {
    let runs = |one: &&Value| {
        let kind = one["kind"].as_str().unwrap_or_default();
        ["CronJob", "Deployment"].contains(&kind) && one["metadata"]["name"] == name
    };
    let manifest = manifests.iter().find(runs).expect("it is there");
    let job = &manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
    let deployment = &manifest["spec"]["template"]["spec"]["containers"][0];
    let container = if job.is_object() { job } else { deployment };
    let words = ["command", "args"].map(|field| texts(&container[field]));
    let words = words.into_iter().flatten().skip(1);
    words.map(str::to_owned).collect()
}

/// Everything that was asked for until now.
fn asked(night: &Night) -> BTreeSet<Right> {
    let log = night.cluster.log();
    log.iter().flat_map(|words| asked_by(words)).collect()
}

#[test]
fn the_account_of_backup_may_do_what_its_run_asks_for_and_nothing_else() -> TestResult {
    let manifests = all_manifests();
    let night = Night::new()?;
    let directory = night.path("").to_string_lossy().into_owned();
    let words = command_of(&manifests, "etcd-cat-backup").into_iter();
    let words: Vec<String> = words
        .map(|word| word.replace("=/", &format!("={directory}/")))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    night.run(&words)?.assert("the CronJob", 0, "");
    let mut asked = asked(&night);
    assert!(asked.contains(&privileged()), "a pod was made: {asked:#?}");
    // A run of a minute leaves no further mark on its pod; one of two does.
    asked.insert(right(Some("etcd-cat"), "/pods", None, "patch"));
    assert_eq!(granted(&manifests, "etcd-cat"), asked);
    // The pod itself runs as this one.
    assert_eq!(
        granted(&manifests, "default"),
        BTreeSet::from([privileged()])
    );
    Ok(())
}

#[test]
fn the_account_of_metrics_may_ask_for_the_version_that_runs_and_nothing_else() -> TestResult {
    let manifests = all_manifests();
    let night = Night::new()?;
    let words = command_of(&manifests, "etcd-cat-metrics");
    let is_of_the_server = |word: &str| word.starts_with("--listen");
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !is_of_the_server(word))
        .collect();
    night.run(&words)?;
    let asked = asked(&night);
    assert_eq!(asked.len(), 2, "{asked:#?}");
    assert_eq!(granted(&manifests, "etcd-cat-metrics"), asked);
    Ok(())
}

#[test]
fn the_other_accounts_may_do_nothing_and_have_no_token() {
    let manifests = all_manifests();
    let accounts = manifests
        .iter()
        .filter(|one| one["kind"] == "ServiceAccount");
    let mut others = 0;
    for account in accounts {
        let name = account["metadata"]["name"].as_str().expect("a name");
        if ["etcd-cat", "etcd-cat-metrics"].contains(&name) {
            continue;
        }
        assert_eq!(granted(&manifests, name), BTreeSet::new(), "{name}");
        assert_eq!(account["automountServiceAccountToken"], false, "{name}");
        others += 1;
    }
    assert_eq!(others, 2, "verify and fleet");
    for manifest in &manifests {
        let rules = manifest["rules"].to_string();
        assert!(!rules.contains("\"*\""), "{}", manifest["metadata"]["name"]);
    }
}
