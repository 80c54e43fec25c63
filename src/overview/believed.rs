//! What was read is believed once the files were looked for.

use super::glance::{Glance, Sight};
use super::looks::{Looks, choose_next};
use super::presence::{Shelf, are_unchanged, observe};
use super::record::OverviewHead;
use super::seen::Seen;
use super::sight::{self, Believed, parts_in};
use crate::catalogue::{Catalogue, CatalogueError};
use crate::finding::{Code, Severity};
use crate::judgement::verdict_when_rewritten;
use crate::selection::{Halves, Judged, Summary, UsableKind};
use crate::source::{ObjectId, Store};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// Files by directory and number in it.
type Files = HashSet<(u32, u32)>;

impl Sight {
    /// Looks for the files; `None` when some have come or gone, or when it does not make sense. Whether a file was
    /// rewritten is asked for the backups that were chosen for it, and where one was, for those that a choice falls on
    /// instead.
    ///
    /// # Errors
    ///
    /// The catalogue cannot be read.
    pub(crate) fn believed(mut self, catalogue: &Catalogue, store: &dyn Store) -> Believed<Glance> {
        let mut unchanged = are_unchanged(&self.directories);
        let changed = self.changed_parts(&unchanged, store);
        if !self.read(&changed, catalogue)? {
            return Ok(None);
        }
        let looked_at = self.seen.iter().filter(|seen| seen.is_looked_at);
        let mut wanted = self.files_of(looked_at);
        let mut ahead = 1_usize;
        while let Some(rewritten) = wanted.and_then(|wanted| self.look(&wanted, &unchanged, store))
        {
            if rewritten.is_empty() {
                return Ok(Some(self.into_glance()));
            }
            if self.rewrite(&rewritten).is_none() {
                break;
            }
            let next = match self.looks {
                Looks::NewestAndChoices(_) => choose_next(&mut self.seen, ahead),
                Looks::All | Looks::Newest(_) => Vec::new(),
            };
            let next = next.into_iter().filter_map(|place| self.seen.get(place));
            wanted = self.files_of(next.clone());
            let Some(parts) = self.parts_of(next) else {
                break;
            };
            if !self.read(&parts, catalogue)? {
                break;
            }
            // However many were rewritten one after the other, they are found in a few steps.
            ahead = ahead.saturating_mul(2);
            // Whether names have come or gone was asked.
            unchanged.fill(true);
        }
        Ok(None)
    }

    /// All parts of the names where some may have come or gone.
    fn changed_parts(&self, unchanged: &[bool], store: &dyn Store) -> Vec<BTreeSet<u32>> {
        let asked = self.directories.iter().zip(unchanged);
        let parts = asked.map(|(directory, is_unchanged)| {
            let is_near = || store.is_near(&ObjectId::from_bytes(&directory.path));
            if *is_unchanged || !is_near() {
                return BTreeSet::new();
            }
            let all = u32::try_from(parts_in(directory)).unwrap_or(u32::MAX);
            (0..all).collect()
        });
        parts.collect()
    }

    /// Reads more names; false when the overview is another one by now.
    fn read(
        &mut self,
        parts: &[BTreeSet<u32>],
        catalogue: &Catalogue,
    ) -> Result<bool, CatalogueError> {
        if parts.iter().all(BTreeSet::is_empty) {
            return Ok(true);
        }
        let reader = catalogue.reader()?;
        let head = OverviewHead::load(&reader)?;
        if head.is_none_or(|head| head.generation != self.generation) {
            return Ok(false);
        }
        let Some(read) = sight::files(&reader, &self.directories, parts)? else {
            return Ok(false);
        };
        for (files, read) in self.files.iter_mut().zip(read) {
            files.merge(read);
        }
        Ok(true)
    }

    /// Which of the wanted files were rewritten; `None` when files have come or gone.
    fn look(&self, wanted: &[Vec<u32>], unchanged: &[bool], store: &dyn Store) -> Option<Files> {
        let shelves: Vec<Shelf<'_>> = self
            .directories
            .iter()
            .zip(&self.files)
            .zip(wanted)
            .zip(unchanged)
            .map(|(((directory, files), wanted), is_unchanged)| Shelf {
                directory,
                files,
                wanted,
                is_unchanged: *is_unchanged,
            })
            .collect();
        observe(&shelves, store)
    }

    /// Of each directory the files of these backups, ascending.
    fn files_of<'s>(&self, seen: impl Iterator<Item = &'s Seen>) -> Option<Vec<Vec<u32>>> {
        let mut files = vec![Vec::new(); self.directories.len()];
        for (directory, file) in seen.flat_map(|seen| &seen.places) {
            files
                .get_mut(usize::try_from(*directory).ok()?)?
                .push(*file);
        }
        for files in &mut files {
            files.sort_unstable();
            files.dedup();
        }
        Some(files)
    }

    fn rewrite(&mut self, rewritten: &Files) -> Option<()> {
        let mut all = self.seen.iter_mut().zip(&mut self.summaries);
        all.try_for_each(|(seen, summary)| {
            let mut places = seen.places.iter();
            if places.any(|place| rewritten.contains(place)) {
                seen.rewrite(summary)?;
            }
            Some(())
        })
    }

    fn into_glance(self) -> Glance {
        let is_believed = |seen: &&Seen| seen.is_shown && !seen.is_looked_at;
        Glance {
            left_out: self.left_out,
            not_looked_at: self.seen.iter().filter(is_believed).count(),
            summaries: self.into_summaries(),
        }
    }
}

impl Seen {
    /// One of its files was; which half has a copy that is as it was, only the whole backup tells: then `None`.
    fn rewrite(&mut self, summary: &mut Summary) -> Option<()> {
        let Halves {
            snapshot,
            kuberesources,
        } = summary.halves;
        let halves = [snapshot, kuberesources];
        if self.places.len() > halves.iter().flatten().count().max(1) {
            return None;
        }
        let judged = rewritten(&summary.outcome);
        self.kind = UsableKind::of(&judged);
        summary.outcome = Arc::new(judged);
        Some(())
    }
}

/// As [`recall`](crate::survey) marks it.
fn rewritten(judged: &Judged) -> Judged {
    let mut marks = judged.marks.clone();
    marks.push((Code::FileChanged, Severity::Warning));
    let verdict = verdict_when_rewritten(judged.verdict, judged.is_mended());
    Judged::new(marks, judged.accepted.clone(), verdict)
}
