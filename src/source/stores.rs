//! Which store a name belongs to.

use super::archive::{LastMembers, each_member, open_member};
use super::{
    AtPath as _, Created, Custody, FileSystem, FileSystemId, Listing, NewObject, Object, ObjectId,
    ObjectIdentity, OpenError, PageCache, Store,
};
use crate::monitor::Monitor;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// The stores that this program knows, by the scheme of their URLs. Paths are the file system's.
#[derive(Clone, Debug)]
pub struct Stores {
    file_system: Arc<FileSystem>,
    others: Vec<(&'static str, Arc<dyn Store>)>,
    /// Schemes that are not to be used, and why.
    left_out: Vec<(&'static str, &'static str)>,
    /// Of archives whose members were opened.
    last: Arc<LastMembers>,
}

impl Default for Stores {
    fn default() -> Self {
        Self {
            file_system: Arc::new(FileSystem),
            others: Vec::new(),
            left_out: Vec::new(),
            last: Arc::default(),
        }
    }
}

impl Stores {
    /// Adds the store of all URLs with this scheme.
    #[must_use]
    pub fn with(mut self, scheme: &'static str, store: Arc<dyn Store>) -> Self {
        self.others.push((scheme, store));
        self
    }

    /// The name that somebody typed, as that of a member where an archive lies in front of a `!/` in it and nothing at the
    /// whole of it.
    pub fn resolve(&self, id: &ObjectId) -> ObjectId {
        let ways = id.as_member();
        if ways.is_empty() || self.stat(id).is_ok() || id.as_path().is_some_and(Path::exists) {
            return id.clone();
        }
        let mut ways = ways.into_iter();
        let found = ways.find(|member| self.stat(member).is_ok());
        found.unwrap_or_else(|| id.clone())
    }

    /// Shows every file of an archive, in its order, as far as it can be read.
    pub(crate) fn each_member(
        &self,
        archive: &ObjectId,
        page_cache: PageCache,
        visit: &mut dyn FnMut(&ObjectId, &mut dyn Read),
    ) -> io::Result<()> {
        each_member(archive, page_cache, self.of(archive)?, &self.last, visit)
    }

    /// Leaves out the store of all URLs with this scheme, and says why.
    #[must_use]
    pub fn without(mut self, scheme: &'static str, reason: &'static str) -> Self {
        self.left_out.push((scheme, reason));
        self
    }

    /// Is there a store for this name?
    pub fn knows(&self, id: &ObjectId) -> bool {
        self.of(id).is_ok()
    }

    /// Nothing is written into an archive.
    fn of_new(&self, id: &ObjectId) -> io::Result<&dyn Store> {
        match id.archive() {
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
            None => self.of(id),
        }
    }

    fn of(&self, id: &ObjectId) -> io::Result<&dyn Store> {
        let Some(scheme) = id.scheme() else {
            return Ok(&*self.file_system);
        };
        let mut others = self.others.iter();
        let found = others.find(|(known, _)| *known == scheme);
        let found = found.map(|(_, store)| &**store);
        found.ok_or_else(|| {
            let mut left_out = self.left_out.iter();
            let reason = match left_out.find(|(known, _)| *known == scheme) {
                Some((_, reason)) => format!("{scheme}:// is not read: {reason}"),
                None => format!("no store for {scheme}:// in this build"),
            };
            io::Error::new(io::ErrorKind::Unsupported, reason)
        })
    }
}

/// Each question goes to the store that the name belongs to; about a member, to that of its archive, which is also what it
/// looks like from outside: an archive that nobody wrote to holds what it held.
impl Store for Stores {
    fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing {
        // What is packed is found by who reads the archive.
        let location = location.outermost();
        match self.of(location) {
            Ok(store) => store.list(location, monitor),
            Err(error) => Listing::refused(location, "", &error),
        }
    }

    fn list_beside(&self, id: &ObjectId, monitor: &dyn Monitor) -> Listing {
        match self.of(id) {
            Ok(_) if id.archive().is_some() => Listing::default(),
            Ok(store) => store.list_beside(id, monitor),
            Err(error) => Listing::refused(id, "", &error),
        }
    }

    fn stat(&self, id: &ObjectId) -> io::Result<ObjectIdentity> {
        self.of(id)?.stat(id.outermost())
    }

    fn open(
        &self,
        id: &ObjectId,
        listed: Option<&ObjectIdentity>,
    ) -> Result<Box<dyn Object>, OpenError> {
        let store = self.of(id).at_path("open", id)?;
        if id.archive().is_some() {
            return open_member(id, listed, store, &self.last);
        }
        store.open(id, listed)
    }

    fn create(
        &self,
        id: &ObjectId,
        new: &NewObject<'_>,
        monitor: &dyn Monitor,
    ) -> io::Result<Created> {
        self.of_new(id)?.create(id, new, monitor)
    }

    fn give_up(&self, id: &ObjectId, upload: &str) -> io::Result<()> {
        self.of_new(id)?.give_up(id, upload)
    }

    fn try_to_create(&self, id: &ObjectId) -> io::Result<()> {
        self.of_new(id)?.try_to_create(id)
    }

    fn file_system(&self, location: &ObjectId) -> Option<FileSystemId> {
        self.of(location).ok()?.file_system(location.outermost())
    }

    fn custody(&self, id: &ObjectId) -> Option<Custody> {
        self.of(id).ok()?.custody(id.outermost())
    }

    fn is_near(&self, id: &ObjectId) -> bool {
        self.of(id).is_ok_and(|store| store.is_near(id.outermost()))
    }
}
