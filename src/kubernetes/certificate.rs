//! X.509 certificates: who, from when, until when.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The calendar entry of one certificate. No key material.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Certificate {
    /// Where it lies: archive member, or etcd key and data field.
    pub place: String,
    /// Subject as one line (`CN=..., O=...`).
    pub subject: String,
    /// Issuer as one line.
    pub issuer: String,
    /// Basic constraints say CA.
    pub is_ca: bool,
    /// Start of validity.
    #[serde(with = "crate::instant")]
    pub not_before: DateTime<Utc>,
    /// End of validity.
    #[serde(with = "crate::instant")]
    pub not_after: DateTime<Utc>,
}
