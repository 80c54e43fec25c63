//! The fake `oc` against the real one: the same words, streams and exit codes.

use super::cluster::{Cluster, TestResult};
use super::command::Night;
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A situation of `testdata/real/oc/answers.json`, and what makes the fake misbehave likewise; in this order.
const CASES: [(&str, &str); 44] = [
    ("bad token", "logged_in=no"),
    ("nobody listens", "out_at=*\nout_ms=600000"),
    ("unknown host", "reachable=unknown-host"),
    (
        "certificate of an unknown authority",
        "reachable=unknown-authority",
    ),
    ("no configuration", "configured=no"),
    ("client version", ""),
    ("forbidden: list secrets", "forbidden_at='get secrets*'"),
    (
        "forbidden: create namespace",
        "forbidden_at='create namespace*'",
    ),
    ("forbidden: one object", "forbidden_at='get secret*'"),
    ("can-i yes", ""),
    ("can-i no", "denied='|create namespaces|'"),
    (
        "can-i subresource",
        "denied='|create pods/exec|'\ndenied_because='RBAC: clusterrole.rbac.authorization.k8s.io \"system:openshift:scc:privileged\" not found'",
    ),
    ("missing object", ""),
    ("some of several are missing", ""),
    ("unknown resource type", ""),
    ("empty list", ""),
    ("create namespace", ""),
    ("create it again", ""),
    ("label", ""),
    ("label again", ""),
    ("label otherwise", ""),
    ("annotate", ""),
    ("debug: unknown node", ""),
    ("debug: unknown namespace", ""),
    ("debug: command, both streams", ""),
    ("debug: exit code 3", ""),
    ("debug: no such command", ""),
    ("debug: forbidden", "forbidden_at='debug *'"),
    ("exec: both streams", ""),
    ("exec: exit code 7", ""),
    ("exec: killed by a signal", ""),
    ("exec: no such command", ""),
    ("exec: missing pod", ""),
    ("exec: missing namespace", ""),
    ("exec: binary, 1 MB", ""),
    ("exec: forbidden", "forbidden_at='exec *'"),
    (
        "exec: the API server does not answer for 5 s",
        "out_at='exec *'\nout_ms=300\nout_how=hang",
    ),
    (
        "exec: the API server does not answer for 50 s",
        "out_at='exec *'\nout_ms=900\nout_how=hang",
    ),
    ("get: --request-timeout=3s and no answer", "slow_ms=9000"),
    ("delete namespace", "terminating=yes"),
    ("delete namespace while it goes", "terminating=yes"),
    ("create in a namespace that goes", ""),
    ("delete what is not there", ""),
    ("delete what is not there, strictly", ""),
];

/// An `oc debug` that is left running: another test has them.
const BACKGROUND: [&str; 2] = ["debug sleep: its pod was deleted", "debug sleep: SIGTERM"];

/// What no command of etcd-cat asks, and why.
const NOT_MET: [(&str, &str); 4] = [
    (
        "who",
        "nobody asks for the user's name: rights decide, not names",
    ),
    ("can-i list", "rights are asked for one by one"),
    (
        "can-i unknown resource",
        "only kinds that every API server has are asked for",
    ),
    ("pods left", "objects are read as JSON, never as a table"),
];

/// Where the real answer is an object, the fake is given that.
const OBJECTS: [(&str, &str); 3] = [
    ("client version", "version"),
    ("some of several are missing", "clusteroperators"),
    ("empty list", "etcd-pods"),
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
        let line = line.replace("127.0.0.1:34049", "127.0.0.1:9");
        let mut parts = line.split("-debug-");
        let first = parts.next().unwrap_or_default().to_owned();
        let line = parts.fold(first, |line, part| {
            let rest = part.trim_start_matches(|one: char| one.is_ascii_alphanumeric());
            format!("{line}-debug-POD{rest}")
        });
        lines.push(line);
    }
    lines.join("\n")
}

