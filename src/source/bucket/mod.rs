//! Buckets: S3 and whatever speaks like it, Google Cloud Storage, Azure Blob.
//!
//! Synchronous from outside. Inside, one thread drives all requests ([`runtime`]). `object_store` gives credentials, signatures
//! and HTTP; what is asked, and what the answers mean, is ours, because one odd key must not hide a thousand others, and
//! every range is read on the condition that the object is still the one that was opened ([`opened`]). Only this room knows
//! the client, and of it only [`connect`], [`service`] and [`request`].

mod address;
mod clock;
mod connect;
mod create;
mod federation;
mod keeping;
mod lister;
mod object;
mod opened;
mod options;
mod page;
mod pieces;
mod profile;
mod range;
mod ranges;
mod request;
mod runtime;
mod service;
mod trouble;
mod upload;
mod width;

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

pub use options::BucketOptions;

use super::{
    AtPath as _, Cause, Created, Custody, InArchive, LeftOut, Listed, Listing, NewObject, Object,
    ObjectId, ObjectIdentity, OpenError, Store,
};
use crate::monitor::Monitor;
use address::{Address, has_dots};
use connect::{Patience, Purpose};
use lister::{Heard, list_all};
use object::BucketObject;
use opened::{Opened, look};
use page::Entry;
use request::Connection;
use service::ListQuery;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use trouble::Trouble;

/// Before the reason why a listing is not to be had.
const CANNOT_LIST: &str = "cannot list: ";

/// The schemes of URLs that name buckets.
pub const BUCKET_SCHEMES: [&str; 3] = ["s3", "gs", "az"];

/// All buckets that the options lead to.
#[derive(Debug)]
pub struct BucketStore {
    options: BucketOptions,
    patience: Patience,
    connections: Mutex<BTreeMap<(String, String, Purpose), Arc<Connection>>>,
}

impl BucketStore {
    /// Nothing is asked before a bucket is named.
    pub fn new(options: BucketOptions) -> Self {
        Self {
            options,
            patience: Patience::default(),
            connections: Mutex::default(),
        }
    }

    fn connection(&self, address: &Address, purpose: Purpose) -> Result<Arc<Connection>, Trouble> {
        let name = (address.scheme.clone(), address.bucket.clone(), purpose);
        let connections = self.connections.lock();
        let mut connections = connections.unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = connections.get(&name) {
            return Ok(Arc::clone(connection));
        }
        let connection = connect::connect(address, &self.options, purpose, self.patience)?;
        let connection = Arc::new(connection);
        connections.insert(name, Arc::clone(&connection));
        Ok(connection)
    }

    /// The bucket, if it was asked for something to read before.
    fn asked(&self, address: Address) -> Option<Arc<Connection>> {
        let name = (address.scheme, address.bucket, Purpose::Read);
        let connections = self.connections.lock();
        let connections = connections.unwrap_or_else(PoisonError::into_inner);
        connections.get(&name).map(Arc::clone)
    }

    fn reach(&self, id: &ObjectId) -> io::Result<(Address, Arc<Connection>)> {
        self.reach_to(Purpose::Read, id)
    }

    fn reach_to(&self, purpose: Purpose, id: &ObjectId) -> io::Result<(Address, Arc<Connection>)> {
        let address = Address::of(id).ok_or_else(|| {
            Trouble::Setup("the URL names no bucket: write s3://BUCKET/PREFIX".to_owned())
        })?;
        let connection = self.connection(&address, purpose)?;
        Ok((address, connection))
    }

