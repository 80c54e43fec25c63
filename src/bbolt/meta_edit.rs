//! Meta pages as another transaction would have written them.

use super::meta::Layout;
use super::page::Pgid;
use crate::bytes::{ByteOrder, to_usize};
use crate::digest::fnv1a_64;

/// Header and meta: all that bbolt writes of a meta page. The rest is zero.
const META_BYTES: usize = 80;
const MAGIC_AT: usize = 16;
const TXID_AT: usize = 64;
const CHECKSUM_AT: usize = 72;

/// The same meta page (its first bytes are enough) under this number, with this transaction number and the checksum of
/// it all.
pub(crate) fn set_transaction(
    page: &mut [u8],
    number: Pgid,
    txid: u64,
    order: ByteOrder,
) -> Option<()> {
    let bytes = |value: u64| match order {
        ByteOrder::Little => value.to_le_bytes(),
        ByteOrder::Big => value.to_be_bytes(),
    };
    page.get_mut(..8)?.copy_from_slice(&bytes(number.0));
    page.get_mut(TXID_AT..CHECKSUM_AT)?
        .copy_from_slice(&bytes(txid));
    let checksum = fnv1a_64(page.get(MAGIC_AT..CHECKSUM_AT)?);
    page.get_mut(CHECKSUM_AT..META_BYTES)?
        .copy_from_slice(&bytes(checksum));
    Some(())
}

/// Both meta pages of a file as a snapshot has them: the first of the newest transaction, the second of the one before, all
/// else equal. `None` where one of them is invalid, or something else differs.
pub(crate) fn with_newest(head: &[u8], layout: &Layout, txid: u64) -> Option<Vec<u8>> {
    let page_bytes = to_usize(u64::from(layout.meta.page_size));
    let mut pages = head.get(..page_bytes.checked_mul(2)?)?.to_vec();
    let (first, second) = pages.split_at_mut_checked(page_bytes)?;
    set_transaction(first, Pgid(0), txid, layout.order)?;
    set_transaction(second, Pgid(1), txid.checked_sub(1)?, layout.order)?;
    Some(pages)
}

/// Both meta pages, this one made of the other.
pub(crate) fn with_rebuilt(head: &[u8], layout: &Layout, number: Pgid) -> Option<Vec<u8>> {
    let page_bytes = to_usize(u64::from(layout.meta.page_size));
    let mut pages = head.get(..page_bytes.checked_mul(2)?)?.to_vec();
    let (first, second) = pages.split_at_mut_checked(page_bytes)?;
    let (broken, sound) = if number.0 == 0 {
        (first, second)
    } else {
        (second, first)
    };
    let txid = sound.get(TXID_AT..CHECKSUM_AT)?.first_chunk::<8>()?;
    let txid = layout.order.u64(*txid);
    let txid = if number.0 == 0 {
        txid.checked_add(1)?
    } else {
        txid.checked_sub(1)?
    };
    broken.fill(0);
    broken
        .get_mut(..META_BYTES)?
        .copy_from_slice(sound.get(..META_BYTES)?);
    set_transaction(broken, number, txid, layout.order)?;
    Some(pages)
}
