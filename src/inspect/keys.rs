//! Finds the keys that open a snapshot, among the archives that may have them.

use super::subject::Subject;
use crate::kubernetes::encryption::{KeyOutcome, KeyRing, prove, prove_with_one_ring};
use crate::monitor::Monitor;
use crate::snapshot::SnapshotReading;
use crate::source::ObjectId;
use crate::survey::{SurveyOptions, find_archives, hosted_key_ring, key_ring};
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
    if reading.snapshot.encryption.is_empty() {
        return None;
    }
    let locations = &subject.key_locations;
    let mut best = Best::new(reading);
    if let Some(ring) = hosted_key_ring(id, &reading.snapshot, locations, options, monitor) {
        best.enter(ring);
    }
    let named = locations.iter();
    let named = named.flat_map(|location| find_archives(location, id, options));
    let beside = std::iter::once_with(|| find_archives(id, id, options)).flatten();
    let all = named.chain(subject.archives.iter().take(1).cloned());
    let all = all.chain(beside).chain(subject.archives.iter().cloned());
    let mut tried = HashSet::new();
    let mut all = all.filter(|archive| tried.insert(archive.clone()));
    let mut left = MAX_TRIED;
    while !best.opens_all() && left > 0 && !monitor.is_interrupted() {
        let Some(archive) = all.next() else { break };
        left -= 1;
        if let Some(ring) = key_ring(&archive, options, monitor) {
            best.enter(ring);
        }
    }
    best.ring.map(|(_, ring)| ring)
}

/// The keys that open most, so far.
struct Best<'r> {
    reading: &'r SnapshotReading,
    /// And how many of the keys in use are not among them.
    ring: Option<(usize, KeyRing)>,
}

impl<'r> Best<'r> {
    fn new(reading: &'r SnapshotReading) -> Self {
        Self {
            reading,
            ring: None,
        }
    }

    fn enter(&mut self, ring: KeyRing) {
        let unopened = unopened(self.reading, &ring);
        if self
            .ring
            .as_ref()
            .is_none_or(|(least, _)| unopened < *least)
        {
            self.ring = Some((unopened, ring));
        }
    }

    fn opens_all(&self) -> bool {
        self.ring
            .as_ref()
            .is_some_and(|(unopened, _)| *unopened == 0)
    }
}

/// How many of the keys in use a ring does not have.
fn unopened(reading: &SnapshotReading, ring: &KeyRing) -> usize {
    let (uses, sealed) = (&reading.snapshot.encryption, &reading.sealed);
    let proven = if reading.snapshot.cluster.is_hosted() {
        prove_with_one_ring(uses, sealed, ring)
    } else {
        prove(uses, sealed, Some(ring))
    };
    let is_open = |outcome| {
        matches!(
            outcome,
            KeyOutcome::Decrypted | KeyOutcome::Unproven | KeyOutcome::External
        )
    };
    let mut lines = proven.proof.lines.iter();
    lines.by_ref().filter(|line| !is_open(line.outcome)).count()
}
