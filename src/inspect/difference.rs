//! What another backup has instead: objects that came, went and changed.

use super::change::{Change, ChangeRow, Stake, Version};
use super::contents::{Contents, Trust, is_definition};
use super::error::InspectError;
use super::live::{LiveCluster, NotCompared};
use super::object::ObjectRow;
use super::query::{keys_of, retain_namespace};
use super::subject::Subject;
use crate::kubernetes::encryption::StoredValue;
use crate::monitor::Monitor;
use crate::objects::Resource;
use crate::snapshot::{EntryRequest, KeyFilter, StoredEntry};
use crate::survey::SurveyOptions;
use std::cmp::Ordering;

/// Where Secrets lie: what type they are only their values tell.
const SECRETS: [&[u8]; 2] = [b"/kubernetes.io/secrets/", b"/registry/secrets/"];

/// What a backup and another one, or the live cluster, do not have in common.
#[derive(Debug)]
pub struct Differences {
    /// The first.
    pub from: Contents,
    /// What it is compared with.
    pub to: Other,
    /// Whether both are of one cluster; `None` where nothing tells.
    pub is_same_cluster: Option<bool>,
    /// Objects by storage key; compared with a live cluster, by kind, namespace and name.
    pub changes: Vec<ChangeRow>,
    /// Kinds of the first that the live cluster did not give: what became of their objects is not known.
    pub not_compared: Vec<NotCompared>,
}

/// What a backup is compared with.
#[derive(Debug)]
pub enum Other {
    /// Another backup.
    Backup(Box<Contents>),
    /// The cluster as it is now.
    Live(LiveCluster),
}

/// Is the value of this key needed beside its digest?
pub(super) fn tells_more(storage_key: &[u8]) -> bool {
    is_definition(storage_key) || SECRETS.iter().any(|prefix| storage_key.starts_with(prefix))
}

/// Reads both once and compares every object, or those in one namespace.
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
    namespace: Option<&str>,
    trust: Trust,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Differences, InspectError> {
    // One request for both: only then are their digests comparable.
    let request = EntryRequest {
        keys: keys_of(namespace),
        values: KeyFilter::matching(tells_more),
        has_sealed_values: true,
        ..EntryRequest::default()
    };
    let mut from = Contents::read(from, &request, trust, options, monitor)?;
    let mut to = Contents::read(to, &request, trust, options, monitor)?;
    let sides = [&mut from, &mut to].map(|contents| {
        let mut entries = std::mem::take(&mut contents.entries);
        retain_namespace(&mut entries, namespace);
        entries
    });
    let changes = merge(&sides, &from, &to);
    let id = |contents: &Contents| contents.snapshot.cluster.id.clone();
    let is_same_cluster = id(&from).zip(id(&to)).map(|(from, to)| from == to);
    Ok(Differences {
        from,
        to: Other::Backup(Box::new(to)),
        is_same_cluster,
        changes,
        not_compared: Vec::new(),
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
    let row = rows.iter().flatten().next()?;
    let (resource, place) = (row.resource.clone(), row.place.clone());
    let sides = [(own, from), (other, to)];
    let stake = stake(&row.resource, sides);
    let [from, to] = rows.map(|row| row.as_ref().map(Version::from));
    Some(ChangeRow {
        change,
        stake,
        resource,
        place,
        from,
        to,
    })
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
