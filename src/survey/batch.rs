//! Reads a batch of snapshots, each remembered when it is done.
//!
//! A single one is hashed on one core and scanned on another. Several are read on as many threads as there are jobs, on
//! each two at a time; a thread takes a second one only when every thread has its first.

use super::SurveyError;
use super::examine::Options;
use super::file::{OpenSnapshot, SnapshotRead};
use super::recorder::Recorder;
use crate::catalogue::{Change, Content, SnapshotKey};
use crate::discovery::{Candidate, Kind};
use crate::monitor::Monitor;
use crate::snapshot::{self, HashOn, Queue, ReadError, Reading, Snapshot};
use chrono::{DateTime, Utc};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Snapshots to read, and what became of them.
pub(super) struct Batch<'f, 'b> {
    pub(super) files: &'f [(Candidate, Kind)],
    pub(super) options: &'b Options,
    pub(super) recorder: &'b Recorder<'b>,
    pub(super) monitor: &'b dyn Monitor,
    pub(super) now: DateTime<Utc>,
}

/// What became of a batch.
pub(super) type Done<'f> = Vec<(&'f Candidate, SnapshotRead)>;

impl<'f> Batch<'f, '_> {
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// Interrupted, or the catalogue cannot be written and is needed.
    pub(super) fn read(&self) -> Result<Done<'f>, SurveyError> {
        let done = Mutex::default();
        if self.files.len() == 1 && self.options.jobs > 1 {
            self.read_on_two_cores(&done)?;
        } else {
            self.read_on_threads(&done)?;
        }
        Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn read_on_two_cores(&self, done: &Mutex<Done<'f>>) -> Result<(), SurveyError> {
        let next = AtomicUsize::new(0);
        let mut worker = Worker {
            batch: self,
            first: None,
            next: &next,
            done,
        };
        while let Some((open, mut bytes)) = worker.next() {
            let read = snapshot::read(&mut bytes, HashOn::OwnThread, self.monitor);
            worker.done(open, read)?;
        }
        Ok(())
    }

    fn read_on_threads(&self, done: &Mutex<Done<'f>>) -> Result<(), SurveyError> {
        let threads = self.options.jobs.min(self.files.len()).max(1);
        let (firsts, _) = self.files.split_at_checked(threads).unwrap_or_default();
        let next = &AtomicUsize::new(threads);
        let work = |first| {
            let mut worker = Worker {
                batch: self,
                first: Some(first),
                next,
                done,
            };
            snapshot::read_all(&mut worker, self.monitor)
        };
        std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = firsts
                .iter()
                .map(|first| scope.spawn(move || work(first)))
                .collect();
            let ended = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or(Err(SurveyError::Interrupted)));
            ended.fold(Ok(()), Result::and)
        })
    }
}

/// One thread's view of a batch.
struct Worker<'w, 'f, 'b> {
    batch: &'w Batch<'f, 'b>,
    /// The file kept for this thread.
    first: Option<&'f (Candidate, Kind)>,
    /// The first file that no thread has taken, beyond those kept.
    next: &'w AtomicUsize,
    done: &'w Mutex<Done<'f>>,
}

impl<'f> Worker<'_, 'f, '_> {
    fn take(&mut self) -> Option<&'f (Candidate, Kind)> {
        let position = || self.next.fetch_add(1, Ordering::Relaxed);
        self.first
            .take()
            .or_else(|| self.batch.files.get(position()))
    }

    fn enter(&self, candidate: &'f Candidate, read: SnapshotRead) {
        self.batch.monitor.finish(&candidate.path);
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((candidate, read));
    }
}

impl<'f, 'b> Queue<'b> for Worker<'_, 'f, 'b> {
    type Ticket = OpenSnapshot<'f>;
    type Error = SurveyError;

    fn next(&mut self) -> Option<(OpenSnapshot<'f>, Box<dyn Read + Send + 'b>)> {
        loop {
            let (candidate, kind) = self.take()?;
            let Batch {
                options, monitor, ..
            } = *self.batch;
            monitor.begin(&candidate.path, candidate.identity.size_bytes);
            match OpenSnapshot::open(candidate, *kind, options.page_cache, monitor) {
                Ok(opened) => return Some(opened),
                Err(read) => self.enter(candidate, read),
            }
        }
    }

    fn done(
        &mut self,
        open: OpenSnapshot<'f>,
        read: Result<Reading, ReadError>,
    ) -> Result<(), SurveyError> {
        let candidate = open.candidate();
        let read = open.conclude(read);
        let is_interrupted = matches!(read, SnapshotRead::Interrupted);
        let changes = match &read {
            SnapshotRead::Facts(facts, _) => changes(candidate, facts, self.batch.now),
            _ => Vec::new(),
        };
        self.enter(candidate, read);
        if is_interrupted {
            return Err(SurveyError::Interrupted);
        }
        self.batch.recorder.add(changes)
    }
}

/// What is to be remembered of a snapshot.
fn changes(candidate: &Candidate, facts: &Snapshot, now: DateTime<Utc>) -> Vec<Change> {
    let file = Change::File {
        path: candidate.path.clone(),
        identity: candidate.identity,
        content: Content::Snapshot(SnapshotKey::of(facts)),
        read_at: now,
    };
    vec![Change::Snapshot(Box::new(facts.clone())), file]
}
