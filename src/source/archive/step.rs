//! What a walk through an archive comes to, and which names it may have.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

/// What the walk has come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ArchiveStep {
    /// A file: its bytes are read next.
    File {
        /// Its name, without what tar leaves out of names as it unpacks.
        path: PathBuf,
        /// Length in bytes, where the archive tells it before.
        size_bytes: Option<u64>,
    },
    /// Something that is passed over, and why.
    PassedOver {
        /// Its name, as it stands there.
        path: PathBuf,
        /// Why, in a few words.
        reason: String,
    },
    /// Something is wrong with the archive. The walk may go on behind it.
    Defect {
        /// What, in a few words.
        reason: String,
        /// There may be members that were not seen.
        is_incomplete: bool,
    },
    /// Nothing more; everything behind it was read.
    End,
}

/// A file that may lie below the archive.
pub(super) fn file(name: PathBuf, size_bytes: Option<u64>) -> ArchiveStep {
    match inner_path(&name) {
        Ok(path) => ArchiveStep::File { path, size_bytes },
        Err(reason) => ArchiveStep::PassedOver {
            path: name,
            reason: reason.to_owned(),
        },
    }
}

/// The name of a member below the archive: a leading slash is left out, as tar does; nothing leads out of it.
fn inner_path(name: &Path) -> Result<PathBuf, &'static str> {
    let mut path = PathBuf::new();
    if name.as_os_str().as_bytes().contains(&0) {
        return Err("its name has a zero byte in it");
    }
    for part in name.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => return Err("its name leads out of the archive"),
        }
    }
    if path.as_os_str().is_empty() {
        return Err("it has no name");
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_archive() {
        let rows = [
            ("./a/b.db", Ok("a/b.db")),
            ("/root/backup//b.db", Ok("root/backup/b.db")),
            ("a/../../b.db", Err("its name leads out of the archive")),
            ("..", Err("its name leads out of the archive")),
            ("/", Err("it has no name")),
            ("a\0b", Err("its name has a zero byte in it")),
        ];
        for (name, expected) in rows {
            let found = inner_path(Path::new(name));
            assert_eq!(found, expected.map(PathBuf::from), "{name:?}");
        }
    }
}
