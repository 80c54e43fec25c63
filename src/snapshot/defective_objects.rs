//! Objects that are malformed, or others than their keys say: kept until the tree shows which of them are alive.

use crate::bbolt::Pgid;
use crate::kubernetes::stored_object::ObjectDefect;

/// Defective objects that are kept, superseded and stale ones among them.
const MAX_KEPT: usize = 1 << 14;
/// Bytes of a key that are kept, to be shown.
const MAX_KEY_BYTES: usize = 256;

/// An object that is not as it should be.
#[derive(Debug)]
pub(super) struct DefectiveObject {
    pub(super) key: Vec<u8>,
    pub(super) key_hash: u64,
    pub(super) main: i64,
    pub(super) page: Pgid,
    /// It decodes, and is another object than its key says.
    pub(super) is_mismatch: bool,
    /// What is wrong with it, in words without any value.
    pub(super) defect: String,
}

/// The first defective objects in the order of the file.
#[derive(Debug, Default)]
pub(super) struct DefectiveObjects {
    kept: Vec<DefectiveObject>,
}

impl DefectiveObjects {
    /// Offers a version of an object with its defect.
    #[cold]
    pub(super) fn offer(
        &mut self,
        key: &[u8],
        key_hash: u64,
        main: i64,
        page: Pgid,
        defect: &ObjectDefect<'_>,
    ) {
        if self.kept.len() >= MAX_KEPT {
            return;
        }
        self.kept.push(DefectiveObject {
            key: key.get(..MAX_KEY_BYTES).unwrap_or(key).to_vec(),
            key_hash,
            main,
            page,
            is_mismatch: defect.is_mismatch(),
            defect: defect.to_string(),
        });
    }

    /// Hashes of the keys of all of them.
    pub(super) fn key_hashes(&self) -> impl Iterator<Item = u64> {
        self.kept.iter().map(|object| object.key_hash)
    }

    /// Those that are alive, by key.
    pub(super) fn live(self, is_live: impl Fn(&DefectiveObject) -> bool) -> Vec<DefectiveObject> {
        let mut live = self.kept;
        live.retain(is_live);
        live.sort_by(|left, right| left.key.cmp(&right.key));
        live
    }
}
