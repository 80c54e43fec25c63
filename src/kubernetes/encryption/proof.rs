//! The proof: are the keys of the kuberesources the keys of the snapshot?
//!
//! Two stages. The kube-apiserver's keys come from the kuberesources. The keys of openshift-apiserver and
//! oauth-apiserver are in no file: they lie in Secrets inside the snapshot, sealed with the kube-apiserver's keys.
//! Key names are numbered by each API server for itself, so the two stages never share a ring.
//!
//! Nothing that was opened leaves this module: only outcomes and the calendar of certificates do.

use super::inner_ring::{InnerRing, is_inner};
use super::key_proof::{KeyOutcome, KeyProof, KeyProofLine};
use super::key_ring::{KeyRing, UnsealError};
use super::usage::{EncryptionUse, Sealed, SealedValue};
use super::value::{EncryptedValue, StoredValue};
use crate::kubernetes::certificate::{self, Certificate};
use crate::kubernetes::envelope::Envelope;

/// What [`prove`] found out.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedBehindKeys {
    /// One line for each resource, provider and key in use, in the order of the uses.
    pub proof: KeyProof,
    /// The calendar of the certificates that lay behind encryption and were opened.
    pub certificates: Vec<Certificate>,
}

/// Tries the keys of `ring` on what the snapshot kept for it. `None`: there is no configuration at hand.
pub fn prove(uses: &[EncryptionUse], sealed: &Sealed, ring: Option<&KeyRing>) -> OpenedBehindKeys {
    let empty = KeyRing::default();
    let ring = ring.unwrap_or(&empty);
    let inner = InnerRing::open(sealed, ring);
    let encrypted = uses
        .iter()
        .filter(|usage| usage.is_encrypted() && usage.values > 0);
    let lines = encrypted
        .map(|usage| prove_use(usage, sealed, ring, &inner))
        .collect();
    let certificates = sealed
        .certificates
        .iter()
        .flat_map(|value| open_certificates(value, ring))
        .collect();
    OpenedBehindKeys {
        proof: KeyProof { lines },
        certificates,
    }
}

fn prove_use(
    usage: &EncryptionUse,
    sealed: &Sealed,
    ring: &KeyRing,
    inner: &InnerRing,
) -> KeyProofLine {
    let ring = if is_inner(&usage.resource) {
        &inner.ring
    } else {
        ring
    };
    let samples = sealed
        .samples
        .iter()
        .filter(|sample| is_sample_of(sample, usage));
    let results: Vec<Result<(), UnsealError>> = samples
        .map(|sample| {
            ring.open(&sample.resource, &sample.storage_key, sample.value.expose())
                .map(drop)
        })
        .collect();
    let mut outcome = match results.iter().filter_map(|result| result.err()).max() {
        Some(error) => outcome_of(error),
        None if results.is_empty() => presence(usage, ring),
        None => KeyOutcome::Decrypted,
    };
    if outcome == KeyOutcome::ConfigMissing && is_inner(&usage.resource) && inner.is_external {
        outcome = KeyOutcome::External;
    }
    KeyProofLine {
        resource: usage.resource.clone(),
        provider: usage.provider.clone(),
        key_name: usage.key_name.clone(),
        tried: u64::try_from(results.len()).unwrap_or(u64::MAX),
        outcome,
    }
}

fn is_sample_of(sample: &SealedValue, usage: &EncryptionUse) -> bool {
    let StoredValue::Encrypted(value) = StoredValue::parse(sample.value.expose()) else {
        return false;
    };
    sample.resource == usage.resource
        && value.key_text() == usage.key_name
        && value.provider.to_string() == usage.provider
}

/// Without a sample: is there at least a key to try?
fn presence(usage: &EncryptionUse, ring: &KeyRing) -> KeyOutcome {
    let prefix = format!("k8s:enc:{}:v1:{}:", usage.provider, usage.key_name);
    match StoredValue::parse(prefix.as_bytes()) {
        StoredValue::Encrypted(EncryptedValue {
            provider, key_name, ..
        }) => ring
            .has(&usage.resource, provider, key_name)
            .map_or_else(outcome_of, |()| KeyOutcome::Unproven),
        StoredValue::Plain | StoredValue::Malformed => KeyOutcome::External,
    }
}

fn outcome_of(error: UnsealError) -> KeyOutcome {
    match error {
        UnsealError::ConfigMissing => KeyOutcome::ConfigMissing,
        UnsealError::KeyMissing => KeyOutcome::KeyMissing,
        UnsealError::KeyWrong => KeyOutcome::KeyWrong,
        UnsealError::External | UnsealError::Malformed => KeyOutcome::External,
    }
}

fn open_certificates(value: &SealedValue, ring: &KeyRing) -> Vec<Certificate> {
    let Ok(opened) = ring.open(&value.resource, &value.storage_key, value.value.expose()) else {
        return Vec::new();
    };
    match Envelope::parse(&opened) {
        Ok(Some(object)) => certificate::parse_object(&value.storage_key, object.raw),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
