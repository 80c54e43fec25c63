//! The whole way with real bytes: a real etcd on loopback, saved by its own etcdctl, fetched, and asked about.
//!
//! Needs a directory with `etcd` and `etcdctl`: `ETCD_CAT_TEST_ETCD_DIR`, or both on `PATH`. Says so when there is none.

use super::cluster::{Cluster, TestResult};
use super::command::Night;
use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn etcd_directory() -> Option<PathBuf> {
    let given = std::env::var_os("ETCD_CAT_TEST_ETCD_DIR").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has_both = |directory: &PathBuf| {
        ["etcd", "etcdctl"]
            .iter()
            .all(|name| directory.join(name).is_file())
    };
    given
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(has_both)
}

/// A real etcd that ends with the test.
struct Etcd {
    child: Child,
    endpoint: String,
    etcdctl: PathBuf,
}

impl Etcd {
    /// Starts with an empty keyspace, or with that of a snapshot.
    fn start(
        binaries: &Path,
        data: &Path,
        snapshot: Option<&Path>,
    ) -> Result<Self, Box<dyn Error>> {
        let [client, peer] =
            [free_port()?, free_port()?].map(|port| format!("http://127.0.0.1:{port}"));
        if let Some(snapshot) = snapshot {
            restore(binaries, data, snapshot, &peer)?;
        }
        let child = Command::new(binaries.join("etcd"))
            .args(["--name", "one", "--data-dir"])
            .arg(data)
            .args([
                "--listen-client-urls",
                &client,
                "--advertise-client-urls",
                &client,
            ])
            .args([
                "--listen-peer-urls",
                &peer,
                "--initial-advertise-peer-urls",
                &peer,
            ])
            .args(["--initial-cluster", &format!("one={peer}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let etcd = Self {
            child,
            endpoint: client,
            etcdctl: binaries.join("etcdctl"),
        };
        let begun = Instant::now();
        while etcd.etcdctl(&["endpoint", "health"]).is_err() {
            if begun.elapsed() > Duration::from_secs(30) {
                return Err("etcd did not start within 30 s".into());
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(etcd)
    }

    fn etcdctl(&self, args: &[&str]) -> Result<String, Box<dyn Error>> {
        let output = Command::new(&self.etcdctl)
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &self.endpoint, "--command-timeout=5s"])
            .args(args)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// As on a recovery host: a new cluster of one member. From 3.5 on etcdutl does it.
fn restore(binaries: &Path, data: &Path, snapshot: &Path, peer: &str) -> TestResult {
    let etcdutl = binaries.join("etcdutl");
    let program = if etcdutl.is_file() {
        etcdutl
    } else {
        binaries.join("etcdctl")
    };
    let output = Command::new(program)
        .env("ETCDCTL_API", "3")
        .args(["snapshot", "restore"])
        .arg(snapshot)
        .arg("--data-dir")
        .arg(data)
        .args(["--name", "one", "--initial-advertise-peer-urls", peer])
        .args(["--initial-cluster", &format!("one={peer}")])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(())
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
#[test]
fn a_real_etcd_is_backed_up_byte_for_byte() -> TestResult {
    let Some(binaries) = etcd_directory() else {
        eprintln!("skipped: no etcd and etcdctl in ETCD_CAT_TEST_ETCD_DIR or on PATH");
        return Ok(());
    };
    let cluster = Cluster::new()?;
    fs::remove_dir_all(cluster.path("host/var/lib/etcd/member"))?;
    let etcd = Etcd::start(&binaries, &cluster.path("host/var/lib/etcd"), None)?;
    etcd.etcdctl(&["put", "/kubernetes.io/configmaps/default/first", "1"])?;
    for number in 0..50 {
        etcd.etcdctl(&[
            "put",
            &format!("/kubernetes.io/configmaps/default/n{number}"),
            "value",
        ])?;
    }
    etcd.etcdctl(&["del", "/kubernetes.io/configmaps/default/n7"])?;
    for component in [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "etcd",
    ] {
        let directory = cluster.path(&format!(
            "host/kubernetes/static-pod-resources/{component}-pod-8"
        ));
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(format!("{component}-pod.yaml")), "{}")?;
    }
    let script = script_of(&etcd);
    fs::write(cluster.path("host/etcd"), script)?;
    cluster.script("stamp=$(date +%F_%H%M%S)")?;
    let run = cluster.back_up(cluster.options())?;
    // etcd's own trailer: SHA-256 over everything before it.
    let file = fs::read(&run.snapshot.path)?;
    let (data, trailer) = file
        .split_last_chunk::<32>()
        .ok_or("shorter than its trailer")?;
    assert_eq!(Sha256::digest(data).as_slice(), trailer);
    let status = run.status.ok_or("no status line")?;
    assert_eq!(u64::try_from(data.len())?, status.total_size);
    assert_eq!(status.revision, 53, "51 puts and a delete after revision 1");
    let listed = Command::new("tar")
        .arg("-tzf")
        .arg(&run.kuberesources.path)
        .output()?;
    assert!(
        String::from_utf8_lossy(&listed.stdout)
            .contains("static-pod-resources/etcd-pod-8/etcd-pod.yaml")
    );
    assert!(run.leftovers.is_empty());
    cluster.assert_no_rubbish("real etcd");
    Ok(())
}

/// What the fake script needs to save this etcd.
fn script_of(etcd: &Etcd) -> String {
    format!(
        "export ETCDCTL_API=3\nETCDCTL={}\nENDPOINT={}\n",
        etcd.etcdctl.display(),
        etcd.endpoint
    )
}

/// The keyspace of a cluster, restored into a real etcd, and the host's resources with that etcd's member.
fn restored(night: &Night, binaries: &Path) -> Result<Etcd, Box<dyn Error>> {
    let data = night.path("host/var/lib/etcd");
    fs::remove_dir_all(&data)?;
    let etcd = Etcd::start(binaries, &data, Some(&night.path("host/prepared.db")))?;
    let resources = night.path("host/kubernetes");
    fs::create_dir(&resources)?;
    let unpacked = Command::new("tar")
        .arg("-xzf")
        .arg(night.path("host/prepared.tar.gz"))
        .arg("-C")
        .arg(&resources)
        .status()?;
    assert!(unpacked.success());
    let members = etcd.etcdctl(&["member", "list"])?;
    let (member, _) = members.split_once(',').ok_or("a member has an id")?;
    let endpoints = resources.join("static-pod-resources/etcd-pod-10/configmaps/etcd-endpoints");
    fs::remove_dir_all(&endpoints)?;
    fs::create_dir(&endpoints)?;
    fs::write(endpoints.join(member), "127.0.0.1")?;
    fs::write(night.path("host/etcd"), script_of(&etcd))?;
    Ok(etcd)
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
#[test]
fn a_real_etcd_goes_through_the_command_into_the_catalogue() -> TestResult {
    let Some(binaries) = etcd_directory() else {
        eprintln!("skipped: no etcd and etcdctl in ETCD_CAT_TEST_ETCD_DIR or on PATH");
        return Ok(());
    };
    let night = Night::new()?;
    let etcd = restored(&night, &binaries)?;
    let ended = night.back_up(&[])?;
    ended.assert("real etcd", 0, "Snapshot saved at ");
    assert!(ended.stdout.contains(": valid\n"), "{ended:#?}");
    let shown = night.run(&["show", "latest", "-o", "json"])?.json()?;
    let output = shown["provenance"]["scriptOutput"].to_string();
    let hash = &shown["snapshot"]["status"]["hash"];
    assert!(
        output.contains(&format!("\\\"hash\\\":{hash}")),
        "etcdctl's own hash: {output}"
    );
    let check = night.run(&["check", "--from-cluster"])?;
    check.assert("check", 0, "");
    drop(etcd);
    night.cluster.assert_no_rubbish("real etcd");
    Ok(())
}
