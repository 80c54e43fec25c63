//! A directory of backups, and the binary run on it.

use crate::support::bolt::{Bolt, Content};
use crate::support::samples::{bytes, testdata};
use crate::support::write::{Form, database};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A moment after the newest sample of 2024, when no certificate of the healthy ones has expired.
pub(crate) const NOW: &str = "2024-11-10T00:00:00Z";

/// Backups in a directory of their own, with a catalogue beside them.
pub(crate) struct Tree {
    directory: tempfile::TempDir,
}

/// What a run of the binary gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Tree {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(directory.path().join("b")).expect("a fresh directory");
        Self { directory }
    }

    /// Where the backups lie.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("b")
    }

    /// A path beside the backups.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn put(&self, path: &str, content: &[u8]) -> PathBuf {
        assert!(!path.starts_with('/'), "{path} leads out of the tree");
        let path = self.root().join(path);
        let directory = path.parent().expect("it lies in the tree");
        std::fs::create_dir_all(directory).expect("directories can be made");
        std::fs::write(&path, content).expect("files can be written");
        path
    }

    /// Copies a sample, to the same path unless another is given.
    pub(crate) fn copy(&self, sample: &str, to: &str) -> PathBuf {
        self.put(to, &bytes(&format!("backups/{sample}")))
    }

    /// Copies both halves of a sample to one directory.
    pub(crate) fn pair(&self, snapshot: &str, kuberesources: &str, directory: &str) {
        for half in [snapshot, kuberesources] {
            let name = half.rsplit('/').next().expect("a name");
            self.copy(half, &format!("{directory}/{name}"));
        }
    }

    /// The whole of the samples.
    pub(crate) fn samples() -> Self {
        let tree = Self::new();
        for entry in walkdir::WalkDir::new(testdata().join("backups")) {
            let entry = entry.expect("testdata can be walked");
            let is_backup = [".db", ".tar.gz"]
                .iter()
                .any(|suffix| entry.path().to_string_lossy().ends_with(suffix));
            if is_backup {
                let path = entry.path().strip_prefix(testdata().join("backups"));
                let path = path.expect("it lies below").to_string_lossy().into_owned();
                tree.copy(&path, &path);
            }
        }
        tree
    }

    /// Runs the binary as of [`NOW`].
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_as_of(NOW, arguments)
    }

    /// Runs the binary with its catalogue beside the backups.
    pub(crate) fn run_as_of(&self, now: &str, arguments: &[&str]) -> Run {
        let output = self
            .command()
            .args(["--as-of", now])
            .args(arguments)
            .output();
        output.expect("the binary runs").into()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("etcd-cat"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.directory.path())
            .env("ETCD_CAT_CATALOGUE", self.directory.path().join("c.redb"));
        command
    }

    /// Indexes the tree.
    pub(crate) fn index(&self) -> Run {
        self.run(&["index", text(&self.root())])
    }

    /// Verifies the tree as of an instant and returns the only backup.
    pub(crate) fn only(&self, now: &str) -> Value {
        let found = self.verified(now);
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0].clone()
    }

    /// All backups of the tree as of an instant.
    pub(crate) fn verified(&self, now: &str) -> Vec<Value> {
        let run = self.run_as_of(now, &["verify", text(&self.root()), "-o", "json"]);
        run.json()["items"].as_array().expect("a list").clone()
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

/// Severity and message of each finding of a code.
pub(crate) fn findings(backup: &Value, code: &str) -> Vec<(String, String)> {
    let findings = backup["findings"].as_array().expect("a list").iter();
    let of_code = findings.filter(|finding| finding["code"] == code);
    let word = |value: &Value| value.as_str().expect("a text").to_owned();
    of_code
        .map(|finding| (word(&finding["severity"]), word(&finding["message"])))
        .collect()
}

/// The backup whose snapshot or kuberesources has this name.
pub(crate) fn named<'a>(backups: &'a [Value], name: &str) -> &'a Value {
    let is_named = |half: &Value| {
        half["path"]
            .as_str()
            .is_some_and(|path| path.ends_with(name))
    };
    let mut found = backups
        .iter()
        .filter(|one| is_named(&one["snapshot"]) || is_named(&one["kuberesources"]));
    found
        .next()
        .unwrap_or_else(|| panic!("{name} in {backups:#?}"))
}

/// A snapshot with its content changed and sealed again.
pub(crate) fn edited(sample: &str, edit: impl FnOnce(&mut Content)) -> Vec<u8> {
    let mut content = Bolt::open(&bytes(&format!("backups/{sample}"))).content();
    edit(&mut content);
    database(&content, Form::default()).sealed()
}

/// The entries of one bucket.
pub(crate) fn bucket<'c>(content: &'c mut Content, name: &str) -> &'c mut Vec<(Vec<u8>, Vec<u8>)> {
    let mut buckets = content.iter_mut();
    let (_, entries) = buckets
        .find(|(bucket, _)| bucket == name.as_bytes())
        .unwrap_or_else(|| panic!("bucket {name}"));
    entries
}

/// Puts `to` in place of `from`, of the same length, wherever it stands in the keyspace.
pub(crate) fn replace(content: &mut Content, from: &str, to: &str) {
    assert_eq!(from.len(), to.len(), "lengths stand in the records");
    for (_, value) in bucket(content, "key") {
        let mut start = 0;
        while let Some(at) = find(&value[start..], from.as_bytes()) {
            value[start + at..start + at + from.len()].copy_from_slice(to.as_bytes());
            start += at + from.len();
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
