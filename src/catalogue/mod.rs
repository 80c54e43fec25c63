//! What etcd-cat remembers from one run to the next.
//!
//! Two storeys: a [`CatalogueStore`] keeps ordered tables of bytes, a [`Catalogue`] keeps typed records in it. Everything
//! can be learnt again from the files, except when they were verified before and how they were taken. It holds no
//! backup and no secret, and it is opened for moments only, so that two processes can take turns.
//!
//! Programs come and go, a catalogue stays: how records of earlier versions are read, and how a record gets a new field,
//! is told in `version.rs`.

mod about;
mod ahead;
mod carried;
mod change;
mod contents;
mod count;
mod damage;
mod derived;
mod earlier;
mod error;
mod fence;
mod forget;
mod key;
mod location;
mod lock;
mod memory;
mod open;
mod partial;
mod reader;
mod rebuild;
mod record;
mod redb;
mod redb_header;
mod run;
mod scan;
mod seal;
#[cfg(feature = "store-sled")]
mod sled;
mod store;
mod sums;
mod version;

pub(crate) use carried::{CarriedRecord, CarryProblem};
pub use change::CatalogueChange;
pub use contents::CatalogueContents;
pub use contents::SkippedRecord;
pub use damage::CatalogueDamage;
pub(crate) use derived::SealedRecord;
pub use error::CatalogueError;
pub use error::RecordError;
pub use forget::Forget;
pub use key::CertificateSetId;
pub use key::{SnapshotKey, Subject};
pub use location::LocationError;
pub use location::{CatalogueLocation, default_location};
pub use memory::MemoryStore;
pub use open::Catalogue;
pub use reader::CatalogueReader;
pub use rebuild::RebuiltCatalogue;
pub use record::FileRecord;
pub use record::PreviousContent;
pub use record::StoredFacts;
pub use record::{Content, LocationRecord, ProofRecord};
pub use redb::RedbStore;
pub use run::{Run, RunRecord};
#[cfg(feature = "store-sled")]
pub use sled::SledStore;
pub use store::{Access, CatalogueStore, Operation, StoreError, Table};
pub(crate) use version::Record;
