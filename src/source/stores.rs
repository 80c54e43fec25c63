//! Which store a name belongs to.

use super::{
    AtPath as _, FileSystem, FileSystemId, Listing, Object, ObjectId, ObjectIdentity, OpenError,
    Store,
};
use crate::monitor::Monitor;
use std::io;
use std::sync::Arc;

/// The stores that this program knows, by the scheme of their URLs. Paths are the file system's.
#[derive(Clone, Debug)]
pub struct Stores {
    file_system: Arc<FileSystem>,
    others: Vec<(&'static str, Arc<dyn Store>)>,
}

impl Default for Stores {
    fn default() -> Self {
        Self {
            file_system: Arc::new(FileSystem),
            others: Vec::new(),
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

    /// Is there a store for this name?
    pub fn knows(&self, id: &ObjectId) -> bool {
        self.of(id).is_ok()
    }

    fn of(&self, id: &ObjectId) -> io::Result<&dyn Store> {
        let Some(scheme) = id.scheme() else {
            return Ok(&*self.file_system);
        };
        let mut others = self.others.iter();
        let found = others.find(|(known, _)| *known == scheme);
        let found = found.map(|(_, store)| &**store);
        found.ok_or_else(|| {
            let reason = format!("no store for {scheme}:// in this build");
            io::Error::new(io::ErrorKind::Unsupported, reason)
        })
    }
}

/// Each question goes to the store that the name belongs to.
impl Store for Stores {
    fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing {
        match self.of(location) {
            Ok(store) => store.list(location, monitor),
            Err(error) => Listing::refused(location, error.to_string()),
        }
    }

    fn list_beside(&self, id: &ObjectId, monitor: &dyn Monitor) -> Listing {
        match self.of(id) {
            Ok(store) => store.list_beside(id, monitor),
            Err(error) => Listing::refused(id, error.to_string()),
        }
    }

    fn stat(&self, id: &ObjectId) -> io::Result<ObjectIdentity> {
        self.of(id)?.stat(id)
    }

    fn open(
        &self,
        id: &ObjectId,
        listed: Option<&ObjectIdentity>,
    ) -> Result<Box<dyn Object>, OpenError> {
        self.of(id).at_path("open", id)?.open(id, listed)
    }

    fn file_system(&self, location: &ObjectId) -> Option<FileSystemId> {
        self.of(location).ok()?.file_system(location)
    }

    fn is_near(&self, id: &ObjectId) -> bool {
        self.of(id).is_ok_and(|store| store.is_near(id))
    }
}