fn text<'v>(case: &'v Value, field: &str) -> &'v str {
    case[field].as_str().unwrap_or_default()
}

fn answers() -> Result<Vec<Value>, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/real/oc/answers.json");
    Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
}

fn case<'v>(answers: &'v [Value], name: &str) -> Result<&'v Value, Box<dyn Error>> {
    let case = answers.iter().find(|case| case["case"] == name);
    case.ok_or_else(|| format!("no case {name}").into())
}

/// The fake with the words of the real run.
fn fake(cluster: &Cluster, case: &Value) -> Result<Command, Box<dyn Error>> {
    let words = case["args"].as_array().ok_or("no arguments")?.iter();
    let words = words.map(|word| {
        let word = word.as_str().unwrap_or_default();
        let word = word.replace(REAL_NODE, "master-1");
        word.replace("sleep 1;", "sleep 0.05;")
    });
    let mut command = Command::new(cluster.path("bin/oc"));
    command.args(words);
    Ok(command)
}

fn assert_same(name: &str, output: &Output, case: &Value) {
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
    let stderr = in_order(normalise(text(case, "stderr")));
    assert_eq!(ours(&output.stderr), stderr, "{name}: stderr");
    let stdout = text(case, "stdout");
    if stdout.ends_with(" bytes)") {
        assert_eq!(format!("({} bytes)", output.stdout.len()), stdout, "{name}");
    } else if let Ok(object) = serde_json::from_str::<Value>(stdout) {
        let ours = serde_json::from_slice::<Value>(&output.stdout).ok();
        assert_eq!(ours, Some(object), "{name}: stdout");
    } else {
        let stdout = in_order(normalise(stdout));
        assert_eq!(ours(&output.stdout), stdout, "{name}: stdout");
    }
    assert_eq!(
        output.status.code().map(i64::from),
        case["exit"].as_i64(),
        "{name}"
    );
}

#[test]
fn the_fake_says_what_the_real_one_says() -> TestResult {
    let cluster = Cluster::new()?;
    let answers = answers()?;
    fs::create_dir_all(cluster.path("host/dev"))?;
    symlink("/dev/urandom", cluster.path("host/dev/urandom"))?;
    for (name, scenario) in CASES {
        let case = case(&answers, name)?;
        let _ = fs::remove_file(cluster.path("counters/out"));
        cluster.scenario(scenario)?;
        fs::create_dir_all(cluster.path("pods"))?;
        fs::write(cluster.path("pods/master-1-debug-64s4j"), "oc-rec\n")?;
        if let Some((_, answer)) = OBJECTS.iter().find(|(of, _)| *of == name) {
            let answer = cluster.path(&format!("answers/{answer}.json"));
            fs::write(answer, text(case, "stdout"))?;
        }
        assert_same(name, &fake(&cluster, case)?.output()?, case);
    }
    Ok(())
}

#[test]
fn every_situation_is_replayed_or_cannot_be_met() -> TestResult {
    let replayed = CASES.iter().map(|(name, _)| *name).chain(BACKGROUND);
    let mut known: Vec<&str> = replayed
        .chain(NOT_MET.iter().map(|(name, _)| *name))
        .collect();
    known.sort_unstable();
    let answers = answers()?;
    let mut recorded: Vec<&str> = answers.iter().map(|case| text(case, "case")).collect();
    recorded.sort_unstable();
    assert_eq!(known, recorded);
    assert!(NOT_MET.iter().all(|(_, reason)| !reason.is_empty()));
    Ok(())
}

