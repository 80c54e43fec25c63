//! One pass over a snapshot, with what a question needs of it.

use super::error::{InspectError, ObjectError};
use super::keys::find_keys;
use super::subject::Subject;
use crate::finding::{Code, Finding, is_mended};
use crate::kubernetes::encryption::{UnsealError, Unsealer};
use crate::monitor::Monitor;
use crate::objects::{self, Definition, MaskOptions, Object, Place, Resource, Resources, Scope};
use crate::snapshot::{EntryRequest, Snapshot, StoredEntry, Timeline};
use crate::source::ObjectId;
use crate::survey::{SurveyOptions, find_snapshot, read_entries};
use std::collections::HashSet;
use zeroize::Zeroizing;

/// Where definitions of custom resources lie.
const DEFINITIONS: [&[u8]; 2] = [
    b"/kubernetes.io/apiextensions.k8s.io/customresourcedefinitions/",
    b"/registry/apiextensions.k8s.io/customresourcedefinitions/",
];

/// Whether what is not proven is shown all the same.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Trust {
    /// Nothing is shown of a file whose bytes are not proven.
    #[default]
    Proven,
    /// What can be read is shown.
    Unverified,
}

/// What one pass gave.
#[derive(Debug)]
pub struct Contents {
    /// The file.
    pub id: ObjectId,
    /// What is known of it.
    pub snapshot: Snapshot,
    /// Errors of the file: it is shown although it is not proven.
    pub unproven: Vec<Finding>,
    /// The resources that the cluster has.
    pub resources: Resources,
    /// When what happened.
    pub timeline: Timeline,
    pub(super) entries: Vec<StoredEntry>,
    unsealer: Unsealer,
}

/// True for the key of a definition: its value tells what a custom resource is called.
pub(super) fn is_definition(storage_key: &[u8]) -> bool {
    DEFINITIONS
        .iter()
        .any(|prefix| storage_key.starts_with(prefix))
}

impl Contents {
    /// Reads a snapshot to its end, proves it, and keeps the entries of `request`.
    ///
    /// # Errors
    ///
    /// It cannot be read, is another file by now, or is not proven.
    pub(super) fn read(
        subject: &Subject,
        request: &EntryRequest,
        trust: Trust,
        options: &SurveyOptions,
        monitor: &dyn Monitor,
    ) -> Result<Self, InspectError> {
        let mut failure = InspectError::NoHalf;
        for place in &subject.places {
            match Self::read_at(place, subject, request, trust, options, monitor) {
                Ok(contents) => return Ok(contents),
                Err(InspectError::Interrupted) => return Err(InspectError::Interrupted),
                // Another copy may be as it was; what is told is what is wrong with the first.
                Err(error) if matches!(failure, InspectError::NoHalf) => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }

    fn read_at(
        place: &ObjectId,
        subject: &Subject,
        request: &EntryRequest,
        trust: Trust,
        options: &SurveyOptions,
        monitor: &dyn Monitor,
    ) -> Result<Self, InspectError> {
        let found = find_snapshot(place, options, monitor);
        let (object, kind) = found.map_err(|error| InspectError::at(place, error))?;
        let id = object.id.clone();
        let read = read_entries(&object, kind, request, options, monitor);
        let mut reading = read.map_err(|error| InspectError::at(&id, error))?;
        let unproven = unproven(&reading.snapshot.findings);
        if !unproven.is_empty() && trust == Trust::Proven {
            let findings = unproven;
            return Err(InspectError::Unproven { id, findings });
        }
        let found = reading.snapshot.computed;
        if let Some(expected) = subject.digest.filter(|expected| *expected != found) {
            let (found, expected) = (found.id(), expected.id());
            return Err(InspectError::Replaced {
                id,
                found,
                expected,
            });
        }
        let ring = find_keys(subject, &id, &reading, options, monitor);
        let entries = std::mem::take(&mut reading.entries.entries);
        let definitions = entries.iter().filter(|entry| is_definition(&entry.key));
        let mut definitions: Vec<&StoredEntry> = definitions.collect();
        definitions.sort_by(|left, right| left.key.cmp(&right.key));
        let definitions = definitions.into_iter().filter_map(definition);
        let resources = resources(definitions.collect(), &reading.snapshot);
        Ok(Self {
            id,
            unproven,
            resources,
            timeline: std::mem::take(&mut reading.entries.timeline),
            entries,
            unsealer: if reading.snapshot.cluster.is_hosted() {
                Unsealer::of_one_ring(ring)
            } else {
                Unsealer::new(&reading.sealed, ring)
            },
            snapshot: reading.snapshot,
        })
    }

    /// The object of an entry as the API server would give it, secrets and all.
    pub(super) fn object(&self, entry: &StoredEntry) -> Result<Object, ObjectError> {
        let stored = entry.value.as_ref().ok_or(ObjectError::NotKept)?;
        let opened = self.unsealer.open(&entry.key, stored.expose());
        let opened = opened.map_err(sealed)?;
        let object = objects::decode(&opened)?;
        Ok(object.served(entry.revision))
    }

    /// The value of an entry without encryption; `None` where it cannot be opened.
    pub(super) fn opened(&self, entry: &StoredEntry) -> Option<Zeroizing<Vec<u8>>> {
        let stored = entry.value.as_ref()?;
        self.unsealer.open(&entry.key, stored.expose()).ok()
    }

    /// What is secret beside what always is.
    pub fn mask_options(&self) -> MaskOptions {
        let uses = self.snapshot.encryption.iter();
        let config_maps = uses
            .filter(|usage| usage.is_encrypted())
            .any(|usage| usage.resource == "configmaps");
        MaskOptions { config_maps }
    }
}

/// Errors that leave the bytes themselves in doubt. An alarm is none: the members of the cluster were at odds.
/// Neither is what the digest proves to be a change that was undone for this reading.
fn unproven(findings: &[Finding]) -> Vec<Finding> {
    let marks = findings
        .iter()
        .map(|finding| (finding.code, finding.severity));
    if is_mended(marks, &[Code::AlarmRaised]) {
        return Vec::new();
    }
    let errors = findings.iter().filter(|finding| finding.is_error());
    let in_doubt = errors.filter(|finding| finding.code != Code::AlarmRaised);
    in_doubt.cloned().collect()
}

fn definition(entry: &StoredEntry) -> Option<Definition> {
    Definition::of_stored(entry.value.as_ref()?.expose())
}

/// The resources of the definitions, and those that have objects and no definition.
fn resources(definitions: Vec<Definition>, snapshot: &Snapshot) -> Resources {
    let known = Resources::new(definitions.iter().cloned());
    let others = snapshot.kinds.iter().filter_map(|kind| {
        let place = Place {
            group: kind.group.clone(),
            plural: kind.plural.clone(),
            namespace: None,
            name: String::new(),
        };
        known.of(&place).is_none().then(|| Definition {
            resource: Resource {
                kind: String::new(),
                singular: place.plural.clone(),
                plural: place.plural,
                group: place.group,
                short_names: Vec::new(),
                scope: Scope::Namespaced,
            },
        })
    });
    let others: Vec<Definition> = others.collect();
    let mut seen = HashSet::new();
    let all = definitions.into_iter().chain(others);
    Resources::new(all.filter(|one| seen.insert(one.resource.to_string())))
}

fn sealed(error: UnsealError) -> ObjectError {
    ObjectError::Sealed {
        reason: error.to_string(),
    }
}
