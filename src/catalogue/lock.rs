//! Whose turn it is: a lock file beside the catalogue that also says who holds it.
//!
//! Readers share, a writer is alone. A reader creates nothing: without a lock file the store's own lock must do.

use super::error::CatalogueError;
use super::store::Access;
use crate::instant::rfc3339_seconds;
use chrono::DateTime;
use rustix::process::{Pid, test_kill_process};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest part of a command line that is worth showing.
const COMMAND_CHARS: usize = 200;

/// How long to go on trying, and what for.
#[derive(Clone, Debug)]
pub(super) struct LockWait<'p> {
    path: &'p Path,
    patience: Duration,
    until: Instant,
    pause: Duration,
}

impl<'p> LockWait<'p> {
    /// Waits at most `patience` from now.
    pub(super) fn new(path: &'p Path, patience: Duration) -> Self {
        Self {
            path,
            patience,
            until: Instant::now() + patience,
            pause: Duration::from_millis(1),
        }
    }

    /// Sleeps a little longer each time; an error naming the holder when the time is over.
    pub(super) fn pause(&mut self) -> Result<(), CatalogueError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(CatalogueError::Held {
                path: self.path.to_owned(),
                holder: holder(self.path),
                patience_seconds: self.patience.as_secs(),
            });
        }
        std::thread::sleep(self.pause.min(left));
        self.pause = (self.pause * 2).min(Duration::from_millis(50));
        Ok(())
    }
}

/// The turn; ends when dropped.
#[derive(Debug)]
pub(super) struct LockTurn {
    file: Option<File>,
    access: Access,
}

impl LockTurn {
    /// Waits for the turn.
    pub(super) fn take(access: Access, wait: &mut LockWait<'_>) -> Result<Self, CatalogueError> {
        let path = lock_path(wait.path);
        let Some(file) = open(&path, access)? else {
            return Ok(Self { file: None, access });
        };
        loop {
            let locked = match access {
                Access::Read => file.try_lock_shared(),
                Access::Write => file.try_lock(),
            };
            match locked {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => wait.pause()?,
                Err(TryLockError::Error(source)) => return Err(error("lock", &path, source)),
            }
        }
        if access == Access::Write {
            sign(&file).map_err(|source| error("write", &path, source))?;
        }
        let file = Some(file);
        Ok(Self { file, access })
    }
}

impl Drop for LockTurn {
    fn drop(&mut self) {
        if let (Access::Write, Some(file)) = (self.access, &self.file) {
            // A name left behind would blame the wrong process; that it cannot be wiped harms nobody else.
            let _ = file.set_len(0);
        }
    }
}

fn open(path: &Path, access: Access) -> Result<Option<File>, CatalogueError> {
    if access == Access::Read {
        return match File::open(path) {
            Ok(file) => Ok(Some(file)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(error("open", path, source)),
        };
    }
    let directory = path
        .parent()
        .map(|parent| (parent, std::fs::metadata(parent)));
    if let Some((directory, Err(looked))) = directory {
        if looked.kind() != io::ErrorKind::NotFound {
            return Err(error("read", directory, looked));
        }
        let created = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory);
        created.map_err(|source| error("create", directory, source))?;
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let file = options.mode(0o600).open(path);
    file.map(Some).map_err(|source| error("open", path, source))
}

/// Leaves process, moment and command for whoever waits in vain.
fn sign(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    let words: Vec<_> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let command: String = words.join(" ").chars().take(COMMAND_CHARS).collect();
    let since = rfc3339_seconds(crate::instant::now());
    file.write_all(format!("{} {since} {command}\n", std::process::id()).as_bytes())
}

/// What the lock file says, when that process still lives.
fn holder(catalogue: &Path) -> String {
    let signed = std::fs::read_to_string(lock_path(catalogue)).unwrap_or_default();
    let named = signed.trim().split_once(' ').and_then(|(pid, command)| {
        let alive = test_kill_process(Pid::from_raw(pid.parse().ok()?)?);
        // EPERM: it lives and is somebody else's.
        let is_alive = alive.is_ok() || alive == Err(rustix::io::Errno::PERM);
        is_alive.then(|| described(pid, command))
    });
    named.unwrap_or_else(|| "another process".to_owned())
}

/// The moment stands before the command; earlier programs left none.
fn described(pid: &str, rest: &str) -> String {
    let is_moment = |first: &str| DateTime::parse_from_rfc3339(first).is_ok();
    match rest.split_once(' ').filter(|(first, _)| is_moment(first)) {
        Some((since, command)) => {
            format!("process {pid} ({}) since {since}", command.escape_debug())
        }
        None => format!("process {pid} ({})", rest.escape_debug()),
    }
}

fn lock_path(catalogue: &Path) -> PathBuf {
    let mut path = catalogue.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

fn error(action: &'static str, path: &Path, source: io::Error) -> CatalogueError {
    let path = path.to_owned();
    CatalogueError::Io {
        action,
        path,
        source,
    }
}
