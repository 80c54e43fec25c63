use super::copy::VerifiedContent;
use super::run::{StageRequest, StageSource};
use super::*;
use crate::digest::Sha256Digest;
use crate::monitor::{Monitor, Silent};
use crate::names::Picks;
use crate::source::{FileSystem, ObjectId};
use sha2::{Digest as _, Sha256};
use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

mod races;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const SNAPSHOT: &str = "snapshot_2024-11-02_030000.db";
const KUBERESOURCES: &str = "static_kuberesources_2024-11-02_030000.tar.gz";

fn sha256(bytes: &[u8]) -> Sha256Digest {
    Sha256Digest(Sha256::digest(bytes).into())
}

/// Bytes with a bbolt magic and etcd's trailer.
fn snapshot_bytes() -> Vec<u8> {
    let mut data = vec![7; 3 * 1024 * 1024];
    if let Some(magic) = data.get_mut(16..20) {
        magic.copy_from_slice(&[0xED, 0xDA, 0x0C, 0xED]);
    }
    data.extend_from_slice(&sha256(&data).0);
    data
}

fn expected(bytes: &[u8], has_trailer: bool) -> VerifiedContent {
    let data = if has_trailer {
        bytes.len().saturating_sub(32)
    } else {
        bytes.len()
    };
    let (data, trailer) = bytes.split_at(data);
    VerifiedContent {
        data_sha256: sha256(data),
        trailer: <[u8; 32]>::try_from(trailer).ok().map(Sha256Digest),
        size_bytes: u64::try_from(bytes.len()).expect("fits"),
        mended: None,
    }
}

/// A pair in a directory of its own, and a place for the target.
struct Pair {
    root: tempfile::TempDir,
    snapshot: PathBuf,
    kuberesources: PathBuf,
    snapshot_expected: VerifiedContent,
    kuberesources_expected: VerifiedContent,
}

impl Pair {
    fn new() -> std::io::Result<Self> {
        Self::named(SNAPSHOT, KUBERESOURCES)
    }

    fn named(snapshot: &str, kuberesources: &str) -> std::io::Result<Self> {
        let root = tempfile::tempdir()?;
        std::fs::create_dir(root.path().join("source"))?;
        let snapshot = root.path().join("source").join(snapshot);
        let kuberesources = root.path().join("source").join(kuberesources);
        std::fs::write(&snapshot, snapshot_bytes())?;
        std::fs::write(&kuberesources, b"archive")?;
        Ok(Self {
            root,
            snapshot,
            kuberesources,
            snapshot_expected: expected(&snapshot_bytes(), true),
            kuberesources_expected: expected(b"archive", false),
        })
    }

    fn target(&self) -> PathBuf {
        self.root.path().join("target")
    }

    fn stage_to(&self, to: &Path, monitor: &dyn Monitor) -> Result<Staged, StageError> {
        let [snapshot, kuberesources] = [&self.snapshot, &self.kuberesources].map(ObjectId::from);
        let snapshot = StageSource {
            id: &snapshot,
            expected: self.snapshot_expected,
        };
        let kuberesources = StageSource {
            id: &kuberesources,
            expected: self.kuberesources_expected,
        };
        let taken_at = chrono::DateTime::from_timestamp(1_730_516_407, 0);
        let kuberesources = Some(kuberesources);
        stage(
            &StageRequest {
                snapshot,
                kuberesources,
                taken_at,
                to,
            },
            &FileSystem,
            monitor,
        )
    }

    fn stage(&self) -> Result<Staged, StageError> {
        self.stage_to(&self.target(), &Silent)
    }
}

fn names(directory: &Path) -> std::io::Result<Vec<OsString>> {
    let mut names = std::fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}

fn mode(path: &Path) -> std::io::Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o7777)
}

#[test]
fn a_pair_lies_alone_and_private_in_a_new_directory() -> Outcome {
    let pair = Pair::new()?;
    let target = pair.root.path().join("a/b/target");
    let staged = pair.stage_to(&target, &Silent)?;
    assert_eq!(names(&target)?, [SNAPSHOT, KUBERESOURCES]);
    assert_eq!(std::fs::read(&staged.snapshot)?, snapshot_bytes());
    assert_eq!(staged.snapshot_sha256, sha256(&snapshot_bytes()));
    assert_eq!(staged.kuberesources_sha256, Some(sha256(b"archive")));
    assert_eq!((mode(&target)?, mode(&staged.snapshot)?), (0o700, 0o600));
    assert_eq!(mode(&target.join(KUBERESOURCES))?, 0o600);
    let listed = names(&target)?;
    let picks = Picks::among(&listed);
    assert_eq!(picks.snapshot, Some(SNAPSHOT.into()));
    assert_eq!(picks.kuberesources, Some(KUBERESOURCES.into()));
    let times = |path: &Path| std::fs::metadata(path)?.modified();
    assert_eq!(times(&staged.snapshot)?, times(&pair.snapshot)?);
    Ok(())
}

