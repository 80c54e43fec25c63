//! A cluster in a directory: the fake `oc`, its objects, one host, and a place for backups.

use chrono::{DateTime, Utc};
use etcd_cat::monitor::{Monitor, Silent};
use etcd_cat::oc::{
    BackupFailure, BackupOptions, BackupPlan, BackupRun, ClientOptions, Oc, OcError,
    VerificationResult, plan, run,
};
use std::error::Error;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) type TestResult = Result<(), Box<dyn Error>>;

/// Name parts of what the fake script makes.
pub(crate) const SNAPSHOT: &str = "snapshot_2024-11-02_030005.db";
pub(crate) const KUBERESOURCES: &str = "static_kuberesources_2024-11-02_030005.tar.gz";
/// The pod that the fake `oc debug` makes first.
pub(crate) const POD: &str = "master-1-debug-x1";

pub(crate) struct Cluster {
    directory: TempDir,
}

impl Cluster {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let root = directory.path();
        for name in [
            "bin",
            "answers",
            "host/home/core",
            "host/usr/local/bin",
            "host/var/lib/etcd/member/snap",
        ] {
            fs::create_dir_all(root.join(name))?;
        }
        let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/oc");
        symlink(testdata.join("oc"), root.join("bin/oc"))?;
        // Linked into the host, the script finds its root by its own path.
        symlink(
            testdata.join("cluster-backup.sh"),
            root.join("host/usr/local/bin/cluster-backup.sh"),
        )?;
        for entry in fs::read_dir(testdata.join("answers"))? {
            let entry = entry?;
            fs::copy(entry.path(), root.join("answers").join(entry.file_name()))?;
        }
        fs::write(root.join("host/var/lib/etcd/member/snap/db"), vec![0; 4096])?;
        fs::write(root.join("host/prepared.db"), bytes(300_000))?;
        fs::write(root.join("host/prepared.tar.gz"), bytes(5_000))?;
        Ok(Self { directory })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Shell variables for the fake `oc`.
    pub(crate) fn scenario(&self, text: &str) -> std::io::Result<()> {
        fs::write(self.path("scenario"), text)
    }

    /// Shell variables for the fake script.
    pub(crate) fn script(&self, text: &str) -> std::io::Result<()> {
        fs::write(self.path("host/script"), text)
    }

    /// Changes a text in an answer; it must be there.
    pub(crate) fn edit(&self, answer: &str, from: &str, to: &str) -> TestResult {
        let path = self.path(&format!("answers/{answer}.json"));
        let text = fs::read_to_string(&path)?;
        if !text.contains(from) {
            return Err(format!("{answer} has no {from:?}").into());
        }
        fs::write(path, text.replacen(from, to, 1))?;
        Ok(())
    }

    pub(crate) fn oc(&self) -> Result<Oc, Box<dyn Error>> {
        let options = ClientOptions {
            program: Some(self.path("bin/oc")),
            ..ClientOptions::default()
        };
        Ok(Oc::new(options)?)
    }

    /// Options with short pauses. Deadlines are long: a busy machine must not fail what is no failure.
    pub(crate) fn options(&self) -> BackupOptions {
        let mut options = BackupOptions::new(self.path("backups"));
        options.lock_directory = Some(self.path("locks"));
        options.timeouts.pod_start = Duration::from_secs(30);
        options.timeouts.stream_silence = Duration::from_secs(30);
        options.timeouts.script = Duration::from_secs(60);
        options.timeouts.command = Duration::from_secs(30);
        options.timeouts.patience = Duration::from_secs(60);
        options.timeouts.look_patience = Duration::from_millis(200);
        options.timeouts.cleanup = Duration::from_secs(60);
        options.timeouts.cleanup_after_signal = Duration::from_secs(20);
        options.timeouts.retry_pause = Duration::from_millis(10);
        options.timeouts.poll = Duration::from_millis(20);
        options
    }

    pub(crate) fn plan(&self, oc: &Oc, options: BackupOptions) -> Result<BackupPlan, OcError> {
        plan(oc, options, now(), &Silent)
    }

    /// Plans and runs; verification passes.
    pub(crate) fn back_up(&self, options: BackupOptions) -> Result<BackupRun, Failure> {
        self.back_up_with(options, &Silent, &VerificationResult::Passed)
    }

    pub(crate) fn back_up_with(
        &self,
        options: BackupOptions,
        monitor: &dyn Monitor,
        verification: &VerificationResult,
    ) -> Result<BackupRun, Failure> {
        let oc = self.oc().expect("the fake oc is there");
        let plan = plan(&oc, options, now(), monitor).map_err(Failure::Plan)?;
        run(&oc, &plan, monitor, &mut |_| verification.clone()).map_err(Failure::Run)
    }

