//! Keys that lie in an archive beside the snapshot whose values they open: bundles of hosted control planes have them as
//! `secrets/NAME.json`, one Secret each.

use crate::kubernetes::encryption::KeyRing;
use crate::source::ObjectId;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// Of a Secret with a key.
const MAX_SECRET_BYTES: usize = 64 << 10;
/// Secrets of one archive that are looked at.
const MAX_SECRETS: usize = 1000;
/// The directory of Secrets beside a snapshot.
const DIRECTORY: &str = "secrets";

/// Keys by the directory in which their snapshot lies. In memory only.
#[derive(Default)]
pub(super) struct PackedKeys {
    rings: BTreeMap<ObjectId, KeyRing>,
    count: usize,
}

impl PackedKeys {
    /// Takes the key of a Secret, if that is what it is by its name; false: it is none.
    pub(super) fn learn(&mut self, id: &ObjectId, bytes: &mut dyn Read) -> bool {
        let Some(directory) = directory_of_snapshot(id) else {
            return false;
        };
        if self.count == MAX_SECRETS {
            return true;
        }
        self.count += 1;
        // In one piece, as a vector that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 1));
        let mut beginning = bytes.take(u64::try_from(MAX_SECRET_BYTES).unwrap_or(u64::MAX));
        if beginning.read_to_end(&mut text).is_ok()
            && let Some(ring) = KeyRing::of_hosted_secret(&text)
        {
            self.rings.entry(directory).or_default().merge(ring);
        }
        true
    }

    /// The keys that lie beside a snapshot.
    pub(super) fn of(&self, snapshot: &ObjectId) -> Option<&KeyRing> {
        let (archive, path) = snapshot.archive()?;
        self.rings
            .get(&directory(archive, Path::new(path).parent()?))
    }
}

/// `bundle.tar.gz!/x` of `bundle.tar.gz!/x/secrets/key.json`.
fn directory_of_snapshot(secret: &ObjectId) -> Option<ObjectId> {
    let (archive, path) = secret.archive()?;
    let path = Path::new(path);
    let secrets = path.parent()?;
    let is_secret = path.extension() == Some(OsStr::new("json"))
        && secrets.file_name() == Some(OsStr::new(DIRECTORY));
    let above = secrets.parent().filter(|_| is_secret)?;
    Some(directory(archive, above))
}

/// A directory in an archive; its top is the archive itself.
fn directory(archive: &ObjectId, path: &Path) -> ObjectId {
    if path.as_os_str().is_empty() {
        archive.clone()
    } else {
        archive.member(path.as_os_str())
    }
}
