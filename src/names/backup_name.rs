//! File names of every producer of etcd backups, and what people make of them.

use super::stamp::Stamp;
use crate::source::Compression;
use memchr::memchr_iter;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// What cluster-backup.sh puts behind the stamp when `--force` skipped its checks.
pub(crate) const POSSIBLY_DIRTY: &str = "__POSSIBLY_DIRTY__";

/// Which file a name promises.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum NameKind {
    /// `snapshot_<stamp>.db` and its relatives.
    Snapshot,
    /// `static_kuberesources_<stamp>.tar.gz`.
    Kuberesources,
    /// `snapshot_db_kuberesources_<stamp>.tar.gz` of OpenShift 4.3.0 and 4.3.1: both halves in one archive.
    Combined,
}

/// What a file name says; the content may say otherwise.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BackupName {
    /// The file that the name promises.
    pub kind: NameKind,
    /// When it says it was taken.
    pub stamp: Option<Stamp>,
    /// It carries `__POSSIBLY_DIRTY__`.
    pub is_possibly_dirty: bool,
    /// It ends in `.part`: an interrupted save.
    pub is_partial: bool,
    /// Packing according to the name.
    pub compression: Option<Compression>,
    /// Exactly as a producer writes it: not renamed, not packed.
    pub is_canonical: bool,
}

impl BackupName {
    /// Reads a file name; `None` when it is not that of a backup.
    ///
    /// A `.db` needs more than its ending (a stamp, the word `snapshot`, Unix seconds): many programs have `.db` files.
    pub fn parse(name: &OsStr) -> Option<Self> {
        let lower = name.as_bytes().to_ascii_lowercase();
        let (stem, ending) = Ending::split(&lower)?;
        let stamp = Stamp::find(name);
        let kind = match ending {
            Ending::Archive => archive_kind(stem)?,
            Ending::Partial => NameKind::Snapshot,
            Ending::Plain | Ending::Packed(_) => {
                let is_snapshot = stamp.is_some() || is_ten_digits(stem) || has_snapshot_word(stem);
                is_snapshot.then_some(NameKind::Snapshot)?
            }
        };
        let compression = match ending {
            Ending::Packed(compression) => Some(compression),
            Ending::Archive | Ending::Partial | Ending::Plain => None,
        };
        Some(Self {
            kind,
            stamp,
            is_possibly_dirty: says_possibly_dirty(name),
            is_partial: ending == Ending::Partial,
            compression,
            is_canonical: is_canonical(name.as_bytes()),
        })
    }
}

/// True for a name with [`POSSIBLY_DIRTY`] anywhere in it.
pub(crate) fn says_possibly_dirty(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let mut marks = memchr_iter(b'_', name).filter_map(|start| name.get(start..));
    marks.any(|rest| rest.starts_with(POSSIBLY_DIRTY.as_bytes()))
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    Plain,
    Packed(Compression),
    Partial,
    Archive,
}

