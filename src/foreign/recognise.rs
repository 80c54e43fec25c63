//! Asks one after the other what the first bytes of a file are.

use super::recognised::Foreign;
use super::{damage, encrypted, packing, product, text};

/// What the first bytes of a file are, where they are known. Asked only of what is no database and no archive.
pub(crate) fn recognise(head: &[u8]) -> Option<Foreign> {
    encrypted::recognise(head)
        .or_else(|| packing::recognise(head))
        .or_else(|| product::recognise(head))
        .or_else(|| damage::recognise(head))
        .or_else(|| text::recognise(head))
}
