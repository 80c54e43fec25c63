//! The proof: are the keys of the kuberesources the keys of the snapshot?
//!
//! Two stages. The kube-apiserver's keys come from the kuberesources. The keys of openshift-apiserver and
//! oauth-apiserver are in no file: they lie in Secrets inside the snapshot, sealed with the kube-apiserver's keys.
//! Key names are numbered by each API server for itself, so the two stages never share a ring.
//!
//! Nothing that was opened leaves this module: only outcomes and the calendar of certificates do.

use super::inner_ring::{InnerRing, is_inner};
use super::key_proof::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
use super::key_ring::{KeyRing, UnsealError};
use super::trial::{OddValues, Tried, try_on};
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
    prove_each(uses, sealed, ring, (&inner.ring, inner.is_external))
}

/// The same where all API servers have the same keys.
pub(crate) fn prove_with_one_ring(
    uses: &[EncryptionUse],
    sealed: &Sealed,
    ring: &KeyRing,
) -> OpenedBehindKeys {
    prove_each(uses, sealed, ring, (ring, false))
}

/// `inner`: the keys of the other API servers, and whether a key service holds them.
fn prove_each(
    uses: &[EncryptionUse],
    sealed: &Sealed,
    ring: &KeyRing,
    inner: (&KeyRing, bool),
) -> OpenedBehindKeys {
    let encrypted = uses
        .iter()
        .filter(|usage| usage.is_encrypted() && usage.values > 0);
    let lines = encrypted
        .map(|usage| prove_use(usage, sealed, ring, inner))
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
    (inner, is_external): (&KeyRing, bool),
) -> KeyProofLine {
    let ring = if is_inner(&usage.resource) {
        inner
    } else {
        ring
    };
    let samples = sealed
        .samples
        .iter()
        .filter(|sample| is_sample_of(sample, usage));
    let tried: Vec<(&SealedValue, Tried)> = samples
        .map(|sample| {
            let SealedValue {
                storage_key, value, ..
            } = sample;
            let tried = try_on(ring, &usage.resource, storage_key, value.expose());
            (sample, tried)
        })
        .collect();
    let named = |wanted: Tried| {
        let mut named = NamedValues::default();
        let wanted = tried.iter().filter(|(_, tried)| *tried == wanted);
        wanted.for_each(|(sample, _)| named.add(&sample.storage_key));
        named
    };
    let mismatched = named(Tried::Mismatched);
    // A wrong key opens nothing. One that opens anything is right, and what it does not open is damaged.
    let opens = tried
        .iter()
        .any(|(_, tried)| matches!(tried, Tried::Opened | Tried::Mismatched));
    let damaged = if opens {
        named(Tried::Shut(UnsealError::KeyWrong))
    } else {
        NamedValues::default()
    };
    let errors = tried.iter().filter_map(|(_, tried)| match tried {
        Tried::Shut(error) => {
            Some(*error).filter(|error| !opens || *error != UnsealError::KeyWrong)
        }
        Tried::Opened | Tried::Mismatched => None,
    });
    let mut outcome = match errors.max() {
        Some(error) => outcome_of(error),
        None if tried.is_empty() => presence(usage, ring),
        None => KeyOutcome::Decrypted,
    };
    if outcome == KeyOutcome::ConfigMissing && is_inner(&usage.resource) && is_external {
        outcome = KeyOutcome::External;
    }
    KeyProofLine {
        resource: usage.resource.clone(),
        provider: usage.provider.clone(),
        key_name: usage.key_name.clone(),
        tried: u64::try_from(tried.len()).unwrap_or(u64::MAX),
        outcome,
        damaged,
        mismatched,
    }
}

/// Enters what came of trying every live value, where a sample has shown the key to be right.
pub(crate) fn enter_everything(proof: &mut KeyProof, uses: &[EncryptionUse], odd: &[OddValues]) {
    for line in proof.lines.iter_mut().filter(|line| line.opens()) {
        let is_of = |resource: &str, provider: &str, key_name: &str| {
            line.resource == resource && line.provider == provider && line.key_name == key_name
        };
        let usage = uses
            .iter()
            .find(|usage| is_of(&usage.resource, &usage.provider, &usage.key_name));
        let Some(usage) = usage else {
            continue;
        };
        let odd = odd
            .iter()
            .find(|odd| is_of(&odd.resource, &odd.provider, &odd.key_name));
        let (damaged, mismatched) = odd.map_or_else(Default::default, |odd| {
            (odd.damaged.clone(), odd.mismatched.clone())
        });
        line.tried = usage.values;
        line.damaged = damaged;
        line.mismatched = mismatched;
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
