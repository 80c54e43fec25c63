//! Which pages are in use, which are free, and whether both agree.

use super::freelist::Freelist;
use super::meta::Layout;
use super::note::{PageNote, PageNotes};
use super::page::{PageDefect, Pgid};
use super::page_set::PageSet;
use super::tree_defect::{TreeDefectKind, TreeDefects};
use crate::bytes::to_u64;
use std::ops::Range;

/// Pages taken into use while the tree is walked, against those that the stored freelist names.
pub(super) struct PageUse<'n> {
    notes: &'n PageNotes,
    /// Pages that may be referred to: below the high water mark and inside the file.
    pages: u64,
    used: PageSet,
    free: PageSet,
    freelist_page: Option<Pgid>,
    is_freelist_sound: bool,
}

impl<'n> PageUse<'n> {
    pub(super) fn new(layout: &Layout, notes: &'n PageNotes) -> Self {
        let pages = layout.meta.high_water_mark.0.min(notes.file_pages);
        Self {
            notes,
            pages,
            used: PageSet::new(pages),
            free: PageSet::new(pages),
            freelist_page: layout.meta.freelist,
            is_freelist_sound: false,
        }
    }

    /// Takes a page and its run into use.
    pub(super) fn enter(
        &mut self,
        page: Pgid,
        defects: &mut TreeDefects,
    ) -> Result<(u32, &'n PageNote), TreeDefectKind> {
        if page.0 < 2 || page.0 >= self.pages {
            return Err(TreeDefectKind::OutOfRange { pages: self.pages });
        }
        let found = self.notes.page(page).map_err(TreeDefectKind::Page);
        let run = page.0..=page.0 + found.map_or(0, |(_, note)| u64::from(note.overflow_pages));
        if run.clone().any(|id| self.used.has(Pgid(id))) {
            // Marked all the same: a second look at this run must not cost its whole length again.
            self.used.add(page);
            return Err(TreeDefectKind::Twice);
        }
        let freelist = self.freelist_run();
        let is_free = run
            .clone()
            .any(|id| self.free.has(Pgid(id)) || freelist.contains(&id));
        for id in run {
            self.used.add(Pgid(id));
        }
        if is_free {
            // It is read all the same: what it holds is needed to learn the rest.
            defects.report_page(page, TreeDefectKind::UsedAndFree);
        }
        found
    }

    /// Takes the ids of the stored freelist.
    pub(super) fn read_freelist(&mut self, defects: &mut TreeDefects) {
        let Some(page) = self.freelist_page else {
            return;
        };
        let freelist = match self.freelist(page) {
            Ok(freelist) => freelist,
            Err(defect) => return defects.report_page(page, TreeDefectKind::Freelist(defect)),
        };
        self.is_freelist_sound = true;
        let mut previous = 1;
        for &id in &freelist.ids {
            if id.0 <= previous || id.0 >= self.pages || !self.free.add(id) {
                self.is_freelist_sound = false;
                defects.report_page(page, TreeDefectKind::FreelistId(id));
            }
            previous = id.0;
        }
    }

    fn freelist(&self, page: Pgid) -> Result<&'n Freelist, PageDefect> {
        match &self.notes.freelist {
            Some(Ok(freelist)) => Ok(freelist),
            Some(Err(defect)) => Err(*defect),
            None => Err(self.notes.page(page).err().unwrap_or(PageDefect::NoPage)),
        }
    }

    /// The pages of the stored freelist itself; none where it is not stored.
    fn freelist_run(&self) -> Range<u64> {
        let overflow_pages = match &self.notes.freelist {
            Some(Ok(freelist)) => u64::from(freelist.overflow_pages),
            _ => 0,
        };
        self.freelist_page.map_or(0..0, |page| {
            page.0..page.0.saturating_add(overflow_pages + 1)
        })
    }

    /// Where a freelist is stored, every page is in use or free. Pages lost below a defect are not told twice.
    pub(super) fn check_lost(&self, defects: &mut TreeDefects) {
        if !self.is_freelist_sound || !defects.described.is_empty() {
            return;
        }
        let own = self.freelist_run();
        let is_lost =
            |id: &u64| !self.used.has(Pgid(*id)) && !self.free.has(Pgid(*id)) && !own.contains(id);
        let mut lost = (2..self.pages).filter(is_lost);
        if let Some(first) = lost.next() {
            let others = to_u64(lost.count());
            defects.report_page(Pgid(first), TreeDefectKind::Lost { others });
        }
    }
}
