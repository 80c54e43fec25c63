//! Finds the keys that open a snapshot, among the archives that may have them.

use super::subject::Subject;
use crate::kubernetes::encryption::{EncryptionUse, KeyOutcome, KeyRing, Sealed, prove};
use crate::monitor::Monitor;
use crate::snapshot::SnapshotReading;
use crate::source::ObjectId;
use crate::survey::{SurveyOptions, find_archives, key_ring};
use std::collections::HashSet;

/// Archives that are tried before the rest is given up.
const MAX_TRIED: usize = 256;

/// The keys that open most of what is sealed in a snapshot; `None` where nothing is sealed, or no key is to be had.
pub(super) fn find_keys(
    subject: &Subject,
    id: &ObjectId,
    reading: &SnapshotReading,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Option<KeyRing> {
    let uses = &reading.snapshot.encryption;
    if uses.is_empty() {
        return None;
    }
    let named = subject.key_locations.iter();
    let named = named.flat_map(|location| find_archives(location, id, options));
    let beside = std::iter::once_with(|| find_archives(id, id, options)).flatten();
    let all = named.chain(subject.archives.iter().take(1).cloned());
    let all = all.chain(beside).chain(subject.archives.iter().cloned());
    let mut tried = HashSet::new();
    let mut best: Option<(usize, KeyRing)> = None;
    for archive in all {
        if tried.len() >= MAX_TRIED || monitor.is_interrupted() {
            break;
        }
        if !tried.insert(archive.clone()) {
            continue;
        }
        let Some(ring) = key_ring(&archive, options, monitor) else {
            continue;
        };
        let unopened = unopened(uses, &reading.sealed, &ring);
        if best.as_ref().is_none_or(|(least, _)| unopened < *least) {
            best = Some((unopened, ring));
        }
        if unopened == 0 {
            break;
        }
    }
    best.map(|(_, ring)| ring)
}

/// How many of the keys in use a ring does not have.
fn unopened(uses: &[EncryptionUse], sealed: &Sealed, ring: &KeyRing) -> usize {
    let proven = prove(uses, sealed, Some(ring));
    let is_open = |outcome| {
        matches!(
            outcome,
            KeyOutcome::Decrypted | KeyOutcome::Unproven | KeyOutcome::External
        )
    };
    let mut lines = proven.proof.lines.iter();
    lines.by_ref().filter(|line| !is_open(line.outcome)).count()
}
