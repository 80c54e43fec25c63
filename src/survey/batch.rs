//! Reads a batch of snapshots, each remembered when it is done.
//!
//! A single one is hashed on one core and scanned on another, if there are two. Of several, as many are read at a time
//! as there are jobs, on each processor two; a thread takes a second one only when every thread has its first. The thread that
//! asked gets each as soon as it is read: its keys are to be tried before the others are done. Small ones in a bucket are
//! waited for more than they are read: many are, each on a thread of its own.

use super::SurveyError;
use super::abreast::AT_A_TIME;
use super::examination::file_change;
use super::file::{Looked, OpenSnapshot, SnapshotRead, bring};
use super::options::SurveyOptions;
use super::recorded::RecordedChecksums;
use super::recorder::{PATIENCE, Recorder};
use crate::catalogue::{CatalogueChange, Content, SnapshotKey};
use crate::discovery::{FoundObject, ObjectKind};
use crate::monitor::Monitor;
use crate::snapshot::{self, HashOn, ReadError, Snapshot, SnapshotQueue, SnapshotReading};
use crate::source::Store;
use chrono::{DateTime, Utc};
use std::io::Read;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;

/// Whose digests take turns.
const FILES_PER_THREAD: usize = 2;

/// What is known of an object that is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// It was looked at.
    Known(ObjectKind),
    /// It is small, and was not: what it is shows when it is there. Whether the user named it.
    Unseen { is_named: bool },
}

/// A file to read.
pub(super) type ToRead = (FoundObject, Kind);

/// Snapshots to read, and what became of them.
pub(super) struct Batch<'f, 'b> {
    pub(super) files: &'f [ToRead],
    pub(super) store: &'f dyn Store,
    pub(super) options: &'b SurveyOptions,
    pub(super) recorded: &'b RecordedChecksums,
    pub(super) recorder: &'b Recorder<'b>,
    pub(super) monitor: &'b dyn Monitor,
    pub(super) now: DateTime<Utc>,
}

/// Takes each snapshot when it is read; `None` where nothing was finished for a while.
pub(super) type Taking<'t, 'f> =
    dyn FnMut(Option<(&'f FoundObject, SnapshotRead)>) -> Result<(), SurveyError> + 't;

impl<'f, 'b> Batch<'f, 'b> {
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// Interrupted, or the catalogue cannot be written and is needed.
    pub(super) fn read(&self, take: &mut Taking<'_, 'f>) -> Result<(), SurveyError> {
        let (sender, receiver) = channel();
        let read = if self.files.len() == 1 {
            self.read_single(sender)
        } else {
            return self.read_on_threads(sender, &receiver, take);
        };
        read.and(taken(&receiver, take))
    }

    fn open(&self, object: &'f FoundObject, kind: Kind) -> Result<OpenBytes<'f, 'b>, SnapshotRead> {
        let Batch {
            store,
            options,
            recorded,
            monitor,
            ..
        } = *self;
        let recorded = recorded.of(&object.id);
        let is_named = match kind {
            Kind::Known(kind) => {
                let page_cache = options.page_cache;
                return OpenSnapshot::open(object, kind, store, recorded, page_cache, monitor);
            }
            Kind::Unseen { is_named } => is_named,
        };
        let (open, kind) = match bring(object, store, is_named) {
            (Looked::As(kind), Some(open)) if kind.is_snapshot() => (open, kind),
            (looked, _) => return Err(SnapshotRead::IsNone(looked)),
        };
        let page_cache = options.page_cache;
        OpenSnapshot::of(open, object, kind, store, recorded, page_cache, monitor)
    }

    fn read_single(&self, done: Sender<Done<'f>>) -> Result<(), SurveyError> {
        let mut worker = Worker {
            batch: self,
            first: self.files.first(),
            next: &AtomicUsize::new(1),
            done,
            open: 0,
            most_open: 1,
        };
        let Some((open, mut bytes)) = worker.next() else {
            return Ok(());
        };
        let read = snapshot::read(&mut bytes, hash_on(self.options), self.monitor);
        worker.done(open, read)
    }

    fn read_on_threads(
        &self,
        done: Sender<Done<'f>>,
        receiver: &Receiver<Done<'f>>,
        take: &mut Taking<'_, 'f>,
    ) -> Result<(), SurveyError> {
        let is_unseen = |(_, kind): &ToRead| matches!(kind, Kind::Unseen { .. });
        let (jobs, threads) = if self.files.iter().all(is_unseen) {
            (AT_A_TIME, AT_A_TIME)
        } else {
            let jobs = self.options.jobs.max(1);
            (jobs, threads_for(jobs, processors()))
        };
        let threads = threads.min(self.files.len());
        let (firsts, _) = self.files.split_at_checked(threads).unwrap_or_default();
        let next = &AtomicUsize::new(threads);
        let work = |number: usize, first, done: Sender<Done<'f>>| {
            let mut worker = Worker {
                batch: self,
                first: Some(first),
                next,
                done,
                open: 0,
                // The first threads take what the division leaves.
                most_open: jobs / threads + usize::from(number < jobs % threads),
            };
            snapshot::read_all(&mut worker, self.monitor)
        };
        std::thread::scope(|scope| {
            let work = &work;
            let (mut threads, mut threadless) = (Vec::new(), Vec::new());
            for (number, first) in firsts.iter().enumerate() {
                let sender = done.clone();
                match Builder::new().spawn_scoped(scope, move || work(number, first, sender)) {
                    Ok(thread) => threads.push(thread),
                    Err(_) => threadless.push((number, first)),
                }
            }
            // Without a thread to be had, this one does its work: slower, and whole.
            let own = threadless
                .into_iter()
                .try_for_each(|(number, first)| work(number, first, done.clone()));
            // It ends when the last of the others does.
            drop(done);
            let taken = taken(receiver, take);
            let ended = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ended.fold(own, Result::and).and(taken)
        })
    }
}

/// An open snapshot, and its bytes.
type OpenBytes<'f, 'b> = (OpenSnapshot<'f>, Box<dyn Read + Send + 'b>);

/// A snapshot, and what became of it.
type Done<'f> = (&'f FoundObject, SnapshotRead);

