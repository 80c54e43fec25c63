//! Files packed by programs whose formats are not read.

use super::recognised::{Foreign, ForeignKind};

/// How a program's files begin, what the format is called, and the pipe that unpacks one.
const PACKINGS: [(&[u8], &str, &str); 7] = [
    (b"7z\xBC\xAF\x27\x1C", "7z", "7z x -so FILE"),
    (b"Rar!\x1A\x07", "RAR", "unrar p -inul FILE"),
    (b"\x89LZO\0\r\n\x1A\n", "lzop", "lzop -dc FILE"),
    (b"LZIP\x01", "lzip", "lzip -dc FILE"),
    (b"\x1F\x9D", "compress", "gzip -dc FILE"),
    (b"\xFF\x06\0\0sNaPpY", "snappy frames", "snzip -dc FILE"),
    (b"\x02\x21\x4C\x18", "an old lz4 format", "lz4 -dc FILE"),
];

pub(super) fn recognise(head: &[u8]) -> Option<Foreign> {
    let (name, pipe) = PACKINGS
        .iter()
        .find(|(start, ..)| head.starts_with(start))
        .map(|(_, name, pipe)| (*name, *pipe))
        .or_else(|| is_lzma(head).then_some(("lzma", "xz --format=lzma -dc FILE")))?;
    Some(Foreign::new(
        ForeignKind::PackedOtherwise,
        format!("packed as {name}, which is not read"),
        format!("unpack it: {pipe} | etcd-cat verify -"),
    ))
}

/// The format before xz has no magic number: its properties as every packer writes them, a dictionary of 2^n bytes, and a
/// length that is unknown or less than 2^40.
fn is_lzma(head: &[u8]) -> bool {
    let Some((start, rest)) = head.split_first_chunk::<5>() else {
        return false;
    };
    let [0x5D, a, b, c, d] = *start else {
        return false;
    };
    let dictionary = u32::from_le_bytes([a, b, c, d]);
    let length = rest
        .first_chunk::<8>()
        .map(|bytes| u64::from_le_bytes(*bytes));
    dictionary.is_power_of_two()
        && dictionary >= 1 << 12
        && length.is_some_and(|length| length == u64::MAX || (1..1 << 40).contains(&length))
}
