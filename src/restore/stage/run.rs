//! From two verified files to a directory that can be restored from.

use super::copy::{OpenSource, Unpacking, VerifiedContent, check_read_back};
use super::error::StageError;
use super::names::StagedNames;
use super::target::StageTarget;
use crate::digest::Sha256Digest;
use crate::monitor::Monitor;
use crate::names::Stamp;
use crate::source::{ObjectId, Store};
use chrono::{DateTime, Utc};
use rustix::fs::{Timespec, Timestamps};
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Directory entries and file system overhead beyond the bytes of the files.
const SPARE_BYTES: u64 = 1024 * 1024;

/// One half as verification left it.
#[derive(Clone, Copy, Debug)]
pub struct StageSource<'a> {
    /// Where it lies.
    pub id: &'a ObjectId,
    /// What it must still be.
    pub expected: VerifiedContent,
}

/// What to stage, and where.
#[derive(Clone, Copy, Debug)]
pub struct StageRequest<'a> {
    /// The snapshot; packed ones are unpacked on the way.
    pub snapshot: StageSource<'a>,
    /// The kuberesources; `None` only for clusters whose restore does not use one (two nodes with fencing).
    pub kuberesources: Option<StageSource<'a>>,
    /// When the backup was taken: names the files if their own names do not say it.
    pub taken_at: Option<DateTime<Utc>>,
    /// An empty directory, or one to be made.
    pub to: &'a Path,
}

/// A directory ready for cluster-restore.sh.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Staged {
    /// The directory: absolute, without links, for its owner only.
    pub directory: PathBuf,
    /// The snapshot in it.
    pub snapshot: PathBuf,
    /// The kuberesources in it.
    pub kuberesources: Option<PathBuf>,
    /// SHA-256 of the whole staged snapshot, trailer included: what `sha256sum` prints.
    pub snapshot_sha256: Sha256Digest,
    /// SHA-256 of the staged kuberesources.
    pub kuberesources_sha256: Option<Sha256Digest>,
    /// Bytes of both.
    pub size_bytes: u64,
}

impl Staged {
    /// The files that were written.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        std::iter::once(&self.snapshot).chain(&self.kuberesources)
    }
}

/// Copies one pair into an empty or new directory, under the names that cluster-restore.sh looks for.
///
/// The sources are read and never touched. What was copied is compared with what was verified, then read back and
/// compared again, and only then gets its name; the snapshot last, as a directory without one makes the script stop.
/// On failure and interrupt everything that was made is removed.
///
/// # Errors
///
/// One for each way to fail: see [`StageError`].
pub fn stage(
    request: &StageRequest<'_>,
    store: &dyn Store,
    monitor: &dyn Monitor,
) -> Result<Staged, StageError> {
    let snapshot = OpenSource::open(request.snapshot.id, Unpacking::Snapshot, store)?;
    let kuberesources = request.kuberesources.as_ref();
    let kuberesources = kuberesources
        .map(|half| OpenSource::open(half.id, Unpacking::ToArchive, store))
        .transpose()?;
    let names = names(request, &snapshot)?;
    let size_bytes = size_bytes(request);
    let mut target = StageTarget::open(request.to)?;
    target.check_space(size_bytes.saturating_add(SPARE_BYTES))?;
    monitor.expect(
        if kuberesources.is_some() { 2 } else { 1 },
        size_bytes.saturating_mul(2),
    );

    let resources = kuberesources.zip(request.kuberesources);
    let resources = resources
        .map(|(half, source)| copy(&mut target, &half, &source, monitor))
        .transpose()?;
    let snapshot = copy(&mut target, &snapshot, &request.snapshot, monitor)?;
    if monitor.is_interrupted() {
        return Err(StageError::Interrupted);
    }
    if let Some(resources) = &resources {
        target.rename(&resources.name, &names.kuberesources)?;
    }
    target.rename(&snapshot.name, &names.snapshot)?;
    let expected = [names.snapshot.as_str(), names.kuberesources.as_str()];
    target.check_holds(&expected)?;
    let directory = target.keep()?;
    Ok(Staged {
        snapshot: directory.join(&names.snapshot),
        kuberesources: resources
            .as_ref()
            .map(|_| directory.join(&names.kuberesources)),
        directory,
        snapshot_sha256: snapshot.sha256,
        kuberesources_sha256: resources.map(|resources| resources.sha256),
        size_bytes,
    })
}

fn names(request: &StageRequest<'_>, snapshot: &OpenSource<'_>) -> Result<StagedNames, StageError> {
    let resources = request.kuberesources.as_ref().map(|half| half.id);
    let of_name = |id: &ObjectId| id.file_name().and_then(Stamp::find);
    let stamp = of_name(request.snapshot.id)
        .or_else(|| resources.and_then(of_name))
        .or_else(|| Stamp::from_instant(request.taken_at?))
        .or_else(|| Stamp::from_instant(snapshot.identity().modified_at()?));
    let id = request.snapshot.id;
    let stamp = stamp.ok_or_else(|| StageError::NoStamp { id: id.clone() })?;
    Ok(StagedNames::new(stamp, id, resources))
}

fn size_bytes(request: &StageRequest<'_>) -> u64 {
    let resources = request
        .kuberesources
        .map_or(0, |half| half.expected.size_bytes);
    request
        .snapshot
        .expected
        .size_bytes
        .saturating_add(resources)
}

/// A half that lies in the target under a hidden name.
struct CopiedFile {
    name: OsString,
    sha256: Sha256Digest,
}

fn copy(
    target: &mut StageTarget,
    from: &OpenSource<'_>,
    source: &StageSource<'_>,
    monitor: &dyn Monitor,
) -> Result<CopiedFile, StageError> {
    let size_bytes = source.expected.size_bytes;
    monitor.begin(source.id.as_os_str(), size_bytes.saturating_mul(2));
    let half = from.half();
    let (mut file, name) = target.create(half)?;
    let path = target.path().join(&name);
    let sha256 = from.copy(&mut file, &path, &source.expected, monitor)?;
    keep_time(&file, from);
    check_read_back(&mut file, &path, size_bytes, sha256, monitor)?;
    monitor.finish(source.id.as_os_str());
    Ok(CopiedFile { name, sha256 })
}

/// The copy shows when the backup was written, not when it was staged. A file system that refuses changes nothing.
fn keep_time(file: &File, from: &OpenSource<'_>) {
    let (seconds, nanoseconds) = from.identity().modified();
    let modified = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds.into(),
    };
    let times = Timestamps {
        last_access: modified,
        last_modification: modified,
    };
    let _is_kept = rustix::fs::futimens(file, &times);
}
