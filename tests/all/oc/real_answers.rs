//! The fake `oc` against the real one: the same words, streams and exit codes.

use super::cluster::{Cluster, TestResult};
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A situation of `testdata/real/oc/answers.json`, and what makes the fake misbehave likewise.
const CASES: [(&str, &str); 21] = [
    ("bad token", "logged_in=no"),
    ("nobody listens", "out_at=*\nout_ms=600000"),
    ("no configuration", "configured=no"),
    ("create namespace", ""),
    ("create it again", ""),
    ("label", ""),
    ("annotate", ""),
    ("debug: unknown node", ""),
    ("debug: unknown namespace", ""),
    ("debug: command, both streams", ""),
    ("debug: exit code 3", ""),
    ("debug: no such command", ""),
    ("exec: both streams", ""),
    ("exec: exit code 7", ""),
    ("exec: killed by a signal", ""),
    ("exec: no such command", ""),
    ("exec: missing pod", ""),
    ("exec: missing namespace", ""),
    ("get: --request-timeout=3s and no answer", "slow_ms=9000"),
    ("delete namespace", ""),
    ("delete what is not there", ""),
];

const REAL_NODE: &str = "real-jtzmc-master-0";

/// Times, process ids, ports, and names of pods that nobody can foresee.
fn normalise(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = match line.split_once(" memcache.go:") {
            Some((_, message)) => format!("E memcache.go:{message}"),
            None => line.replace(REAL_NODE, "master-1"),
        };
        let line = line.replace("127.0.0.1:6443", "127.0.0.1:9");
        let line = match line.split_once("-debug-") {
            Some((before, after)) => {
                let name = after.find(|one: char| !one.is_ascii_alphanumeric());
                format!(
                    "{before}-debug-POD{}",
                    after.get(name.unwrap_or(after.len())..).unwrap_or_default()
                )
            }
            None => line,
        };
        lines.push(line);
    }
    lines.join("\n")
}

fn text<'v>(case: &'v Value, field: &str) -> &'v str {
    case[field].as_str().unwrap_or_default()
}

#[test]
fn the_fake_says_what_the_real_one_says() -> TestResult {
    let cluster = Cluster::new()?;
    let answers = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/real/oc/answers.json");
    let answers: Vec<Value> = serde_json::from_str(&fs::read_to_string(answers)?)?;
    for (name, scenario) in CASES {
        let case = answers.iter().find(|case| case["case"] == name);
        let case = case.ok_or_else(|| format!("no case {name}"))?;
        cluster.scenario(scenario)?;
        fs::create_dir_all(cluster.path("pods"))?;
        fs::write(cluster.path("pods/master-1-debug-64s4j"), "oc-rec\n")?;
        let words = case["args"].as_array().ok_or("no arguments")?.iter();
        let words = words.map(|word| {
            word.as_str()
                .unwrap_or_default()
                .replace(REAL_NODE, "master-1")
        });
        let output = Command::new(cluster.path("bin/oc")).args(words).output()?;
        // Merged streams have no order.
        let in_order = |text: String| {
            if !name.contains("both streams") {
                return text;
            }
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        };
        let ours = |bytes: &[u8]| in_order(normalise(&String::from_utf8_lossy(bytes)));
        assert_eq!(
            ours(&output.stderr),
            in_order(normalise(text(case, "stderr"))),
            "{name}: stderr"
        );
        assert_eq!(
            ours(&output.stdout),
            in_order(normalise(text(case, "stdout"))),
            "{name}: stdout"
        );
        assert_eq!(
            output.status.code().map(i64::from),
            case["exit"].as_i64(),
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn what_the_real_one_prints_is_told_in_one_true_line() -> Result<(), Box<dyn Error>> {
    let rows = [
        (
            "logged_in=no",
            "not-logged-in: error: You must be logged in to the server",
        ),
        (
            "configured=no",
            "Via the command-line flag --kubeconfig; 2. Via the KUBECONFIG",
        ),
    ];
    for (scenario, says) in rows {
        let night = super::command::Night::new()?;
        night.cluster.scenario(scenario)?;
        let ended = night.back_up(&[])?;
        ended.assert(scenario, 2, says);
        assert!(!ended.stderr.contains("memcache.go"), "{ended:#?}");
        assert!(!ended.stderr.contains("\\n"), "{ended:#?}");
    }
    Ok(())
}

#[test]
fn a_step_that_fails_where_streams_are_merged_is_told_with_its_reason() -> TestResult {
    let night = super::command::Night::new()?;
    night.cluster.scenario("denied='|create pods/exec|'")?;
    fs::remove_file(night.path("host/var/lib/etcd/member/snap/db"))?;
    let ended = night.back_up(&[])?;
    ended.assert("merged", 2, "No such file or directory");
    assert!(!ended.stderr.contains("Removing debug pod"), "{ended:#?}");
    Ok(())
}
