//! Finds what is to be read: walks the locations, tells known files from new ones, and looks for partners.

use super::SurveyError;
use super::examine::{Depth, Examination};
use super::file::{Looked, look, unreadable};
use crate::catalogue::{CatalogueChange, Content, FileRecord};
use crate::discovery::{Candidate, Kind, Skipped, Walk, walk};
use crate::monitor::Monitor;
use crate::names::{BackupName, NameKind, PutAside};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files to read, by what they are.
#[derive(Default)]
pub(super) struct Todo {
    pub(super) kuberesources: Vec<Candidate>,
    pub(super) snapshots: Vec<(Candidate, Kind)>,
}

impl Examination<'_> {
    /// Walks the locations and sorts what is there.
    pub(super) fn search(&mut self, locations: &[PathBuf]) -> Result<Todo, SurveyError> {
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
            .filter(|(path, _)| !met.contains_key(*path))
            .map(|(path, record)| (path.clone(), record.clone()))
            .collect();
        for (path, record) in records {
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
                todo.snapshots.push((candidate, kind));
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

    pub(super) fn refused(&mut self, candidate: &Candidate, reason: String) {
        // A file that is not even named like a backup hides nothing that anybody misses.
        if candidate.name.is_some() {
            self.enter_unreadable(candidate, &reason, None);
        }
        self.skip(candidate, reason);
    }

    pub(super) fn enter_unreadable(
        &mut self,
        candidate: &Candidate,
        reason: &str,
        offset: Option<u64>,
    ) {
        let content = unreadable(reason, offset);
        self.remember_file(candidate, content.clone());
        self.book
            .enter(&candidate.path, candidate.identity, content);
    }

    pub(super) fn skip(&mut self, candidate: &Candidate, reason: String) {
        self.survey.skipped.push(Skipped {
            path: candidate.path.clone(),
            reason,
            is_error: true,
        });
    }

    pub(super) fn remember_file(&mut self, candidate: &Candidate, content: Content) {
        let change = CatalogueChange::File {
            path: candidate.path.clone(),
            identity: candidate.identity,
            content,
            read_at: self.now,
        };
        // Losing this costs one look at the file in the next run.
        let _ = self.recorder.add(vec![change]);
    }
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

fn put_aside(candidate: &Candidate) -> Option<PutAside> {
    PutAside::of(candidate.path.file_name()?)
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
        .filter_map(|path| BackupName::parse(path.file_name()?));
    stamp.is_some() && names.any(|name| name.kind != NameKind::Snapshot && name.stamp == stamp)
}

fn is_unchanged(path: &Path, record: &FileRecord) -> bool {
    let metadata = std::fs::metadata(path);
    metadata.is_ok_and(|metadata| {
        metadata.is_file() && crate::discovery::FileIdentity::of(&metadata) == record.identity
    })
}
