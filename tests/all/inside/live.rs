//! A backup against the live cluster: the fake `oc` gives what a real API server said of the same cluster later.

use super::clusters::{SOON, put, served, text};
use super::diff::EXPECTED;
use crate::cli::environment::{Ran, TestEnv};
use crate::documents::json::assert_documented;
use crate::oc::cluster::{Cluster, TestResult};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs;

/// The id that the fake `oc` answers with.
const ANSWERED: &str = "0d5c6f5e-6b5b-4b8e-9d0a-3f0f6f2f9c11";

struct Live {
    env: TestEnv,
    cluster: Cluster,
    /// The backup.
    snapshot: String,
}

impl Live {
    /// `prod-421` as a backup, and `prod-421-later` as the live cluster.
    fn new() -> Result<Self, Box<dyn Error>> {
        let (env, cluster) = (TestEnv::new(), Cluster::new()?);
        let snapshot = put(&env, "prod-421");
        let later = put(&env, "prod-421-later");
        let told: Value = env
            .run(&["ls", &later, "--no-catalogue", "-o", "json"])
            .ends_with(0)
            .json();
        let kinds = told["items"].as_array().ok_or("no list")?.iter();
        let names: HashMap<[&str; 2], String> = kinds
            .map(|kind| {
                let [group, plural, kind] =
                    ["/group", "/resource", "/kind"].map(|field| text(kind, field));
                let dot = if group.is_empty() { "" } else { "." };
                ([group, kind], format!("{plural}{dot}{group}"))
            })
            .collect();
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        let objects = served("prod-421-later");
        for object in &objects {
            let version = text(object, "/apiVersion");
            let group = version.split_once('/').map_or("", |(group, _)| group);
            let Some(name) = names.get(&[group, text(object, "/kind")]) else {
                continue;
            };
            let [namespace, own, revision] =
                ["namespace", "name", "resourceVersion"].map(|field| {
                    let value = text(object, &format!("/metadata/{field}"));
                    value.replace('%', "%25").replace(' ', "+")
                });
            let kind = text(object, "/kind");
            *lines.entry(name).or_default() +=
                &format!("{version} {kind} {namespace} {own} {revision}\n");
        }
        fs::create_dir(cluster.path("live"))?;
        for (name, lines) in lines {
            fs::write(cluster.path("live").join(name), lines)?;
        }
        let id = objects.iter().find(|one| one["kind"] == "ClusterVersion");
        let id = text(id.ok_or("no ClusterVersion")?, "/spec/clusterID");
        cluster.edit("clusterversion", ANSWERED, id)?;
        Ok(Self {
            env,
            cluster,
            snapshot,
        })
    }

    fn diff(&self, arguments: &[&str]) -> Ran {
        let oc = self.cluster.path("bin/oc");
        let oc = oc.to_str().expect("a plain path");
        let all = [
            &["diff", &self.snapshot, "--live", "--oc", oc],
            arguments,
            &["--no-catalogue", "--as-of", SOON],
        ];
        self.env.run(&all.concat())
    }

    fn document(&self, arguments: &[&str]) -> Value {
        self.diff(&[arguments, &["-o", "json"]].concat())
            .ends_with(0)
            .json()
    }

    /// Removes a kind from what the cluster serves.
    fn drop(&self, kind: &str) -> TestResult {
        Ok(fs::remove_file(self.cluster.path("live").join(kind))?)
    }
}