#[test]
fn an_empty_directory_is_filled_and_closed_to_others() -> Outcome {
    let pair = Pair::new()?;
    std::fs::create_dir(pair.target())?;
    pair.stage()?;
    assert_eq!(mode(&pair.target())?, 0o700);
    Ok(())
}

#[test]
fn renamed_files_get_their_names_back() -> Outcome {
    let rows = [
        (
            "prod-snapshot_2024-11-02_030000 (1).db",
            "static_kuberesources.tar.gz",
            "2024-11-02_030000",
        ),
        (
            "prod.db",
            "x-static_kuberesources_2024-11-02_030000.tar.gz",
            "2024-11-02_030000",
        ),
        ("prod.db", "prod.tar.gz", "2024-11-02_030007"),
        (
            "snapshot-20241102-030000.db",
            "r.tar.gz",
            "2024-11-02_030000",
        ),
    ];
    for (snapshot, kuberesources, stamp) in rows {
        let pair = Pair::named(snapshot, kuberesources)?;
        pair.stage()?;
        let expected = [
            format!("snapshot_{stamp}.db"),
            format!("static_kuberesources_{stamp}.tar.gz"),
        ];
        let expected = expected.map(OsString::from);
        assert_eq!(names(&pair.target())?, expected, "{snapshot}");
    }
    Ok(())
}

#[test]
fn a_packed_snapshot_is_unpacked() -> Outcome {
    for name in [
        "snapshot_2024-11-02_030000.db.gz",
        "snapshot_2024-11-02_030000.db.zst",
    ] {
        let pair = Pair::named(name, KUBERESOURCES)?;
        let packed = if name.ends_with(".gz") {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&snapshot_bytes())?;
            encoder.finish()?
        } else {
            zstd::encode_all(snapshot_bytes().as_slice(), 1)?
        };
        std::fs::write(&pair.snapshot, &packed)?;
        let staged = pair.stage()?;
        assert_eq!(std::fs::read(&staged.snapshot)?, snapshot_bytes(), "{name}");

        std::fs::remove_dir_all(pair.target())?;
        let cut = packed.get(..packed.len() / 2).unwrap_or_default();
        std::fs::write(&pair.snapshot, cut)?;
        assert!(pair.stage().is_err(), "{name}");
        assert!(!pair.target().exists(), "{name}");
    }
    Ok(())
}

#[test]
fn a_snapshot_alone_can_be_staged_for_two_nodes() -> Outcome {
    let pair = Pair::new()?;
    let id = ObjectId::from(&pair.snapshot);
    let snapshot = StageSource {
        id: &id,
        expected: pair.snapshot_expected,
    };
    let (kuberesources, taken_at, to) = (None, None, &pair.target());
    let staged = stage(
        &StageRequest {
            snapshot,
            kuberesources,
            taken_at,
            to,
        },
        &FileSystem,
        &Silent,
    )?;
    assert_eq!(names(to)?, [SNAPSHOT]);
    assert_eq!(staged.kuberesources, None);
    Ok(())
}

type Damage = fn(&mut Vec<u8>);

fn flip(bytes: &mut [u8], index: usize) {
    if let Some(byte) = bytes.get_mut(index) {
        *byte ^= 1;
    }
}

#[test]
fn what_is_not_what_was_verified_is_refused_and_nothing_stays() -> Outcome {
    let damages: [(&str, Damage); 4] = [
        ("a flipped bit in the data", |bytes| flip(bytes, 5000)),
        ("a flipped bit in the trailer", |bytes| {
            flip(bytes, snapshot_bytes().len() - 1);
        }),
        ("one byte less", |bytes| {
            bytes.pop();
        }),
        ("one byte more", |bytes| bytes.push(0)),
    ];
    for (name, damage) in damages {
        let pair = Pair::new()?;
        let mut bytes = snapshot_bytes();
        damage(&mut bytes);
        std::fs::write(&pair.snapshot, bytes)?;
        let error = pair.stage().expect_err(name).to_string();
        assert!(
            error.contains("snapshot_2024-11-02_030000.db") && error.contains("verified"),
            "{name}: {error}"
        );
        assert!(!pair.target().exists(), "{name}");

        let pair = Pair::new()?;
        let mut bytes = b"archive".to_vec();
        damage(&mut bytes);
        std::fs::write(&pair.kuberesources, bytes)?;
        if std::fs::read(&pair.kuberesources)? != b"archive" {
            pair.stage().expect_err(name);
            assert!(!pair.target().exists(), "{name}");
        }
    }
    Ok(())
}

