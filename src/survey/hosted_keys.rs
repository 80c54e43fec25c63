//! Keys that lie beside the snapshot whose values they open: backups of hosted control planes have them as
//! `secrets/NAME.json`, one Secret each, packed with it or not.

use super::options::SurveyOptions;
use crate::bytes::to_u64;
use crate::discovery::{FoundObject, walk, walk_beside};
use crate::kubernetes::encryption::KeyRing;
use crate::monitor::{Monitor, Silent};
use crate::snapshot::Snapshot;
use crate::source::{ObjectId, Pace, Store};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// Of a Secret with a key.
const MAX_SECRET_BYTES: usize = 64 << 10;
/// Secrets of one archive, or of one directory, that are looked at.
const MAX_SECRETS: usize = 1000;
/// The directory of Secrets beside a snapshot.
const DIRECTORY: &str = "secrets";

/// Keys by the directory that they lie in. In memory only.
#[derive(Default)]
pub(super) struct HostedKeys {
    /// `None`: looked into, and no key is there.
    rings: BTreeMap<ObjectId, Option<KeyRing>>,
    /// Secrets that passed by.
    count: usize,
}

impl HostedKeys {
    /// Takes the key of a Secret that passes by in an archive, if that is what it is by its name; false: it is none.
    pub(super) fn learn(&mut self, id: &ObjectId, bytes: &mut dyn Read) -> bool {
        let Some(directory) = directory_of_secret(id) else {
            return false;
        };
        if self.count < MAX_SECRETS {
            self.count += 1;
            if let Some(ring) = read_ring(bytes) {
                let of_directory = self.rings.entry(directory).or_default();
                of_directory.get_or_insert_default().merge(ring);
            }
        }
        true
    }

    /// The keys that passed by and lie beside a snapshot.
    pub(super) fn of(&self, snapshot: &ObjectId) -> Option<&KeyRing> {
        self.rings.get(&beside(snapshot)?)?.as_ref()
    }

    fn take(&mut self, snapshot: &ObjectId) -> Option<KeyRing> {
        self.rings.remove(&beside(snapshot)?)?
    }

    /// The keys that lie beside a snapshot that is not packed, looked for once in each directory.
    pub(super) fn look_beside(
        &mut self,
        snapshot: &ObjectId,
        store: &dyn Store,
    ) -> Option<&KeyRing> {
        let directory = beside(snapshot).filter(|_| snapshot.archive().is_none())?;
        let ring = self.rings.entry(directory.clone());
        let ring = ring.or_insert_with(|| {
            // The directory alone, and not what lies below it.
            let any = directory.join(OsStr::new("key.json"));
            ring_of(walk_beside(&any, store, &Silent).objects, store)
        });
        ring.as_ref()
    }
}

/// The keys of a hosted control plane for the values of its snapshot: those at some locations, and those beside it. `None`
/// where there are none, or the snapshot needs no such keys.
pub(crate) fn hosted_key_ring(
    id: &ObjectId,
    facts: &Snapshot,
    locations: &[ObjectId],
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Option<KeyRing> {
    if !is_hosted_and_encrypted(facts) {
        return None;
    }
    let store = &options.stores;
    let named = locations.iter().filter_map(|location| {
        let walked = walk(location, store, monitor);
        ring_of(walked.objects, store)
    });
    let mut all = named.reduce(|mut all, ring| {
        all.merge(ring);
        all
    });
    let mut keys = HostedKeys::default();
    let beside = match id.archive() {
        Some((archive, _)) => {
            let mut learn = |member: &ObjectId, bytes: &mut dyn Read| {
                keys.learn(member, bytes);
            };
            // What cannot be read has no keys.
            let _ = store.each_member(archive, options.page_cache, &mut learn);
            keys.take(id)
        }
        None => {
            keys.look_beside(id, store);
            keys.take(id)
        }
    };
    if let Some(ring) = beside {
        all.get_or_insert_default().merge(ring);
    }
    all
}

/// The keys of its values are Secrets, and not in static pod resources.
pub(super) fn is_hosted_and_encrypted(facts: &Snapshot) -> bool {
    facts.cluster.is_hosted() && !facts.encryption.is_empty()
}

/// All keys of the Secrets among some objects; `None` where there is none.
fn ring_of(objects: Vec<FoundObject>, store: &dyn Store) -> Option<KeyRing> {
    let secrets = objects.into_iter().filter(|object| is_document(&object.id));
    let secrets = secrets.filter(|object| object.identity.size_bytes() <= to_u64(MAX_SECRET_BYTES));
    let mut all: Option<KeyRing> = None;
    for object in secrets.take(MAX_SECRETS) {
        let open = store.open(&object.id, Some(&object.identity)).ok();
        let reader = open.and_then(|open| open.reader(Pace::OneByOne).ok());
        if let Some(ring) = reader.and_then(|mut bytes| read_ring(&mut bytes)) {
            all.get_or_insert_default().merge(ring);
        }
    }
    all
}

/// The key of one Secret; `None` where it holds another thing, or cannot be read.
fn read_ring(bytes: &mut dyn Read) -> Option<KeyRing> {
    // In one piece, as a vector that grows leaves copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES + 1));
    let mut beginning = bytes.take(to_u64(MAX_SECRET_BYTES));
    beginning.read_to_end(&mut text).ok()?;
    KeyRing::of_hosted_secret(&text)
}

/// Where the Secrets of a snapshot lie.
fn beside(snapshot: &ObjectId) -> Option<ObjectId> {
    Some(snapshot.parent()?.join(OsStr::new(DIRECTORY)))
}

/// `bundle.tar.gz!/x/secrets` of `bundle.tar.gz!/x/secrets/key.json`.
fn directory_of_secret(id: &ObjectId) -> Option<ObjectId> {
    let directory = id.parent().filter(|_| is_document(id))?;
    (directory.file_name() == Some(OsStr::new(DIRECTORY))).then_some(directory)
}

fn is_document(id: &ObjectId) -> bool {
    let name = id.file_name().map(Path::new);
    name.is_some_and(|name| name.extension() == Some(OsStr::new("json")))
}