impl Ending {
    /// Longer endings first: `.db.gz` is also `.gz`.
    const ALL: [(&'static [u8], Self); 11] = [
        (b".db.part", Self::Partial),
        (b".db.gz", Self::Packed(Compression::Gzip)),
        (b".db.zst", Self::Packed(Compression::Zstd)),
        (b".db.zstd", Self::Packed(Compression::Zstd)),
        (b".db.xz", Self::Packed(Compression::Xz)),
        (b".db.bz2", Self::Packed(Compression::Bzip2)),
        (b".db.lz4", Self::Packed(Compression::Lz4)),
        (b".db", Self::Plain),
        (b".tar.gz", Self::Archive),
        (b".tgz", Self::Archive),
        (b".tar", Self::Archive), // left behind when the script of 4.3.0 died before gzip
    ];

    fn split(name: &[u8]) -> Option<(&[u8], Self)> {
        let mut found = Self::ALL.iter();
        found.find_map(|(text, ending)| Some((name.strip_suffix(*text)?, *ending)))
    }
}

fn archive_kind(stem: &[u8]) -> Option<NameKind> {
    if find(stem, b"snapshot_db_kuberesources").is_some() {
        return Some(NameKind::Combined);
    }
    find(stem, b"static_kuberesources").map(|_| NameKind::Kuberesources)
}

/// The word stands at the start or behind a separator: `snapshot`, `prod-snapshot`, not `screensnapshot`.
fn has_snapshot_word(stem: &[u8]) -> bool {
    let Some(start) = find(stem, b"snapshot") else {
        return false;
    };
    let before = start.checked_sub(1).and_then(|index| stem.get(index));
    !before.is_some_and(u8::is_ascii_alphanumeric)
}

fn is_ten_digits(stem: &[u8]) -> bool {
    stem.len() == 10 && stem.iter().all(u8::is_ascii_digit)
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

/// What producers put before a stamp, and what behind it.
const STAMPED: [(&[u8], &[&[u8]]); 3] = [
    (
        b"snapshot_",
        &[
            b".db",
            b".db.part",
            b"__POSSIBLY_DIRTY__.db",
            b"__POSSIBLY_DIRTY__.db.part",
        ],
    ),
    (
        b"static_kuberesources_",
        &[b".tar.gz", b"__POSSIBLY_DIRTY__.tar.gz"],
    ),
    (b"snapshot_db_kuberesources_", &[b".tar.gz", b".tar"]),
];

/// A producer would have written this name at the moment that it says.
fn is_canonical(name: &[u8]) -> bool {
    if name == b"snapshot.db" || name == b"snapshot.db.part" {
        return true;
    }
    let is_stamped = |(word, endings): &(&[u8], &[&[u8]])| {
        let ending = name.strip_prefix(*word).and_then(Stamp::skip);
        ending.is_some_and(|ending| endings.contains(&ending))
    };
    STAMPED.iter().any(is_stamped) || Stamp::is_dashed_or_seconds(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Builds every name that a producer would have written at that moment.
    fn names_at(stamp: Stamp) -> Vec<String> {
        let dashed = stamp.at().format("%Y%m%d-%H%M%S");
        let seconds = stamp.at().timestamp();
        vec![
            format!("snapshot_{stamp}.db"),
            format!("snapshot_{stamp}.db.part"),
            format!("snapshot_{stamp}{POSSIBLY_DIRTY}.db"),
            format!("snapshot_{stamp}{POSSIBLY_DIRTY}.db.part"),
            format!("static_kuberesources_{stamp}.tar.gz"),
            format!("static_kuberesources_{stamp}{POSSIBLY_DIRTY}.tar.gz"),
            format!("snapshot_db_kuberesources_{stamp}.tar.gz"),
            format!("snapshot_db_kuberesources_{stamp}.tar"),
            format!("snapshot-{dashed}.db"),
            format!("{seconds}.db"),
        ]
    }

    proptest! {
        #[test]
        fn canonical_is_what_a_producer_writes(
            seconds in 1_000_000_000_i64..4_000_000_000,
            number in 0_usize..10,
            cut in 0_usize..60,
            put in "[_0-9a-z.-]{0,2}",
        ) {
            let at = chrono::DateTime::from_timestamp(seconds, 0).expect("in range");
            let stamp = Stamp::from_instant(at).expect("in range");
            let mut name = names_at(stamp).swap_remove(number);
            prop_assert!(is_canonical(name.as_bytes()), "{}", name);
            // The same name, or one that nearly is one.
            let start = cut.min(name.len());
            let end = (start + put.len() / 2).min(name.len());
            name.replace_range(start..end, &put);
            let stamp = Stamp::find(OsStr::new(&name));
            let is_written = stamp.is_some_and(|stamp| names_at(stamp).contains(&name));
            prop_assert_eq!(is_canonical(name.as_bytes()), is_written, "{}", name);
        }
    }

    fn parse(name: &str) -> Option<BackupName> {
        BackupName::parse(OsStr::new(name))
    }

    #[test]
    fn names_of_every_producer_are_canonical() {
        let rows = [
            ("snapshot.db", NameKind::Snapshot),
            ("snapshot_2024-11-02_030000.db", NameKind::Snapshot),
            (
                "snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db",
                NameKind::Snapshot,
            ),
            ("snapshot_2024-11-02_030000.db.part", NameKind::Snapshot),
            (
                "static_kuberesources_2024-11-02_030000.tar.gz",
                NameKind::Kuberesources,
            ),
            (
                "static_kuberesources_2024-11-02_030000__POSSIBLY_DIRTY__.tar.gz",
                NameKind::Kuberesources,
            ),
            (
                "snapshot_db_kuberesources_2020-02-01_030000.tar.gz",
                NameKind::Combined,
            ),
            (
                "snapshot_db_kuberesources_2020-02-01_030000.tar",
                NameKind::Combined,
            ),
            ("snapshot-20251209-101112.db", NameKind::Snapshot),
            ("1730516400.db", NameKind::Snapshot),
        ];
        for (text, kind) in rows {
            let name = parse(text).expect(text);
            assert_eq!((name.kind, name.is_canonical), (kind, true), "{text}");
            assert_eq!(name.is_possibly_dirty, text.contains("DIRTY"), "{text}");
            assert_eq!(name.is_partial, text.ends_with(".part"), "{text}");
            assert_eq!(name.stamp.is_some(), text != "snapshot.db", "{text}");
        }
    }

    #[test]
    fn renamed_files_are_known_and_not_canonical() {
        let rows = [
            (
                "prod-snapshot_2024-11-02_030000.db",
                NameKind::Snapshot,
                None,
            ),
            (
                "snapshot_2024-11-02_030000 (1).db",
                NameKind::Snapshot,
                None,
            ),
            ("snapshot_2024-11-02_030000.DB", NameKind::Snapshot, None),
            ("etcd_2024-11-02_030000.db", NameKind::Snapshot, None),
            ("prod-snapshot.db", NameKind::Snapshot, None),
            ("before_upgrade.db.part", NameKind::Snapshot, None),
            (
                "snapshot_2024-11-02_030000.db.gz",
                NameKind::Snapshot,
                Some(Compression::Gzip),
            ),
            (
                "snapshot_2024-11-02_030000.db.zst",
                NameKind::Snapshot,
                Some(Compression::Zstd),
            ),
            (
                "static_kuberesources_2024-11-02_030000_copy.tar.gz",
                NameKind::Kuberesources,
                None,
            ),
            (
                "old-static_kuberesources.tgz",
                NameKind::Kuberesources,
                None,
            ),
        ];
        for (text, kind, compression) in rows {
            let name = parse(text).expect(text);
            assert_eq!((name.kind, name.is_canonical), (kind, false), "{text}");
            assert_eq!(name.compression, compression, "{text}");
        }
    }

    #[test]
    fn names_of_other_things_are_none() {
        let rows = [
            "",
            ".",
            "grafana.db",
            "screensnapshot.db",
            "must-gather.tar.gz",
            "snapshot",
            "snapshot.txt",
            "backupenv.json",
            "123456789.db",
            "12345678901.db",
            "snapshot_2024-11-02_030000.db.bak",
        ];
        for text in rows {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_invalid_date_leaves_the_kind_and_takes_the_stamp() {
        let name = parse("snapshot_2024-02-31_030000.db").expect("says snapshot");
        assert_eq!((name.stamp, name.is_canonical), (None, false));
    }

    #[test]
    fn names_that_are_no_text_are_read() {
        let name = BackupName::parse(OsStr::from_bytes(b"\xff\nsnapshot_2024-11-02_030000.db"));
        assert!(name.is_some_and(|name| name.stamp.is_some() && !name.is_canonical));
    }
}
