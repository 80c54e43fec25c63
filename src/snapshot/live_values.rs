//! Values that were kept while the file passed: those that turn out to be alive go where they are needed.

use super::classes::ValueClasses;
use super::facts::{Flavour, Snapshot};
use super::key_replay::KeyReplay;
use super::purpose::{Purpose, purpose};
use super::samples::EncryptedSamples;
use super::wanted::{KeyVersion, Wanted};
use crate::kubernetes::certificate::{Certificate, parse_object};
use crate::kubernetes::encoding::Encoding;
use crate::kubernetes::encryption::{Sealed, SealedValue};
use crate::kubernetes::envelope::Envelope;

/// Values on which each key is tried.
const PROVEN_SAMPLES: usize = 16;

/// A few live encrypted values of each class.
pub(super) fn samples(
    samples: EncryptedSamples,
    classes: &ValueClasses,
    replay: &KeyReplay,
) -> Vec<SealedValue> {
    let mut sealed = Vec::new();
    for (class, samples) in samples.into_classes() {
        let live = samples
            .into_iter()
            .filter(|sample| replay.is_live(sample.key_hash, sample.main, &sample.pages))
            .take(PROVEN_SAMPLES);
        let resource = classes.resource(class).unwrap_or_default();
        sealed.extend(live.map(|sample| SealedValue {
            storage_key: sample.storage_key,
            resource: resource.to_owned(),
            value: sample.value,
        }));
    }
    sealed
}

/// The live version of each wanted key.
pub(super) fn wanted(
    wanted: Wanted,
    replay: &KeyReplay,
    snapshot: &mut Snapshot,
    sealed: &mut Sealed,
) {
    for (storage_key, key_hash, versions) in wanted.into_sorted() {
        let live = versions
            .into_iter()
            .find(|version| replay.is_live(key_hash, version.main, &version.pages));
        if let Some(version) = live {
            sort_out(storage_key, version, snapshot, sealed);
        }
    }
}

/// A wanted value that is alive goes where it is needed; it is not copied, as it may hold keys.
fn sort_out(
    storage_key: Vec<u8>,
    version: KeyVersion,
    snapshot: &mut Snapshot,
    sealed: &mut Sealed,
) {
    let value = version.value;
    let is_sealed = Encoding::of(value.expose()) == Encoding::Encrypted;
    let destination = match purpose(&storage_key) {
        Some(Purpose::Cluster(_)) => return snapshot.cluster.learn(&storage_key, value.expose()),
        Some(Purpose::MicroShift) => return snapshot.flavour = Flavour::MicroShift,
        Some(Purpose::Certificate) if !is_sealed => {
            let found = secret_certificates(&storage_key, value.expose());
            return snapshot.certificates.extend(found);
        }
        Some(Purpose::Certificate) => &mut sealed.certificates,
        Some(Purpose::EncryptionConfig) => &mut sealed.encryption_configs,
        None => return,
    };
    destination.push(SealedValue {
        storage_key,
        resource: "secrets".to_owned(),
        value,
    });
}

fn secret_certificates(storage_key: &[u8], value: &[u8]) -> Vec<Certificate> {
    let envelope = Envelope::parse(value).ok().flatten();
    envelope.map_or_else(Vec::new, |envelope| parse_object(storage_key, envelope.raw))
}