    /// The arguments of every run of `oc`.
    pub(crate) fn log(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        let words = |line: &str| line.split_terminator('\x1f').map(str::to_owned).collect();
        text.lines().map(words).collect()
    }

    /// The log as lines, with what differs from run to run named: `SUFFIX`, `POD`.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        self.log()
            .iter()
            .map(|words| self.normalise(&words.join(" ")))
            .collect()
    }

    pub(crate) fn normalise(&self, line: &str) -> String {
        let mut line = without_time(line.to_owned())
            .replace(POD, "POD")
            .replace(&self.directory.path().display().to_string(), "DIR");
        while let Some(at) = line.find("etcd-cat-").map(|at| at + "etcd-cat-".len())
            && line.get(at..at + 6) != Some("SUFFIX")
        {
            line.replace_range(at..at + 5, "SUFFIX");
            line = line.replacen("etcd-cat-SUFFIX", "\u{1}SUFFIX", 1);
        }
        line.replace('\u{1}', "etcd-cat-")
    }

    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory))
            .into_iter()
            .flatten()
            .flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Nothing of ours is left in the cluster, and nothing half here.
    pub(crate) fn assert_no_rubbish(&self, name: &str) {
        for directory in ["host/home/core", "pods", "namespaces"] {
            assert_eq!(
                self.names(directory),
                Vec::<String>::new(),
                "{name}: {directory}"
            );
        }
        for directory in ["backups", "keys"] {
            let parts = self
                .names(directory)
                .into_iter()
                .filter(|file| file.ends_with(".part"));
            assert_eq!(parts.count(), 0, "{name}: {directory}");
        }
    }

    /// A finished backup waits on the host: nothing else of ours is in the cluster, and nothing half here.
    pub(crate) fn assert_only_on_host(&self, name: &str) {
        assert_eq!(self.names("host/home/core").len(), 1, "{name}");
        for directory in ["pods", "namespaces"] {
            let names = self.names(directory);
            assert_eq!(names, Vec::<String>::new(), "{name}: {directory}");
        }
        for directory in ["backups", "keys"] {
            let names = self.names(directory);
            let half = names.iter().find(|name| name.ends_with(".part"));
            assert_eq!(half, None, "{name}: {directory}");
        }
    }

    /// As above, and no backup either.
    pub(crate) fn assert_nothing_happened(&self, name: &str) {
        self.assert_no_rubbish(name);
        for directory in ["backups", "keys"] {
            assert_eq!(
                self.names(directory),
                Vec::<String>::new(),
                "{name}: {directory}"
            );
        }
    }
}

/// The line of a command with the instant of its heartbeat named.
pub(crate) fn without_time(mut line: String) -> String {
    let beat = "etcd-cat/heartbeat=";
    if let Some(at) = line.find(beat).map(|at| at + beat.len())
        && let Some(end) = line
            .get(at..)
            .map(|rest| at + rest.find(' ').unwrap_or(rest.len()))
    {
        line.replace_range(at..end, "TIME");
    }
    line
}

/// Where it failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Plan(OcError),
    Run(Box<BackupFailure>),
}

impl Failure {
    pub(crate) fn error(&self) -> &OcError {
        match self {
            Self::Plan(error) => error,
            Self::Run(failure) => &failure.error,
        }
    }

    /// Why it was not brought here, of a backup that stays on the host.
    pub(crate) fn obstacle(&self) -> Option<&OcError> {
        match self.error() {
            OcError::NotBroughtHere { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error().fmt(f)
    }
}

impl Error for Failure {}

/// A night two months after the installation.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_730_516_400, 0).expect("2024-11-02T03:00:00Z is an instant")
}

/// Bytes that are all over the place: NUL, CR, LF, and what is no UTF-8.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut state = 12_345_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// Listens, and interrupts when it has heard enough.
#[derive(Default)]
pub(crate) struct Ear {
    pub(crate) notes: Mutex<Vec<String>>,
    pub(crate) bytes: AtomicU64,
    pub(crate) interrupt_at_note: Option<&'static str>,
    pub(crate) interrupt_at_bytes: Option<u64>,
}

impl Ear {
    pub(crate) fn heard(&self, text: &str) -> bool {
        let notes = self.notes.lock().expect("no listener panicked");
        notes.iter().any(|note| note.contains(text))
    }
}

impl Monitor for Ear {
    fn advance(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
    }

    fn note(&self, text: &str) {
        self.notes
            .lock()
            .expect("no listener panicked")
            .push(text.to_owned());
    }

    fn is_interrupted(&self) -> bool {
        let by_note = self.interrupt_at_note.is_some_and(|text| self.heard(text));
        let bytes = self.bytes.load(Ordering::SeqCst);
        by_note || self.interrupt_at_bytes.is_some_and(|limit| bytes >= limit)
    }
}
