//! Reads what lies at some locations, every byte of it or only what is new, and judges it.

use super::SurveyError;
use super::book::{Book, places, subject_of};
use super::file::{Looked, SnapshotRead, look, read_kuberesources, read_snapshot, unreadable};
use super::prove::{Rings, Waiting, prove_waiting, unproven};
use super::recorder::Recorder;
use crate::backup::{Backup, Verification};
use crate::catalogue::{Catalogue, Change, Content, FileRecord, SnapshotKey};
use crate::discovery::{Aside, Candidate, Kind, Skipped, Walk, walk};
use crate::finding::Code;
use crate::monitor::Monitor;
use crate::snapshot::HashOn;
use crate::source::PageCache;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Snapshots read before their keys are tried: what must be held in memory for that is some 50 KiB each.
const BATCH: usize = 64;

/// How much is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Every byte of every file (`verify`).
    Everything,
    /// Files whose device, inode, size or modification time the catalogue does not know (`index`).
    New,
}

/// How a survey is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much is read.
    pub depth: Depth,
    /// Files read at the same time; at least 1.
    pub jobs: usize,
    /// The instant that counts as now for ages and certificates.
    pub as_of: DateTime<Utc>,
    /// Codes that do not count this time.
    pub accept: Vec<Code>,
    /// What becomes of the page cache.
    pub page_cache: PageCache,
}

/// What a survey found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Backups of which at least one half lies at the locations asked for.
    pub backups: Vec<Backup>,
    /// What was not looked into, ascending by path.
    pub skipped: Vec<Skipped>,
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files that were known already and not read again.
    pub unchanged: u64,
}

/// Surveys some locations. What is learnt of a file is in the catalogue soon after it has been read.
///
/// # Errors
///
/// The catalogue cannot be read or written, or `monitor` asked to stop.
pub fn examine(
    locations: &[PathBuf],
    catalogue: &Catalogue,
    options: &Options,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let contents = catalogue.load()?;
    // The catalogue outlives the working directory.
    let locations: Vec<PathBuf> = locations
        .iter()
        .map(|location| std::path::absolute(location).unwrap_or_else(|_| location.clone()))
        .collect();
    let mut examination = Examination {
        book: Book::new(contents),
        rings: Rings::default(),
        recorder: Recorder::new(catalogue),
        options,
        monitor,
        asked: BTreeSet::new(),
        survey: Survey::default(),
        read_now: BTreeSet::new(),
        now: Utc::now(),
    };
    let todo = examination.search(&locations)?;
    examination.read_all(todo)?;
    examination.prove_the_rest()?;
    examination.conclude()
}

/// Files to read, by what they are.
#[derive(Default)]
struct Todo {
    kuberesources: Vec<Candidate>,
    snapshots: Vec<(Candidate, Kind)>,
}

struct Examination<'e> {
    book: Book,
    rings: Rings,
    recorder: Recorder<'e>,
    options: &'e Options,
    monitor: &'e dyn Monitor,
    /// Files that the locations cover, and locations themselves.
    asked: BTreeSet<PathBuf>,
    survey: Survey,
    read_now: BTreeSet<PathBuf>,
    now: DateTime<Utc>,
}

