//! Where the catalogue lies and which store keeps it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A store and its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CatalogueLocation {
    /// One file.
    Redb(PathBuf),
    /// A directory.
    Sled(PathBuf),
    /// Nowhere: it ends with the process.
    Memory,
}

impl CatalogueLocation {
    /// Reads `PATH`, `redb:PATH` or `sled:PATH`; a path alone is redb's.
    ///
    /// # Errors
    ///
    /// There is no path.
    pub fn parse(text: &OsStr) -> Result<Self, LocationError> {
        let bytes = text.as_bytes();
        let path = |bytes: &[u8]| match bytes {
            [] => Err(LocationError(text.to_owned())),
            _ => Ok(PathBuf::from(OsString::from_vec(bytes.to_vec()))),
        };
        match (bytes.strip_prefix(b"redb:"), bytes.strip_prefix(b"sled:")) {
            (_, Some(rest)) => path(rest).map(Self::Sled),
            (rest, None) => path(rest.unwrap_or(bytes)).map(Self::Redb),
        }
    }

    /// The file or directory; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Redb(path) | Self::Sled(path) => Some(path),
            Self::Memory => None,
        }
    }
}

impl fmt::Display for CatalogueLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redb(path) => write!(f, "{}", path.display()),
            Self::Sled(path) => write!(f, "sled:{}", path.display()),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// No catalogue can be meant by this text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("catalogue is {0:?}, expected PATH, redb:PATH or sled:PATH")]
pub struct LocationError(pub OsString);

/// Where the catalogue lies when nothing is said; `None` when the user has no home directory.
pub fn default_location() -> Option<CatalogueLocation> {
    let is_root = rustix::process::geteuid().is_root();
    let data_home = std::env::var_os("XDG_DATA_HOME");
    default_in(is_root, data_home, std::env::var_os("HOME")).map(CatalogueLocation::Redb)
}

fn default_in(
    is_root: bool,
    data_home: Option<OsString>,
    home: Option<OsString>,
) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let absolute =
        |text: Option<OsString>| text.map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if is_root {
        PathBuf::from("/var/lib")
    } else {
        absolute(data_home).or_else(|| absolute(home).map(|home| home.join(".local/share")))?
    };
    Some(base.join("etcd-cat/catalogue.redb"))
}

#[cfg(test)]
mod tests {
    use super::{CatalogueLocation, OsStr, OsString, PathBuf, default_in};

    #[test]
    fn a_location_names_its_store_or_is_redbs() {
        let rows = [
            (
                "/c/catalogue.redb",
                Some(CatalogueLocation::Redb(PathBuf::from("/c/catalogue.redb"))),
            ),
            ("redb:c", Some(CatalogueLocation::Redb(PathBuf::from("c")))),
            (
                "sled:/c/d",
                Some(CatalogueLocation::Sled(PathBuf::from("/c/d"))),
            ),
            (
                "./sled:x",
                Some(CatalogueLocation::Redb(PathBuf::from("./sled:x"))),
            ),
            ("", None),
            ("redb:", None),
            ("sled:", None),
        ];
        for (text, expected) in rows {
            assert_eq!(
                CatalogueLocation::parse(OsStr::new(text)).ok(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn the_default_follows_xdg_and_root_has_var_lib() {
        let text = |text: &str| Some(OsString::from(text));
        let rows = [
            (
                (true, text("/x"), text("/root")),
                Some("/var/lib/etcd-cat/catalogue.redb"),
            ),
            (
                (false, text("/x"), text("/home/a")),
                Some("/x/etcd-cat/catalogue.redb"),
            ),
            (
                (false, text("x"), text("/home/a")),
                Some("/home/a/.local/share/etcd-cat/catalogue.redb"),
            ),
            (
                (false, text(""), text("/home/a")),
                Some("/home/a/.local/share/etcd-cat/catalogue.redb"),
            ),
            ((false, None, None), None),
        ];
        for ((is_root, data_home, home), expected) in rows {
            let name = format!("{is_root} {data_home:?} {home:?}");
            let found = default_in(is_root, data_home, home);
            assert_eq!(found, expected.map(PathBuf::from), "{name}");
        }
    }
}
