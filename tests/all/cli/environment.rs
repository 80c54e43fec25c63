//! A place of its own for each test, and the command run in it.

use crate::cli::contract::{Backup, BackupList, VerifyReport};
use crate::support::samples;
use serde::de::DeserializeOwned;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The healthy pair that most tests damage.
pub(crate) const SNAPSHOT: &str = "backups/prod/snapshot_2024-11-02_030000.db";
/// Its other half.
pub(crate) const KUBERESOURCES: &str =
    "backups/keys/prod/static_kuberesources_2024-11-02_030000.tar.gz";
/// Soon after both were made.
pub(crate) const SOON: &str = "2024-11-02T06:00:00Z";

/// A directory with room for backups, and an empty environment.
pub(crate) struct TestEnv {
    root: TempDir,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// With the healthy pair in two directories.
    pub(crate) fn healthy() -> Self {
        let env = Self::new();
        env.put_healthy();
        env
    }

    /// With the healthy pair, read and remembered.
    pub(crate) fn indexed() -> Self {
        let env = Self::healthy();
        let (data, keys) = (env.text("data"), env.text("keys"));
        env.run(&["index", "--as-of", SOON, &data, &keys])
            .ends_with(0);
        env
    }

    /// Puts the healthy pair in two directories.
    pub(crate) fn put_healthy(&self) {
        self.copy(SNAPSHOT, "data");
        self.copy(KUBERESOURCES, "keys");
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// The same as text.
    pub(crate) fn text(&self, relative: &str) -> String {
        self.path(relative)
            .to_str()
            .expect("temporary directories have plain names")
            .to_owned()
    }

    /// Writes a file and the directories above it.
    pub(crate) fn put(&self, relative: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().expect("a directory above")).expect("made");
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        path
    }

    /// Copies a sample into a directory under its own name.
    pub(crate) fn copy(&self, sample: &str, directory: &str) -> PathBuf {
        let name = Path::new(sample).file_name().and_then(|name| name.to_str());
        let name = name.expect("samples have plain names");
        self.put(&format!("{directory}/{name}"), samples::bytes(sample))
    }

    /// The command in this place: nothing of the surroundings comes along.
    pub(crate) fn command<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("etcd-cat"));
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("COLUMNS", "100")
            .env("ETCD_CAT_CATALOGUE", self.path("catalogue.redb"))
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    /// The command as somebody who may do little, in an empty environment; `None` for root without `setpriv`.
    pub(crate) fn command_of_nobody(&self, arguments: &[&str]) -> Option<Command> {
        let open = |path: &Path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
                .expect("our own file");
        };
        let program = assert_cmd::cargo::cargo_bin!("etcd-cat");
        if std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() != 0) {
            let mut command = Command::new(program);
            command.env_clear().args(arguments);
            return Some(command);
        }
        // A build may lie where nobody may look: a copy does not.
        let copy = self.path("etcd-cat");
        std::fs::copy(program, &copy).expect("copied");
        open(&copy);
        open(self.root.path());
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(copy)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        let probe = Command::new("setpriv").arg("--version").output();
        probe.is_ok().then_some(command)
    }

    /// Runs it to its end.
    pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(&self, arguments: &[A]) -> Ran {
        Ran::of(
            self.command(arguments)
                .output()
                .expect("the command starts"),
        )
    }

    /// Runs `verify` on everything here, as of `as_of`.
    pub(crate) fn verify_as_of(&self, as_of: &str, arguments: &[&str]) -> VerifyReport {
        let mut all = vec!["verify", "-o", "json", "--as-of", as_of];
        all.extend(arguments);
        let data = self.text("");
        if !arguments.iter().any(|argument| argument.starts_with('/')) {
            all.push(&data);
        }
        self.run(&all).json()
    }

    /// Runs `verify` on everything here.
    pub(crate) fn verify(&self, arguments: &[&str]) -> VerifyReport {
        self.verify_as_of(SOON, arguments)
    }

    /// What `list --all` shows.
    pub(crate) fn list(&self) -> Vec<Backup> {
        let ran = self.run(&["list", "--all", "-o", "json", "--as-of", SOON]);
        ran.json::<BackupList>().items
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
            code: output.status.code(),
        }
    }

    /// Stdout as a document of the contract.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Stops unless it ended so.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The object on the last line of stderr.
    #[track_caller]
    pub(crate) fn error(&self) -> serde_json::Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
