//! What an object is called.

use super::path_name::PathName;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Stands between the scheme of a URL and what follows.
const SCHEME_END: &[u8] = b"://";
/// Stands between an archive and the name of a member, as it is shown: the archive looks like a directory.
const MEMBER_MARK: &str = "!/";
/// The same in a key: no path has this byte in it.
const MEMBER_KEY_MARK: u8 = 0;

/// Names an object wherever it lies: a file by its path, whatever bytes that is made of; what another store holds by a URL;
/// what is packed into an archive by the archive and the name in it: `/b/bundle.tar.gz!/etcd-backup/snapshot.db`.
///
/// Cheap to clone. Paths come before URLs, and both before members. Paths are the same, and in the order, that [`Path`]
/// says: `a/x` comes before `a-b/x`. URLs are compared byte by byte: `s3://b/x` and `s3://b//x` are two objects.
///
/// A member has no path of this machine, whatever it is called: nothing on a disk is ever touched by its name.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectId(Name);

#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Name {
    Path(PathName),
    Url(Arc<str>),
    Member(Arc<MemberName>),
}

#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct MemberName {
    archive: ObjectId,
    /// Empty for the top of the archive, as a directory.
    path: PathBuf,
    /// Both, as it is shown.
    text: OsString,
}

/// Names that are looked up and never gone through in order.
pub(crate) type ObjectSet = HashSet<ObjectId, foldhash::quality::RandomState>;

impl ObjectId {
    /// The name that somebody typed: a URL if it begins as one (`s3://…`), else a path.
    pub fn parse(text: &OsStr) -> Self {
        match text.to_str().filter(|text| scheme_of(text).is_some()) {
            Some(url) => Self(Name::Url(url.into())),
            None => Path::new(text).into(),
        }
    }

    /// What has this name in an archive. The name is as the archive says it; it is never one of a disk.
    #[must_use]
    pub fn member(&self, path: &OsStr) -> Self {
        let mut text = self.as_os_str().to_owned();
        // The top of an archive ends as directories do: without a slash.
        let mark = if path.is_empty() { "!" } else { MEMBER_MARK };
        text.push(mark);
        text.push(path);
        Self(Name::Member(Arc::new(MemberName {
            archive: self.clone(),
            path: path.into(),
            text,
        })))
    }

    /// The archive that it is packed into, and its name there.
    pub fn archive(&self) -> Option<(&Self, &OsStr)> {
        match &self.0 {
            Name::Member(member) => Some((&member.archive, member.path.as_os_str())),
            Name::Path(_) | Name::Url(_) => None,
        }
    }

    /// What a store holds: itself, or the outermost archive that it is packed into.
    pub fn outermost(&self) -> &Self {
        let mut outermost = self;
        while let Some((archive, _)) = outermost.archive() {
            outermost = archive;
        }
        outermost
    }

    /// Every way to read a path or URL as that of a member, the shortest name of an archive first.
    pub(crate) fn as_member(&self) -> Vec<Self> {
        let text = self.as_os_str().as_bytes();
        let mark = MEMBER_MARK.as_bytes();
        let starts = text.windows(mark.len()).enumerate();
        let starts = starts.filter(|(start, window)| *window == mark && *start > 0);
        let split = starts.filter_map(|(start, _)| {
            let archive = Self::parse(OsStr::from_bytes(text.get(..start)?));
            let rest = text.get(start + mark.len()..)?;
            Some(archive.members(rest))
        });
        split.collect()
    }

    /// A member of a member, where the name has more marks in it.
    fn members(&self, path: &[u8]) -> Self {
        let mark = MEMBER_MARK.as_bytes();
        match path.windows(mark.len()).position(|window| window == mark) {
            Some(end) if end > 0 => {
                let (name, rest) = path.split_at_checked(end).unwrap_or((path, &[]));
                let inner = self.member(OsStr::from_bytes(name));
                inner.members(rest.get(mark.len()..).unwrap_or_default())
            }
            _ => self.member(OsStr::from_bytes(path)),
        }
    }

    /// The scheme of a URL, such as `s3`; `None` for a path.
    pub(crate) fn scheme(&self) -> Option<&str> {
        match &self.outermost().0 {
            Name::Url(url) => scheme_of(url),
            Name::Path(_) | Name::Member(_) => None,
        }
    }

    /// The path, if it is one of this machine.
    pub fn as_path(&self) -> Option<&Path> {
        match &self.0 {
            Name::Path(name) => Some(name.path()),
            Name::Url(_) | Name::Member(_) => None,
        }
    }

