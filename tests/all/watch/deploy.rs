//! What lies in docs/deploy: manifests, rules, the dashboard, units.

use super::promtool::agrees;
use super::schema::Schemas;
use crate::support::samples;
use etcd_cat::metrics::Family;
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/deploy")
}

fn text(name: &str) -> String {
    let path = directory().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_ending(end: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory()).expect("it is there");
    let names = entries.map(|entry| entry.expect("listed").file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name.ends_with(end));
    names.sort();
    names
}

fn manifests(name: &str) -> Vec<Value> {
    let text = text(name);
    let documents = yaml_serde::Deserializer::from_str(&text);
    documents
        .map(|one| Value::deserialize(one).unwrap_or_else(|error| panic!("{name}: {error}")))
        .collect()
}

pub(crate) fn all_manifests() -> Vec<Value> {
    files_ending(".yaml")
        .iter()
        .flat_map(|name| manifests(name))
        .collect()
}

#[test]
fn the_api_server_knows_every_field_of_the_manifests() {
    let schemas = Schemas::load();
    let manifests = all_manifests();
    assert!(manifests.len() > 20, "{}", manifests.len());
    for manifest in manifests {
        let name = &manifest["metadata"]["name"];
        assert_eq!(
            schemas.complaints(&manifest),
            Vec::<String>::new(),
            "{name}"
        );
    }
}

/// The rules as Prometheus itself reads them, beside the tests of them.
fn rules() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let manifest = &manifests("rules.yaml")[0];
    let rules = yaml_serde::to_string(&manifest["spec"]).expect("YAML");
    std::fs::write(directory.path().join("rules.yml"), rules).expect("our own");
    let tests = samples::testdata().join("deploy/rules_test.yaml");
    std::fs::copy(tests, directory.path().join("rules_test.yaml")).expect("our own");
    directory
}

#[test]
fn prometheus_takes_the_rules_and_they_fire_when_they_should() {
    let directory = rules();
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    agrees(&["check", "rules", &path("rules.yml")], "");
    agrees(&["test", "rules", &path("rules_test.yaml")], "");
}

#[test]
fn each_alert_is_tested_and_says_what_is_wrong_and_what_to_do() {
    let tests = std::fs::read_to_string(samples::testdata().join("deploy/rules_test.yaml"))
        .expect("it is there");
    let manifest = &manifests("rules.yaml")[0];
    let groups = manifest["spec"]["groups"].as_array().expect("groups");
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().expect("rules"));
    let mut count = 0;
    for rule in rules {
        let name = rule["alert"].as_str().expect("an alert");
        let severity = rule["labels"]["severity"].as_str().expect("a severity");
        assert!(["critical", "warning"].contains(&severity), "{name}");
        let firing = format!("{{alertname=\"{name}\"");
        assert!(tests.contains(&firing), "{name} is not seen to fire");
        for annotation in ["summary", "description"] {
            let text = rule["annotations"][annotation].as_str().unwrap_or_default();
            assert!(text.ends_with('.'), "{name}: {annotation}");
        }
        count += 1;
    }
    assert!(count >= 8, "{count} alerts");
}

