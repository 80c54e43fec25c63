//! The extra pass.

use super::finding::mended as finding_of;
use super::how::{MendHow, Mended};
use super::reader::{read_head, undone};
use super::suspicion::Suspect;
use crate::digest::Sha256Digest;
use crate::finding::{Code, Finding};
use crate::monitor::Monitor;
use crate::snapshot::hashing::TRAILER_BYTES;
use crate::snapshot::sha256::Sha256;
use crate::snapshot::{HashOn, ReadError, Snapshot, SnapshotReading, read};
use std::io::{self, Read};

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;
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
            let second = read(&mut bytes, HashOn::SameThread, monitor)?;
            Ok(joined(first, second, how))
        }
    }
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
    let mut under_way: Vec<(MendHow, Sha256)> = candidates
        .iter()
        .filter_map(|how| {
            let mut sha = Sha256::new();
            sha.update(&how.head(&head)?);
            Some((*how, sha))
        })
        .collect();
    // The trailer is not hashed: the last bytes are held back until there are more.
    let mut held = Vec::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        if monitor.is_interrupted() {
            return Err(ReadError::Interrupted);
        }
        let read = match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        held.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let trailer_bytes = usize::try_from(TRAILER_BYTES).unwrap_or_default();
        let data: Vec<u8> = held
            .drain(..held.len().saturating_sub(trailer_bytes))
            .collect();
        for (_, sha) in &mut under_way {
            sha.update(&data);
        }
    }
    let mut ended = under_way.into_iter();
    Ok(ended
        .find(|(_, sha)| sha.clone().finish() == digest)
        .map(|(how, _)| how))
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
    };
    told(reading, mended)
}
