//! Snapshots of a real etcd under a restless hand: compaction, deletions, transactions, leases, defragmentation, and
//! a restore with a bumped revision. None of them may look damaged, and all numbers are those of the real tool.
//!
//! Needs `ETCD_CAT_TEST_ETCD_DIR`, a directory with etcd, etcdctl and etcdutl of 3.5; `tests/run` brings one.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use crate::support::dice::Dice;
use etcd_cat::monitor::Silent;
use etcd_cat::snapshot::{HashOn, Snapshot, read};
use std::error::Error;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type TestResult = Result<(), Box<dyn Error>>;

/// One etcd on loopback, stopped and removed when dropped.
struct Etcd {
    programs: PathBuf,
    directory: tempfile::TempDir,
    client_url: String,
    peer_url: String,
    server: Option<Child>,
}

impl Etcd {
    /// `None`, and a word about it, when no etcd is at hand.
    fn new() -> Result<Option<Self>, Box<dyn Error>> {
        let Some(programs) = std::env::var_os("ETCD_CAT_TEST_ETCD_DIR").map(PathBuf::from) else {
            eprintln!("skipped: ETCD_CAT_TEST_ETCD_DIR names no etcd");
            return Ok(None);
        };
        let [client, peer] = [free_port()?, free_port()?];
        Ok(Some(Self {
            programs,
            directory: tempfile::tempdir()?,
            client_url: format!("http://127.0.0.1:{client}"),
            peer_url: format!("http://127.0.0.1:{peer}"),
            server: None,
        }))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn start(&mut self, data: &str) -> TestResult {
        let cluster = format!("one={}", self.peer_url);
        let server = Command::new(self.programs.join("etcd"))
            .arg("--data-dir")
            .arg(self.path(data))
            .args(["--name", "one", "--initial-cluster", &cluster])
            .args(["--listen-client-urls", &self.client_url])
            .args(["--advertise-client-urls", &self.client_url])
            .args(["--listen-peer-urls", &self.peer_url])
            .args(["--initial-advertise-peer-urls", &self.peer_url])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.server = Some(server);
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.ctl(&["endpoint", "health"]).is_err() {
            if Instant::now() > deadline {
                return Err("etcd did not become healthy within a minute".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn stop(&mut self) -> TestResult {
        if let Some(mut server) = self.server.take() {
            server.kill()?;
            server.wait()?;
        }
        Ok(())
    }

    fn ctl(&self, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
        let mut command = Command::new(self.programs.join("etcdctl"));
        command
            .args(["--endpoints", &self.client_url])
            .args(arguments);
        output(&mut command)
    }

    fn transaction(&self, changes: &[String]) -> TestResult {
        use std::io::Write as _;
        let mut child = Command::new(self.programs.join("etcdctl"))
            .args(["--endpoints", &self.client_url, "txn"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let script = format!("\n{}\n\n\n", changes.join("\n"));
        child
            .stdin
            .take()
            .ok_or("stdin is piped")?
            .write_all(script.as_bytes())?;
        let done = child.wait_with_output()?;
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        if done.status.success() {
            Ok(())
        } else {
            Err(complaint.into())
        }
    }

    fn revision(&self) -> Result<i64, Box<dyn Error>> {
        let status: serde_json::Value =
            serde_json::from_str(&self.ctl(&["endpoint", "status", "-w", "json"])?)?;
        let revision = status
            .pointer("/0/Status/header/revision")
            .and_then(serde_json::Value::as_i64);
        revision.ok_or_else(|| "endpoint status has no revision".into())
    }

    fn live_keys(&self) -> Result<u64, Box<dyn Error>> {
        let fields = self.ctl(&["get", "", "--prefix", "--count-only", "-w", "fields"])?;
        let count = fields
            .lines()
            .find_map(|line| line.strip_prefix("\"Count\" : "));
        Ok(count.ok_or("a count is asked for")?.trim().parse()?)
    }

    /// Saves a snapshot and holds everything that is read from it against the real tools.
    fn check_snapshot(&self, name: &str) -> Result<Snapshot, Box<dyn Error>> {
        let path = self.path(name);
        let text = path.to_str().ok_or("temporary paths are UTF-8")?;
        self.ctl(&["snapshot", "save", text])?;
        let found = read_snapshot(&path)?;
        let findings: Vec<&str> = found
            .findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert!(findings.is_empty(), "{name}: {findings:?}");
        assert!(found.digest_matches(), "{name}");
        let mut status = Command::new(self.programs.join("etcdutl"));
        let expected: serde_json::Value = serde_json::from_str(&output(
            status.args(["snapshot", "status", text, "-w", "json"]),
        )?)?;
        let found_status = serde_json::json!({
            "hash": found.status.hash, "revision": found.status.revision,
            "totalKey": found.status.total_key, "totalSize": found.status.total_size,
        });
        assert_eq!(found_status, expected, "{name}");
        assert_eq!(found.live_keys, Some(self.live_keys()?), "{name}");
        Ok(found)
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn output(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let done = command.stdin(Stdio::null()).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    Ok(String::from_utf8(done.stdout)?)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn read_snapshot(path: &Path) -> Result<Snapshot, Box<dyn Error>> {
    Ok(read(&mut File::open(path)?, HashOn::OwnThread, &Silent)?.snapshot)
}

/// Puts, deletions, transactions and leases on a few dozen keys.
fn stir(etcd: &Etcd, dice: &mut Dice, rounds: u64) -> TestResult {
    for round in 0..rounds {
        let key = format!("/registry/things/{:02}", dice.roll(40));
        let value = "v".repeat(dice.length(3000));
        match dice.roll(10) {
            0 | 1 => drop(etcd.ctl(&["del", &key])?),
            2 => drop(etcd.ctl(&[
                "del",
                "--prefix",
                &format!("/registry/things/{}", dice.roll(4)),
            ])?),
            3 | 4 => {
                let put = |index: u64| format!("put /registry/many/{index:02} {round}");
                let mut changes: Vec<String> = (0..=dice.roll(6)).map(put).collect();
                changes.push(format!("del {key}"));
                etcd.transaction(&changes)?;
            }
            5 => {
                let lease = etcd.ctl(&["lease", "grant", "3600"])?;
                let id = lease
                    .split_whitespace()
                    .nth(1)
                    .ok_or("lease ID granted ...")?
                    .to_owned();
                etcd.ctl(&["put", "--lease", &id, &key, &value])?;
                if dice.roll(2) == 0 {
                    etcd.ctl(&["lease", "revoke", &id])?;
                }
            }
            _ => drop(etcd.ctl(&["put", &key, &value])?),
        }
    }
    Ok(())
}

#[test]
fn no_snapshot_of_a_busy_etcd_looks_damaged() -> TestResult {
    let Some(mut etcd) = Etcd::new()? else {
        return Ok(());
    };
    etcd.start("data")?;
    let mut dice = Dice(7);
    etcd.check_snapshot("empty.db")?;
    for round in 0..6 {
        stir(&etcd, &mut dice, 40)?;
        etcd.check_snapshot(&format!("written-{round}.db"))?;
        let revision = etcd.revision()? - i64::try_from(dice.roll(20))?;
        etcd.ctl(&["compact", &revision.to_string(), "--physical"])?;
        let compacted = etcd.check_snapshot(&format!("compacted-{round}.db"))?;
        assert_eq!(compacted.compact_revision, Some(revision));
        if round % 2 == 1 {
            etcd.ctl(&["defrag"])?;
            etcd.check_snapshot(&format!("defragmented-{round}.db"))?;
        }
    }
    Ok(())
}

/// OpenShift 4.18 and later restore like this. The entry without a value that marks the bump outlives compactions.
#[test]
fn a_restore_with_a_bumped_revision_stays_sound_through_later_compactions() -> TestResult {
    let Some(mut etcd) = Etcd::new()? else {
        return Ok(());
    };
    etcd.start("data")?;
    let mut dice = Dice(11);
    stir(&etcd, &mut dice, 40)?;
    etcd.check_snapshot("before.db")?;
    etcd.stop()?;
    let cluster = format!("one={}", etcd.peer_url);
    let mut restore = Command::new(etcd.programs.join("etcdutl"));
    restore
        .args(["snapshot", "restore"])
        .arg(etcd.path("before.db"))
        .arg("--data-dir")
        .arg(etcd.path("restored"));
    restore.args([
        "--name",
        "one",
        "--initial-cluster",
        &cluster,
        "--initial-advertise-peer-urls",
        &etcd.peer_url,
    ]);
    output(restore.args(["--bump-revision", "1000000000", "--mark-compacted"]))?;
    etcd.start("restored")?;
    etcd.check_snapshot("restored.db")?;
    for round in 0..2 {
        stir(&etcd, &mut dice, 20)?;
        let revision = etcd.revision()?;
        assert!(revision > 1_000_000_000, "the bump shows");
        etcd.ctl(&["compact", &revision.to_string(), "--physical"])?;
        stir(&etcd, &mut dice, 5)?;
        etcd.check_snapshot(&format!("compacted-{round}.db"))?;
    }
    Ok(())
}
