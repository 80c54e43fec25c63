//! `kill -9` while a bucket is indexed: what was finished by then is not read again.

use crate::cli::environment::{KUBERESOURCES, SNAPSHOT, SOON, TestEnv};
use crate::support::bucket_server::{BucketServer, What};
use crate::support::samples;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// All of one cluster; the last two are encrypted.
const SNAPSHOTS: [&str; 3] = [
    "backups/prod/snapshot_2024-10-20_030000.db",
    SNAPSHOT,
    "backups/prod/snapshot_2024-11-09_030000.db",
];
const ARCHIVES: [&str; 3] = [
    KUBERESOURCES,
    "backups/prod/static_kuberesources_2024-10-20_030000.tar.gz",
    "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
];

fn command(env: &TestEnv, server: &BucketServer, arguments: &[&str]) -> Command {
    let mut command = env.command(&[arguments, &["--as-of", SOON]].concat());
    command
        .env("ETCD_CAT_ENDPOINT", server.endpoint())
        .env("ETCD_CAT_NO_SIGN", "true");
    command
}

fn name_of(sample: &str) -> &str {
    sample.rsplit('/').next().expect("a name")
}

/// Snapshots that were read, and whose keys were tried if there are any, as a list tells it that is asked while another process indexes.
fn proven(env: &TestEnv, server: &BucketServer) -> usize {
    let listed = command(env, server, &["list", "--all", "-o", "json"]).output();
    let listed: serde_json::Value =
        serde_json::from_slice(&listed.expect("it starts").stdout).unwrap_or_default();
    let items = listed["items"].as_array().map_or(&[][..], Vec::as_slice);
    let is_proven = |item: &&serde_json::Value| {
        let proof = item["encryption"]["proof"].as_str();
        item["snapshot"].is_object() && matches!(proof, Some("decrypted" | "not-needed"))
    };
    items.iter().filter(is_proven).count()
}

/// Indexes while one snapshot keeps it waiting, until all others are remembered.
fn index_but_for(slow: &str, env: &TestEnv, server: &BucketServer) -> Child {
    let size = samples::bytes(slow).len();
    let request = format!("{} bytes=0-{}", name_of(slow), size - 1);
    server.fail(request.leak(), What::Late(Duration::from_secs(60)), 99);
    let mut child = command(env, server, &["index", "s3://backups", "--jobs", "2"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    while proven(env, server) < SNAPSHOTS.len() - 1 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "what is finished is not remembered while {slow} is read"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        child.try_wait().expect("our child").is_none(),
        "it waits for {slow}"
    );
    child
}

#[test]
fn what_was_finished_before_a_kill_is_not_read_again() {
    for slow in [SNAPSHOTS[1], SNAPSHOTS[2]] {
        let env = TestEnv::new();
        let server = BucketServer::start();
        for sample in SNAPSHOTS.iter().chain(&ARCHIVES) {
            server.put(
                &format!("prod/{}", name_of(sample)),
                &samples::bytes(sample),
            );
        }
        let mut child = index_but_for(slow, &env, &server);
        child.kill().expect("our child");
        child.wait().expect("our child");
        server.mend();
        server.take_asked();
        let ended = command(&env, &server, &["index", "s3://backups"]).output();
        assert!(matches!(
            ended.expect("it starts").status.code(),
            Some(0 | 1)
        ));
        let asked = server.take_asked();
        let mut reads: Vec<&str> = asked
            .iter()
            // Archives are small, and read again for the keys of what is left.
            .filter(|line| line.starts_with("GET /backups/prod/snapshot_"))
            .map(|line| line.split(' ').nth(1).expect("a path"))
            .collect();
        reads.dedup();
        assert_eq!(
            reads,
            [format!("/backups/prod/{}", name_of(slow))],
            "{asked:#?}"
        );
    }
}

/// Archives are read many at a time: those that were read while one took long are not read again.
#[test]
fn archives_that_were_finished_before_a_kill_are_not_read_again() {
    let (env, server) = (TestEnv::new(), BucketServer::start());
    for number in 0..40 {
        for sample in ARCHIVES {
            let key = format!("run-{number:02}/{}", name_of(sample));
            server.put(&key, &samples::bytes(sample));
        }
    }
    let slow = format!("/backups/run-07/{}", name_of(KUBERESOURCES));
    let late = What::Late(Duration::from_secs(60));
    server.fail(slow.clone().leak(), late, 99);
    let mut child = command(&env, &server, &["index", "s3://backups"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let read = |asked: &[String]| asked.iter().filter(|line| line.contains(" bytes=")).count();
    let (begun, mut count) = (Instant::now(), 0);
    while count < 120 {
        count += read(&server.take_asked());
        assert!(begun.elapsed() < Duration::from_secs(60), "{count}");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Whatever is finished is remembered soon.
    std::thread::sleep(Duration::from_secs(2));
    child.kill().expect("our child");
    child.wait().expect("our child");
    server.mend();
    server.take_asked();
    let ended = command(&env, &server, &["index", "s3://backups"]).output();
    ended.expect("it starts");
    let asked = server.take_asked();
    let again: Vec<&String> = asked
        .iter()
        .filter(|line| line.contains(" bytes="))
        .collect();
    assert!(again.len() == 1 && again[0].contains(&slow), "{again:#?}");
}
