//! Names of files that `backup` put aside: no restore script takes them, and no catalogue lists them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// Why a backup was put aside when it was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PutAside {
    /// It failed verification.
    Failed,
    /// Its verification was never finished.
    Unfinished,
}

impl PutAside {
    /// What is put behind the name, after a dot.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Failed => "failed-verification",
            Self::Unfinished => "not-verified",
        }
    }

    /// Why such a file is passed over, and how to look at it all the same.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Failed => "put aside by etcd-cat backup: it failed verification",
            Self::Unfinished => {
                "put aside by etcd-cat backup: never verified; name the file to verify it"
            }
        }
    }

    /// Reads a file name: `NAME.failed-verification`, `NAME.failed-verification.1` and the like.
    pub(crate) fn of(name: &OsStr) -> Option<Self> {
        let name = without_number(name.as_bytes());
        let is_it = |aside: &Self| {
            let stem = name.strip_suffix(aside.suffix().as_bytes());
            stem.is_some_and(|stem| stem.ends_with(b"."))
        };
        [Self::Failed, Self::Unfinished].into_iter().find(is_it)
    }
}

fn without_number(name: &[u8]) -> &[u8] {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let stem = name.get(..name.len() - digits.count());
    stem.and_then(|stem| stem.strip_suffix(b"."))
        .filter(|stem| stem.len() + 1 < name.len())
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_put_aside_are_known_with_and_without_a_number() {
        let rows = [
            ("snapshot_2024-11-02_030005.db", None),
            (
                "snapshot_2024-11-02_030005.db.failed-verification",
                Some(PutAside::Failed),
            ),
            (
                "snapshot_2024-11-02_030005.db.failed-verification.12",
                Some(PutAside::Failed),
            ),
            (
                "static_kuberesources_x.tar.gz.not-verified",
                Some(PutAside::Unfinished),
            ),
            ("snapshot.db.failed-verification.", None),
            ("failed-verification", None),
            ("x.failed-verification.db", None),
            ("7", None),
            ("", None),
        ];
        for (name, expected) in rows {
            assert_eq!(PutAside::of(OsStr::new(name)), expected, "{name}");
        }
    }
}
