//! What another backup has instead: objects that came, went and changed.

use super::change::{Change, ChangeRow, Differences, Other, Version};
use super::contents::{Contents, Trust, is_definition};
use super::error::InspectError;
use super::object::ObjectRow;
use super::query::{keys_of, retain_namespace};
use super::stake::{is_plain_token, stake};
use super::subject::Subject;
use crate::kubernetes::encryption::StoredValue;
use crate::monitor::Monitor;
use crate::snapshot::{EntryRequest, KeyFilter, StoredEntry, ValueMark};
use crate::survey::SurveyOptions;
use std::cmp::Ordering;
use std::panic::resume_unwind;
use std::thread::{Builder, ScopedJoinHandle};

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
        values: KeyFilter::matching(is_definition),
        sealed_values: KeyFilter::All,
        marked: ValueMark::new(is_plain_token),
        ..EntryRequest::default()
    };
    let read = |subject| Contents::read(subject, &request, trust, options, monitor);
    let (from, to) = both(options.jobs > 1, || read(from), || read(to));
    let (mut from, mut to) = (from?, to?);
    let sides = [&mut from, &mut to].map(|contents| {
        let mut entries = std::mem::take(&mut contents.entries);
        retain_namespace(&mut entries, namespace);
        entries
    });
    let changes = Comparison::new(&from, &to, &request).merge(&sides);
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

/// Does both, at the same time where that is allowed: reading one snapshot keeps more than one core busy, and not quite two.
fn both<T: Send>(
    is_shared: bool,
    one: impl FnOnce() -> T,
    other: impl Fn() -> T + Send + Sync,
) -> (T, T) {
    std::thread::scope(|scope| {
        // Without a thread to be had, this one does both.
        let thread = is_shared.then(|| Builder::new().spawn_scoped(scope, &other).ok());
        let one = one();
        let other = match thread.flatten().map(ScopedJoinHandle::join) {
            Some(Ok(other)) => other,
            Some(Err(panic)) => resume_unwind(panic),
            None => other(),
        };
        (one, other)
    })
}

/// Two backups, and what of them was asked for.
struct Comparison<'c> {
    from: &'c Contents,
    to: &'c Contents,
    request: &'c EntryRequest,
}

impl<'c> Comparison<'c> {
    fn new(from: &'c Contents, to: &'c Contents, request: &'c EntryRequest) -> Self {
        Self { from, to, request }
    }

    /// Walks both sides at once, each in the order of its keys' hashes, and gives what is not the same by key.
    fn merge(&self, [left, right]: &[Vec<StoredEntry>; 2]) -> Vec<ChangeRow> {
        let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
        let mut differing = Vec::new();
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some(own), Some(other)) => by_hash(own, other),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let own = if order.is_le() { left.next() } else { None };
            let other = if order.is_ge() { right.next() } else { None };
            if !own
                .zip(other)
                .is_some_and(|(own, other)| self.is_same(own, other))
            {
                differing.push((own, other));
            }
        }
        differing.sort_unstable_by_key(|(own, other)| own.or(*other).map(|entry| &*entry.key));
        let rows = differing.into_iter();
        rows.filter_map(|(own, other)| self.change(own, other))
            .collect()
    }

    fn change(&self, own: Option<&StoredEntry>, other: Option<&StoredEntry>) -> Option<ChangeRow> {
        let change = match (own, other) {
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        };
        let rows = [
            own.and_then(|entry| ObjectRow::of(entry, self.from)),
            other.and_then(|entry| ObjectRow::of(entry, self.to)),
        ];
        let row = rows.iter().flatten().next()?;
        let (resource, place) = (row.resource.clone(), row.place.clone());
        let stake = stake(&row.resource, [(own, self.from), (other, self.to)]);
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

    fn is_same(&self, own: &StoredEntry, other: &StoredEntry) -> bool {
        if own.digest == other.digest && own.value_bytes == other.value_bytes {
            return true;
        }
        let sides = [(own, self.from), (other, self.to)];
        // Not the same as they are stored, and not encrypted: another value.
        if !sides.iter().any(|(entry, _)| is_sealed(entry)) {
            return false;
        }
        match sides.map(|(entry, contents)| self.plain_digest(entry, contents)) {
            [Some(own), Some(other)] => own == other,
            _ => false,
        }
    }

    /// Digest of a value without encryption; `None` where it cannot be opened.
    fn plain_digest(&self, entry: &StoredEntry, contents: &Contents) -> Option<u64> {
        if !is_sealed(entry) {
            return Some(entry.digest);
        }
        let opened = contents.opened(entry)?;
        Some(self.request.digest(&opened))
    }
}

fn by_hash(left: &StoredEntry, right: &StoredEntry) -> Ordering {
    let hashes = left.key_hash.cmp(&right.key_hash);
    hashes.then_with(|| left.key.cmp(&right.key))
}

fn is_sealed(entry: &StoredEntry) -> bool {
    let value = entry.value.as_ref();
    value.is_some_and(|value| {
        let parsed = StoredValue::parse(value.expose());
        matches!(parsed, StoredValue::Encrypted(_))
    })
}
