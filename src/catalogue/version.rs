//! Versions of records: which one this program writes, and how it reads what earlier ones wrote.
//!
//! Each table has a version of its own, raised by whoever changes the shape of its records: postcard does not say what
//! its bytes mean. Records are not rewritten for it. They are read forward, in one of three ways:
//!
//! - **A field was added.** It stands at the end of its struct with `#[serde(default)]`, and [`Record::ADDED`] says since
//!   which version: earlier records have the default value.
//! - **Anything else.** [`Record::from_earlier`] is written for the kind of record: it decodes the struct as it was, which
//!   is kept beside it under the name of its version, and makes the present one of it.
//! - **Not at all**, where the files can give it back: `from_earlier` answers with [`RecordError::Version`]. The file counts
//!   as never read, and nothing else is lost: history, locations and what is known of the file itself lie in
//!   tables of their own.
//!
//! The golden bytes of every version lie in `testdata/catalogue/records`; a test reads them all. A table of which this
//! program has written anything says so with its version in [`Table::About`]: a program that does not know that version
//! refuses the catalogue before it reads or writes a record.

use super::earlier::{self, AddedField};
use super::error::RecordError;
use super::store::Table;
use serde::de::DeserializeOwned;

/// The version of every table at first.
pub(super) const FIRST_VERSION: u8 = 1;

impl Table {
    /// The version of the records that this program writes.
    pub fn version(self) -> u8 {
        match self {
            Self::About
            | Self::Kuberesources
            | Self::CertificateSets
            | Self::Verifications
            | Self::Runs => FIRST_VERSION,
            // Proofs, 2: which values are damaged, or other objects. Locations, 2: the file system. Provenance, 2: pod, image,
            // and what a policy of the cluster took.
            Self::Proofs | Self::Locations | Self::Provenance => 2,
            // Snapshots, 2: where the control plane is, and which webhooks block a recovery. 3: what lives, in one number; more
            // kinds of clusters. 4: what the file was when it was saved. 5: what there is of each kind.
            Self::Snapshots => 5,
            // Overview, 2: judged by a number of the rules instead of a program's version. 3: objects of stores beside
            // files. 4: the revision of etcd. 5: by cluster and version, and what directories look like. 6: since when a half
            // is alone. 7: what came of the last verification, and whether nothing is left to be proven.
            Self::Overview => 7,
            // Files, 2: objects of stores beside files. 3: when it was told that the file is gone. 4: what a file is that no
            // backup can be read from. 5: archives and their members. 6: how stores keep their objects.
            Self::Files => 6,
        }
    }
}

/// A kind of record.
pub(crate) trait Record: DeserializeOwned + Send {
    /// Where records of this kind lie.
    const TABLE: Table;

    /// Fields that came after the first version, here and in the structs within.
    const ADDED: &'static [AddedField] = &[];

    /// Reads a value of an earlier version.
    ///
    /// # Errors
    ///
    /// It does not decode, or that version is not read any more.
    fn from_earlier(version: u8, value: &[u8]) -> Result<Self, RecordError> {
        earlier::decode(version, Self::ADDED, value)
    }
}
