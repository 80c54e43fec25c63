//! The end of a zip: where its directory is.

use super::zip_record::{END, END_64, LOCATOR_64};
use crate::bytes::{ByteOrder, Fields, to_u64};
use crate::source::{ReadAt, read_full_at};
use std::io;

/// Signature and record of the end, without the comment.
const END_BYTES: u64 = 22;
/// The same with the longest comment.
const LONGEST_END_BYTES: u64 = END_BYTES + 0xFFFF;
/// Signature and record of the larger end.
const END_64_BYTES: usize = 56;
/// The same of its locator.
const LOCATOR_64_BYTES: u64 = 20;
/// Stand for what the larger end tells.
const IN_LARGER: (u16, u32) = (u16::MAX, u32::MAX);

/// Where the directory is, from the beginning of the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DirectoryPlace {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Bytes in front of the zip: the program that unpacks it by itself, or whatever else stands there.
    pub(super) in_front: u64,
    pub(super) records: u64,
}

/// What the end says.
struct End {
    disk: u32,
    records: u64,
    size_bytes: u64,
    offset: u64,
}

/// Finds the directory; `None` where the object does not end as a zip does.
pub(super) fn find_directory(
    object: &(impl ReadAt + ?Sized),
    size_bytes: u64,
) -> io::Result<Option<DirectoryPlace>> {
    let tail_bytes = size_bytes.min(LONGEST_END_BYTES);
    let tail_at = size_bytes - tail_bytes;
    let mut tail = vec![0; usize::try_from(tail_bytes).unwrap_or_default()];
    if read_full_at(object, &mut tail, tail_at)? < tail.len() {
        return Ok(None);
    }
    let Some((end, position)) = smaller_end(&tail) else {
        return Ok(None);
    };
    let end_at = tail_at.saturating_add(position);
    let larger = larger_end(object, end_at)?;
    Ok(larger
        .and_then(|(end, at)| place(&end, at))
        .or_else(|| place(&end, end_at)))
}

/// The last end whose comment reaches to the end of the file.
fn smaller_end(tail: &[u8]) -> Option<(End, u64)> {
    let ends = tail.windows(END.len()).enumerate().rev();
    let mut ends = ends.filter(|(_, window)| *window == END);
    ends.find_map(|(at, _)| {
        let record = tail.get(at..)?;
        let mut fields = Fields::new(record.get(END.len()..)?, ByteOrder::Little);
        let (disk, _of_directory) = (fields.u16()?, fields.u16()?);
        let (_here, records) = (fields.u16()?, fields.u16()?);
        let (size_bytes, offset) = (fields.u32()?, fields.u32()?);
        let comment_bytes = fields.u16()?;
        let end = End {
            disk: if disk == IN_LARGER.0 { 0 } else { disk.into() },
            records: records.into(),
            size_bytes: size_bytes.into(),
            offset: offset.into(),
        };
        let is_last = END_BYTES + u64::from(comment_bytes) == to_u64(record.len());
        is_last.then_some((end, to_u64(at)))
    })
}

fn larger_end(object: &(impl ReadAt + ?Sized), end_at: u64) -> io::Result<Option<(End, u64)>> {
    let mut locator = [0; 20];
    let Some(locator_at) = end_at.checked_sub(LOCATOR_64_BYTES) else {
        return Ok(None);
    };
    read_full_at(object, &mut locator, locator_at)?;
    let Some(told) = locator.strip_prefix(&LOCATOR_64) else {
        return Ok(None);
    };
    let mut fields = Fields::new(told, ByteOrder::Little);
    let told = fields.u32().and_then(|_disk| fields.u64());
    // Where bytes stand in front of the zip it is not where it is told to be.
    let right_before = locator_at.checked_sub(to_u64(END_64_BYTES));
    for at in told.into_iter().chain(right_before) {
        let mut record = [0; END_64_BYTES];
        read_full_at(object, &mut record, at)?;
        if let Some(end) = record.strip_prefix(&END_64).and_then(parse_larger) {
            return Ok(Some((end, at)));
        }
    }
    Ok(None)
}

fn parse_larger(record: &[u8]) -> Option<End> {
    let mut fields = Fields::new(record, ByteOrder::Little);
    let (_length, _versions) = (fields.u64()?, fields.u32()?);
    let (disk, _of_directory) = (fields.u32()?, fields.u32()?);
    let (_here, records) = (fields.u64()?, fields.u64()?);
    Some(End {
        disk,
        records,
        size_bytes: fields.u64()?,
        offset: fields.u64()?,
    })
}

/// The directory ends where its end begins.
fn place(end: &End, end_at: u64) -> Option<DirectoryPlace> {
    let start = end_at.checked_sub(end.size_bytes)?;
    let in_front = start.checked_sub(end.offset)?;
    (end.disk == 0).then_some(DirectoryPlace {
        start,
        end: end_at,
        in_front,
        records: end.records,
    })
}