    /// The whole name.
    pub(crate) fn as_os_str(&self) -> &OsStr {
        match &self.0 {
            Name::Path(name) => name.path().as_os_str(),
            Name::Url(url) => OsStr::new(&**url),
            Name::Member(member) => &member.text,
        }
    }

    /// The last part of the name; `None` when there is none, as for `/` or a whole bucket.
    pub fn file_name(&self) -> Option<&OsStr> {
        match &self.0 {
            Name::Path(name) => name.file_name(),
            Name::Url(url) => {
                let (_, name) = split_url(url)?;
                Some(OsStr::new(name)).filter(|name| !name.is_empty())
            }
            Name::Member(member) => member.path.file_name(),
        }
    }

    /// What it lies in, as it is shown: the path of a directory, or a URL as far as the last slash.
    pub fn directory(&self) -> Option<&OsStr> {
        match &self.0 {
            Name::Path(name) => name.directory(),
            Name::Url(url) => Some(OsStr::new(split_url(url)?.0)),
            Name::Member(member) => {
                let text = member.text.as_bytes();
                let end = text.iter().rposition(|byte| *byte == b'/')?;
                text.get(..end).map(OsStr::from_bytes)
            }
        }
    }

    /// What it lies in.
    pub fn parent(&self) -> Option<Self> {
        match &self.0 {
            Name::Path(name) => name.path().parent().map(Self::from),
            Name::Url(url) => Some(Self(Name::Url(split_url(url)?.0.into()))),
            Name::Member(member) => match member.path.parent() {
                Some(parent) => Some(member.archive.member(parent.as_os_str())),
                None => Some(member.archive.clone()),
            },
        }
    }

    /// What has this name in a directory, or under a prefix of URLs.
    #[must_use]
    pub fn join(&self, name: &OsStr) -> Self {
        match (&self.0, name.to_str()) {
            (Name::Path(path), _) => path.path().join(name).into(),
            (Name::Url(url), Some(name)) => Self(Name::Url(format!("{url}/{name}").into())),
            // No URL says that.
            (Name::Url(url), None) => Path::new(&**url).join(name).into(),
            (Name::Member(member), _) => member.archive.member(member.path.join(name).as_os_str()),
        }
    }

    /// True for itself and for all that lies below it, what is packed into archives there included.
    pub fn contains(&self, other: &Self) -> bool {
        self.contains_unpacked(other)
            || other
                .archive()
                .is_some_and(|(archive, _)| self.contains(archive))
    }

    fn contains_unpacked(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Name::Member(member), Name::Member(other)) => {
                member.archive == other.archive && other.path.starts_with(&member.path)
            }
            (Name::Path(path), Name::Path(other)) => other.path().starts_with(path.path()),
            (Name::Url(url), Name::Url(other)) => other
                .strip_prefix(&**url)
                .is_some_and(|rest| rest.is_empty() || url.ends_with('/') || rest.starts_with('/')),
            _ => false,
        }
    }

    /// A URL without slashes at its end, for names that are joined to it. Paths do not need that.
    #[must_use]
    pub(crate) fn without_end(&self) -> Self {
        match &self.0 {
            Name::Url(url) => {
                match scheme_of(url).and_then(|scheme| url.get(scheme.len() + SCHEME_END.len()..)) {
                    Some(rest) => {
                        let end = url.len() - (rest.len() - rest.trim_end_matches('/').len());
                        Self(Name::Url(url.get(..end).unwrap_or(url).into()))
                    }
                    None => self.clone(),
                }
            }
            Name::Path(_) | Name::Member(_) => self.clone(),
        }
    }

    /// The name with all that the working directory adds to a relative path.
    #[must_use]
    pub fn absolute(&self) -> Self {
        if let Some((archive, path)) = self.archive() {
            return archive.absolute().member(path);
        }
        let absolute = self
            .as_path()
            .and_then(|path| std::path::absolute(path).ok());
        absolute.map_or_else(|| self.clone(), Self::from)
    }

    /// How many directories must be left and entered on the way from one to the other.
    pub(crate) fn steps_to(&self, other: &Self) -> usize {
        if let (Name::Path(own), Name::Path(others)) = (&self.0, &other.0) {
            let common = own.common_parts(others);
            return (own.parts() + others.parts()).saturating_sub(common.saturating_mul(2));
        }
        let (own, others) = (self.parts(), other.parts());
        let common = own.zip(others).take_while(|(a, b)| a == b).count();
        let all = self.parts().count() + other.parts().count();
        all.saturating_sub(common.saturating_mul(2))
    }

    fn parts(&self) -> Box<dyn Iterator<Item = &OsStr> + '_> {
        match &self.0 {
            Name::Path(name) => Box::new(
                name.path()
                    .components()
                    .map(std::path::Component::as_os_str),
            ),
            Name::Url(url) => Box::new(url.split('/').map(OsStr::new)),
            Name::Member(member) => {
                let own = member.path.components();
                let own = own.map(std::path::Component::as_os_str);
                Box::new(member.archive.parts().chain(own))
            }
        }
    }

    /// Bytes that tell it from every other one, for a key: those of the path or URL; for a member those of the archive, a
    /// zero and those of its name.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.as_os_str().as_bytes();
        match &self.0 {
            Name::Member(member) => {
                let mut key = member.archive.to_bytes();
                key.push(MEMBER_KEY_MARK);
                key.extend_from_slice(member.path.as_os_str().as_bytes());
                key
            }
            // Relative and like a URL: say that it is a path.
            Name::Path(name) if name.path().to_str().and_then(scheme_of).is_some() => {
                [b"./", bytes].concat()
            }
            _ => bytes.to_vec(),
        }
    }

    /// The object with these bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mark = bytes.iter().rposition(|byte| *byte == MEMBER_KEY_MARK);
        let split = mark.and_then(|mark| bytes.split_at_checked(mark));
        if let Some((archive, [_, path @ ..])) = split {
            return Self::from_bytes(archive).member(OsStr::from_bytes(path));
        }
        Self::parse(OsStr::from_bytes(bytes))
    }
}