fn names(page: &str) -> Vec<&str> {
    let is_name = |line: &&str| line.starts_with(['+', '-', '~']);
    let mut names: Vec<&str> = page.lines().filter(is_name).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_live_cluster_is_told_as_its_own_later_backup() -> TestResult {
    let live = Live::new()?;
    let page = live.diff(&["--names"]).ends_with(0).stdout;
    assert_eq!(names(&page), EXPECTED, "{page}");
    assert!(page.contains("8 added, 5 removed, 3 changed"), "{page}");
    assert!(
        page.contains("  lose other secrets: secret/shop/new-secret\n"),
        "{page}"
    );
    assert!(
        page.contains("live cluster prod-7xk2p  version 4.17.3"),
        "{page}"
    );
    // What the API server keeps for itself is no object that anybody could list.
    let told = live.document(&[]);
    assert_eq!(
        told["summary"],
        serde_json::json!({"added": 8, "removed": 5, "changed": 3})
    );
    assert_eq!(
        (&told["to"], &told["sameCluster"]),
        (&Value::Null, &true.into())
    );
    assert_eq!(text(&told, "/live/version"), "4.17.3");
    assert_eq!(text(&told, "/live/askedAt"), SOON);
    let items = told["items"].as_array().ok_or("no list")?;
    let web = items
        .iter()
        .find(|item| item["name"] == "web")
        .ok_or("no web")?;
    assert_eq!(web["recreated"], Value::Null);
    assert!(
        web["toSizeBytes"].is_null() && web["fromSizeBytes"].is_u64(),
        "{web}"
    );
    assert!(
        web["toRevision"].as_i64() > web["fromRevision"].as_i64(),
        "{web}"
    );
    Ok(())
}

#[test]
fn oc_is_asked_in_few_calls_for_names_and_resource_versions_alone() -> TestResult {
    let live = Live::new()?;
    live.diff(&["--context", "prod", "--kubeconfig", "/k"])
        .ends_with(0);
    let calls = live.cluster.log();
    assert!((4..=8).contains(&calls.len()), "{calls:#?}");
    let kinds = fs::read_dir(live.cluster.path("live"))?.count();
    assert!(kinds > 60, "{kinds}");
    for call in &calls {
        assert!(call.contains(&"--context=prod".to_owned()), "{call:?}");
        assert!(call.contains(&"--kubeconfig=/k".to_owned()), "{call:?}");
    }
    let listings: Vec<&Vec<String>> = calls
        .iter()
        .filter(|call| {
            call.contains(&"get".to_owned()) && call.contains(&"--all-namespaces".to_owned())
        })
        .collect();
    assert!(!listings.is_empty());
    for call in listings {
        let template = call.last().ok_or("no words")?;
        assert!(
            template.starts_with("go-template={{range .items}}"),
            "{template}"
        );
        let fields: Vec<&str> = template
            .split(['{', '}', ' '])
            .filter(|word| word.starts_with('.'))
            .collect();
        for field in fields {
            let is_told = [".", ".items", ".apiVersion", ".kind"].contains(&field)
                || [
                    ".metadata.namespace",
                    ".metadata.name",
                    ".metadata.resourceVersion",
                ]
                .contains(&field);
            assert!(is_told, "{field}");
        }
    }
    Ok(())
}

#[test]
fn one_namespace_is_asked_for_by_those_who_may_see_no_more() -> TestResult {
    let live = Live::new()?;
    let page = live.diff(&["-n", "shop", "--names"]).ends_with(0).stdout;
    let expected: Vec<&str> = EXPECTED
        .into_iter()
        .filter(|name| name.contains("/shop/"))
        .collect();
    assert_eq!(names(&page), expected, "{page}");
    let calls = live.cluster.log_lines();
    let gets: Vec<&String> = calls
        .iter()
        .filter(|call| call.contains("go-template"))
        .collect();
    assert!(!gets.is_empty());
    for call in gets {
        assert!(
            call.contains(" -n shop ") && !call.contains("all-namespaces"),
            "{call}"
        );
        assert!(
            !call.contains("persistentvolumes,") && !call.contains(" nodes,"),
            "{call}"
        );
    }
    Ok(())
}

#[test]
fn what_may_not_be_listed_is_told_and_never_taken_as_removed() -> TestResult {
    let live = Live::new()?;
    live.cluster.scenario(
        "forbidden_reads='|secrets|nodes|'\nbroken='|widgets.example.com|'\nincomplete=yes\n",
    )?;
    live.drop("leases.coordination.k8s.io")?;
    let told = live.document(&[]);
    assert_documented(&told);
    let items = told["items"].as_array().ok_or("no list")?;
    let hidden = ["secrets", "nodes", "widgets", "leases"];
    assert!(items.len() < EXPECTED.len());
    for item in items {
        assert!(!hidden.contains(&text(item, "/resource")), "{item}");
    }
    let not_compared = told["notCompared"].as_array().ok_or("no list")?;
    let of = |resource: &str| {
        let found = not_compared.iter().find(|one| one["resource"] == resource);
        found.ok_or(format!("{resource} is not told: {not_compared:?}"))
    };
    for resource in ["secrets", "nodes"] {
        assert_eq!(
            text(of(resource)?, "/reason"),
            "this user may not list them"
        );
    }
    assert_eq!(of("secrets")?["objects"], 9);
    assert!(text(of("widgets")?, "/reason").contains("conversion webhook"));
    assert_eq!(
        text(of("leases")?, "/reason"),
        "the live cluster does not list them"
    );
    let page = live.diff(&[]).ends_with(0).stdout;
    assert!(page.contains("NOT COMPARED"), "{page}");
    assert!(
        page.contains("  this user may not list them: nodes (6), secrets (9)\n"),
        "{page}"
    );
    Ok(())
}

#[test]
fn nothing_listed_is_no_answer() -> TestResult {
    let live = Live::new()?;
    let kinds = fs::read_dir(live.cluster.path("live"))?;
    let kinds = kinds.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let kinds: Vec<String> = kinds.collect::<std::io::Result<_>>()?;
    live.cluster
        .scenario(&format!("forbidden_reads='|{}|'\n", kinds.join("|")))?;
    let ran = live.diff(&["-o", "json"]).ends_with(2);
    assert_eq!(
        (ran.stdout.as_str(), &ran.error()["code"]),
        ("", &"oc".into())
    );
    assert!(ran.stderr.contains("may not list them"), "{ran:?}");
    Ok(())
}

#[test]
fn failures_of_oc_end_as_those_of_other_commands() -> TestResult {
    let live = Live::new()?;
    for (scenario, says) in [
        ("logged_in=no", "log in with `oc login`"),
        ("configured=no", "log in with `oc login`"),
        ("reachable=no", "Unable to connect to the server"),
        (
            "out_at='*go-template*'\nout_ms=60000",
            "The connection to the server",
        ),
    ] {
        live.cluster.scenario(scenario)?;
        let ran = live.diff(&[]).ends_with(2);
        assert!(ran.stderr.contains(says), "{scenario}: {ran:?}");
        assert_eq!(ran.stdout, "", "{scenario}");
    }
    live.cluster.scenario("")?;
    live.cluster
        .edit("clusterversion", "clusterID\": \"", "clusterID\": \"9")?;
    let other = live.diff(&[]).ends_with(2);
    assert!(other.stderr.contains("--context"), "{other:?}");
    let offline = live.diff(&["--offline"]).ends_with(2);
    assert!(
        offline.stderr.contains("--offline forbids it"),
        "{offline:?}"
    );
    let both = live.env.run(&["diff", "a", "b", "--live"]).ends_with(2);
    assert_eq!(both.stdout, "");
    let neither = live.env.run(&["diff", "a"]).ends_with(2);
    assert_eq!(neither.stdout, "");
    Ok(())
}

#[test]
fn a_cluster_that_does_not_tell_which_it_is_is_compared_and_doubted() -> TestResult {
    let live = Live::new()?;
    fs::remove_file(live.cluster.path("answers/clusterversion.json"))?;
    let ran = live.diff(&["-o", "json"]).ends_with(0);
    assert!(ran.stderr.contains("nothing tells whether"), "{ran:?}");
    let told: Value = ran.json();
    assert_eq!(told["sameCluster"], Value::Null);
    assert_eq!(told["summary"]["added"], 8);
    Ok(())
}

#[test]
fn a_cluster_that_went_back_is_doubted() -> TestResult {
    let live = Live::new()?;
    assert!(!live.diff(&[]).ends_with(0).stderr.contains("restored"));
    for entry in fs::read_dir(live.cluster.path("live"))? {
        let path = entry?.path();
        let lines = fs::read_to_string(&path)?;
        let older = lines.lines().map(|line| {
            let (name, revision) = line.rsplit_once(' ').unwrap_or_default();
            format!(
                "{name} {}\n",
                revision.parse::<i64>().map_or(1, |own| own.min(600))
            )
        });
        fs::write(&path, older.collect::<String>())?;
    }
    let ran = live.diff(&[]).ends_with(0);
    assert!(
        ran.stderr.contains("if the cluster was restored"),
        "{ran:?}"
    );
    Ok(())
}

#[test]
fn names_that_are_odd_are_themselves() -> TestResult {
    let live = Live::new()?;
    let roles = live.cluster.path("live/roles.rbac.authorization.k8s.io");
    let mut lines = fs::read_to_string(&roles)?;
    lines.push_str("rbac.authorization.k8s.io/v1 Role shop we+ird%0A%1B%5B31m 9\n");
    fs::write(&roles, lines)?;
    let told = live.document(&[]);
    let items = told["items"].as_array().ok_or("no list")?.iter();
    let names: Vec<&str> = items.map(|item| text(item, "/name")).collect();
    assert!(names.contains(&"we ird\n\u{1b}[31m"), "{names:?}");
    let page = live.diff(&["--names"]).ends_with(0).stdout;
    assert!(!page.contains('\u{1b}'), "{page:?}");
    Ok(())
}
