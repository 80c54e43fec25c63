//! Checksums that somebody recorded beside files: `*.sha256`, `SHA256SUMS`, `*.md5`, `MD5SUMS`, as `sha256sum`, `md5sum` and
//! their relatives of BSD write them.

use std::ffi::OsStr;

/// Of a list of checksums; a longer file is none.
pub(crate) const MAX_LIST_BYTES: u64 = 1 << 20;
/// Lines that are read of one list.
const MAX_LINES: usize = 10_000;

/// A checksum as it was recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Checksum {
    Sha256([u8; 32]),
    Md5([u8; 16]),
}

/// A line of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecordedChecksum {
    /// The file's name without directories; `None` where the list is about one file and does not name it.
    pub(crate) name: Option<Vec<u8>>,
    /// What was recorded.
    pub(crate) checksum: Checksum,
}

/// Does the name promise a list of checksums?
pub(crate) fn is_checksum_list(name: &OsStr) -> bool {
    let lower = name.as_encoded_bytes().to_ascii_lowercase();
    let endings: [&[u8]; 5] = [
        b".sha256",
        b".sha256sum",
        b".sha256sums",
        b".md5",
        b".md5sum",
    ];
    let names: [&[u8]; 7] = [
        b"sha256sums",
        b"sha256sum",
        b"sha256sum.txt",
        b"sha256sums.txt",
        b"md5sums",
        b"md5sum",
        b"md5sum.txt",
    ];
    endings.iter().any(|ending| lower.ends_with(ending)) || names.contains(&lower.as_slice())
}

/// The file that a list beside it is about, by the list's own name: `x.db` of `x.db.sha256`.
pub(crate) fn listed_by_name(list: &OsStr) -> Option<&[u8]> {
    let name = list.as_encoded_bytes();
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    name.get(..dot).filter(|name| !name.is_empty())
}

/// The checksums in a list; lines that are something else are passed over.
pub(crate) fn checksums(list: &[u8]) -> Vec<RecordedChecksum> {
    let list = list.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(list);
    let lines = list.split(|byte| *byte == b'\n').take(MAX_LINES);
    lines
        .filter_map(|line| checksum(line.trim_ascii()))
        .collect()
}

fn checksum(line: &[u8]) -> Option<RecordedChecksum> {
    if let Some(found) = tagged(line) {
        return Some(found);
    }
    // A backslash in front: the name has escaped characters.
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (hex, rest) = line.split_at_checked(digits)?;
    let checksum = decode(hex)?;
    let name = match rest {
        [] => None,
        [b' ' | b'\t', rest @ ..] => {
            let rest = rest.strip_prefix(b"*").unwrap_or(rest);
            Some(base_name(rest.trim_ascii())).filter(|name| !name.is_empty() && name != b"-")
        }
        _ => return None,
    };
    Some(RecordedChecksum { name, checksum })
}

/// `SHA256 (x.db) = 01ab…`
fn tagged(line: &[u8]) -> Option<RecordedChecksum> {
    let rest = line
        .strip_prefix(b"SHA256 (")
        .or_else(|| line.strip_prefix(b"MD5 ("))?;
    let end = rest.windows(4).rposition(|window| window == b") = ")?;
    let (name, hex) = rest.split_at_checked(end)?;
    Some(RecordedChecksum {
        name: Some(base_name(name)),
        checksum: decode(hex.strip_prefix(b") = ")?.trim_ascii())?,
    })
}

fn base_name(path: &[u8]) -> Vec<u8> {
    let path = path.strip_prefix(b"*").unwrap_or(path);
    let slash = path.iter().rposition(|byte| matches!(*byte, b'/' | b'\\'));
    let start = slash.map_or(0, |slash| slash.saturating_add(1));
    path.get(start..).unwrap_or_default().to_vec()
}

fn decode(hex: &[u8]) -> Option<Checksum> {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex).ok()?;
    match bytes.len() {
        32 => Some(Checksum::Sha256(bytes.try_into().ok()?)),
        16 => Some(Checksum::Md5(bytes.try_into().ok()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str) -> Vec<(Option<String>, Checksum)> {
        let text = |name: Vec<u8>| String::from_utf8(name).expect("plain names");
        let found = checksums(list.as_bytes()).into_iter();
        found
            .map(|one| (one.name.map(text), one.checksum))
            .collect()
    }

    #[test]
    fn lists_are_read_as_every_tool_writes_them() {
        let sha = "ab".repeat(32);
        let md5 = "0F".repeat(16);
        let of = |name: &str| Some(name.to_owned());
        let (whole, short) = (Checksum::Sha256([0xAB; 32]), Checksum::Md5([0x0F; 16]));
        assert_eq!(
            read(&format!("{sha}  x.db\n{md5} *y.db\r\n")),
            [(of("x.db"), whole), (of("y.db"), short)]
        );
        assert_eq!(
            read(&format!("SHA256 (/b/x (1).db) = {sha}")),
            [(of("x (1).db"), whole)]
        );
        assert_eq!(
            read(&format!("{sha}  /home/core/assets/backup/x.db")),
            [(of("x.db"), whole)]
        );
        assert_eq!(read(&sha), [(None, whole)]);
        assert_eq!(read(&format!("{sha}  -\n")), [(None, whole)]);
        assert_eq!(
            read(&format!("\u{feff}{sha}  ./x.db")),
            [(of("x.db"), whole)]
        );
        assert_eq!(read("x.db is fine\n\nabcd  x.db\n"), []);
        assert_eq!(read(&format!("{sha}x.db")), []);
    }

    #[test]
    fn lists_are_known_by_their_names() {
        for name in [
            "SHA256SUMS",
            "x.db.sha256",
            "x.tar.gz.md5",
            "sha256sum.txt",
            "X.SHA256SUM",
        ] {
            assert!(is_checksum_list(OsStr::new(name)), "{name}");
        }
        for name in ["x.db", "sha256", "notes.txt"] {
            assert!(!is_checksum_list(OsStr::new(name)), "{name}");
        }
        assert_eq!(
            listed_by_name(OsStr::new("x.db.sha256")),
            Some(&b"x.db"[..])
        );
        assert_eq!(listed_by_name(OsStr::new("SHA256SUMS")), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _found = checksums(&bytes);
        }
    }
}