/// `s3` of `s3://bucket/key`.
fn scheme_of(text: &str) -> Option<&str> {
    let end = text
        .as_bytes()
        .windows(SCHEME_END.len())
        .position(|window| window == SCHEME_END)?;
    let scheme = text.get(..end)?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_scheme.then_some(scheme)
}

/// Directory and name; `None` for a store without a path in it.
fn split_url(url: &str) -> Option<(&str, &str)> {
    let (directory, name) = url.rsplit_once('/')?;
    let is_inside = directory.len() > scheme_of(url)?.len() + SCHEME_END.len();
    is_inside.then_some((directory, name))
}

/// As [`ObjectId::parse`].
impl From<OsString> for ObjectId {
    fn from(text: OsString) -> Self {
        Self::parse(&text)
    }
}

/// As [`ObjectId::parse`].
impl From<&str> for ObjectId {
    fn from(text: &str) -> Self {
        Self::parse(text.as_ref())
    }
}

impl From<&Path> for ObjectId {
    fn from(path: &Path) -> Self {
        Self(Name::Path(path.into()))
    }
}

impl From<PathBuf> for ObjectId {
    fn from(path: PathBuf) -> Self {
        Self(Name::Path(path.into()))
    }
}

impl From<&PathBuf> for ObjectId {
    fn from(path: &PathBuf) -> Self {
        path.as_path().into()
    }
}

impl From<&Self> for ObjectId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl AsRef<OsStr> for ObjectId {
    fn as_ref(&self) -> &OsStr {
        self.as_os_str()
    }
}

impl PartialEq<Path> for ObjectId {
    fn eq(&self, path: &Path) -> bool {
        self.as_path() == Some(path)
    }
}

impl PartialEq<PathBuf> for ObjectId {
    fn eq(&self, path: &PathBuf) -> bool {
        *self == **path
    }
}

