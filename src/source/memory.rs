//! A store in memory, as slow and as moody as one behind a network.

use super::{
    AtPath as _, Listed, Listing, Object, ObjectId, ObjectIdentity, OpenError, Pace, ReadAt,
    ReplacedMeanwhile, Store, TaggedIdentity,
};
use crate::bytes::to_u64;
use crate::digest::Crc32c;
use crate::monitor::Monitor;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// URLs of this store begin with it.
pub(crate) const SCHEME: &str = "mem";

/// Objects by their URLs. Clones hold the same ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryBucket(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    objects: Mutex<BTreeMap<ObjectId, Stored>>,
    writes: AtomicU64,
    reads: AtomicU64,
    is_listing_refused: AtomicBool,
    /// How long each answer takes.
    delay: Duration,
    /// The most that one read gives; all of it if zero.
    read_bytes: usize,
}

#[derive(Clone, Debug)]
struct Stored {
    bytes: Arc<[u8]>,
    identity: ObjectIdentity,
}

impl MemoryBucket {
    /// Each answer takes a while, and each read gives no more than some bytes.
    pub(crate) fn slow(delay: Duration, read_bytes: usize) -> Self {
        Self(Arc::new(Shared {
            delay,
            read_bytes,
            ..Shared::default()
        }))
    }

    /// Puts an object, in the place of another one if there is one.
    pub(crate) fn put(&self, id: &ObjectId, bytes: &[u8]) {
        let number = self.0.writes.fetch_add(1, Ordering::Relaxed);
        let identity = TaggedIdentity {
            tag: format!("{:08x}", Crc32c::of(bytes).value).into(),
            version: Some(number.to_string().into()),
            size_bytes: to_u64(bytes.len()),
            modified_seconds: 1_730_516_407,
            modified_nanoseconds: 0,
        };
        let stored = Stored {
            bytes: bytes.into(),
            identity: ObjectIdentity::Tagged(identity),
        };
        self.objects().insert(id.clone(), stored);
    }

    /// Removes an object.
    pub(crate) fn remove(&self, id: &ObjectId) {
        self.objects().remove(id);
    }

    /// From now on listings fail, or not.
    pub(crate) fn refuse_listings(&self, is_refused: bool) {
        self.0
            .is_listing_refused
            .store(is_refused, Ordering::Relaxed);
    }

    /// How often an object was opened.
    pub(crate) fn times_opened(&self) -> u64 {
        self.0.reads.load(Ordering::Relaxed)
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<ObjectId, Stored>> {
        let objects = self.0.objects.lock();
        objects.unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &ObjectId) -> io::Result<Stored> {
        std::thread::sleep(self.0.delay);
        let found = self.objects().get(id).cloned();
        found.ok_or_else(|| io::Error::new(ErrorKind::NotFound, "no such object"))
    }

    fn list_if(
        &self,
        location: &ObjectId,
        monitor: &dyn Monitor,
        is_wanted: impl Fn(&ObjectId) -> bool,
    ) -> Listing {
        std::thread::sleep(self.0.delay);
        if self.0.is_listing_refused.load(Ordering::Relaxed) {
            let denied = io::Error::new(ErrorKind::PermissionDenied, "access denied");
            return Listing::refused(location, "cannot list: ", &denied);
        }
        let mut listing = Listing::default();
        for (id, stored) in self.objects().iter().filter(|(id, _)| is_wanted(id)) {
            if monitor.is_interrupted() {
                listing.is_interrupted = true;
                break;
            }
            listing.objects.push(Listed {
                id: id.clone(),
                identity: stored.identity.clone(),
                target_name: None,
            });
        }
        listing
    }
}

impl Store for MemoryBucket {
    fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing {
        let listing = self.list_if(location, monitor, |id| location.contains(id));
        if listing.objects.is_empty() && listing.left_out.is_empty() && !listing.is_interrupted {
            let nothing = io::Error::new(ErrorKind::NotFound, "nothing is there");
            return Listing::refused(location, "cannot read: ", &nothing);
        }
        listing
    }

    fn list_beside(&self, id: &ObjectId, monitor: &dyn Monitor) -> Listing {
        self.list_if(id, monitor, |other| other.directory() == id.directory())
    }

    fn stat(&self, id: &ObjectId) -> io::Result<ObjectIdentity> {
        Ok(self.find(id)?.identity)
    }

    fn open(
        &self,
        id: &ObjectId,
        _: Option<&ObjectIdentity>,
    ) -> Result<Box<dyn Object>, OpenError> {
        let stored = self.find(id).at_path("open", id)?;
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(OpenObject {
            store: self.clone(),
            id: id.clone(),
            stored,
        }))
    }
}

/// An object of which ranges are asked for, each time on the condition that it is still the same.
#[derive(Clone, Debug)]
struct OpenObject {
    store: MemoryBucket,
    id: ObjectId,
    stored: Stored,
}

impl ReadAt for OpenObject {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if self.store.find(&self.id)?.identity != self.stored.identity {
            return Err(ReplacedMeanwhile.into());
        }
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.stored.bytes.get(offset..).unwrap_or_default();
        let most = match self.store.0.read_bytes {
            0 => usize::MAX,
            most => most,
        };
        let length = rest.len().min(buffer.len()).min(most);
        let (to, from) = buffer
            .get_mut(..length)
            .zip(rest.get(..length))
            .expect("no longer than either");
        to.copy_from_slice(from);
        Ok(length)
    }
}

impl Object for OpenObject {
    fn identity(&self) -> &ObjectIdentity {
        &self.stored.identity
    }

    fn identity_now(&self) -> io::Result<ObjectIdentity> {
        Ok(self.stored.identity.clone())
    }

    fn reader(&self, _: Pace) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(MemoryReader {
            object: self.clone(),
            position: 0,
        }))
    }
}

struct MemoryReader {
    object: OpenObject,
    position: u64,
}

impl Read for MemoryReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.object.read_at(buffer, self.position)?;
        self.position += to_u64(length);
        Ok(length)
    }
}
