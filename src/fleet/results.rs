//! The directory of a run, on a disk or in a bucket: files are created whole and never written again.

use super::error::FleetError;
use crate::monitor::Silent;
use crate::source::{
    Cause, NewObject, ObjectId, OpenError, Pace, Store as _, Stores, create_whole,
};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

const PLAN: &str = "plan.jsonl";
const DONE: &str = "done.json";
const FRAGMENT: &str = "fragment";

/// Nothing that this program writes here is larger; whatever is larger is something else.
const MAX_BYTES: u64 = 1 << 30;

/// A run: the directory that holds its plan and its results.
#[derive(Clone, Debug)]
pub struct FleetRun {
    directory: ObjectId,
    stores: Stores,
}

impl FleetRun {
    /// The run of this name among results.
    pub fn new(results: &ObjectId, name: &str, stores: &Stores) -> Self {
        Self {
            directory: results.without_end().join(OsStr::new(name)),
            stores: stores.clone(),
        }
    }

    /// The run that somebody means with a plan, with the directory that holds it, or with the results of many runs: of
    /// those the one whose name comes last.
    ///
    /// # Errors
    ///
    /// The store cannot be asked.
    pub fn of_plan(named: &ObjectId, stores: &Stores) -> Result<Self, FleetError> {
        let named = named.without_end();
        let run = |directory: ObjectId| Self {
            directory,
            stores: stores.clone(),
        };
        if named.file_name() == Some(OsStr::new(PLAN)) {
            return Ok(run(named.parent().unwrap_or_else(|| named.clone())));
        }
        let whole = run(named);
        if exists(stores, &whole.plan())? {
            return Ok(whole);
        }
        let newest = newest_run(&whole.directory, stores)?;
        Ok(newest.map_or(whole, run))
    }

    /// Its plan.
    pub fn plan(&self) -> ObjectId {
        self.directory.join(OsStr::new(PLAN))
    }

    fn shard(&self, shard: u32) -> ObjectId {
        let shards = self.directory.join(OsStr::new("shards"));
        shards.join(OsStr::new(&shard.to_string()))
    }

    /// What says that all of a share was done.
    pub(super) fn done(&self, shard: u32) -> ObjectId {
        self.shard(shard).join(OsStr::new(DONE))
    }

    /// Writes the plan; the run must not be there yet.
    pub(super) fn create(&self, plan: &[u8]) -> Result<(), FleetError> {
        if self.create_new(&self.plan(), plan)? {
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
        let name = format!("{time}-{digest}.{FRAGMENT}");
        self.create_new(&self.fragment(shard, &name), bytes)?;
        Ok(name)
    }

    /// The fragment of this name.
    pub(super) fn fragment(&self, shard: u32, name: &str) -> ObjectId {
        self.shard(shard).join(OsStr::new(name))
    }

    /// Says that a share is done; a twin may have said so before.
    pub(super) fn finish(&self, shard: u32, done: &[u8]) -> Result<(), FleetError> {
        self.create_new(&self.done(shard), done).map(|_| ())
    }

    /// Is a share done?
    pub(super) fn is_done(&self, shard: u32) -> Result<bool, FleetError> {
        exists(&self.stores, &self.done(shard))
    }

    /// The names of the fragments of a share, oldest first.
    pub(super) fn fragments(&self, shard: u32) -> Result<Vec<String>, FleetError> {
        let directory = self.shard(shard);
        let names = names(&self.stores, &directory)?.into_iter();
        let suffix = format!(".{FRAGMENT}");
        let mut names: Vec<String> = names.filter(|name| name.ends_with(&suffix)).collect();
        names.sort();
        Ok(names)
    }

    /// All bytes of one of these files.
    pub(super) fn read(&self, id: &ObjectId) -> Result<Vec<u8>, FleetError> {
        let failed = |error| FleetError::io("read", id, error);
        let object = self.stores.open(id, None).map_err(|error| match error {
            OpenError::Io(error) => failed(error.source),
            other => failed(io::Error::new(ErrorKind::Unsupported, other.to_string())),
        })?;
        let reader = object.reader(Pace::OneByOne).map_err(failed)?;
        let mut bytes = Vec::new();
        let read = reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(failed)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
            let error = io::Error::new(ErrorKind::Unsupported, "larger than any that was written");
            return Err(failed(error));
        }
        Ok(bytes)
    }

    /// Creates a file that is whole under its name, or not there; false when the name is taken.
    fn create_new(&self, id: &ObjectId, bytes: &[u8]) -> Result<bool, FleetError> {
        let created = match id.as_path() {
            // Whoever merges may be another user of the same group.
            Some(path) => {
                make_directory(path.parent().unwrap_or(Path::new(".")))?;
                create_whole(path, bytes)
            }
            None => {
                let new = NewObject {
                    bytes: &bytes,
                    size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                    begun: &|_| Ok(()),
                };
                // What was learnt is kept, a signal or not.
                self.stores.create(id, &new, &Silent).map(drop)
            }
        };
        match created {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(FleetError::io("create", id, error)),
        }
    }
}

fn make_directory(path: &Path) -> Result<(), FleetError> {
    fs::create_dir_all(path).map_err(|error| FleetError::io("create", path, error))
}

fn exists(stores: &Stores, id: &ObjectId) -> Result<bool, FleetError> {
    if let Some(path) = id.as_path() {
        let exists = path.try_exists();
        return exists.map_err(|error| FleetError::io("look for", id, error));
    }
    match stores.stat(id) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FleetError::io("look for", id, error)),
    }
}

/// The names of what lies right in a directory, which need not be there; what is no text is none of ours.
fn names(stores: &Stores, directory: &ObjectId) -> Result<Vec<String>, FleetError> {
    let failed = |error| FleetError::io("list", directory, error);
    if let Some(path) = directory.as_path() {
        let entries = match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(failed)?.file_name().into_string());
        }
        return Ok(names);
    }
    let listing = stores.list_beside(&directory.join(OsStr::new(DONE)), &Silent);
    for hole in &listing.left_out {
        if let Cause::Refused(kind) = hole.cause {
            return Err(failed(io::Error::new(kind, hole.reason.clone())));
        }
    }
    let names = listing.objects.iter().filter_map(|one| one.id.file_name());
    let names = names.filter_map(|name| Some(name.to_str()?.to_owned()));
    Ok(names.collect())
}

/// The directory below `results` that has a plan and the last name.
fn newest_run(results: &ObjectId, stores: &Stores) -> Result<Option<ObjectId>, FleetError> {
    if results.as_path().is_some() {
        let names = names(stores, results).unwrap_or_default().into_iter();
        let runs = names.map(|name| results.join(OsStr::new(&name)));
        let plan = |run: &ObjectId| run.join(OsStr::new(PLAN));
        let has_plan = |run: &ObjectId| plan(run).as_path().is_some_and(Path::exists);
        return Ok(runs.filter(has_plan).max());
    }
    let listing = stores.list(results, &Silent);
    let plans = listing.objects.iter().map(|one| &one.id);
    let plans = plans.filter(|id| id.file_name() == Some(OsStr::new(PLAN)));
    let runs = plans.filter_map(ObjectId::parent);
    Ok(runs
        .filter(|run| run.parent().as_ref() == Some(results))
        .max())
}