#[test]
fn a_directory_that_holds_anything_is_refused_and_left_as_it_is() -> Outcome {
    let rows = [
        (
            "notes.txt",
            "holds \"notes.txt\", expected an empty or a new directory",
        ),
        (
            "snapshot_2025.db",
            "which cluster-restore.sh might take instead",
        ),
        (".hidden", "holds \".hidden\""),
        ("line\nbreak", "holds \"line\\nbreak\""),
    ];
    for (held, expected) in rows {
        let pair = Pair::new()?;
        std::fs::create_dir(pair.target())?;
        std::fs::set_permissions(pair.target(), std::fs::Permissions::from_mode(0o755))?;
        std::fs::write(pair.target().join(held), b"mine")?;
        let error = pair.stage().expect_err(held).to_string();
        assert!(error.contains(expected), "{held}: {error}");
        assert_eq!(names(&pair.target())?, [held]);
        assert_eq!(mode(&pair.target())?, 0o755);
    }
    Ok(())
}

#[test]
fn unfit_targets_are_refused() -> Outcome {
    let pair = Pair::new()?;
    let root = pair.root.path();
    std::fs::write(root.join("file"), b"")?;
    symlink("nowhere", root.join("dangling"))?;
    for name in ["file", "file/below", "dangling", "line\nbreak"] {
        let before = names(root)?;
        let error = pair.stage_to(&root.join(name), &Silent).expect_err(name);
        assert!(!error.to_string().is_empty());
        assert_eq!(names(root)?, before, "{name}: {error}");
    }
    let error = pair
        .stage_to(Path::new("/var/lib/etcd/etcd-cat-test"), &Silent)
        .expect_err("is taken");
    assert!(
        matches!(
            error,
            StageError::UnfitDirectory { .. } | StageError::Io { .. }
        ),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_link_to_an_empty_directory_is_resolved() -> Outcome {
    let pair = Pair::new()?;
    let real = pair.root.path().join("real");
    std::fs::create_dir(&real)?;
    symlink(&real, pair.target())?;
    let staged = pair.stage()?;
    assert_eq!(staged.directory, real.canonicalize()?);
    assert_eq!(names(&real)?, [SNAPSHOT, KUBERESOURCES]);
    Ok(())
}

#[test]
fn a_missing_half_is_named() -> Outcome {
    let pair = Pair::new()?;
    std::fs::remove_file(&pair.kuberesources)?;
    let error = pair.stage().expect_err("a half is gone");
    assert!(matches!(error, StageError::Source(_)), "{error}");
    assert!(!pair.target().exists());
    Ok(())
}

#[test]
fn too_little_space_is_told_before_anything_is_written() -> Outcome {
    let mut pair = Pair::new()?;
    pair.snapshot_expected.size_bytes = u64::MAX / 2;
    let error = pair.stage().expect_err("no disk is that large");
    assert!(matches!(error, StageError::NoSpace { .. }), "{error}");
    assert!(!pair.target().exists());
    Ok(())
}

#[test]
fn sources_are_not_touched() -> Outcome {
    let pair = Pair::new()?;
    let before = std::fs::metadata(&pair.snapshot)?;
    pair.stage()?;
    let after = std::fs::metadata(&pair.snapshot)?;
    assert_eq!(
        (before.modified()?, before.len()),
        (after.modified()?, after.len())
    );
    assert_eq!(
        names(&pair.root.path().join("source"))?,
        [SNAPSHOT, KUBERESOURCES]
    );
    Ok(())
}

#[test]
fn names_that_are_no_text_are_staged_under_plain_ones() -> Outcome {
    let mut pair = Pair::new()?;
    let odd = pair
        .snapshot
        .with_file_name(std::ffi::OsStr::from_bytes(b"\xff\n2024-11-02_030000.db"));
    std::fs::rename(&pair.snapshot, &odd)?;
    pair.snapshot = odd;
    pair.stage()?;
    assert_eq!(names(&pair.target())?, [SNAPSHOT, KUBERESOURCES]);
    Ok(())
}
