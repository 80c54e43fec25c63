//! What objects stand for outside of etcd.

use super::contents::Contents;
use crate::objects::{self, Object, Resource};
use crate::snapshot::StoredEntry;

/// Where Secrets lie: of what type they are only their values tell.
const SECRETS: [&[u8]; 2] = [b"/kubernetes.io/secrets/", b"/registry/secrets/"];

/// Type of a Secret that is the token of a service account.
const TOKEN: &str = "kubernetes.io/service-account-token";

/// Objects that stand for something outside of etcd, or open a door: a restore that loses them or brings them back leaves
/// them at odds with the world.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stake {
    /// Volumes, their claims and attachments: disks stay as they are.
    Volumes,
    /// Machines and nodes: they run, or are gone, whatever etcd says.
    Machines,
    /// Requests for certificates.
    CertificateRequests,
    /// Tokens of service accounts, as Secrets.
    ServiceAccountTokens,
    /// All other Secrets.
    Secrets,
}

impl Stake {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volumes => "volumes",
            Self::Machines => "machines",
            Self::CertificateRequests => "certificate-requests",
            Self::ServiceAccountTokens => "service-account-tokens",
            Self::Secrets => "secrets",
        }
    }

    pub(super) fn of(resource: &Resource) -> Option<Self> {
        match (&*resource.group, &*resource.plural) {
            ("", "persistentvolumes" | "persistentvolumeclaims")
            | ("storage.k8s.io", "volumeattachments") => Some(Self::Volumes),
            ("", "nodes") | ("machine.openshift.io", "machines" | "machinesets") => {
                Some(Self::Machines)
            }
            ("certificates.k8s.io", "certificatesigningrequests") => {
                Some(Self::CertificateRequests)
            }
            ("", "secrets") => Some(Self::Secrets),
            _ => None,
        }
    }
}

/// What an object stands for; of Secrets only their values tell.
pub(super) fn stake<'e>(
    resource: &Resource,
    sides: impl IntoIterator<Item = (Option<&'e StoredEntry>, &'e Contents)>,
) -> Option<Stake> {
    let mut sides = sides.into_iter();
    let mut is_token = || {
        sides.any(|(entry, contents)| {
            entry.is_some_and(|entry| is_service_account_token(entry, contents))
        })
    };
    match Stake::of(resource) {
        Some(Stake::Secrets) if is_token() => Some(Stake::ServiceAccountTokens),
        stake => stake,
    }
}

fn is_service_account_token(entry: &StoredEntry, contents: &Contents) -> bool {
    let opened = || contents.object(entry);
    entry.is_marked || opened().is_ok_and(|object| is_token(&object))
}

/// Is this the key of a Secret?
pub(super) fn is_secret(storage_key: &[u8]) -> bool {
    SECRETS.iter().any(|prefix| storage_key.starts_with(prefix))
}

/// Is this the token of a service account, not encrypted? Told while it passes, for Secrets may be most of a database.
pub(super) fn is_plain_token(storage_key: &[u8], value: &[u8]) -> bool {
    let mentions = || memchr::memmem::find(value, TOKEN.as_bytes()).is_some();
    is_secret(storage_key)
        && mentions()
        && objects::decode(value).is_ok_and(|object| is_token(&object))
}

fn is_token(secret: &Object) -> bool {
    let kind = secret.fields.at(&["type"]);
    kind.and_then(objects::Value::as_text) == Some(TOKEN)
}
