//! A set of pages.

use super::page::Pgid;
use crate::bytes::to_usize;

/// One bit for each page of a file.
#[derive(Debug)]
pub(crate) struct PageSet {
    bits: Vec<u64>,
}

impl PageSet {
    /// An empty set for page ids below `pages`.
    pub(crate) fn new(pages: u64) -> Self {
        Self {
            bits: vec![0; to_usize(pages.div_ceil(64))],
        }
    }

    /// Is the page in it?
    #[inline]
    pub(crate) fn has(&self, page: Pgid) -> bool {
        self.bits
            .get(to_usize(page.0 / 64))
            .is_some_and(|word| word >> (page.0 % 64) & 1 == 1)
    }

    /// Adds the page; false when it was there already, or is none of the file's.
    pub(crate) fn add(&mut self, page: Pgid) -> bool {
        let Some(word) = self.bits.get_mut(to_usize(page.0 / 64)) else {
            return false;
        };
        let bit = 1 << (page.0 % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}