/// Hands over what comes until nothing more can; after an error that was given back, nothing.
fn taken<'f>(receiver: &Receiver<Done<'f>>, take: &mut Taking<'_, 'f>) -> Result<(), SurveyError> {
    loop {
        match receiver.recv_timeout(PATIENCE) {
            Ok(done) => take(Some(done))?,
            Err(RecvTimeoutError::Timeout) => take(None)?,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many files are read at once unless told otherwise: on each processor as many as help each other.
pub fn default_jobs() -> usize {
    processors() * FILES_PER_THREAD
}

/// Where a single file is hashed.
pub(super) fn hash_on(options: &SurveyOptions) -> HashOn {
    if options.jobs > 1 && processors() > 1 {
        HashOn::OwnThread
    } else {
        HashOn::SameThread
    }
}

/// As many threads as processors, or more where two files on each would not be as many as asked for.
fn threads_for(jobs: usize, processors: usize) -> usize {
    jobs.min(processors).max(jobs.div_ceil(FILES_PER_THREAD))
}

/// One thread's view of a batch.
struct Worker<'w, 'f, 'b> {
    batch: &'w Batch<'f, 'b>,
    /// The file kept for this thread.
    first: Option<&'f ToRead>,
    /// The first file that no thread has taken, beyond those kept.
    next: &'w AtomicUsize,
    done: Sender<Done<'f>>,
    /// Files that this thread is reading, and how many those may be.
    open: usize,
    most_open: usize,
}

impl<'f> Worker<'_, 'f, '_> {
    fn take(&mut self) -> Option<&'f ToRead> {
        let position = || self.next.fetch_add(1, Ordering::Relaxed);
        self.first
            .take()
            .or_else(|| self.batch.files.get(position()))
    }

    fn enter(&self, object: &'f FoundObject, read: SnapshotRead) {
        self.batch.monitor.finish(object.id.as_os_str());
        // Whoever gave up taking them has said why.
        let _ = self.done.send((object, read));
    }
}

impl<'f, 'b> SnapshotQueue<'b> for Worker<'_, 'f, 'b> {
    type Ticket = OpenSnapshot<'f>;
    type Error = SurveyError;

    fn next(&mut self) -> Option<OpenBytes<'f, 'b>> {
        while self.open < self.most_open {
            let (object, kind) = self.take()?;
            let size_bytes = object.identity.size_bytes();
            self.batch.monitor.begin(object.id.as_os_str(), size_bytes);
            match self.batch.open(object, *kind) {
                Ok(opened) => {
                    self.open += 1;
                    return Some(opened);
                }
                Err(read) => self.enter(object, read),
            }
        }
        None
    }

    fn done(
        &mut self,
        open: OpenSnapshot<'f>,
        read: Result<SnapshotReading, ReadError>,
    ) -> Result<(), SurveyError> {
        self.open -= 1;
        let object = open.object();
        let read = open.conclude(read, self.batch.monitor);
        let is_interrupted = matches!(read, SnapshotRead::Interrupted);
        let changes = match &read {
            SnapshotRead::Facts(facts, _) => {
                changes(object, facts, self.batch.now, self.batch.store)
            }
            _ => Vec::new(),
        };
        self.enter(object, read);
        if is_interrupted {
            return Err(SurveyError::Interrupted);
        }
        self.batch.recorder.add(changes)
    }
}

/// What is to be remembered of a snapshot.
pub(super) fn changes(
    object: &FoundObject,
    facts: &Snapshot,
    now: DateTime<Utc>,
    store: &dyn Store,
) -> Vec<CatalogueChange> {
    let content = Content::Snapshot(SnapshotKey::of(facts));
    let file = file_change(object, content, now, store);
    vec![CatalogueChange::Snapshot(Box::new(facts.clone())), file]
}

#[cfg(test)]
mod tests {
    use super::threads_for;

    #[test]
    fn as_many_files_are_read_at_once_as_there_are_jobs() {
        let rows = [
            // jobs, processors, threads
            (1, 1, 1),
            (1, 8, 1),
            (2, 1, 1),
            (2, 2, 2),
            (4, 2, 2),
            (5, 4, 4),
            (16, 2, 8),
            (17, 2, 9),
        ];
        for (jobs, processors, threads) in rows {
            assert_eq!(threads_for(jobs, processors), threads);
        }
    }
}
