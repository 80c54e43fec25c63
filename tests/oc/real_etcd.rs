//! The whole way with real bytes: a real etcd on loopback, saved by its own etcdctl, fetched, and asked about.
//!
//! Needs a directory with `etcd` and `etcdctl`: `ETCD_CAT_TEST_ETCD_DIR`, or both on `PATH`. Says so when there is none.

use super::cluster::{Cluster, TestResult};
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
    fn start(binaries: &Path, data: &Path) -> Result<Self, Box<dyn Error>> {
        let [client, peer] =
            [free_port()?, free_port()?].map(|port| format!("http://127.0.0.1:{port}"));
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
        while etcd
            .etcdctl(&["put", "/kubernetes.io/configmaps/default/first", "1"])
            .is_err()
        {
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
    let etcd = Etcd::start(&binaries, &cluster.path("host/var/lib/etcd"))?;
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
    let text = format!(
        "export ETCDCTL_API=3\nETCDCTL={}\nENDPOINT={}\n",
        etcd.etcdctl.display(),
        etcd.endpoint
    );
    fs::write(cluster.path("host/etcd"), text)?;
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
