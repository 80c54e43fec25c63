//! Changes what a real snapshot holds and makes it whole again.

use crate::support::bolt::{Bolt, Content};
use crate::support::samples;
use crate::support::write::{Form, database};

/// The sample with other content, sound and with a digest that matches.
pub(crate) fn rewritten(sample: &str, change: impl FnOnce(&mut Content)) -> Vec<u8> {
    let mut content = Bolt::open(&samples::bytes(sample)).content();
    let before = content.clone();
    change(&mut content);
    assert!(content != before, "the change changes something");
    database(&content, Form::default()).sealed()
}

/// The sample with some bytes damaged and a digest that matches.
pub(crate) fn damaged(sample: &str, damage: impl FnOnce(&mut Bolt)) -> Vec<u8> {
    let mut bolt = Bolt::open(&samples::bytes(sample));
    damage(&mut bolt);
    bolt.sealed()
}

/// The entries of a bucket.
pub(crate) fn bucket<'c>(content: &'c mut Content, name: &str) -> &'c mut Vec<(Vec<u8>, Vec<u8>)> {
    let found = content
        .iter_mut()
        .find(|(bucket, _)| bucket == name.as_bytes());
    &mut found.unwrap_or_else(|| panic!("bucket {name}")).1
}

/// Changes every stored value of the keys that begin with `prefix`.
pub(crate) fn values(
    content: &mut Content,
    prefix: &str,
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    for (_, message) in bucket(content, "key") {
        let (key, value) = key_and_value(message);
        if !key.starts_with(prefix.as_bytes()) || value.is_empty() {
            continue;
        }
        if let Some(changed) = change(&value) {
            replace_value(message, &changed);
        }
    }
}

/// Replaces text in every stored value of the keys that begin with `prefix`.
pub(crate) fn text(content: &mut Content, prefix: &str, from: &str, to: &str) {
    values(content, prefix, |value| {
        let text = std::str::from_utf8(value).ok()?;
        text.contains(from)
            .then(|| text.replace(from, to).into_bytes())
    });
}

/// Drops keys that were not touched since `compacted`, as if they had been deleted before it.
pub(crate) fn forget_old_keys(content: &mut Content, compacted: i64, kept: &[&str]) {
    let entries = bucket(content, "key");
    let is_young = |key: &[u8]| key[..8] > compacted.to_be_bytes()[..];
    let touched: std::collections::HashSet<Vec<u8>> = entries
        .iter()
        .filter(|(key, _)| is_young(key))
        .map(|(_, message)| key_and_value(message).0)
        .collect();
    entries.retain(|(_, message)| {
        let key = key_and_value(message).0;
        let text = String::from_utf8_lossy(&key);
        touched.contains(&key) || kept.iter().any(|part| text.contains(part))
    });
}

/// Replaces an instant, wherever it is stored in Protobuf, by another one.
pub(crate) fn instant(bytes: &mut [u8], from: &str, to: &str) {
    let varint = |text: &str| {
        let at: chrono::DateTime<chrono::Utc> = text.parse().expect("an instant");
        let mut bytes = vec![0x08];
        let mut number = at.timestamp() as u64;
        while number >= 0x80 {
            bytes.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let (from, to) = (varint(from), varint(to));
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter_map(|(at, window)| (window == from).then_some(at))
        .collect();
    assert!(!places.is_empty(), "the instant is stored somewhere");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(&to);
    }
}

/// Splits a message into its fields: number, and bytes with the tag.
fn fields(message: &[u8]) -> Vec<(u8, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let mut fields = Vec::new();
    let mut at = 0;
    while at < message.len() {
        let start = at;
        let tag = message[at];
        at += 1;
        let mut number = 0_usize;
        for shift in 0.. {
            let byte = message[at];
            at += 1;
            number |= usize::from(byte & 0x7f).checked_shl(7 * shift).unwrap_or(0);
            if byte < 0x80 {
                break;
            }
        }
        let body = at;
        if tag & 7 == 2 {
            at += number;
        }
        fields.push((tag >> 3, start..at, body..at));
    }
    fields
}

fn key_and_value(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let field = |wanted: u8| {
        let found = fields(message)
            .into_iter()
            .find(|(number, ..)| *number == wanted);
        found.map_or_else(Vec::new, |(_, _, body)| message[body].to_vec())
    };
    (field(1), field(5))
}

fn replace_value(message: &mut Vec<u8>, value: &[u8]) {
    let mut made = Vec::new();
    for (number, whole, _) in fields(message) {
        if number != 5 {
            made.extend(&message[whole]);
            continue;
        }
        made.push(5 << 3 | 2);
        let mut length = value.len();
        while length >= 0x80 {
            made.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        made.push(length as u8);
        made.extend(value);
    }
    *message = made;
}

/// An archive with a text of the same length in the place of another one, wherever it stands, and a number in the head of
/// gzip that makes another file of it.
pub(crate) fn repacked(archive: &[u8], from: &str, to: &str, number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut unpacked = flate2::read::GzDecoder::new(archive);
    std::io::copy(&mut unpacked, &mut bytes).expect("a sample");
    assert_eq!(from.len(), to.len(), "the headers of tar stay as they are");
    let places = bytes.windows(from.len()).enumerate();
    let places = places.filter_map(|(at, window)| (window == from.as_bytes()).then_some(at));
    for at in places.collect::<Vec<usize>>() {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    let packed = flate2::GzBuilder::new().mtime(number);
    let mut packed = packed.write(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &bytes).expect("into memory");
    packed.finish().expect("into memory")
}

/// A sound snapshot that differs from the others only in its number.
pub(crate) fn numbered(snapshot: &[u8], number: usize) -> Vec<u8> {
    let mut bolt = Bolt::open(snapshot);
    // The transaction's number: any is as good, as long as page 0 has the newer one.
    let txid = 1_000_000 + 2 * number as u64;
    bolt.put_u64(64, txid);
    let second = bolt.page_size + 64;
    bolt.put_u64(second, txid - 1);
    bolt.sign_metas();
    bolt.sealed()
}

/// The transaction numbers of both meta pages raised, as etcdutl hashkv does.
pub(crate) fn opened(mut bytes: Vec<u8>, times: u64) -> Vec<u8> {
    for start in [0, 4096] {
        let page = &mut bytes[start..start + 80];
        let txid = u64::from_le_bytes(page[64..72].try_into().expect("eight"));
        page[64..72].copy_from_slice(&(txid + times).to_le_bytes());
        let offset_basis = 0xcbf2_9ce4_8422_2325_u64;
        let checksum = page[16..72].iter().fold(offset_basis, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        page[72..80].copy_from_slice(&checksum.to_le_bytes());
    }
    bytes
}
