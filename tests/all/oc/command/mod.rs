//! The command `etcd-cat` itself against the fake `oc`: what it prints, how it ends, what lies where afterwards.

#[cfg(feature = "object-stores")]
mod buckets;
mod catalogue;
mod earlier;
mod failures;
#[cfg(feature = "object-stores")]
mod google;
mod happy;
mod mistakes;
mod policy;
#[cfg(feature = "object-stores")]
mod real_stores;
mod refusals;
mod signals;
mod watched;

use super::cluster::{Cluster, TestResult};
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Names of the prepared pair.
pub(crate) const SNAPSHOT: &str = "snapshot_2024-11-02_030000.db";
pub(crate) const KUBERESOURCES: &str = "static_kuberesources_2024-11-02_030000.tar.gz";
/// What `etcdutl snapshot status` says of it.
const STATUS: &str = r#"{"hash":4087570503,"revision":872,"totalKey":495,"totalSize":688128}"#;
const PREPARED_CLUSTER: &str = "3a5f1c9e-7d24-4b8e-9c61-52f0a7e4d301";
const ANSWERED_CLUSTER: &str = "0d5c6f5e-6b5b-4b8e-9d0a-3f0f6f2f9c11";

/// A cluster of which there is a real backup, and a machine with etcd-cat.
pub(crate) struct Night {
    pub(crate) cluster: Cluster,
}

impl Night {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let cluster = Cluster::new()?;
        cluster.edit("clusterversion", ANSWERED_CLUSTER, PREPARED_CLUSTER)?;
        fs::copy(
            sample(&format!("prod/{SNAPSHOT}")),
            cluster.path("host/prepared.db"),
        )?;
        prepare_kuberesources(&cluster, "master-1")?;
        fs::create_dir(cluster.path("home"))?;
        let night = Self { cluster };
        night.script("")?;
        Ok(night)
    }

    /// Shell variables for the fake script, on top of those of the pair.
    pub(crate) fn script(&self, text: &str) -> std::io::Result<()> {
        let script = format!("stamp=2024-11-02_030000\nstatus_line='{STATUS}'\n{text}\n");
        self.cluster.script(&script)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.cluster.path(name)
    }

    /// The command on an hour after the backup, in an environment of its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("etcd-cat"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("ETCD_CAT_OC", self.path("bin/oc"))
            .env("ETCD_CAT_LOCK_DIRECTORY", self.path("locks"))
            .env("ETCD_CAT_CATALOGUE", self.path("catalogue.redb"))
            .env("ETCD_CAT_PATIENCE", "1s")
            .env("ETCD_CAT_AS_OF", "2024-11-02T04:00:00Z")
            .current_dir(self.path("home"))
            .args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Ended, Box<dyn Error>> {
        Ok(Ended::new(&self.command(arguments).output()?))
    }

    /// `backup --to backups --keys-to keys` and more.
    pub(crate) fn back_up(&self, more: &[&str]) -> Result<Ended, Box<dyn Error>> {
        Ok(Ended::new(&self.back_up_command(more).output()?))
    }

    pub(crate) fn back_up_command(&self, more: &[&str]) -> Command {
        let mut command = self.command(&["backup"]);
        command
            .arg("--to")
            .arg(self.path("backups"))
            .arg("--keys-to")
            .arg(self.path("keys"))
            .args(more);
        command
    }

    /// What the catalogue lists, as JSON.
    pub(crate) fn list(&self) -> Result<Value, Box<dyn Error>> {
        let listed = self.run(&["list", "--all", "-o", "json"])?;
        Ok(listed.json()?["items"].clone())
    }

    /// Nothing was taken: no file here, nothing there, nothing remembered.
    pub(crate) fn assert_nothing_happened(&self, name: &str) -> TestResult {
        self.cluster.assert_nothing_happened(name);
        assert_eq!(self.list()?, Value::Array(Vec::new()), "{name}");
        Ok(())
    }
}

/// The archive of the sample, made on `master-0`, as another node makes it: its etcd pod is for that one.
pub(crate) fn prepare_kuberesources(cluster: &Cluster, node: &str) -> TestResult {
    let mut tar = Vec::new();
    let file = fs::File::open(sample(&format!("keys/prod/{KUBERESOURCES}")))?;
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut tar)?;
    // As long as before, and in no name of a member: those end with NUL.
    let from = &b"etcd-peer-master-0.crt\""[..];
    let to = format!("etcd-peer-{node}.crt\"");
    let mut at = 0;
    while let Some(found) = tar[at..]
        .windows(from.len())
        .position(|bytes| bytes == from)
    {
        at += found;
        tar[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    let file = fs::File::create(cluster.path("host/prepared.tar.gz"))?;
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    packed.write_all(&tar)?;
    packed.finish()?;
    Ok(())
}

pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/backups")
        .join(name)
}

/// What the command said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    pub(crate) fn json(&self) -> Result<Value, Box<dyn Error>> {
        serde_json::from_str(&self.stdout).map_err(|error| format!("{error}: {self:?}").into())
    }

    /// The exit code, and a text on stderr.
    pub(crate) fn assert(&self, name: &str, code: i32, says: &str) {
        assert_eq!(self.code, Some(code), "{name}: {self:#?}");
        assert!(self.stderr.contains(says), "{name}: {says:?} in {self:#?}");
    }
}