impl Examination<'_> {
    /// Walks the locations and sorts what is there.
    fn search(&mut self, locations: &[PathBuf]) -> Result<Todo, SurveyError> {
        let mut todo = Todo::default();
        let mut met: BTreeMap<PathBuf, (Candidate, bool)> = BTreeMap::new();
        let mut neighbours = Vec::new();
        for location in locations {
            let is_file = std::fs::metadata(location).is_ok_and(|metadata| metadata.is_file());
            let mut walked = walk(location, self.monitor);
            if walked.is_interrupted {
                return Err(SurveyError::Interrupted);
            }
            if !is_file {
                pass_over_put_aside(&mut walked);
            }
            // Met on the way, a pipe or a device is nothing; named by the user, it is a question without an answer.
            self.survey
                .skipped
                .extend(walked.skipped.into_iter().map(|skipped| Skipped {
                    is_error: skipped.is_error || skipped.path == *location,
                    ..skipped
                }));
            self.asked.extend(
                walked
                    .candidates
                    .iter()
                    .map(|candidate| candidate.path.clone()),
            );
            met.extend(
                walked
                    .candidates
                    .into_iter()
                    .map(|candidate| (candidate.path.clone(), (candidate, is_file))),
            );
            if is_file {
                neighbours.extend(neighbours_of(location, self.monitor));
            }
        }
        self.remembered_elsewhere(locations, &met);
        for (candidate, is_named) in met.into_values() {
            self.sort(candidate, is_named, &mut todo);
        }
        neighbours.retain(|candidate| {
            !self.asked.contains(&candidate.path) && put_aside(candidate).is_none()
        });
        for candidate in neighbours {
            self.sort_neighbour(candidate, &mut todo);
        }
        self.survey
            .skipped
            .sort_by(|left, right| left.path.cmp(&right.path));
        self.survey.skipped.dedup();
        Ok(todo)
    }

    /// Enters what the catalogue knows beyond the files met: partners that lie elsewhere, and files that are gone.
    fn remembered_elsewhere(
        &mut self,
        locations: &[PathBuf],
        met: &BTreeMap<PathBuf, (Candidate, bool)>,
    ) {
        let records: Vec<(PathBuf, FileRecord)> = self
            .book
            .contents
            .files
            .iter()
            .map(|(path, record)| (path.clone(), record.clone()))
            .collect();
        for (path, record) in records {
            if met.contains_key(&path) {
                continue;
            }
            let is_unchanged = is_unchanged(&path, &record);
            let is_asked = locations.iter().any(|location| path.starts_with(location));
            if is_unchanged || (is_asked && !path.exists()) {
                self.book.enter_known(&path, &record, is_unchanged);
                if is_asked {
                    self.asked.insert(path);
                }
            }
        }
    }

    fn sort(&mut self, candidate: Candidate, is_named: bool, todo: &mut Todo) {
        if self.options.depth == Depth::New && self.enter_if_known(&candidate) {
            self.survey.unchanged += 1;
            return;
        }
        match look(&candidate, is_named) {
            Looked::As(Kind::Kuberesources | Kind::Combined) => todo.kuberesources.push(candidate),
            Looked::As(kind) => todo.snapshots.push((candidate, kind)),
            Looked::Foreign(reason) => self.foreign(&candidate, reason),
            Looked::Refused(reason) => self.refused(&candidate, reason),
        }
    }

    /// Files beside a file that the user named are looked at only for its partner.
    fn sort_neighbour(&mut self, candidate: Candidate, todo: &mut Todo) {
        if self.enter_if_known(&candidate) {
            return;
        }
        match look(&candidate, false) {
            Looked::As(Kind::Kuberesources | Kind::Combined) => todo.kuberesources.push(candidate),
            Looked::As(kind) if is_partner_of_a_named_archive(&candidate, &self.asked) => {
                todo.snapshots.push((candidate, kind))
            }
            _ => {}
        }
    }

    fn enter_if_known(&mut self, candidate: &Candidate) -> bool {
        let Some(record) = self.book.contents.files.get(&candidate.path).cloned() else {
            return false;
        };
        let is_known = record.identity == candidate.identity
            && !matches!(record.content, Content::Unreadable { .. });
        if is_known {
            self.book.enter_known(&candidate.path, &record, true);
        }
        is_known
    }

    /// A file that is no backup is remembered so that it need not be opened again.
    fn foreign(&mut self, candidate: &Candidate, reason: &str) {
        let is_worth_telling = candidate
            .path
            .extension()
            .is_some_and(|extension| extension == "db");
        if is_worth_telling {
            let skipped = Skipped {
                path: candidate.path.clone(),
                reason: reason.to_owned(),
                is_error: false,
            };
            self.survey.skipped.push(skipped);
        }
        self.remember_file(candidate, Content::NotABackup);
        self.book
            .enter(&candidate.path, candidate.identity, Content::NotABackup);
    }

    fn refused(&mut self, candidate: &Candidate, reason: String) {
        let content = unreadable(&reason, None);
        // A file that is not even named like a backup hides nothing that anybody misses.
        let is_error = candidate.name.is_some();
        if is_error {
            self.remember_file(candidate, content.clone());
            self.book
                .enter(&candidate.path, candidate.identity, content);
        }
        self.survey.skipped.push(Skipped {
            path: candidate.path.clone(),
            reason,
            is_error: true,
        });
    }

    fn remember_file(&mut self, candidate: &Candidate, content: Content) {
        let change = Change::File {
            path: candidate.path.clone(),
            identity: candidate.identity,
            content,
            read_at: self.now,
        };
        // Losing this costs one look at the file in the next run.
        let _ = self.recorder.add(vec![change]);
    }

    /// Archives first: they are small, and their keys are wanted while the values of a snapshot are in memory.
    fn read_all(&mut self, todo: Todo) -> Result<(), SurveyError> {
        let files = todo
            .kuberesources
            .iter()
            .chain(todo.snapshots.iter().map(|(candidate, _)| candidate));
        let (count, bytes) = files.fold((0, 0), |(count, bytes), file| {
            (count + 1, bytes + file.identity.size_bytes)
        });
        self.monitor.expect(count, bytes);
        for candidate in todo.kuberesources {
            self.read_kuberesources(&candidate)?;
        }
        let mut snapshots = todo.snapshots;
        if snapshots.is_empty() {
            return Ok(());
        }
        let mut archives = self.book.located_kuberesources();
        snapshots.sort_by_key(|(candidate, _)| std::cmp::Reverse(candidate.identity.size_bytes));
        for batch in snapshots.chunks(BATCH) {
            let waiting = self.read_snapshots(batch)?;
            let proofs = prove_waiting(&mut self.book, &mut self.rings, &mut archives, waiting);
            self.recorder.add(proofs)?;
        }
        Ok(())
    }

    fn read_kuberesources(&mut self, candidate: &Candidate) -> Result<(), SurveyError> {
        if self.monitor.is_interrupted() {
            self.recorder.flush()?;
            return Err(SurveyError::Interrupted);
        }
        self.monitor
            .begin(&candidate.path, candidate.identity.size_bytes);
        match read_kuberesources(&candidate.path, self.monitor) {
            Ok((facts, ring)) => {
                let content = Content::Kuberesources(facts.sha256);
                self.rings.keep(facts.sha256, ring);
                let file = Change::File {
                    path: candidate.path.clone(),
                    identity: candidate.identity,
                    content,
                    read_at: self.now,
                };
                self.recorder
                    .add(vec![Change::Kuberesources(Box::new(facts.clone())), file])?;
                self.book
                    .enter_kuberesources(&candidate.path, candidate.identity, facts);
                self.count(candidate);
            }
            Err(reason) => self.refused(candidate, reason),
        }
        self.monitor.finish(&candidate.path);
        Ok(())
    }

    /// Reads a batch of snapshots, as many at a time as there are jobs, each remembered when it is done.
    fn read_snapshots(&mut self, batch: &[(Candidate, Kind)]) -> Result<Waiting, SurveyError> {
        let workers = self.options.jobs.min(batch.len()).max(1);
        let hash_on = if batch.len() == 1 && self.options.jobs > 1 {
            HashOn::OwnThread
        } else {
            HashOn::SameThread
        };
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let (monitor, recorder, now) = (self.monitor, &self.recorder, self.now);
        let page_cache = self.options.page_cache;
        let work = || -> Result<(), SurveyError> {
            while let Some((candidate, kind)) = batch.get(next.fetch_add(1, Ordering::Relaxed)) {
                monitor.begin(&candidate.path, candidate.identity.size_bytes);
                let read = read_snapshot(&candidate.path, *kind, hash_on, page_cache, monitor);
                monitor.finish(&candidate.path);
                match &read {
                    SnapshotRead::Facts(facts, _) => {
                        recorder.add(snapshot_changes(candidate, facts, now))?
                    }
                    SnapshotRead::Interrupted => return Err(SurveyError::Interrupted),
                    SnapshotRead::Failed { .. } => {}
                }
                done.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push((candidate, read));
            }
            Ok(())
        };
        let outcome = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
            let own = work();
            let others = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or(Err(SurveyError::Interrupted)));
            others.fold(own, Result::and)
        });
        if let Err(error) = outcome {
            self.recorder.flush()?;
            return Err(error);
        }
        let done = done
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(done
            .into_iter()
            .filter_map(|(candidate, read)| self.enter_read(candidate, read))
            .collect())
    }

    fn enter_read(
        &mut self,
        candidate: &Candidate,
        read: SnapshotRead,
    ) -> Option<(PathBuf, crate::snapshot::Snapshot, crate::snapshot::Sealed)> {
        match read {
            SnapshotRead::Facts(facts, sealed) => {
                self.count(candidate);
                self.book
                    .enter_snapshot(&candidate.path, candidate.identity, (*facts).clone());
                Some((candidate.path.clone(), *facts, sealed))
            }
            SnapshotRead::Failed { reason, offset } => {
                let content = unreadable(&reason, offset);
                self.remember_file(candidate, content.clone());
                self.book
                    .enter(&candidate.path, candidate.identity, content);
                self.survey.skipped.push(Skipped {
                    path: candidate.path.clone(),
                    reason,
                    is_error: true,
                });
                None
            }
            SnapshotRead::Interrupted => None,
        }
    }

    fn count(&mut self, candidate: &Candidate) {
        self.survey.files += 1;
        self.survey.bytes += candidate.identity.size_bytes;
        self.read_now.insert(candidate.path.clone());
    }

    /// An archive that turned up after its snapshot was read: the snapshot's values must be looked at once more.
    fn prove_the_rest(&mut self) -> Result<(), SurveyError> {
        let paths = unproven(&self.book);
        let again: Vec<(Candidate, Kind)> = paths
            .into_iter()
            .filter(|path| !self.read_now.contains(path))
            .flat_map(|path| walk(&path, self.monitor).candidates)
            .filter_map(|candidate| match look(&candidate, true) {
                Looked::As(kind) => Some((candidate, kind)),
                _ => None,
            })
            .collect();
        if again.is_empty() {
            return self.recorder.flush();
        }
        let mut archives = self.book.located_kuberesources();
        for batch in again.chunks(BATCH) {
            let waiting = self.read_snapshots(batch)?;
            let proofs = prove_waiting(&mut self.book, &mut self.rings, &mut archives, waiting);
            self.recorder.add(proofs)?;
        }
        self.recorder.flush()
    }

    /// Judges everything, keeps what was asked for, and remembers the verdicts on what was read.
    fn conclude(mut self) -> Result<Survey, SurveyError> {
        let mut backups = self.book.judged(self.options)?;
        backups.retain(|backup| {
            places(backup)
                .iter()
                .any(|place| self.asked.contains(*place))
        });
        let mut changes = Vec::new();
        for backup in &mut backups {
            let is_read_now = places(backup)
                .iter()
                .any(|place| self.read_now.contains(*place));
            let Some(subject) = subject_of(backup).filter(|_| is_read_now) else {
                continue;
            };
            let verification = Verification {
                at: self.now,
                verdict: backup.verdict,
                accepted: backup.accepted.clone(),
            };
            backup.verified_at = Some(self.now);
            backup.first_seen_at = backup.first_seen_at.or(Some(self.now));
            backup.verifications.push(verification.clone());
            changes.push(Change::Verification {
                subject,
                verification,
            });
        }
        self.recorder.add(changes)?;
        self.recorder.flush()?;
        self.survey.backups = backups;
        super::refresh(self.recorder.catalogue())?;
        Ok(self.survey)
    }
}

