//! Where a backup lies on this machine until it is proven to lie in a bucket.
//!
//! A directory for each run, with a note beside the files that says which uploads were begun. The run holds a lock on the
//! note: one that nobody holds was left by a run that was killed.

use crate::backup::Provenance;
use crate::finding::Code;
use crate::instant::compact;
use crate::source::{AtPath as _, IoError, ObjectId, replace_own};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const NOTE: &str = "etcd-cat-run.json";
const LOCK: &str = "etcd-cat-run.lock";
/// Every note of ours begins with it.
const MARK: &[u8] = b"{\"etcdCatRun\":1";
/// A note is short; a longer file is not ours to believe.
const MOST_NOTE_BYTES: u64 = 1 << 20;

/// What a run says of itself to those that come after it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    etcd_cat_run: u32,
    /// What was verified here; `None`: nothing yet.
    pub(super) verified: Option<Taken>,
    /// Uploads in parts that were begun and have not ended: the object, and what its store calls the upload.
    pub(super) uploads: Vec<(String, String)>,
}

impl Default for Note {
    fn default() -> Self {
        Self {
            etcd_cat_run: 1,
            verified: None,
            uploads: Vec::new(),
        }
    }
}

/// A backup that was verified here, and how it was taken.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Taken {
    pub(super) snapshot: PathBuf,
    pub(super) kuberesources: PathBuf,
    pub(super) provenance: Provenance,
    /// Codes that were overridden before it was taken.
    pub(super) accepted: Vec<Code>,
}

/// The directory of this run.
#[derive(Debug)]
pub(super) struct WorkDirectory {
    path: PathBuf,
    note: Mutex<Note>,
    lock: Option<File>,
}

/// One that a run has left which is no more.
#[derive(Debug)]
pub(super) struct LeftDirectory {
    pub(super) path: PathBuf,
    pub(super) note: Note,
    lock: File,
}

