//! The directory of a run: files are created whole and never written again.

use super::error::FleetError;
use crate::source::create_whole;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

const PLAN: &str = "plan.jsonl";
const DONE: &str = "done.json";
const FRAGMENT: &str = "fragment";

/// Nothing that this program writes here is larger; whatever is larger is something else.
const MAX_BYTES: u64 = 1 << 30;

/// A run: the directory that holds its plan and its results.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FleetRun {
    directory: PathBuf,
}

impl FleetRun {
    /// The run of this name among results.
    pub fn new(results: &Path, name: &str) -> Self {
        Self {
            directory: results.join(name),
        }
    }

    /// The run that somebody means with a plan, with the directory that holds it, or with the results of many runs: of
    /// those the one whose name comes last.
    pub fn of_plan(path: &Path) -> Self {
        let directory = match path.file_name() {
            Some(name) if name == PLAN => path.parent().map(Path::to_owned),
            _ if path.join(PLAN).exists() => None,
            _ => newest_run(path),
        };
        Self {
            directory: directory.unwrap_or_else(|| path.to_owned()),
        }
    }

    /// Where it lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its plan.
    pub fn plan(&self) -> PathBuf {
        self.directory.join(PLAN)
    }

    fn shard(&self, shard: u32) -> PathBuf {
        self.directory.join("shards").join(shard.to_string())
    }

    /// What says that all of a share was done.
    pub(super) fn done(&self, shard: u32) -> PathBuf {
        self.shard(shard).join(DONE)
    }

    /// Writes the plan; the run must not be there yet.
    pub(super) fn create(&self, plan: &[u8]) -> Result<(), FleetError> {
        make_directories(&self.directory)?;
        if create(&self.plan(), plan)? {
            return Ok(());
        }
        Err(FleetError::RunExists {
            path: self.directory.clone(),
        })
    }

    /// Adds a fragment, and returns its name. One of the same name holds the same bytes.
    pub(super) fn add_fragment(
        &self,
        shard: u32,
        time: &str,
        digest: &str,
        bytes: &[u8],
    ) -> Result<String, FleetError> {
        make_directories(&self.shard(shard))?;
        let name = format!("{time}-{digest}.{FRAGMENT}");
        create(&self.fragment(shard, &name), bytes)?;
        Ok(name)
    }

    /// The fragment of this name.
    pub(super) fn fragment(&self, shard: u32, name: &str) -> PathBuf {
        self.shard(shard).join(name)
    }

    /// Says that a share is done; a twin may have said so before.
    pub(super) fn finish(&self, shard: u32, done: &[u8]) -> Result<(), FleetError> {
        make_directories(&self.shard(shard))?;
        create(&self.done(shard), done).map(|_| ())
    }

    /// Is a share done?
    pub(super) fn is_done(&self, shard: u32) -> Result<bool, FleetError> {
        let path = self.done(shard);
        path.try_exists()
            .map_err(|error| FleetError::io("look for", path, error))
    }

    /// The names of the fragments of a share, oldest first.
    pub(super) fn fragments(&self, shard: u32) -> Result<Vec<String>, FleetError> {
        let directory = self.shard(shard);
        let failed = |error| FleetError::io("list", &directory, error);
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            if Path::new(&name).extension() == Some(OsStr::new(FRAGMENT)) {
                names.extend(name.into_string());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// The directory below `results` that has a plan and the last name.
fn newest_run(results: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(results).ok()?.flatten();
    let runs = entries.map(|entry| entry.path());
    runs.filter(|run| run.join(PLAN).exists()).max()
}

/// All bytes of one of these files.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FleetError> {
    let failed = |error| FleetError::io("read", path, error);
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        let error = io::Error::new(ErrorKind::Unsupported, "larger than any that was written");
        return Err(failed(error));
    }
    Ok(bytes)
}

/// Creates a file that is whole under its name, or not there; false when the name is taken.
fn create(path: &Path, bytes: &[u8]) -> Result<bool, FleetError> {
    match create_whole(path, bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(FleetError::io("create", path, error)),
    }
}

fn make_directories(path: &Path) -> Result<(), FleetError> {
    fs::create_dir_all(path).map_err(|error| FleetError::io("create", path, error))
}
