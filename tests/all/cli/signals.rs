//! Stopped in the middle: what was finished is kept, and nothing half-done is left.

use crate::cli::environment::{Ran, SOON, TestEnv};
use crate::support::samples;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// So many different sound snapshots that reading them takes a while.
const MANY: usize = 240;

fn many() -> TestEnv {
    let env = TestEnv::new();
    let snapshot = samples::bytes("backups/secretbox/snapshot_2024-11-07_030000.db");
    for number in 0..MANY {
        // Other bytes under another name; what lies behind the last used page of a leaf is free for anything.
        let bytes = crate::cli::edit::numbered(&snapshot, number);
        env.put(
            &format!(
                "data/snapshot_2024-11-07_03{:02}{:02}.db",
                number / 60,
                number % 60
            ),
            bytes,
        );
    }
    env
}

fn start(env: &TestEnv, arguments: &[&str]) -> Child {
    let mut command = env.command(arguments);
    command
        .env("ETCD_CAT_AS_OF", SOON)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status();
    assert!(sent.expect("kill is there").success());
}

/// Waits until some records are finished: the catalogue has grown.
fn wait_for_some(env: &TestEnv, child: &mut Child) {
    let started = Instant::now();
    while !env.path("catalogue.redb").exists() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing is remembered"
        );
        if child.try_wait().expect("our child").is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(250));
}

/// Only finished files lie there.
fn assert_nothing_half_done(env: &TestEnv) {
    let entries = std::fs::read_dir(env.path("")).expect("our own");
    let names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let is_known = |name: &String| {
        ["data", "keys"].contains(&name.as_str()) || name.starts_with("catalogue.redb")
    };
    assert!(names.iter().all(is_known), "{names:?}");
}

#[test]
fn an_index_that_is_interrupted_says_so_and_keeps_what_it_has() {
    let env = many();
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let _ = std::fs::remove_file(env.path("catalogue.redb"));
        let mut child = start(&env, &["index", "--jobs", "1", "-o", "json", "data"]);
        wait_for_some(&env, &mut child);
        signal(&child, name);
        let ran = Ran::of(child.wait_with_output().expect("it ends")).ends_with(code);
        assert!(ran.stdout.is_empty(), "no half answer: {}", ran.stdout);
        assert_eq!(ran.error()["code"], "interrupted");
        assert_nothing_half_done(&env);
        let kept = env.list().len();
        assert!(kept < MANY, "it was in the middle");
        let again = env.run(&["index", "-o", "json", "--as-of", SOON, "data"]);
        let report: crate::cli::contract::VerifyReport = again.json();
        assert_eq!(
            report.summary.files as usize,
            MANY - kept,
            "what was finished is not read again"
        );
        assert_eq!(env.list().len(), MANY);
    }
}

#[test]
fn an_index_that_is_killed_loses_no_finished_record() {
    let env = many();
    let mut child = start(&env, &["index", "--jobs", "1", "data"]);
    wait_for_some(&env, &mut child);
    child.kill().expect("our child");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(9), "it was in the middle");
    let kept = env.list();
    assert!(
        kept.iter()
            .all(|one| one.snapshot().digest.state == "match")
    );
    let again = env.run(&["index", "-o", "json", "--as-of", SOON, "data"]);
    let report: crate::cli::contract::VerifyReport = again.json();
    assert_eq!(report.summary.files as usize, MANY - kept.len());
    assert_eq!(env.list().len(), MANY);
    assert_nothing_half_done(&env);
    // A catalogue that has records loses none of them to a kill in the next run.
    for number in 0..5 {
        env.put(
            &format!("data/late{number}/snapshot_2024-11-07_040{number}00.db"),
            samples::bytes("backups/alarm/snapshot_2024-11-06_030000.db"),
        );
        let mut child = start(&env, &["verify", "--jobs", "2", "data"]);
        std::thread::sleep(Duration::from_millis(60 * (number + 1)));
        let _ = child.kill();
        child.wait().expect("it ends");
        assert!(env.list().len() >= MANY, "after {number}");
    }
}

#[test]
fn a_stage_that_is_interrupted_leaves_no_file_under_its_final_name() {
    let env = TestEnv::healthy();
    env.run(&["index", "--as-of", SOON, "data", "keys"])
        .ends_with(0);
    for wait in [5, 20, 40, 80] {
        let _ = std::fs::remove_dir_all(env.path("staged"));
        let to = env.text("staged");
        let child = start(&env, &["stage", "latest", "--to", &to]);
        std::thread::sleep(Duration::from_millis(wait));
        signal_if_alive(&child);
        let output = child.wait_with_output().expect("it ends");
        let snapshot = env.path("staged/snapshot_2024-11-02_030000.db");
        let archive = env.path("staged/static_kuberesources_2024-11-02_030000.tar.gz");
        for (path, sample) in [
            (snapshot, crate::cli::environment::SNAPSHOT),
            (archive, crate::cli::environment::KUBERESOURCES),
        ] {
            if path.exists() {
                assert!(
                    std::fs::read(&path).expect("readable") == samples::bytes(sample),
                    "{path:?} is half"
                );
            }
        }
        assert!(
            matches!(output.status.code(), Some(0 | 130)) || output.status.signal() == Some(2),
            "{output:?}"
        );
    }
}

fn signal_if_alive(child: &Child) {
    let _ = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .stderr(Stdio::null())
        .status();
}
