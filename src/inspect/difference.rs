//! What another backup has instead: objects that came, went and changed.

use super::contents::{Contents, Trust, is_definition};
use super::error::InspectError;
use super::object::ObjectRow;
use super::subject::Subject;
use crate::kubernetes::encryption::StoredValue;
use crate::monitor::Monitor;
use crate::objects::Resource;
use crate::snapshot::{EntryRequest, KeyFilter, StoredEntry};
use crate::survey::SurveyOptions;
use std::cmp::Ordering;

/// Where Secrets lie: what type they are only their values tell.
const SECRETS: [&[u8]; 2] = [b"/kubernetes.io/secrets/", b"/registry/secrets/"];

/// What became of an object.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Change {
    /// Only the second backup has it.
    Added,
    /// Only the first one has it.
    Removed,
    /// Both have it, and not the same.
    Changed,
}

impl Change {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

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

    fn of(resource: &Resource) -> Option<Self> {
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

/// One object that is not the same in both.
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// What became of it.
    pub change: Change,
    /// What it stands for outside of etcd.
    pub stake: Option<Stake>,
    /// As the first backup has it.
    pub from: Option<ObjectRow>,
    /// As the second one has it.
    pub to: Option<ObjectRow>,
}

impl ChangeRow {
    /// What either has of it, the second one first.
    pub fn row(&self) -> Option<&ObjectRow> {
        self.to.as_ref().or(self.from.as_ref())
    }

    /// It was deleted meanwhile and created anew under its name.
    pub fn is_recreated(&self) -> bool {
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => from.create_revision != to.create_revision,
            _ => false,
        }
    }
}

/// What two backups do not have in common.
#[derive(Debug)]
pub struct Differences {
    /// The first.
    pub from: Contents,
    /// The second.
    pub to: Contents,
    /// Whether both are of one cluster; `None` where nothing tells.
    pub is_same_cluster: Option<bool>,
    /// Objects by storage key.
    pub changes: Vec<ChangeRow>,
}

/// Reads both once and compares every object.
///
/// Values are compared as they are stored; encrypted ones are opened where both can be, for the same value encrypted again
/// is other bytes.
///
/// # Errors
///
/// See [`InspectError`].
pub fn compare(
    from: &Subject,
    to: &Subject,
    trust: Trust,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Differences, InspectError> {
    let has_value =
        |key: &[u8]| is_definition(key) || SECRETS.iter().any(|prefix| key.starts_with(prefix));
    // One request for both: only then are their digests comparable.
    let request = EntryRequest {
        keys: KeyFilter::All,
        values: KeyFilter::matching(has_value),
        has_sealed_values: true,
        ..EntryRequest::default()
    };
    let mut from = Contents::read(from, &request, trust, options, monitor)?;
    let mut to = Contents::read(to, &request, trust, options, monitor)?;
    let sides = [
        std::mem::take(&mut from.entries),
        std::mem::take(&mut to.entries),
    ];
    let changes = merge(&sides, &from, &to);
    let id = |contents: &Contents| contents.snapshot.cluster.id.clone();
    let is_same_cluster = id(&from).zip(id(&to)).map(|(from, to)| from == to);
    Ok(Differences {
        from,
        to,
        is_same_cluster,
        changes,
    })
}

/// Walks both sides at once; each is sorted by key.
fn merge([left, right]: &[Vec<StoredEntry>; 2], from: &Contents, to: &Contents) -> Vec<ChangeRow> {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    let mut changes = Vec::new();
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some(own), Some(other)) => own.key.cmp(&other.key),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return changes,
        };
        let own = if order.is_le() { left.next() } else { None };
        let other = if order.is_ge() { right.next() } else { None };
        changes.extend(change(own, other, from, to));
    }
}

fn change(
    own: Option<&StoredEntry>,
    other: Option<&StoredEntry>,
    from: &Contents,
    to: &Contents,
) -> Option<ChangeRow> {
    let change = match (own, other) {
        (Some(own), Some(other)) if is_same(own, other, from, to) => return None,
        (Some(_), Some(_)) => Change::Changed,
        (Some(_), None) => Change::Removed,
        (None, _) => Change::Added,
    };
    let rows = [
        own.and_then(|entry| ObjectRow::of(entry, from)),
        other.and_then(|entry| ObjectRow::of(entry, to)),
    ];
    let resource = &rows.iter().flatten().next()?.resource;
    let mut stake = Stake::of(resource);
    let sides = [(own, from), (other, to)];
    let is_token = |(entry, contents): &(Option<&StoredEntry>, &Contents)| {
        entry.is_some_and(|entry| is_service_account_token(entry, contents))
    };
    if stake == Some(Stake::Secrets) && sides.iter().any(is_token) {
        stake = Some(Stake::ServiceAccountTokens);
    }
    let [from, to] = rows;
    Some(ChangeRow {
        change,
        stake,
        from,
        to,
    })
}

fn is_same(own: &StoredEntry, other: &StoredEntry, from: &Contents, to: &Contents) -> bool {
    if own.digest == other.digest && own.value_bytes == other.value_bytes {
        return true;
    }
    let is_sealed = |entry: &StoredEntry| {
        let value = entry.value.as_ref();
        value.is_some_and(|value| {
            matches!(
                StoredValue::parse(value.expose()),
                StoredValue::Encrypted(_)
            )
        })
    };
    if !is_sealed(own) && !is_sealed(other) {
        return false;
    }
    match (from.opened(own), to.opened(other)) {
        (Some(own), Some(other)) => own == other,
        _ => false,
    }
}

fn is_service_account_token(entry: &StoredEntry, contents: &Contents) -> bool {
    let object = contents.object(entry);
    object.is_ok_and(|object| {
        let kind = object.fields.at(&["type"]);
        kind.and_then(crate::objects::Value::as_text) == Some("kubernetes.io/service-account-token")
    })
}
