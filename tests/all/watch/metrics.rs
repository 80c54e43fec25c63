//! `etcd-cat metrics`: printed, in a file, over HTTP.

use super::promtool::agrees;
use crate::cli::environment::{SOON, TestEnv};
use crate::support::samples;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// Every sample, read and remembered.
fn fleet() -> TestEnv {
    let env = TestEnv::new();
    let backups = samples::testdata().join("backups");
    let backups = backups.to_str().expect("a plain name");
    env.run(&["index", "-o", "name", "--as-of", SOON, backups]);
    env
}

fn text(env: &TestEnv) -> String {
    let ran = env.run(&["metrics", "--as-of", SOON]).ends_with(0);
    assert_eq!(ran.stderr, "");
    ran.stdout
}

/// The value of the only series of a name whose labels contain this.
fn value(text: &str, name: &str, labels: &str) -> f64 {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let of_name = lines.filter(|line| line.starts_with(&format!("{name}{{")));
    let found: Vec<&str> = of_name.filter(|line| line.contains(labels)).collect();
    assert_eq!(found.len(), 1, "{name} {labels}: {found:?} in\n{text}");
    let value = found[0].rsplit_once(' ').expect("a value").1;
    value.parse().expect("a number")
}

#[test]
fn prometheus_reads_what_is_told_of_many_clusters() {
    let text = text(&fleet());
    agrees(&["check", "metrics"], &text);
    let clusters: std::collections::BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split("cluster=\"").nth(1)?.split('"').next())
        .collect();
    assert!(clusters.len() > 3, "{clusters:?}");
    let prod = "cluster=\"prod-7xk2p\"";
    let valid = format!("{prod},cluster_id=\"");
    assert!(text.contains(&valid), "{text}");
}

#[test]
fn a_healthy_pair_and_its_runs_are_told() {
    let env = TestEnv::indexed();
    let text = text(&env);
    agrees(&["check", "metrics"], &text);
    let name = "etcdcat_newest_usable_backup_timestamp_seconds";
    assert_eq!(value(&text, name, "version=\"4.17.3\""), 1_730_516_407.0);
    assert_eq!(value(&text, "etcdcat_catalogue_backups", "\"valid\""), 1.0);
    let horizon = "etcdcat_newest_usable_backup_certificate_expiry_timestamp_seconds";
    assert!(value(&text, horizon, "4.17.3") > 1_730_516_407.0);
    assert_eq!(value(&text, "etcdcat_run_exit_code", "\"index\""), 0.0);
    assert!(value(&text, "etcdcat_run_read_bytes", "\"index\"") > 10_000.0);
    assert!(!text.contains("run=\"verify\""), "{text}");
}

#[test]
fn each_run_takes_the_place_of_the_last_one_and_a_look_at_one_file_is_none() {
    let env = TestEnv::indexed();
    env.run(&["verify", "--as-of", SOON]).ends_with(0);
    let good = text(&env);
    assert_eq!(value(&good, "etcdcat_run_exit_code", "\"verify\""), 0.0);
    let success = value(&good, "etcdcat_run_success_timestamp_seconds", "\"verify\"");
    let snapshot = env.text("data/snapshot_2024-11-02_030000.db");
    let kept = env.text("kept.db");
    std::fs::rename(&snapshot, &kept).expect("our own");
    std::fs::write(&snapshot, "not a snapshot any more").expect("our own");
    // Only a look.
    env.run(&["verify", &snapshot, "--as-of", SOON])
        .ends_with(1);
    assert_eq!(
        value(&text(&env), "etcdcat_run_exit_code", "\"verify\""),
        0.0
    );
    env.run(&["verify", "--as-of", SOON]).ends_with(1);
    let bad = text(&env);
    assert_eq!(value(&bad, "etcdcat_run_exit_code", "\"verify\""), 1.0);
    let name = "etcdcat_run_success_timestamp_seconds";
    assert!(value(&bad, name, "\"verify\"") >= success, "it was done");
    assert_eq!(value(&bad, "etcdcat_catalogue_backups", "\"valid\""), 0.0);
    // A location that is not there: not done.
    env.run(&["verify", &env.text("nowhere"), "--as-of", SOON])
        .ends_with(2);
    let gone = text(&env);
    assert_eq!(value(&gone, "etcdcat_run_exit_code", "\"verify\""), 2.0);
    assert_eq!(
        value(&gone, name, "\"verify\""),
        value(&bad, name, "\"verify\"")
    );
    let labels = "run=\"verify\",kind=\"missing\"";
    assert_eq!(value(&gone, "etcdcat_run_passed_over_files", labels), 1.0);
}

#[test]
fn a_file_is_written_whole_readable_for_all_and_never_over_a_backup() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::indexed();
    let to = env.text("etcd-cat.prom");
    for _ in 0..2 {
        let ran = env
            .run(&["metrics", "--to", &to, "--as-of", SOON])
            .ends_with(0);
        assert_eq!((ran.stdout, ran.stderr), (String::new(), String::new()));
    }
    let written = std::fs::read_to_string(&to).expect("written");
    assert_eq!(written, text(&env));
    let mode = std::fs::metadata(&to).expect("there").permissions().mode();
    assert_eq!(mode & 0o444, 0o444, "node_exporter is another user");
    let snapshot = env.text("data/snapshot_2024-11-02_030000.db");
    let before = std::fs::read(&snapshot).expect("there");
    let ran = env.run(&["metrics", "--to", &snapshot]).ends_with(2);
    assert!(ran.stderr.contains("it stays"), "{}", ran.stderr);
    assert_eq!(std::fs::read(&snapshot).expect("there"), before);
    let left = std::fs::read_dir(env.path(""))
        .expect("ours")
        .filter(|entry| {
            let name = entry.as_ref().expect("listed").file_name();
            name.to_string_lossy().ends_with(".part")
        });
    assert_eq!(left.count(), 0);
}

#[test]
fn an_empty_catalogue_is_told_too() {
    let env = TestEnv::new();
    let ran = env.run(&["metrics"]).ends_with(0);
    assert!(
        ran.stderr.contains("the catalogue is empty"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stdout.contains("\netcdcat_build_info{"),
        "{}",
        ran.stdout
    );
    agrees(&["check", "metrics"], &ran.stdout);
    assert!(
        !env.path("catalogue.redb").exists(),
        "nothing is made by asking"
    );
}

/// A server, ended with its test.
struct Served(Child, String);

impl Served {
    fn begin(env: &TestEnv, arguments: &[&str]) -> Self {
        let all = [&["metrics", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut command = env.command(&all);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stderr = child.stderr.take().expect("asked for");
        BufReader::new(stderr).read_line(&mut line).expect("a line");
        let address = line.split("http://").nth(1).expect("an address");
        let address = address.trim_end().trim_end_matches("/metrics").to_owned();
        Self(child, address)
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.1).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_same_is_served_over_http() {
    let env = TestEnv::indexed();
    let served = Served::begin(&env, &["--as-of", SOON]);
    let answer = served.get("/metrics");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    assert_eq!(body, text(&env));
    assert!(served.get("/healthz").ends_with("\r\n\r\nok\n"));
    assert!(served.get("/").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_catalogue_that_cannot_be_read_is_told_without_its_path() {
    let env = TestEnv::new();
    env.put("catalogue.redb", "this is no catalogue");
    let served = Served::begin(&env, &[]);
    let answer = served.get("/metrics");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(!answer.contains("redb"), "{answer}");
    assert!(served.get("/healthz").starts_with("HTTP/1.1 200 "));
}
