//! Many objects in a bucket: asked for many at a time, answered for as if one after the other.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::bucket_server::{BucketServer, What};
use crate::support::samples;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn put(server: &BucketServer, directory: &str, sample: &str) {
    let name = sample.rsplit('/').next().expect("a name");
    server.put(&format!("{directory}/{name}"), &samples::bytes(sample));
}

/// The healthy pair among foreign objects, some of which look as if they might be more.
fn crowded(foreign: usize) -> BucketServer {
    let server = BucketServer::start();
    put(&server, "m/prod", SNAPSHOT);
    put(&server, "m/prod", KUBERESOURCES);
    for number in 0..foreign {
        let (key, bytes) = match number % 3 {
            0 => (format!("{number:05}.txt"), b"nothing".as_slice()),
            1 => (
                format!("etcd-{number:05}.db.gpg"),
                b"\x8c\x0d\x04\x09\x03\x02\xd8\x56\xe7\xbf\xb1\x96\xa0\x5f\xff\xd2".as_slice(),
            ),
            _ => (format!("run/{number:05}/log"), b"nothing".as_slice()),
        };
        server.put(&key, bytes);
    }
    server
}

fn command(env: &TestEnv, server: &BucketServer, arguments: &[&str]) -> Command {
    let mut command = env.command(arguments);
    command
        .env("ETCD_CAT_ENDPOINT", server.endpoint())
        .env("ETCD_CAT_AS_OF", SOON)
        .env("ETCD_CAT_NO_SIGN", "true")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn index(env: &TestEnv, server: &BucketServer) -> VerifyReport {
    let mut command = command(env, server, &["index", "s3://backups", "-o", "json"]);
    Ran::of(command.output().expect("it starts")).json()
}

#[test]
fn many_are_looked_at_at_a_time_and_told_in_their_order() {
    let (env, server) = (TestEnv::new(), crowded(600));
    server.page_size(50);
    server.fail("GET", What::Late(Duration::from_millis(2)), usize::MAX);
    let report = index(&env, &server);
    let most = server.most_at_a_time();
    assert!((9..=16).contains(&most), "{most}");
    assert_eq!(report.only().verdict, "valid");
    let paths: Vec<&str> = report.skipped.iter().map(|one| one.path.as_str()).collect();
    assert!(paths.is_sorted() && paths.len() == 200, "{paths:?}");
    // The second run opens none of them, and tells the same.
    server.take_asked();
    let again = index(&env, &server);
    let told: Vec<&str> = again.skipped.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(told, paths);
    let asked = server.take_asked();
    let opened = asked.iter().filter(|line| line.contains("bytes="));
    assert_eq!(opened.count(), 0);
}

#[test]
fn one_that_may_not_be_read_loses_only_itself() {
    let (env, server) = (TestEnv::new(), crowded(90));
    server.fail(
        "GET /backups/etcd-00040.db.gpg",
        What::Status(403, "AccessDenied"),
        9,
    );
    let report = index(&env, &server);
    let refused = report.skipped.iter().filter(|one| one.kind == "unreadable");
    let refused: Vec<&str> = refused.map(|one| one.path.as_str()).collect();
    assert_eq!(refused, ["s3://backups/etcd-00040.db.gpg"]);
    assert_eq!(report.of("/prod/").verdict, "valid");
    assert_eq!(report.skipped.len(), 30);
}

#[test]
fn recorded_checksums_are_read_many_at_a_time() {
    let (env, server) = (TestEnv::new(), crowded(0));
    for number in 0..100 {
        let sums = format!("{}  {number}.txt\n", "0".repeat(64));
        server.put(&format!("sums/{number}.txt"), b"nothing");
        server.put(&format!("sums/{number}.txt.sha256"), sums.as_bytes());
    }
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    let sums = format!("{}  {name}\n", "0".repeat(64));
    server.put("m/prod/SHA256SUMS", sums.as_bytes());
    server.fail("GET", What::Late(Duration::from_millis(2)), usize::MAX);
    let report = index(&env, &server);
    assert!(server.most_at_a_time() > 8);
    assert!(report.only().codes().contains(&"checksum-differs"));
}

#[test]
fn a_look_at_many_can_be_interrupted() {
    let (env, server) = (TestEnv::new(), crowded(2000));
    server.fail("bytes=", What::Late(Duration::from_millis(100)), usize::MAX);
    interrupted_in_time(&env, &server);
}

/// Stops an `index` that asks many things at a time, and would go on for seconds.
fn interrupted_in_time(env: &TestEnv, server: &BucketServer) {
    let child = command(env, server, &["index", "s3://backups", "-o", "json"]).spawn();
    let child = child.expect("it starts");
    while server.most_at_a_time() < 9 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let stopped = Instant::now();
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("kill is there").success());
    let ran = Ran::of(child.wait_with_output().expect("it ends")).ends_with(130);
    assert!(ran.stdout.is_empty(), "no half answer: {}", ran.stdout);
    let took = stopped.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// So many directories, each with the healthy pair.
fn pairs(count: usize) -> BucketServer {
    let server = BucketServer::start();
    for number in 0..count {
        put(&server, &format!("run-{number:03}"), SNAPSHOT);
        put(&server, &format!("run-{number:03}"), KUBERESOURCES);
    }
    server
}

/// Each would take a second or more.
#[test]
fn several_locations_are_listed_at_a_time() {
    let (env, server) = (TestEnv::new(), pairs(12));
    server.fail(" list-type=2", What::Late(Duration::from_millis(500)), 12);
    let places: Vec<String> = (0..12)
        .map(|number| format!("s3://backups/run-{number:03}"))
        .collect();
    let places = places.iter().map(String::as_str);
    let arguments: Vec<&str> = ["index", "-o", "json"].into_iter().chain(places).collect();
    let begun = Instant::now();
    let output = command(&env, &server, &arguments).output();
    let report: VerifyReport = Ran::of(output.expect("it starts")).json();
    assert_eq!(report.summary.files, 24);
    assert_eq!(report.locations.len(), 12);
    assert!(server.most_at_a_time() >= 12);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

/// What is small costs one question, and is read many at a time.
#[test]
fn each_small_object_is_read_by_one_question() {
    let (env, server) = (TestEnv::new(), pairs(60));
    server.fail("GET", What::Late(Duration::from_millis(2)), usize::MAX);
    let report = index(&env, &server);
    assert_eq!(report.only().verdict, "valid");
    assert_eq!(report.summary.files, 120);
    let most = server.most_at_a_time();
    assert!((9..=16).contains(&most), "{most}");
    let asked = server.take_asked();
    let about_objects = asked.iter().filter(|line| line.contains("/backups/run-"));
    let mut keys: Vec<&str> = about_objects
        .map(|line| {
            assert!(line.starts_with("GET "), "{line}");
            line.split(' ').nth(1).expect("a path")
        })
        .collect();
    assert_eq!(keys.len(), 120, "{keys:#?}");
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 120);
}

/// A name promises what the content need not be.
#[test]
fn small_objects_are_what_they_are_whatever_their_names() {
    let env = TestEnv::new();
    let server = BucketServer::start();
    let name = |sample: &str| sample.rsplit('/').next().expect("a name").to_owned();
    let (snapshot, archive) = (samples::bytes(SNAPSHOT), samples::bytes(KUBERESOURCES));
    server.put(&format!("a/{}", name(SNAPSHOT)), &archive);
    server.put(&format!("a/{}", name(KUBERESOURCES)), &snapshot);
    server.put(
        "b/snapshot_2024-11-03_030000.db",
        b"SQLite format 3\0 and more",
    );
    let disguised = index(&env, &server);
    let pair = disguised.of("/a/");
    assert_eq!(pair.verdict, "valid", "{pair:#?}");
    assert!(pair.path().ends_with(&name(KUBERESOURCES)));
    assert_eq!(
        disguised.items.len() + disguised.skipped.len(),
        2,
        "{disguised:#?}"
    );
}

#[test]
fn reading_many_archives_can_be_interrupted() {
    let (env, server) = (TestEnv::new(), pairs(200));
    server.fail(
        "static_",
        What::Late(Duration::from_millis(200)),
        usize::MAX,
    );
    interrupted_in_time(&env, &server);
}

/// Two rounds over a bucket, and what they cost.
#[expect(clippy::print_stdout, reason = "a measurement is to be seen")]
fn measured(what: &str, server: &BucketServer) {
    let own = assert_cmd::cargo::cargo_bin!("etcd-cat");
    let program = std::env::var_os("ETCD_CAT_TEST_PROGRAM").unwrap_or_else(|| own.into());
    let late = What::Late(Duration::from_millis(20));
    server.fail("", late, usize::MAX);
    let env = TestEnv::new();
    for round in ["first", "second"] {
        server.take_asked();
        let started = Instant::now();
        let mut command = Command::new(&program);
        let output = command
            .env_clear()
            .env("HOME", env.path("home"))
            .env("ETCD_CAT_CATALOGUE", env.path("catalogue.redb"))
            .env("ETCD_CAT_ENDPOINT", server.endpoint())
            .env("ETCD_CAT_NO_SIGN", "true")
            .args(["index", "s3://backups", "--as-of", SOON])
            .output();
        let ran = Ran::of(output.expect("it starts"));
        let asked = server.take_asked().len();
        println!(
            "{what}, {round} round: {:.2?}, {asked} requests, {:?}",
            started.elapsed(),
            ran.code
        );
    }
}

/// How long a round over a far bucket takes: `ETCD_CAT_TEST_PROGRAM=FILE cargo test --all-features --test all -- --ignored
/// --nocapture many_objects`, of another program to compare with.
#[test]
#[ignore = "a measurement"]
fn rounds_over_a_far_bucket() {
    measured("6,500 foreign objects", &crowded(6500));
    let server = BucketServer::start();
    put(&server, "m/prod", SNAPSHOT);
    put(&server, "m/prod", KUBERESOURCES);
    for number in 0..50_000 {
        let (cluster, run) = (number / 500, number % 500);
        let directory = format!(
            "fleet/cluster-{cluster:03}/2024-{:02}-{:02}_030000",
            1 + run / 28,
            1 + run % 28
        );
        server.put(&format!("{directory}/.keep/"), b"");
        server.put(&format!("{directory}/"), b"");
    }
    measured("100,000 markers of directories", &server);
}

#[test]
#[ignore = "a measurement"]
fn rounds_over_small_backups_in_a_far_bucket() {
    measured("500 pairs", &pairs(500));
}
