//! What etcd-cat remembers from one run to the next.
//!
//! Two storeys: a [`CatalogueStore`] keeps ordered tables of bytes, a [`Catalogue`] keeps typed records in it. Everything
//! can be learnt again from the files, except when they were verified before and how they were taken. It holds no
//! backup and no secret, and it is opened for moments only, so that two processes can take turns.

mod change;
mod contents;
mod error;
mod fence;
mod forget;
mod key;
mod location;
mod lock;
mod memory;
mod open;
mod overview;
mod reader;
mod record;
mod redb;
mod seal;
#[cfg(feature = "store-sled")]
mod sled;
mod store;

pub use change::Change;
pub use contents::{Contents, SkippedRecord, Stored};
pub use error::CatalogueError;
pub use forget::Forget;
pub use key::{CertificateSetId, SnapshotKey, Subject};
pub use location::{CatalogueLocation, LocationError, default_location};
pub use memory::MemoryStore;
pub use open::Catalogue;
pub(crate) use overview::JUDGE;
pub use overview::{Directory, Head, KnownFile, Overview, Row};
pub use reader::Reader;
pub use record::{Content, FileRecord, PreviousContent, Proof};
pub use redb::RedbStore;
pub use seal::RecordError;
#[cfg(feature = "store-sled")]
pub use sled::SledStore;
pub use store::{Access, CatalogueStore, Operation, StoreError, Table, Visit};
