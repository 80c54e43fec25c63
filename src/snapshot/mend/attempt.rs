//! The extra pass.

use super::finding::mended as finding_of;
use super::how::{MendHow, Mended};
use super::reader::{read_head, undone};
use super::suspicion::Suspect;
use crate::bytes::{to_u64, to_usize};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Finding};
use crate::monitor::Monitor;
use crate::snapshot::hashing::TRAILER_BYTES;
use crate::snapshot::sha256::Sha256;
use crate::snapshot::{EntryRequest, HashOn, ReadError, Snapshot, SnapshotReading, read_entries};
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

/// Bytes read at once.
const BUFFER_BYTES: usize = 2 << 20;
/// What tells of the change itself: these findings stay. The others of the first pass follow from it.
const OF_THE_FILE: [Code; 5] = [
    Code::NotASnapshot,
    Code::Truncated,
    Code::TrailingData,
    Code::DigestMismatch,
    Code::DigestMissing,
];

/// Tries what could explain what is wrong with a file, and says so where its digest proves it. `again` gives the bytes of
/// the file once more.
///
/// # Errors
///
/// The file cannot be read again, or `monitor` asked to stop.
pub(crate) fn mend<'r>(
    mut first: SnapshotReading,
    request: &EntryRequest,
    again: impl FnOnce() -> io::Result<Box<dyn Read + Send + 'r>>,
    monitor: &dyn Monitor,
) -> Result<SnapshotReading, ReadError> {
    let at_start = |source| ReadError::Io { offset: 0, source };
    match first.suspect.take() {
        None => Ok(first),
        Some(Suspect::Proven(mended)) => Ok(told(first, mended)),
        Some(Suspect::Heads(candidates)) => {
            let Some(digest) = first.snapshot.trailer else {
                return Ok(first);
            };
            let candidates = likely(candidates, &first.snapshot);
            if candidates.is_empty() {
                return Ok(first);
            }
            let bytes = again().map_err(at_start)?;
            let how = matching(bytes, &candidates, digest, monitor)?;
            let size_bytes = first.snapshot.size_bytes;
            Ok(match how {
                Some(how) => told(
                    first,
                    Mended {
                        how,
                        digest,
                        size_bytes,
                    },
                ),
                None => first,
            })
        }
        Some(Suspect::Whole(how)) => {
            let bytes = again().map_err(at_start)?;
            let mut bytes = undone(bytes, how).map_err(at_start)?;
            let second = read_entries(&mut bytes, request, HashOn::SameThread, monitor)?;
            Ok(joined(first, second, how))
        }
    }
}

/// True where only reading the bytes once more can tell what happened to them.
pub(crate) fn is_to_be_read_again(first: &SnapshotReading) -> bool {
    match &first.suspect {
        None | Some(Suspect::Proven(_)) => false,
        Some(Suspect::Whole(_)) => true,
        Some(Suspect::Heads(candidates)) => {
            first.snapshot.trailer.is_some()
                && !likely(candidates.clone(), &first.snapshot).is_empty()
        }
    }
}

/// What the first pass alone has proven; where only another one can tell more, `how` it could be made is said.
pub(crate) fn mend_at_once(mut first: SnapshotReading, how: &'static str) -> SnapshotReading {
    if is_to_be_read_again(&first) {
        let mut findings = first.snapshot.findings.iter_mut();
        if let Some(finding) = findings.find(|finding| OF_THE_FILE.contains(&finding.code)) {
            finding.remedy = how.into();
        }
    }
    match first.suspect.take() {
        Some(Suspect::Proven(mended)) => told(first, mended),
        _ => first,
    }
}

/// Opening a file leaves everything sound: where something is not, that is not what happened.
fn likely(mut candidates: Vec<MendHow>, facts: &Snapshot) -> Vec<MendHow> {
    let is_of_data = |finding: &Finding| finding.is_error() && !OF_THE_FILE.contains(&finding.code);
    if facts.findings.iter().any(is_of_data) {
        candidates.retain(|how| !matches!(how, MendHow::Opened { .. }));
    }
    candidates
}