impl WorkDirectory {
    /// Not made yet.
    pub(super) fn new(root: &Path, now: DateTime<Utc>) -> Self {
        let salt = RandomState::new().hash_one(std::process::id()) & 0xffff;
        let name = format!("backup-{}-{salt:04x}", compact(now));
        Self {
            path: root.join(name),
            note: Mutex::default(),
            lock: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the directories of all runs lie in.
    pub(super) fn root(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Makes it: nobody else can look into it.
    pub(super) fn make(&mut self) -> Result<(), IoError> {
        let root = self.root();
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(root).at_path("create", root)?;
        let owner = fs::metadata(root).at_path("read", root)?.uid();
        let user = rustix::process::geteuid().as_raw();
        if owner != user && owner != 0 {
            let message = "it is somebody else's: name another one with --work-directory";
            let error = io::Error::new(ErrorKind::PermissionDenied, message);
            return Err(error).at_path("work in", root);
        }
        let made = DirBuilder::new().mode(0o700).create(&self.path);
        made.at_path("create", &self.path)?;
        let path = self.path.join(LOCK);
        let lock = File::create_new(&path).at_path("create", &path)?;
        lock.try_lock()
            .map_err(io::Error::from)
            .at_path("lock", &path)?;
        self.lock = Some(lock);
        self.write()
    }

    /// Says that the files were verified.
    pub(super) fn verified(&self, verified: Taken) -> Result<(), IoError> {
        self.change(|note| note.verified = Some(verified))
    }

    /// Says that an upload was begun.
    pub(super) fn began(&self, id: &ObjectId, upload: &str) -> io::Result<()> {
        let began = (id.to_string(), upload.to_owned());
        self.change(|note| note.uploads.push(began))
            .map_err(|error| error.source)
    }

    /// Says that no upload goes on. What cannot be said is found out by the next run.
    pub(super) fn ended(&self) -> Result<(), IoError> {
        self.change(|note| note.uploads.clear())
    }

    fn change(&self, change: impl FnOnce(&mut Note)) -> Result<(), IoError> {
        {
            let mut note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut note);
        }
        self.write()
    }

    fn write(&self) -> Result<(), IoError> {
        let path = self.path.join(NOTE);
        let note = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        // A path that is no text cannot be told: then there is no note, and no file of it is ever removed.
        let text = serde_json::to_vec(&*note).unwrap_or_default();
        replace_own(&path, &text, MARK).at_path("write", &path)
    }

    /// What lies in it beside the note.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        files(&self.path)
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(mut self) -> Result<(), IoError> {
        self.lock = None;
        fs::remove_dir_all(&self.path).at_path("remove", &self.path)
    }
}

/// One in which nothing lies goes with its run.
impl Drop for WorkDirectory {
    fn drop(&mut self) {
        if self.lock.take().is_some() && self.files().is_empty() {
            // It says what it is; the next run removes it.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

impl LeftDirectory {
    pub(super) fn files(&self) -> Vec<PathBuf> {
        files(&self.path)
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.path)
    }

    /// A backup that was verified, if both files are still there.
    pub(super) fn verified(&self) -> Option<&Taken> {
        let verified = self.note.verified.as_ref()?;
        let paths = [&verified.snapshot, &verified.kuberesources];
        paths.iter().all(|path| path.is_file()).then_some(verified)
    }

    /// Goes on where its run has ended.
    pub(super) fn take_up(self) -> WorkDirectory {
        WorkDirectory {
            path: self.path,
            note: Mutex::new(self.note),
            lock: Some(self.lock),
        }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| !path.ends_with(NOTE) && !path.ends_with(LOCK))
        .collect();
    files.sort();
    files
}

/// What runs left that are no more, in the order of their names.
pub(super) fn left(root: &Path) -> Vec<LeftDirectory> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut left: Vec<LeftDirectory> = entries
        .filter_map(|entry| left_directory(entry.path()))
        .collect();
    left.sort_by(|a, b| a.path.cmp(&b.path));
    left
}

/// `None`: it is none of ours, or somebody is at work in it.
fn left_directory(path: PathBuf) -> Option<LeftDirectory> {
    let lock = File::open(path.join(LOCK)).ok()?;
    lock.try_lock().ok()?;
    let mut text = Vec::new();
    let note = File::open(path.join(NOTE)).ok()?;
    note.take(MOST_NOTE_BYTES).read_to_end(&mut text).ok()?;
    let note = serde_json::from_slice(&text).ok()?;
    Some(LeftDirectory { path, note, lock })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn verified() -> Taken {
        Taken {
            snapshot: "/gone/snapshot.db".into(),
            kuberesources: "/gone/static_kuberesources.tar.gz".into(),
            provenance: Provenance {
                node: "master-0".to_owned(),
                oc_version: None,
                cluster_version: None,
                script_output: String::new(),
                forced: Vec::new(),
                taken_at: DateTime::UNIX_EPOCH,
                pod: None,
                image: None,
                policy: None,
            },
            accepted: vec![Code::UpgradeInProgress],
        }
    }

    #[test]
    fn what_a_run_leaves_is_found_once_nobody_holds_it() -> Outcome {
        let root = tempfile::tempdir()?;
        let root = root.path().join("work");
        assert!(left(&root).is_empty());
        let mut work = WorkDirectory::new(&root, DateTime::UNIX_EPOCH);
        work.make()?;
        fs::write(work.path().join("snapshot.db"), "bytes")?;
        work.began(&"s3://b/snapshot.db".into(), "u1")?;
        work.verified(verified())?;
        assert!(left(&root).is_empty(), "somebody is at work in it");
        drop(work);
        let found = left(&root);
        let [one] = found.as_slice() else {
            return Err(format!("{found:?}").into());
        };
        assert_eq!(one.note.verified, Some(verified()));
        assert_eq!(one.verified(), None, "one of its files is gone");
        let upload = ("s3://b/snapshot.db".to_owned(), "u1".to_owned());
        assert_eq!(one.note.uploads, [upload]);
        assert_eq!(one.files(), [one.path.join("snapshot.db")]);
        Ok(())
    }

    #[test]
    fn a_directory_without_files_goes_with_its_run() -> Outcome {
        let root = tempfile::tempdir()?;
        let mut work = WorkDirectory::new(root.path(), DateTime::UNIX_EPOCH);
        work.make()?;
        assert!(work.path().exists());
        drop(work);
        assert_eq!(fs::read_dir(root.path())?.count(), 0);
        Ok(())
    }
}
