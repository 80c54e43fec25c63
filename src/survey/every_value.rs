//! Tries the keys of an archive on every encrypted value of a snapshot instead of a few: that takes a second reading.

use super::file::{Looked, OpenSnapshot, look, object_at};
use crate::backup::Located;
use crate::catalogue::SnapshotKey;
use crate::kubernetes::encryption::{
    KeyProof, KeyProofLine, KeyRing, Keys, OddValues, Sealed, enter_everything,
};
use crate::monitor::Monitor;
use crate::snapshot::{Snapshot, mended, read_with_keys};
use crate::source::{PageCache, Store};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Resource, provider and key name.
type Line = (String, String, String);

/// What second readings of snapshots have shown.
pub(super) struct EveryValue<'e> {
    pub(super) store: &'e dyn Store,
    pub(super) page_cache: PageCache,
    pub(super) monitor: &'e dyn Monitor,
    pub(super) shown: HashMap<SnapshotKey, Shown>,
}

/// What is known of all values of one snapshot.
#[derive(Default)]
pub(super) struct Shown {
    /// Whose keys were tried. Where another archive's keys open the sample they are the same.
    lines: BTreeSet<Line>,
    odd: Vec<OddValues>,
    /// It could not be read again.
    is_gone: bool,
}

impl EveryValue<'_> {
    /// Makes a proof on samples one on all values, where a key opens the samples.
    pub(super) fn enter(
        &mut self,
        proof: &mut KeyProof,
        found: &Located<Snapshot>,
        sealed: &Sealed,
        ring: &Arc<KeyRing>,
    ) {
        let key = SnapshotKey::of(&found.facts);
        let lines = proof.lines.iter().filter(|line| line.opens());
        let lines: BTreeSet<Line> = lines.map(line_of).collect();
        let mut shown = self.shown.remove(&key).unwrap_or_default();
        if !shown.is_gone && !lines.is_subset(&shown.lines) {
            let keys = Arc::new(Keys::open(sealed, Arc::clone(ring)));
            match self.read(found, keys) {
                Some(odd) => {
                    let news = odd.into_iter().filter(|odd| {
                        let line = (
                            odd.resource.clone(),
                            odd.provider.clone(),
                            odd.key_name.clone(),
                        );
                        lines.contains(&line) && !shown.lines.contains(&line)
                    });
                    shown.odd.extend(news.collect::<Vec<_>>());
                    shown.lines.extend(lines);
                }
                None => shown.is_gone = true,
            }
        }
        if !shown.is_gone {
            enter_everything(proof, &found.facts.encryption, &shown.odd);
        }
        self.shown.insert(key, shown);
    }

    /// Reads a snapshot again; `None` when it is not what was read before, or cannot be read.
    fn read(&self, found: &Located<Snapshot>, keys: Arc<Keys>) -> Option<Vec<OddValues>> {
        let object = object_at(&found.path, self.store, self.monitor)?;
        let Looked::As(kind) = look(&object, self.store, true) else {
            return None;
        };
        let size_bytes = object.identity.size_bytes();
        self.monitor.expect(1, size_bytes);
        self.monitor.begin(object.id.as_os_str(), size_bytes);
        let opened = OpenSnapshot::open(
            &object,
            kind,
            self.store,
            &[],
            self.page_cache,
            self.monitor,
        )
        .ok();
        let reading = opened.and_then(|(_, bytes)| {
            let mut bytes = match &found.facts.mended {
                Some(how) => mended(bytes, how).ok()?,
                None => bytes,
            };
            read_with_keys(&mut bytes, keys, self.monitor).ok()
        });
        self.monitor.finish(object.id.as_os_str());
        let reading = reading?;
        let is_same = match &found.facts.mended {
            Some(how) => reading.snapshot.computed == how.digest,
            None => SnapshotKey::of(&reading.snapshot) == SnapshotKey::of(&found.facts),
        };
        reading.odd_values.filter(|_| is_same)
    }
}

fn line_of(line: &KeyProofLine) -> Line {
    (
        line.resource.clone(),
        line.provider.clone(),
        line.key_name.clone(),
    )
}