/// Which of the candidates has this digest: the data is read once for all of them.
fn matching(
    mut bytes: Box<dyn Read + Send + '_>,
    candidates: &[MendHow],
    digest: Sha256Digest,
    monitor: &dyn Monitor,
) -> Result<Option<MendHow>, ReadError> {
    let failed = |source| ReadError::Io { offset: 0, source };
    let length = candidates.iter().map(|how| how.head_bytes()).max();
    let head = read_head(&mut bytes, length.unwrap_or_default()).map_err(failed)?;
    let under_way: Vec<Mutex<(MendHow, Sha256)>> = candidates
        .iter()
        .filter_map(|how| {
            let mut sha = Sha256::new();
            sha.update(&how.head(&head)?);
            Some(Mutex::new((*how, sha)))
        })
        .collect();
    // The trailer is not hashed: the last bytes are held back until there are more.
    let trailer_bytes = to_usize(TRAILER_BYTES);
    let mut held = Vec::with_capacity(BUFFER_BYTES + trailer_bytes);
    loop {
        if monitor.is_interrupted() {
            return Err(ReadError::Interrupted);
        }
        let before = held.len();
        let mut next = bytes.by_ref().take(to_u64(BUFFER_BYTES));
        next.read_to_end(&mut held).map_err(failed)?;
        if held.len() == before {
            break;
        }
        let data_bytes = held.len().saturating_sub(trailer_bytes);
        update_all(&under_way, held.get(..data_bytes).unwrap_or_default());
        held.drain(..data_bytes);
    }
    let ended = under_way
        .into_iter()
        .map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner));
    let mut matching = ended.filter(|(_, sha)| sha.clone().finish() == digest);
    Ok(matching.next().map(|(how, _)| how))
}

/// Every processor takes the next candidate that none has taken.
fn update_all(under_way: &[Mutex<(MendHow, Sha256)>], data: &[u8]) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(candidate) = under_way.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut candidate = candidate.lock().unwrap_or_else(PoisonError::into_inner);
            candidate.1.update(data);
        }
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..processors.min(under_way.len()) {
            // Without a thread to be had, this one does it all.
            let _is_slower = Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}

/// With what the digest has proven.
fn told(mut reading: SnapshotReading, mended: Mended) -> SnapshotReading {
    reading.snapshot.findings.push(finding_of(&mended));
    reading.snapshot.mended = Some(mended);
    reading
}

/// What the file is as it lies, and what it was: only where the digest of what it was matches.
fn joined(first: SnapshotReading, mut second: SnapshotReading, how: MendHow) -> SnapshotReading {
    let cut_again = match &second.suspect {
        Some(Suspect::Proven(Mended {
            how: MendHow::Cut { start: 0 },
            digest,
            size_bytes,
        })) => Some((*digest, *size_bytes)),
        _ => None,
    };
    let whole = second.snapshot.digest_matches();
    let whole = whole.then_some((second.snapshot.computed, second.snapshot.size_bytes));
    let Some((digest, size_bytes)) = whole.or(cut_again) else {
        return first;
    };
    let mended = Mended {
        how,
        digest,
        size_bytes,
    };
    let is_of_file = |finding: &Finding| OF_THE_FILE.contains(&finding.code);
    let mut findings = first.snapshot.findings;
    findings.retain(is_of_file);
    second
        .snapshot
        .findings
        .retain(|finding| !is_of_file(finding));
    findings.append(&mut second.snapshot.findings);
    let snapshot = Snapshot {
        findings,
        // What it is known by is what lies there.
        size_bytes: first.snapshot.size_bytes,
        computed: first.snapshot.computed,
        trailer: first.snapshot.trailer,
        ..second.snapshot
    };
    let reading = SnapshotReading {
        snapshot,
        whole: first.whole,
        with_own_digest: first.with_own_digest,
        suspect: None,
        sealed: second.sealed,
        entries: second.entries,
        odd_values: None,
    };
    told(reading, mended)
}