#[test]
fn a_debug_pod_that_is_held_ends_as_the_real_one_does() -> TestResult {
    let cluster = Cluster::new()?;
    let answers = answers()?;
    fs::create_dir_all(cluster.path("namespaces"))?;
    fs::write(cluster.path("namespaces/oc-rec"), "")?;
    for name in BACKGROUND {
        let case = case(&answers, name)?;
        cluster.scenario("lost_at_removal=yes")?;
        let child = fake(&cluster, case)?
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let begun = Instant::now();
        while cluster.names("pods").is_empty() && begun.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(20));
        }
        // Its words come behind the pod.
        thread::sleep(Duration::from_millis(300));
        let pods = cluster.names("pods");
        assert_eq!(pods.len(), 1, "{name}");
        if name.ends_with("SIGTERM") {
            let pid = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        } else {
            fs::remove_file(cluster.path("pods").join(&pods[0]))?;
        }
        assert_same(name, &child.wait_with_output()?, case);
        let is_left = !cluster.names("pods").is_empty();
        assert_eq!(is_left, name.ends_with("SIGTERM"), "{name}");
    }
    Ok(())
}

type Change = fn(&Night) -> TestResult;

struct Said {
    /// What it is of `CASES`.
    case: &'static str,
    change: Change,
    code: i32,
    /// The one true line, and what to do.
    says: &'static str,
    remedy: &'static str,
}

const LOG_IN: &str = "log in with `oc login`, or set KUBECONFIG";
const AS_ANOTHER: &str = "log in as somebody who may";
const REACH: &str = "see whether the API server can be reached from here";
const NO_OPENSHIFT: &str = "this is no OpenShift cluster";

const SAID: [Said; 15] = [
    Said {
        case: "bad token",
        change: |night| Ok(night.cluster.scenario("logged_in=no")?),
        code: 2,
        says: "not-logged-in: error: You must be logged in to the server (the server has asked for the client to provide credentials)",
        remedy: LOG_IN,
    },
    Said {
        case: "no configuration",
        change: |night| Ok(night.cluster.scenario("configured=no")?),
        code: 2,
        says: "Via the command-line flag --kubeconfig; 2. Via the KUBECONFIG",
        remedy: LOG_IN,
    },
    Said {
        case: "nobody listens",
        change: |night| Ok(night.cluster.scenario("out_at=*\nout_ms=600000")?),
        code: 2,
        says: "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
        remedy: REACH,
    },
    Said {
        case: "unknown host",
        change: |night| Ok(night.cluster.scenario("reachable=unknown-host")?),
        code: 2,
        says: "Unable to connect to the server: dial tcp: lookup api.nowhere.invalid on 192.0.2.53:53: no such host",
        remedy: REACH,
    },
    Said {
        case: "certificate of an unknown authority",
        change: |night| Ok(night.cluster.scenario("reachable=unknown-authority")?),
        code: 2,
        says: "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        remedy: "`oc login --certificate-authority=FILE`",
    },
    Said {
        case: "forbidden: list secrets",
        change: |night| Ok(night.cluster.scenario("forbidden_at='get nodes*'")?),
        code: 2,
        says: "forbidden: Error from server (Forbidden): nodes is forbidden: User \"system:serviceaccount:etcd-cat:etcd-cat\" cannot list",
        remedy: AS_ANOTHER,
    },
    Said {
        case: "forbidden: create namespace",
        change: |night| Ok(night.cluster.scenario("forbidden_at='create namespace*'")?),
        code: 2,
        says: "Error from server (Forbidden): namespaces is forbidden: User",
        remedy: AS_ANOTHER,
    },
    Said {
        case: "debug: forbidden",
        change: |night| Ok(night.cluster.scenario("forbidden_at='debug *'")?),
        code: 2,
        says: "Error from server (Forbidden): pods is forbidden: User",
        remedy: AS_ANOTHER,
    },
    Said {
        case: "exec: forbidden",
        change: |night| Ok(night.cluster.scenario("forbidden_at='exec *'")?),
        code: 2,
        says: "Error from server (Forbidden): pods \"master-1-debug-x1\" is forbidden: User",
        remedy: AS_ANOTHER,
    },
    Said {
        case: "can-i subresource",
        change: |night| {
            let because = "denied_because='RBAC: clusterrole \"scc:privileged\" not found'";
            let denied = format!("denied='|create pods|'\n{because}");
            Ok(night.cluster.scenario(&denied)?)
        },
        code: 2,
        says: "forbidden: not allowed to create pods",
        remedy: AS_ANOTHER,
    },
    Said {
        case: "missing object",
        change: |night| Ok(fs::remove_file(night.path("answers/clusterversion.json"))?),
        code: 2,
        says: "Error from server (NotFound): clusterversions.config.openshift.io \"version\" not found",
        remedy: NO_OPENSHIFT,
    },
    Said {
        case: "unknown resource type",
        change: |night| Ok(night.cluster.scenario("openshift=no")?),
        code: 2,
        says: "error: the server doesn't have a resource type \"clusterversions\"",
        remedy: NO_OPENSHIFT,
    },
    Said {
        case: "some of several are missing",
        change: |night| {
            let path = night.path("answers/clusteroperators.json");
            let other = fs::read_to_string(&path)?.replace("\"kube-scheduler\"", "\"gone\"");
            Ok(fs::write(path, other)?)
        },
        code: 2,
        says: "Error from server (NotFound): clusteroperators.config.openshift.io \"kube-scheduler\" not found",
        remedy: "--force operator-unknown",
    },
    Said {
        case: "empty list",
        change: |night| {
            Ok(fs::write(
                night.path("answers/etcd-pods.json"),
                r#"{"items":[]}"#,
            )?)
        },
        code: 2,
        says: "no-healthy-node: ",
        remedy: "the etcd pod on master-1 is not Ready",
    },
    // Somebody was first: ours count.
    Said {
        case: "label otherwise",
        change: |night| {
            let born = "born_with=pod-security.kubernetes.io/enforce=restricted";
            Ok(night.cluster.scenario(born)?)
        },
        code: 0,
        says: "removing what was made in the cluster",
        remedy: "",
    },
];

