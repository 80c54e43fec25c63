//! Finds the objects of some kinds.

use super::contents::{Contents, Trust, is_definition};
use super::error::{InspectError, ObjectError};
use super::history::{VersionRow, keep_history, keep_revision};
use super::object::ObjectRow;
use super::query::{KindQuery, NamePattern, PlaceFilter};
use super::subject::Subject;
use crate::monitor::Monitor;
use crate::objects::{FindError, Object, Place, Resource};
use crate::snapshot::{EntryRequest, KeyFilter, MAX_KEPT_BYTES, StoredEntry, Versions};
use crate::survey::SurveyOptions;

/// Which objects are asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The kinds, by any names that `kubectl` takes.
    pub kinds: Vec<String>,
    /// In this namespace.
    pub namespace: Option<String>,
    /// Of these names; any, when there is none.
    pub names: Vec<String>,
    /// With names like one of these; with any, when there is none.
    pub patterns: Vec<NamePattern>,
    /// Whether their values are needed.
    pub has_values: bool,
    /// Whether every version of them is needed.
    pub has_versions: bool,
    /// As they were at this revision; at the last one, when it is not given.
    pub revision: Option<i64>,
}

impl Wanted {
    fn filter(&self) -> PlaceFilter {
        PlaceFilter {
            namespace: self.namespace.clone(),
            names: self.names.iter().cloned().collect(),
            patterns: self.patterns.clone(),
        }
    }
}

/// Objects of some kinds.
#[derive(Debug)]
pub struct FoundObjects {
    /// Where they are from.
    pub contents: Contents,
    /// Their kinds, in the order in which they were asked for.
    pub resources: Vec<Resource>,
    entries: Vec<StoredEntry>,
}

/// Finds the objects of some kinds.
///
/// A custom resource is found in one pass by its plural or singular; a short name is known only after the definitions
/// were read, and costs a second pass.
///
/// # Errors
///
/// See [`InspectError`].
pub fn find_objects(
    subject: &Subject,
    wanted: &Wanted,
    trust: Trust,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<FoundObjects, InspectError> {
    let words = wanted.kinds.iter();
    let queries: Vec<KindQuery> = words.map(|word| KindQuery::of_word(word)).collect();
    let contents = read(subject, &queries, wanted, trust, options, monitor)?;
    let words = wanted.kinds.iter();
    let found = words.map(|word| contents.resources.find(word).cloned());
    let resources = found.collect::<Result<Vec<Resource>, FindError>>()?;
    let is_covered = |resource: &Resource| queries.iter().any(|query| query.covers(resource));
    let contents = if resources.iter().all(is_covered) {
        contents
    } else {
        let queries: Vec<KindQuery> = resources.iter().map(KindQuery::of).collect();
        read(subject, &queries, wanted, trust, options, monitor)?
    };
    FoundObjects::of(contents, resources, wanted)
}

fn read(
    subject: &Subject,
    queries: &[KindQuery],
    wanted: &Wanted,
    trust: Trust,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Contents, InspectError> {
    let filter = wanted.filter();
    let queries = queries.to_vec();
    let is_wanted = move |key: &[u8]| {
        let may_have = || queries.iter().any(|query| query.may_have(key));
        is_definition(key) || (may_have() && filter.has_key(key))
    };
    let request = EntryRequest {
        keys: KeyFilter::matching(is_wanted),
        values: if wanted.has_values {
            KeyFilter::All
        } else {
            KeyFilter::matching(is_definition)
        },
        versions: if wanted.has_versions || wanted.revision.is_some() {
            Versions::All
        } else {
            Versions::Newest
        },
        ..EntryRequest::default()
    };
    Contents::read(subject, &request, trust, options, monitor)
}

impl FoundObjects {
    fn of(
        mut contents: Contents,
        resources: Vec<Resource>,
        wanted: &Wanted,
    ) -> Result<Self, InspectError> {
        let filter = wanted.filter();
        let mut entries = std::mem::take(&mut contents.entries);
        // Definitions were read for what they tell of others.
        entries.retain(|entry| {
            Place::of(&entry.key).is_some_and(|place| {
                let mut resources = resources.iter();
                resources.any(|one| one.plural == place.plural && one.group == place.group)
            }) && filter.has_key(&entry.key)
        });
        let snapshot = &contents.snapshot;
        let compacted = snapshot.compact_revision.unwrap_or_default();
        if wanted.has_versions {
            // What was changed right after the compaction is not told as it was at the compaction.
            keep_history(&mut entries, compacted + 1);
        }
        if let Some(revision) = wanted.revision {
            let last = snapshot.status.revision.unwrap_or_default();
            known_revision(revision, compacted, last)?;
            keep_revision(&mut entries, revision);
        }
        let is_cut = |entry: &StoredEntry| entry.value.is_none() && !entry.is_deletion;
        if wanted.has_values && entries.iter().any(is_cut) {
            return Err(InspectError::TooMuch {
                objects: entries.len(),
                bytes: entries.iter().map(|entry| entry.value_bytes).sum(),
                limit: MAX_KEPT_BYTES,
            });
        }
        // In storage keys a namespace ends with a slash, and `a-b/` stands before `a/`.
        entries.sort_by_cached_key(|entry| Place::of(&entry.key));
        Ok(Self {
            contents,
            resources,
            entries,
        })
    }

    /// What they are called together.
    pub fn kinds(&self) -> String {
        let names = self.resources.iter().map(Resource::to_string);
        names.collect::<Vec<String>>().join(", ")
    }

    /// What keys and entries tell of them, by namespace and name.
    pub fn rows(&self) -> Vec<ObjectRow> {
        let rows = self.entries.iter();
        rows.filter_map(|entry| ObjectRow::of(entry, &self.contents))
            .collect()
    }

    /// Every version of them, by namespace, name and revision.
    pub fn versions(&self) -> Vec<VersionRow> {
        let entries = self.entries.iter();
        entries
            .filter_map(|entry| VersionRow::of(entry, &self.contents))
            .collect()
    }

    /// The objects as the API server would give them, secrets and all; each by itself may be beyond reading.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectRow, Result<Object, ObjectError>)> {
        self.entries.iter().filter_map(|entry| {
            let row = ObjectRow::of(entry, &self.contents)?;
            Some((row, self.contents.object(entry)))
        })
    }
}

/// Refuses what the snapshot knows nothing of.
fn known_revision(revision: i64, compacted: i64, last: i64) -> Result<(), InspectError> {
    let reason = match revision {
        _ if revision > last => "is later than the snapshot",
        _ if revision < compacted.max(1) => "has been compacted",
        _ => return Ok(()),
    };
    Err(InspectError::Revision {
        revision,
        reason,
        from: compacted.max(1),
        to: last,
    })
}
