//! etcd as the oracle: what it makes of a damaged snapshot.

use crate::support::read;
use etcd_cat::snapshot::SnapshotReading;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Files that one process of the oracle answers for. What a store left behind when it died ticks on, and is paid for
/// by each file after it.
const FILES_OF_A_PROCESS: usize = 100;

/// The program built from `tests/reliability/oracle`, answering one line a file.
struct Program {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    asked: usize,
}

impl Program {
    fn start() -> Option<Self> {
        let program = std::env::var_os("ETCD_CAT_ORACLE")?;
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the oracle starts");
        Some(Self {
            ask: child.stdin.take().expect("it is piped"),
            answers: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
            asked: 0,
        })
    }

    fn ask(&mut self, path: &Path) -> Option<()> {
        self.asked += 1;
        writeln!(self.ask, "{}", path.display()).ok()
    }

    /// `None` when it died of the file.
    fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// etcd's own packages.
pub(crate) struct Oracle {
    program: Program,
    directory: tempfile::TempDir,
}

impl Oracle {
    /// `None` unless `ETCD_CAT_ORACLE` names the program.
    pub(crate) fn new() -> Option<Self> {
        Some(Self {
            program: Program::start()?,
            directory: tempfile::tempdir().expect("there is room"),
        })
    }

    /// What etcd makes of a file. What kills the whole process, or does not end, is answered for by a new one.
    pub(crate) fn answer(&mut self, file: &[u8]) -> Value {
        self.answer_while(file, || ()).0
    }

    /// What etcd makes of a file, and what is found in it meanwhile.
    pub(crate) fn judge(&mut self, file: &[u8]) -> (Value, SnapshotReading) {
        self.answer_while(file, || read(file))
    }

    fn answer_while<T>(&mut self, file: &[u8], work: impl FnOnce() -> T) -> (Value, T) {
        if self.program.asked == FILES_OF_A_PROCESS {
            self.restart();
        }
        let path = self.directory.path().join("snapshot.db");
        std::fs::write(&path, file).expect("there is room");
        let asked = self.program.ask(&path);
        let done = work();
        let answer = asked.and_then(|()| self.program.answer());
        let mut answer = answer.unwrap_or_else(|| json!({"step": "died"}));
        if answer["step"] == "died" || answer["step"] == "hang" {
            self.restart();
        }
        let is_told = answer["step"] != "served" || answer["served"].is_string();
        assert!(is_told, "build the oracle anew");
        answer["path"] = Value::Null;
        (answer, done)
    }

    fn restart(&mut self) {
        self.program = Program::start().expect("it has started before");
    }
}

/// What etcd makes of a damaged file against the sound one. A version of the cluster or of its storage that a later etcd than
/// the oracle's serves is no harm.
pub(crate) fn harm(sound: &Value, damaged: &Value) -> &'static str {
    let is_newer = |reason: &str| {
        reason.ends_with("is newer than the server")
            || reason == "version \"3.7.0\" is not supported"
    };
    if damaged["reason"].as_str().is_some_and(is_newer) {
        return "is newer";
    }
    if damaged["step"] != "served" {
        return "stops";
    }
    for field in ["keys", "served", "revision"] {
        if damaged[field] != sound[field] {
            return "loses";
        }
    }
    let leases = |answer: &Value| answer["leases"].as_array().map_or(0, Vec::len);
    // The keys stay; nobody deletes them any more when their time is over.
    if leases(damaged) < leases(sound) {
        return "forgets a lease";
    }
    "serves"
}

/// Nothing is stopped, and nothing is served otherwise.
pub(crate) fn is_harmless(harm: &str) -> bool {
    ["serves", "is newer"].contains(&harm)
}