    /// Asks for one object.
    fn head(&self, id: &ObjectId) -> io::Result<Opened> {
        let (address, connection) = self.reach(id)?;
        let key = address.key;
        if key.is_empty() || has_dots(&key) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such object"));
        }
        let asked = runtime::start(async move {
            let seen = look(&connection, &key).await?;
            Ok::<_, Trouble>(Opened::new(connection, key, seen.identity, seen.version))
        })?;
        Ok(asked.wait()??)
    }

    /// Where an object of this name can be written.
    fn reach_new(&self, id: &ObjectId) -> io::Result<(Arc<Connection>, String)> {
        let (address, connection) = self.reach_to(Purpose::Write, id)?;
        let key = address.key;
        if key.is_empty() || key.ends_with('/') || has_dots(&key) {
            let reason =
                "this is no name of an object: write s3://BUCKET/PREFIX, without parts . and ..";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        Ok((connection, key))
    }

    /// What a page of a listing shows, as the rest of the program knows it.
    fn add(listing: &mut Listing, address: &Address, entry: Entry) {
        // What consoles and file systems put into a bucket in the place of a directory.
        if entry.key.ends_with('/') && entry.identity.size_bytes == 0 {
            return;
        }
        let id = address.id_of(&entry.key);
        if has_dots(&entry.key) {
            let reason = "no URL can name a key with a part . or .., so it cannot be asked for";
            let error = io::Error::new(io::ErrorKind::InvalidInput, reason);
            listing
                .left_out
                .extend(Listing::refused(&id, "", &error).left_out);
            return;
        }
        if entry.is_archived {
            listing.left_out.push(LeftOut {
                id,
                reason: InArchive.to_string(),
                cause: Cause::Archived,
            });
            return;
        }
        listing.objects.push(Listed {
            id,
            identity: ObjectIdentity::Tagged(entry.identity),
            target_name: None,
        });
    }

    fn list_prefix(
        &self,
        location: &ObjectId,
        is_beside: bool,
        monitor: &dyn Monitor,
    ) -> io::Result<Listing> {
        let (address, connection) = self.reach(location)?;
        let prefix = match is_beside {
            true => address.directory_prefix().to_owned(),
            false => address.prefix(),
        };
        let query = ListQuery {
            prefix,
            is_flat: is_beside,
            ..ListQuery::default()
        };
        let mut listing = Listing::default();
        let listed = list_all(&connection, query, monitor, &mut |heard| match heard {
            Heard::Entries(entries) => {
                for entry in entries {
                    Self::add(&mut listing, &address, entry);
                }
            }
            Heard::Again => listing = Listing::default(),
        })?;
        listing.is_interrupted = !listed;
        Ok(listing)
    }
}

impl Store for BucketStore {
    fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing {
        if monitor.is_interrupted() {
            return Listing {
                is_interrupted: true,
                ..Listing::default()
            };
        }
        let itself = self.head(location).ok().map(|opened| Listed {
            id: location.clone(),
            identity: ObjectIdentity::Tagged(opened.identity),
            target_name: None,
        });
        // An empty object may stand for a directory.
        if let Some(itself) = &itself
            && itself.identity.size_bytes() > 0
        {
            return Listing {
                objects: vec![itself.clone()],
                ..Listing::default()
            };
        }
        let mut listing = match self.list_prefix(location, false, monitor) {
            Ok(listing) => listing,
            Err(error) => return Listing::refused(location, CANNOT_LIST, &error),
        };
        let is_empty = listing.objects.is_empty() && listing.left_out.is_empty();
        if is_empty && !listing.is_interrupted {
            match itself {
                Some(itself) => listing.objects.push(itself),
                None => {
                    let nothing = io::Error::new(io::ErrorKind::NotFound, "nothing is there");
                    return Listing::refused(location, "cannot read: ", &nothing);
                }
            }
        }
        listing
    }

    fn list_beside(&self, id: &ObjectId, monitor: &dyn Monitor) -> Listing {
        let listed = self.list_prefix(id, true, monitor);
        listed.unwrap_or_else(|error| Listing::refused(id, CANNOT_LIST, &error))
    }

    fn stat(&self, id: &ObjectId) -> io::Result<ObjectIdentity> {
        Ok(ObjectIdentity::Tagged(self.head(id)?.identity))
    }

    fn open(
        &self,
        id: &ObjectId,
        listed: Option<&ObjectIdentity>,
    ) -> Result<Box<dyn Object>, OpenError> {
        let opened = match listed {
            // Whether it is still there is asked with its first range.
            Some(ObjectIdentity::Tagged(identity)) => {
                let (address, connection) = self.reach(id).at_path("open", id)?;
                Opened::new(connection, address.key, identity.clone(), None)
            }
            _ => self.head(id).at_path("open", id)?,
        };
        Ok(Box::new(BucketObject::new(opened)))
    }

    fn create(
        &self,
        id: &ObjectId,
        new: &NewObject<'_>,
        monitor: &dyn Monitor,
    ) -> io::Result<Created> {
        let (connection, key) = self.reach_new(id)?;
        create::create(connection, key, new, monitor)
    }

    fn give_up(&self, id: &ObjectId, upload: &str) -> io::Result<()> {
        let (connection, key) = self.reach_new(id)?;
        create::give_up(connection, key, upload)
    }

    fn try_to_create(&self, id: &ObjectId) -> io::Result<()> {
        let (connection, key) = self.reach_new(id)?;
        create::try_to_begin(connection, key)
    }

    fn custody(&self, id: &ObjectId) -> Option<Custody> {
        let address = Address::of(id)?;
        let key = address.key.clone();
        let connection = self.asked(address)?;
        let said = Custody {
            clock_ahead_seconds: connection.clock.ahead().map(|ahead| ahead.num_seconds()),
            ..connection.keeping.of(&key).unwrap_or_default()
        };
        said.filled()
    }

    fn is_near(&self, _id: &ObjectId) -> bool {
        false
    }
}
