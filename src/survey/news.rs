//! What a survey found new or changed, and what it found of each location.

use super::knowledge::subject_of;
use crate::backup::Backup;
use crate::source::{FileSystemId, ObjectId};
use std::collections::HashMap;

/// Where the locations of a survey come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// The user named them.
    Named,
    /// They are remembered.
    Remembered,
    /// They are remembered, and the answer is not about them.
    Aside,
    /// Single objects of a plan: each is looked at as if its whole directory had been named.
    Planned,
}

/// One of the places that were searched.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchedLocation {
    /// Which one.
    pub id: ObjectId,
    /// Backups found there, whole or in part.
    pub backups: usize,
    /// Backups that were there before, when none is now.
    pub known_before: usize,
    /// Files met there, whatever they are.
    pub files: usize,
    /// Why it is no good answer; `None` where backups were found as expected.
    pub problem: Option<LocationProblem>,
    /// What it lies on now.
    pub file_system: Option<FileSystemId>,
}

/// Why a location is no good answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LocationProblem {
    /// It is not there.
    Missing,
    /// It could not be looked into.
    Unreadable,
    /// There is not a single file.
    Empty,
    /// There are files, and none is part of a backup.
    OnlyForeign,
    /// It lies on another file system than before, and none of the files known there is there.
    OtherFileSystem,
}

impl LocationProblem {
    /// The kebab-case name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Empty => "empty",
            Self::OnlyForeign => "no-backup",
            Self::OtherFileSystem => "other-file-system",
        }
    }
}

/// How a backup stands against what was known before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum News {
    /// None of its content was known.
    New,
    /// It was known, and one of its files or its verdict is another.
    Changed,
}

/// What is new in each backup of a survey.
#[derive(Clone, Debug, Default)]
pub struct BackupNews(HashMap<String, News>);

impl BackupNews {
    /// What is new in one; `None` when all of it was known.
    pub fn of(&self, backup: &Backup) -> Option<News> {
        self.0.get(&key(backup)).copied()
    }

    pub(super) fn insert(&mut self, backup: &Backup, news: News) {
        self.0.insert(key(backup), news);
    }
}

/// The content, and where nothing could be read the place.
fn key(backup: &Backup) -> String {
    match subject_of(backup) {
        Some(subject) => format!("{subject:?}"),
        None => backup.path().map_or_else(String::new, ToString::to_string),
    }
}
