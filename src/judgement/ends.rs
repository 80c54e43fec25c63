//! The certificates of a backup that count, and when each ends.

use super::certificate_role::{role, short_name};
use super::succession::Successions;
use crate::backup::Backup;
use chrono::{DateTime, Utc};

/// A certificate that counts, wherever in the backup it lies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateEnd {
    /// Its subject in short.
    pub name: String,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Nothing can be restored without it: the etcd CA and the signer of the kubelets' clients.
    pub is_vital: bool,
}

/// Every certificate that no other one in the backup replaces, those that end first in front, each once.
pub fn certificate_ends(backup: &Backup) -> Vec<CertificateEnd> {
    let mut ends: Vec<CertificateEnd> = Successions::default()
        .counted(backup)
        .into_iter()
        .map(|certificate| CertificateEnd {
            name: short_name(certificate).to_owned(),
            ends_at: certificate.not_after,
            is_vital: role(certificate).is_vital(),
        })
        .collect();
    ends.sort_by(|left, right| (left.ends_at, &left.name).cmp(&(right.ends_at, &right.name)));
    ends.dedup();
    ends
}