/// What of it is text; the rest as U+FFFD.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_os_str().display().fmt(f)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_os_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ObjectId {
        ObjectId::parse(OsStr::new(text))
    }

    fn text(name: Option<&OsStr>) -> Option<&str> {
        name.and_then(OsStr::to_str)
    }

    #[test]
    fn names_and_directories_are_the_same_for_paths_and_urls() {
        let rows = [
            ("/b/a/x.db", Some("/b/a"), Some("x.db")),
            ("/x.db", Some("/"), Some("x.db")),
            ("x.db", Some(""), Some("x.db")),
            ("/", None, None),
            ("-", Some(""), Some("-")),
            ("s3://b/a/x.db", Some("s3://b/a"), Some("x.db")),
            ("s3://b/x.db", Some("s3://b"), Some("x.db")),
            ("s3://b//x.db", Some("s3://b/"), Some("x.db")),
            ("s3://b/a/", Some("s3://b/a"), None),
            ("s3://b", None, None),
        ];
        for (whole, directory, name) in rows {
            let id = id(whole);
            assert_eq!(id.to_string(), whole);
            assert_eq!(text(id.directory()), directory, "{whole}");
            assert_eq!(text(id.file_name()), name, "{whole}");
            assert_eq!(
                id.parent().map(|parent| parent.to_string()).as_deref(),
                directory
            );
        }
    }

    #[test]
    fn only_a_scheme_makes_a_url() {
        assert_eq!(id("s3://b/x").scheme(), Some("s3"));
        assert_eq!(id("s3://b/x").as_path(), None);
        for path in ["/b/s3://x", "s3:/b", "://x", "S3://b", "a b://x", "3s://b"] {
            assert_eq!(id(path).scheme(), None, "{path}");
            assert_eq!(id(path).as_path(), Some(Path::new(path)));
        }
    }

    #[test]
    fn keys_come_back_as_they_were() {
        let odd = ObjectId::from(Path::new(OsStr::from_bytes(b"/b/\xff\n.db")));
        assert_eq!(odd.to_bytes(), b"/b/\xff\n.db");
        let like_a_url = ObjectId::from(Path::new("s3://b/x"));
        assert_ne!(like_a_url, id("s3://b/x"));
        for one in [odd, like_a_url, id("/b/x"), id("s3://b//x")] {
            let back = ObjectId::from_bytes(&one.to_bytes());
            assert_eq!(back.scheme(), one.scheme());
            assert_eq!(back.to_bytes(), one.to_bytes());
        }
    }

    #[test]
    fn what_lies_in_one_directory_stands_together() {
        let mut ids = ["s3://b/a-b/x", "/a-b/x", "s3://b/a/x", "/a/x", "/a/b/x"].map(id);
        ids.sort();
        let sorted = ["/a/b/x", "/a/x", "/a-b/x", "s3://b/a-b/x", "s3://b/a/x"];
        assert_eq!(ids.map(|id| id.to_string()), sorted);
    }

    #[test]
    fn a_location_contains_itself_and_what_is_below() {
        let rows = [
            ("/b", "/b", true),
            ("/b", "/b/x", true),
            ("/b", "/bc", false),
            ("s3://b/a", "s3://b/a/x", true),
            ("s3://b/a/", "s3://b/a/x", true),
            ("s3://b/a", "s3://b/ab", false),
            ("/", "s3://b", false),
        ];
        for (location, other, expected) in rows {
            assert_eq!(
                id(location).contains(&id(other)),
                expected,
                "{location} {other}"
            );
        }
        let odd = id("s3://b//x.db");
        let parent = odd.parent().expect("lies in a bucket");
        assert_eq!(parent.join(OsStr::new("x.db")), odd);
    }

    #[test]
    fn a_member_lies_in_its_archive_as_in_a_directory_and_has_no_path() {
        let bundle = id("/b/x.tar.gz");
        let member = bundle.member("d/s.db".as_ref());
        assert_eq!(member.to_string(), "/b/x.tar.gz!/d/s.db");
        assert_eq!((member.as_path(), member.scheme()), (None, None));
        assert_eq!(text(member.file_name()), Some("s.db"));
        assert_eq!(text(member.directory()), Some("/b/x.tar.gz!/d"));
        let nested = member.member("t.db".as_ref());
        assert_eq!(nested.outermost(), &bundle);
        for one in [
            &member,
            &nested,
            &id("s3://b/x.tgz").member("t.db".as_ref()),
        ] {
            let parent = one.parent().expect("lies in an archive");
            assert_eq!(Some(parent.as_os_str()), one.directory());
            let name = one.file_name().expect("has a name");
            assert_eq!(&parent.join(name), one);
            for id in [one, &parent] {
                assert_eq!(&ObjectId::from_bytes(&id.to_bytes()), id);
                assert_ne!(&ObjectId::parse(id.as_os_str()), id);
            }
            let typed = ObjectId::parse(one.as_os_str());
            assert!(typed.as_member().contains(one), "{one}");
            assert!(parent.contains(one) && one.outermost().contains(one));
        }
        assert!(id("/b").contains(&nested) && bundle.contains(&nested));
        assert!(!id("/b/x.tar").contains(&nested) && !nested.contains(&member));
    }

    #[test]
    fn steps_lead_up_and_down() {
        assert_eq!(id("/a/b/x").steps_to(&id("/a/c/y")), 4);
        assert_eq!(id("/a/x").steps_to(&id("/a/x")), 0);
        assert_eq!(id("s3://b/a/x").steps_to(&id("s3://b/y")), 3);
    }
}