/// Names of ours in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|one: char| !one.is_ascii_alphanumeric() && one != '_');
    let ours = words.filter(|word| word.starts_with("etcdcat_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn alerts_and_the_dashboard_ask_only_for_what_is_told_and_all_of_it_is_documented() {
    let told: BTreeSet<String> = Family::ALL
        .iter()
        .map(|family| family.name().to_owned())
        .collect();
    let asked = &named(&text("rules.yaml")) | &named(&text("dashboard.json"));
    let unknown: Vec<_> = asked.difference(&told).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let documented = named(&text("README.md"));
    assert_eq!(documented, told, "docs/deploy/README.md lists them all");
}

#[test]
fn the_dashboard_is_whole_and_prometheus_reads_each_of_its_questions() {
    let dashboard: Value = serde_json::from_str(&text("dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut ids = BTreeSet::new();
    let mut groups = String::from("groups:\n- name: dashboard\n  rules:\n");
    for panel in panels {
        assert!(ids.insert(panel["id"].as_i64().expect("an id")), "{panel}");
        assert!(
            panel["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty())
        );
        for target in panel["targets"].as_array().expect("targets") {
            let expr = target["expr"].as_str().expect("a question");
            let expr = expr.replace("$cluster", ".*");
            let quoted = serde_json::to_string(&expr).expect("text");
            let number = groups.lines().count();
            groups += &format!("  - record: q{number}\n    expr: {quoted}\n");
        }
    }
    assert!(ids.len() >= 10, "{} panels", ids.len());
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("rules.yml");
    std::fs::write(&path, groups).expect("our own");
    agrees(&["check", "rules", path.to_str().expect("plain")], "");
}

/// What a job makes of an exit code of its container: nothing said is another try, as often as it may.
fn made_of(job: &Value, code: i64) -> Vec<&str> {
    let rules = job["podFailurePolicy"]["rules"].as_array().expect("rules");
    let container = &job["template"]["spec"]["containers"][0]["name"];
    let meant = rules.iter().filter(|rule| {
        let codes = &rule["onExitCodes"];
        let values = codes["values"].as_array().into_iter().flatten();
        codes["operator"] == "In"
            && codes["containerName"] == *container
            && values.clone().any(|value| *value == code)
    });
    meant
        .map(|rule| rule["action"].as_str().expect("an action"))
        .collect()
}

#[test]
fn jobs_of_a_fleet_do_what_the_exit_codes_say() {
    let jobs = manifests("fleet.yaml");
    let job = |name: &str| {
        let mut jobs = jobs.iter().filter(|one| one["kind"] == "CronJob");
        let found = jobs.find(|one| one["metadata"]["name"] == name);
        &found.expect(name)["spec"]["jobTemplate"]["spec"]
    };
    for name in ["etcd-cat-fleet-plan", "etcd-cat-fleet-work"] {
        let job = job(name);
        assert_eq!(made_of(job, 64), ["FailJob"], "{name}");
        assert_eq!(made_of(job, 75), [""; 0], "{name}: it is tried again");
        for code in [130, 143] {
            assert_eq!(made_of(job, code), ["Ignore"], "{name}");
        }
        let drained = &job["podFailurePolicy"]["rules"].to_string();
        assert!(drained.contains("DisruptionTarget"), "{name}: {drained}");
        assert_eq!(job["template"]["spec"]["restartPolicy"], "Never", "{name}");
    }
    // A merge that says that a backup is invalid has done what it was there for.
    assert_eq!(made_of(job("etcd-cat-fleet-merge"), 1), ["FailJob"]);
    assert_eq!(made_of(job("etcd-cat-fleet-merge"), 2), [""; 0]);
    let work = job("etcd-cat-fleet-work");
    assert_eq!(work["completionMode"], "Indexed");
    assert_eq!(work["podReplacementPolicy"], "Failed");
    assert!(work["backoffLimitPerIndex"].as_u64() > Some(0), "{work}");
    let words = &job("etcd-cat-fleet-plan")["template"]["spec"]["containers"][0]["args"];
    let words: Vec<&str> = words
        .as_array()
        .expect("words")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let shards = words.iter().skip_while(|word| **word != "--shards").nth(1);
    assert_eq!(
        shards.map(ToString::to_string),
        Some(work["completions"].to_string())
    );
}

#[test]
fn the_commands_in_manifests_and_units_are_understood() {
    let mut lines = Vec::new();
    for unit in files_ending(".service") {
        for line in text(&unit).lines() {
            let command = line
                .split_once("/usr/local/bin/etcd-cat ")
                .map(|(_, rest)| rest);
            lines.extend(command.map(|rest| rest.trim_end_matches('\'').to_owned()));
        }
    }
    for manifest in all_manifests() {
        let template = match manifest["kind"].as_str() {
            Some("CronJob") => &manifest["spec"]["jobTemplate"]["spec"]["template"],
            Some("Deployment") => &manifest["spec"]["template"],
            _ => continue,
        };
        let container = &template["spec"]["containers"][0];
        let words = ["command", "args"].map(|field| container[field].as_array().expect("words"));
        let words = words.into_iter().flatten().skip(1);
        let words: Vec<&str> = words.map(|word| word.as_str().expect("text")).collect();
        lines.push(words.join(" "));
    }
    assert!(lines.len() >= 6, "{lines:?}");
    for line in lines {
        // Help is given only for a command line whose words are known.
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("etcd-cat"));
        command
            .env_clear()
            .args(line.split(' '))
            .arg("--no-such-option");
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains("unexpected argument '--no-such-option'"),
            "{line}: {said}"
        );
    }
}
