//! What is passed over at a location because of what lies around it: pieces of repositories, parts of split files. And how
//! that, and whatever else is no backup, is told.

use super::examination::Examination;
use super::file::{Looked, look};
use crate::catalogue::Content;
use crate::discovery::{ForeignKind, FoundObject, Skipped, SkippedKind};
use crate::foreign::{Foreign, Parts, Repository, product, repositories};
use crate::inventory::PassedOver;
use crate::names::{BackupName, Stamp};
use crate::source::ObjectId;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Files met, and whether the user named each.
pub(super) type Met = BTreeMap<ObjectId, (FoundObject, bool)>;

impl Examination<'_> {
    /// Takes what is only a piece of something out of what was met, and tells it.
    pub(super) fn pass_over_pieces(&mut self, met: &mut Met, neighbours: &[FoundObject]) {
        self.pass_over_repositories(met);
        self.pass_over_parts(met, neighbours);
    }

    /// Thousands of pieces: none of them is opened, and the repository is told once.
    fn pass_over_repositories(&mut self, met: &mut Met) {
        let names = met
            .keys()
            .filter_map(|id| id.directory().zip(id.file_name()));
        let found: Vec<(Vec<u8>, Repository)> = repositories(names)
            .into_iter()
            .map(|(directory, repository)| (directory.to_vec(), repository))
            .collect();
        for (directory, repository) in found {
            met.retain(|id, (_, is_named)| *is_named || !is_piece(id, &directory, repository));
            let id = ObjectId::parse(OsStr::from_bytes(&directory));
            let skipped = Skipped::foreign(id, &repository.told());
            self.survey.skipped.push(skipped);
        }
    }

    fn pass_over_parts(&mut self, met: &mut Met, neighbours: &[FoundObject]) {
        let objects: Vec<FoundObject> = met
            .values()
            .map(|(object, _)| object)
            .chain(neighbours)
            .cloned()
            .collect();
        let names = objects.iter().map(|object| {
            (
                object.id.directory(),
                object.id.file_name().unwrap_or_default(),
            )
        });
        let groups = Parts::among(names);
        let groups = groups.iter().filter(|parts| parts.count() > 1);
        for parts in groups {
            let of_split: Vec<&FoundObject> = parts
                .members()
                .filter_map(|index| objects.get(index))
                .collect();
            if !self.is_split(&of_split, parts) {
                continue;
            }
            for (number, object) in of_split.iter().enumerate() {
                let told = parts.told(&object.id.to_string(), number);
                self.remember_passed_over(&object.id, Some(&told));
                if met.remove(&object.id).is_some() {
                    self.survey
                        .skipped
                        .push(Skipped::foreign(object.id.clone(), &told));
                }
            }
        }
    }

    /// Parts are equally long but for the last, and a later one begins like no backup: otherwise they are whole files
    /// with numbers in their names.
    fn is_split(&self, members: &[&FoundObject], parts: &Parts) -> bool {
        let sizes: Vec<u64> = members
            .iter()
            .map(|one| one.identity.size_bytes())
            .collect();
        let (Some(first), Some((last, others))) = (sizes.first(), sizes.split_last()) else {
            return false;
        };
        let is_cut_evenly = others.iter().all(|size| size == first) && last <= first && *first > 0;
        let later = members.get(usize::from(parts.has_first()));
        let nameless = |object: &&FoundObject| FoundObject {
            name: None,
            ..(*object).clone()
        };
        is_cut_evenly
            && later.map(nameless).is_some_and(|later| {
                matches!(look(&later, self.stores, false), Looked::Foreign(..))
            })
    }

    /// A file that is no backup, or that none can be read from. It is remembered so that it need not be opened again.
    pub(super) fn foreign(&mut self, object: &FoundObject, reason: &str, foreign: Option<Foreign>) {
        let content = self.tell_foreign(object, reason, foreign);
        self.remember_file(object, content.clone());
        self.known
            .enter(&object.id, object.identity.clone(), content);
    }

    /// Tells of it where anybody could miss it; what is to be remembered of it.
    pub(super) fn tell_foreign(
        &mut self,
        object: &FoundObject,
        reason: &str,
        foreign: Option<Foreign>,
    ) -> Content {
        let name = object.id.file_name().unwrap_or_default();
        let foreign = product::by_name(name).or(foreign);
        let is_like = is_like_a_backup(name);
        let is_telling = match &foreign {
            Some(foreign) if foreign.kind == ForeignKind::ResourceFork => is_like,
            Some(foreign) if foreign.kind.may_hold_a_backup() => is_like,
            Some(foreign) if foreign.kind == ForeignKind::OtherProduct => true,
            _ => is_like && !is_about_a_backup(name),
        };
        match foreign.filter(|_| is_telling) {
            Some(foreign) => {
                let skipped = Skipped::foreign(object.id.clone(), &foreign);
                self.survey.skipped.push(skipped);
                Content::Foreign(foreign)
            }
            None => {
                if is_telling || has_ending(name, &["db"]) {
                    self.survey.skipped.push(Skipped {
                        id: object.id.clone(),
                        reason: reason.to_owned(),
                        kind: SkippedKind::NotABackup,
                        remedy: None,
                        is_error: false,
                    });
                }
                Content::NotABackup
            }
        }
    }

    /// Of what was not opened again.
    pub(super) fn tell_again(&mut self, object: &FoundObject) {
        let record = self.known.contents.file(&object.id);
        if let Some(Content::Foreign(foreign)) = record.map(|record| &record.content) {
            let skipped = Skipped::foreign(object.id.clone(), foreign);
            self.survey.skipped.push(skipped);
        }
    }

    /// For whoever misses the other half of a backup.
    pub(super) fn remember_passed_over(&mut self, id: &ObjectId, foreign: Option<&Foreign>) {
        if let Some(foreign) = foreign {
            self.known.passed_over.push(PassedOver {
                path: id.clone(),
                what: foreign.what.clone(),
            });
        }
    }
}

fn is_piece(id: &ObjectId, directory: &[u8], repository: Repository) -> bool {
    let below = id.as_os_str().as_bytes().strip_prefix(directory);
    let below = below.and_then(|below| below.strip_prefix(b"/"));
    below.is_some_and(|below| {
        let parts: Vec<&[u8]> = below.split(|byte| *byte == b'/').collect();
        repository.owns(&parts)
    })
}

/// A name that people give to backups, packed, encrypted or cut.
fn is_like_a_backup(name: &OsStr) -> bool {
    if Stamp::find(name).is_some() || BackupName::parse(name).is_some() {
        return true;
    }
    let lower = name.as_bytes().to_ascii_lowercase();
    let words: [&[u8]; 4] = [b"snapshot", b"kuberesources", b"etcd", b".db."];
    words
        .iter()
        .any(|word| lower.windows(word.len()).any(|window| window == *word))
}

/// A name of what is kept about backups: lists, logs, checksums, scripts.
fn is_about_a_backup(name: &OsStr) -> bool {
    const ABOUT: [&str; 24] = [
        "txt",
        "log",
        "md",
        "yaml",
        "yml",
        "json",
        "jsonl",
        "sh",
        "py",
        "html",
        "xml",
        "csv",
        "conf",
        "cfg",
        "sha256",
        "sha256sum",
        "sha512",
        "sha1",
        "md5",
        "asc",
        "sig",
        "prom",
        "service",
        "timer",
    ];
    Path::new(name).extension().is_none() || has_ending(name, &ABOUT)
}

fn has_ending(name: &OsStr, endings: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| endings.contains(&extension.to_ascii_lowercase().as_str()))
}
