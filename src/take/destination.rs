//! Where a backup goes, and what came of bringing it there.

use crate::source::ObjectId;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A place for each half: directories, or prefixes in buckets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destination {
    /// Where the snapshot goes.
    pub snapshot: ObjectId,
    /// Where the kuberesources goes, with the encryption keys in it.
    pub kuberesources: ObjectId,
}

impl Destination {
    /// Without a place of their own the keys lie beside the snapshot.
    ///
    /// # Errors
    ///
    /// A URL that names no bucket, or has more in it than a bucket and a prefix. It is not repeated: what stands in it may
    /// be a secret.
    pub fn new(
        snapshot: &ObjectId,
        kuberesources: Option<&ObjectId>,
    ) -> Result<Self, BadDestination> {
        Ok(Self {
            snapshot: place(snapshot)?,
            kuberesources: place(kuberesources.unwrap_or(snapshot))?,
        })
    }

    /// Both.
    pub(super) fn places(&self) -> [&ObjectId; 2] {
        [&self.snapshot, &self.kuberesources]
    }

    /// Do both lie on this machine?
    pub(super) fn is_here(&self) -> bool {
        self.places().iter().all(|place| place.as_path().is_some())
    }
}

/// A URL that is no destination.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a destination is a directory, or a URL of a bucket and a prefix such as s3://backups/prod, without names, passwords and tokens"
)]
pub struct BadDestination;

/// Absolute, without slashes at its end.
fn place(place: &ObjectId) -> Result<ObjectId, BadDestination> {
    if place.as_path().is_some() {
        return Ok(place.absolute());
    }
    let url = place.as_os_str().to_str().ok_or(BadDestination)?;
    let (scheme, rest) = url.split_once("://").ok_or(BadDestination)?;
    let rest = rest.trim_end_matches('/');
    let bucket = rest.split('/').next().unwrap_or_default();
    let has_more = bucket.contains(['@', ':']) || rest.contains(['?', '#', '\0']);
    let is_member = place.archive().is_some();
    if bucket.is_empty() || has_more || is_member {
        return Err(BadDestination);
    }
    Ok(ObjectId::parse(OsStr::new(&format!("{scheme}://{rest}"))))
}

/// What came of one destination.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The snapshot.
    pub snapshot: Delivered,
    /// The kuberesources.
    pub kuberesources: Delivered,
    /// Why the backup does not lie there, or is not to be believed there; `None`: it was read back and is what was taken.
    pub failure: Option<String>,
}

/// One half at one destination.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivered {
    /// Its name there.
    pub id: ObjectId,
    /// Where it lies on this machine.
    pub from: PathBuf,
    /// It lies there whole.
    pub is_stored: bool,
    /// Its version, where the store keeps several.
    pub version: Option<String>,
}

impl Delivery {
    /// Of a backup that is to go there.
    pub(super) fn of(destination: &Destination, snapshot: &Path, kuberesources: &Path) -> Self {
        let half = |place: &ObjectId, path: &Path| Delivered {
            id: place.join(path.file_name().unwrap_or_default()),
            from: path.to_owned(),
            is_stored: false,
            version: None,
        };
        Self {
            snapshot: half(&destination.snapshot, snapshot),
            kuberesources: half(&destination.kuberesources, kuberesources),
            failure: None,
        }
    }

    /// Both names.
    pub(super) fn ids(&self) -> [ObjectId; 2] {
        [self.snapshot.id.clone(), self.kuberesources.id.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_buckets_and_prefixes_and_nothing_else() {
        let rows = [
            ("s3://backups", Some("s3://backups")),
            ("s3://backups/", Some("s3://backups")),
            ("s3://backups/prod//", Some("s3://backups/prod")),
            ("az://keys/prod", Some("az://keys/prod")),
            ("/backup/", Some("/backup/")),
            ("s3://", None),
            ("s3:///x", None),
            ("s3://key:secret@backups/x", None),
            ("az://keys/x?sig=secret", None),
        ];
        for (text, expected) in rows {
            let found = Destination::new(&text.into(), None);
            let found = found.ok().map(|found| found.kuberesources);
            assert_eq!(found, expected.map(ObjectId::from), "{text}");
        }
        assert!(!BadDestination.to_string().contains("secret@"));
    }
}
