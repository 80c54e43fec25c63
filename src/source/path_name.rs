//! A path as a name that is compared, ordered and hashed a million times.
//!
//! [`Path`] goes through the components of both sides each time. Nearly all paths are written plainly, and then their bytes
//! say the same: only of the others the components are asked.

use memchr::memrchr;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that are compared at once.
const STRIDE: usize = 16;

/// Equal, and in the order, that [`Path`] says. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct PathName {
    path: Arc<Path>,
    /// Absolute, and no component is written twice as long as it is, or leads up.
    is_plain: bool,
}

impl PathName {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn bytes(&self) -> &[u8] {
        self.path.as_os_str().as_bytes()
    }

    /// As [`Path::file_name`].
    pub(super) fn file_name(&self) -> Option<&OsStr> {
        if !self.is_plain {
            return self.path.file_name();
        }
        let (_, name) = self.bytes().split_at_checked(self.last_slash()? + 1)?;
        (!name.is_empty()).then(|| OsStr::from_bytes(name))
    }

    /// As [`Path::parent`].
    pub(super) fn directory(&self) -> Option<&OsStr> {
        if !self.is_plain {
            return self.path.parent().map(Path::as_os_str);
        }
        // The root has none, and is that of what lies in it.
        let directory = match self.last_slash()? {
            0 if self.bytes().len() > 1 => b"/".as_slice(),
            0 => return None,
            end => self.bytes().get(..end)?,
        };
        Some(OsStr::from_bytes(directory))
    }

    fn last_slash(&self) -> Option<usize> {
        memrchr(b'/', self.bytes())
    }

    /// How many components it has, and how many of them both begin with.
    pub(super) fn common_parts(&self, other: &Self) -> usize {
        if !(self.is_plain && other.is_plain) {
            let both = self.path.components().zip(other.path.components());
            return both.take_while(|(own, other)| own == other).count();
        }
        let (own, other) = (self.bytes(), other.bytes());
        let end = first_difference(own, other);
        let common = own.get(..end).unwrap_or_default();
        let is_whole = |bytes: &[u8]| bytes.get(end).is_none_or(|byte| *byte == b'/');
        if is_whole(own) && is_whole(other) {
            return parts_in(common);
        }
        // The last one has only its beginning in common.
        let last = common.iter().rposition(|byte| *byte == b'/');
        parts_in(common.get(..last.unwrap_or(0).max(1)).unwrap_or_default())
    }

    /// How many components it has, the root being one.
    pub(super) fn parts(&self) -> usize {
        if self.is_plain {
            parts_in(self.bytes())
        } else {
            self.path.components().count()
        }
    }
}

/// Components of a plain path: the root, and what follows each slash.
fn parts_in(bytes: &[u8]) -> usize {
    match bytes {
        [] => 0,
        [b'/'] => 1,
        _ => 1 + bytes.iter().filter(|byte| **byte == b'/').count(),
    }
}

impl From<&Path> for PathName {
    fn from(path: &Path) -> Self {
        Self {
            is_plain: is_plain(path.as_os_str().as_bytes()),
            path: path.into(),
        }
    }
}

impl From<PathBuf> for PathName {
    fn from(path: PathBuf) -> Self {
        Self {
            is_plain: is_plain(path.as_os_str().as_bytes()),
            path: path.into(),
        }
    }
}

fn is_plain(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"/") else {
        return false;
    };
    let is_plain = |part: &[u8]| !matches!(part, b"" | b"." | b"..");
    rest.is_empty() || rest.split(|byte| *byte == b'/').all(is_plain)
}

/// Where two texts differ first, or the shorter one ends.
fn first_difference(left: &[u8], right: &[u8]) -> usize {
    // Arrays are compared in a register; slices would be by a call.
    let (left_strides, _) = left.as_chunks::<STRIDE>();
    let (right_strides, _) = right.as_chunks::<STRIDE>();
    let strides = left_strides.iter().zip(right_strides);
    let same = STRIDE * strides.take_while(|(left, right)| left == right).count();
    let rest = left.iter().zip(right).skip(same);
    same + rest.take_while(|(left, right)| left == right).count()
}

impl PartialEq for PathName {
    fn eq(&self, other: &Self) -> bool {
        if self.is_plain && other.is_plain {
            Arc::ptr_eq(&self.path, &other.path) || self.bytes() == other.bytes()
        } else {
            self.path == other.path
        }
    }
}

impl Eq for PathName {}

impl PartialOrd for PathName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PathName {
    fn cmp(&self, other: &Self) -> Ordering {
        if !(self.is_plain && other.is_plain) {
            return self.path.cmp(&other.path);
        }
        if Arc::ptr_eq(&self.path, &other.path) {
            return Ordering::Equal;
        }
        let (own, other) = (self.bytes(), other.bytes());
        let at = first_difference(own, other);
        // What ends, or ends a component, comes first.
        let rank = |byte: Option<&u8>| match byte {
            None => 0,
            Some(b'/') => 1,
            Some(byte) => 2 + u16::from(*byte),
        };
        rank(own.get(at)).cmp(&rank(other.get(at)))
    }
}

/// A plain path and the same one written otherwise are one.
impl Hash for PathName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.is_plain {
            self.bytes().hash(state);
        } else {
            let plain: PathBuf = self.path.components().collect();
            plain.as_os_str().as_bytes().hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{BuildHasher as _, RandomState};

    /// With others that are written like them.
    fn paths() -> Vec<PathName> {
        let texts = [
            "/",
            "/a",
            "/a/",
            "/a/x",
            "/a//x",
            "/a/./x",
            "/a/x/.",
            "/a-b",
            "/a-b/x",
            "/a/../x",
            "/a/!x",
            "a",
            "a/x",
            "./a",
            ".",
            "",
            "..",
            "//a",
            "/a\0",
            "/a/\u{1}",
            "/a/b/c/d/e/f/g/h/i",
            "/a/b/c/d/e/f/g/h/j",
            "/a/b/c/d/e/f/g/h",
            "/a/b/c/d/e/f/g/hi",
            "/é",
            "/a/b/c/d/e/f/g/h/i/k",
        ];
        texts.iter().map(|text| Path::new(text).into()).collect()
    }

    #[test]
    fn paths_are_equal_and_in_the_order_that_their_components_say() {
        let hasher = RandomState::new();
        for one in paths() {
            for other in paths() {
                let (path, other_path) = (one.path(), other.path());
                assert_eq!(one == other, path == other_path, "{path:?} {other_path:?}");
                assert_eq!(
                    one.cmp(&other),
                    path.cmp(other_path),
                    "{path:?} {other_path:?}"
                );
                if one == other {
                    assert_eq!(
                        hasher.hash_one(&one),
                        hasher.hash_one(&other),
                        "{path:?} {other_path:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn name_and_directory_are_found_without_looking_at_components() {
        for one in paths() {
            let path = one.path();
            assert_eq!(one.file_name(), path.file_name(), "{path:?}");
            let parent = path.parent().map(Path::as_os_str);
            assert_eq!(one.directory(), parent, "{path:?}");
        }
    }

    #[test]
    fn components_are_counted_without_being_looked_at() {
        for one in paths() {
            assert_eq!(one.parts(), one.path().components().count(), "{one:?}");
            for other in paths() {
                let both = one.path().components().zip(other.path().components());
                let common = both.take_while(|(own, other)| own == other).count();
                assert_eq!(one.common_parts(&other), common, "{one:?} {other:?}");
            }
        }
    }
}