fn snapshot_changes(
    candidate: &Candidate,
    facts: &crate::snapshot::Snapshot,
    now: DateTime<Utc>,
) -> Vec<Change> {
    let content = Content::Snapshot(SnapshotKey::of(facts));
    let file = Change::File {
        path: candidate.path.clone(),
        identity: candidate.identity,
        content,
        read_at: now,
    };
    vec![Change::Snapshot(Box::new(facts.clone())), file]
}

/// Sound bytes under such a name are not believed for a reason: only who names the file wants it read.
fn pass_over_put_aside(walked: &mut Walk) {
    let skipped = walked.candidates.iter().filter_map(|candidate| {
        let aside = put_aside(candidate)?;
        Some(Skipped {
            path: candidate.path.clone(),
            reason: aside.reason().to_owned(),
            is_error: false,
        })
    });
    walked.skipped.extend(skipped);
    walked
        .candidates
        .retain(|candidate| put_aside(candidate).is_none());
}

fn put_aside(candidate: &Candidate) -> Option<Aside> {
    Aside::of(candidate.path.file_name()?)
}

/// The files in the directory of a file that the user named.
fn neighbours_of(location: &Path, monitor: &dyn Monitor) -> Vec<Candidate> {
    let directory = match location.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let files = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files
        .flat_map(|entry| walk(&entry.path(), monitor).candidates)
        .collect()
}

/// A named archive wants the snapshot of its own stamp; other snapshots may be large and are left alone.
fn is_partner_of_a_named_archive(candidate: &Candidate, asked: &BTreeSet<PathBuf>) -> bool {
    let stamp = candidate.name.and_then(|name| name.stamp);
    let mut names = asked
        .iter()
        .filter_map(|path| crate::discovery::BackupName::parse(path.file_name()?));
    stamp.is_some()
        && names
            .any(|name| name.kind != crate::discovery::NameKind::Snapshot && name.stamp == stamp)
}

fn is_unchanged(path: &Path, record: &FileRecord) -> bool {
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|metadata| {
        metadata.is_file() && crate::discovery::FileIdentity::of(&metadata) == record.identity
    })
}
