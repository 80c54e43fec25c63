//! What was staged, in the hands of the tools that a restore uses.

use crate::restore::Tree;
use crate::restore::tree::text;
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where etcd, etcdctl and etcdutl lie; `None` skips the test and says so.
fn tools() -> Option<PathBuf> {
    let directory = std::env::var_os("ETCD_CAT_TEST_ETCD_DIR").map(PathBuf::from);
    if directory.is_none() {
        eprintln_skip();
    }
    directory
}

#[expect(clippy::print_stderr, reason = "a skipped proof must be seen")]
fn eprintln_skip() {
    eprintln!("skipped: ETCD_CAT_TEST_ETCD_DIR does not say where etcd, etcdctl and etcdutl are");
}

fn staged(tree: &Tree, snapshot: &str, kuberesources: &str) -> PathBuf {
    let name = |path: &str| path.rsplit('/').next().expect("a name").to_owned();
    tree.copy(snapshot, &format!("a/{}", name(snapshot)));
    tree.copy(kuberesources, &format!("b/{}", name(kuberesources)));
    tree.index();
    let to = tree.beside("pair");
    let run = tree.run(&["stage", "latest-valid", "--to", text(&to)]);
    assert_eq!(run.code, Some(0), "{run:?}");
    to
}

fn only_with(directory: &Path, suffix: &str) -> PathBuf {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    let found = paths.find(|path| text(path).ends_with(suffix));
    found.unwrap_or_else(|| panic!("{suffix} in {}", directory.display()))
}

#[test]
fn gnu_tar_unpacks_the_staged_archive_as_the_script_does() {
    let tree = Tree::new();
    let to = staged(
        &tree,
        "secretbox/snapshot_2024-11-07_030000.db",
        "keys/secretbox/static_kuberesources_2024-11-07_030000.tar.gz",
    );
    let kubernetes = tree.beside("kubernetes");
    std::fs::create_dir(&kubernetes).expect("a fresh directory");
    let archive = only_with(&to, ".tar.gz");
    let status = Command::new("tar")
        .args([
            "-C",
            text(&kubernetes),
            "-xzf",
            text(&archive),
            "static-pod-resources",
        ])
        .status();
    assert!(status.expect("tar runs").success());
    let unpacked =
        std::fs::read_dir(kubernetes.join("static-pod-resources")).expect("it was unpacked");
    assert_eq!(unpacked.count(), 4, "one directory for each component");
}

/// A real etcd on ports of its own; stopped when dropped.
struct Etcd {
    child: Child,
    endpoint: String,
    ctl: PathBuf,
}

impl Etcd {
    /// Starts on a data directory, and waits until it answers.
    fn start(tools: &Path, data: &Path) -> Self {
        let [client, peer] =
            [free_port(), free_port()].map(|port| format!("http://127.0.0.1:{port}"));
        let child = Command::new(tools.join("etcd"))
            .args([
                "--name",
                "m1",
                "--data-dir",
                text(data),
                "--log-level",
                "error",
            ])
            .args([
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
            ])
            .args(["--listen-peer-urls", &peer])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("etcd runs");
        let etcd = Self {
            child,
            endpoint: client,
            ctl: tools.join("etcdctl"),
        };
        let began = Instant::now();
        while !etcd.ctl(&["endpoint", "health"]).0 {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "etcd does not answer"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        etcd
    }

    fn ctl(&self, arguments: &[&str]) -> (bool, Vec<u8>) {
        let output = Command::new(&self.ctl)
            .args(["--endpoints", &self.endpoint])
            .args(arguments)
            .env("ETCDCTL_API", "3")
            .output()
            .expect("etcdctl runs");
        (output.status.success(), output.stdout)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (is_good, stdout) = self.ctl(&[arguments, &["-w", "json"]].concat());
        assert!(is_good, "{arguments:?}");
        serde_json::from_slice(&stdout).expect("JSON")
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn etcdutl_restores_the_staged_snapshot_into_an_etcd_with_the_same_keys_and_revision() {
    let Some(tools) = tools() else { return };
    let tree = Tree::new();
    let to = staged(
        &tree,
        "prod/snapshot_2024-11-02_030000.db",
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
    );
    let data = tree.beside("data");
    let snapshot = only_with(&to, ".db");
    // As the restore pod does it: the hash is checked.
    let restore = Command::new(tools.join("etcdutl"))
        .args([
            "snapshot",
            "restore",
            text(&snapshot),
            "--data-dir",
            text(&data),
        ])
        .args([
            "--name",
            "m1",
            "--initial-cluster",
            "m1=http://127.0.0.1:2380",
        ])
        .args(["--initial-advertise-peer-urls", "http://127.0.0.1:2380"])
        .output()
        .expect("etcdutl runs");
    assert!(
        restore.status.success(),
        "{}",
        String::from_utf8_lossy(&restore.stderr)
    );
    let etcd = Etcd::start(&tools, &data);
    let said = tree.run(&["show", "latest-valid", "-o", "json"]).json();
    let count = etcd.json(&["get", "", "--prefix", "--keys-only"]);
    assert_eq!(count["count"], said["snapshot"]["liveKeys"], "{count}");
    assert_eq!(
        count["header"]["revision"], said["snapshot"]["status"]["revision"],
        "{count}"
    );
    let (_, keys) = etcd.ctl(&["get", "", "--prefix", "--keys-only"]);
    let keys = String::from_utf8_lossy(&keys);
    for key in [
        "/kubernetes.io/config.openshift.io/clusterversions/version",
        "/kubernetes.io/config.openshift.io/infrastructures/cluster",
    ] {
        assert!(keys.lines().any(|line| line == key), "{key}");
    }
    let (_, version) = etcd.ctl(&[
        "get",
        "/kubernetes.io/config.openshift.io/clusterversions/version",
        "--print-value-only",
    ]);
    assert!(String::from_utf8_lossy(&version).contains("\"version\":\"4.17.3\""));
}