#[test]
fn what_the_real_one_prints_is_told_in_one_true_line_with_what_to_do() -> TestResult {
    for Said {
        case,
        change,
        code,
        says,
        remedy,
    } in SAID
    {
        assert!(CASES.iter().any(|(name, _)| *name == case), "{case}");
        let night = Night::new()?;
        change(&night)?;
        let ended = night.back_up(&[])?;
        ended.assert(case, code, says);
        assert!(ended.stderr.contains(remedy), "{case}: {ended:#?}");
        assert!(!ended.stderr.contains("memcache.go"), "{case}: {ended:#?}");
        assert!(!ended.stderr.contains("\\n"), "{case}: {ended:#?}");
        let errors = ended
            .stderr
            .lines()
            .filter(|line| line.starts_with("error:"));
        assert_eq!(errors.count(), usize::from(code == 2), "{case}: {ended:#?}");
    }
    Ok(())
}

/// A namespace that does not go at once, and an `oc debug` that cannot delete its pod, take nothing from a backup.
#[test]
fn what_the_real_one_says_on_the_way_out_takes_nothing_from_a_backup() -> TestResult {
    for scenario in ["terminating=yes", "lost_at_removal=yes\nlose_pod_after=3"] {
        let night = Night::new()?;
        night.cluster.scenario(scenario)?;
        night.back_up(&[])?.assert(scenario, 0, "");
        assert_eq!(night.list()?[0]["verdict"], "valid", "{scenario}");
        assert_eq!(night.cluster.names("pods"), Vec::<String>::new());
    }
    Ok(())
}

#[test]
fn a_step_that_fails_where_streams_are_merged_is_told_with_its_reason() -> TestResult {
    let night = Night::new()?;
    night.cluster.scenario("denied='|create pods/exec|'")?;
    fs::remove_file(night.path("host/var/lib/etcd/member/snap/db"))?;
    let ended = night.back_up(&[])?;
    ended.assert("merged", 2, "No such file or directory");
    assert!(!ended.stderr.contains("Removing debug pod"), "{ended:#?}");
    Ok(())
}
