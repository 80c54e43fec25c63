//! What the bytes of a snapshot prove to be wrong, in the words of the contract.

use super::defective_objects::DefectiveObject;
use super::entry_defect::DefectiveEntry;
use super::hashing::{Hashed, TRAILER_BYTES};
use crate::bbolt::{Layout, MetaDefect, Pgid, Tree, TreeDefect, TreeDefectKind};
use crate::bytes::to_u64;
use crate::etcd::buckets::{Alarm, AlarmKind, BucketDefect, Harm, NEEDED};
use crate::etcd::{RecordDefect, Replay, RevisionKey};
use crate::finding::{Code, Finding, Severity};
use crate::foreign::{self, Foreign, LeadingBytes};
use crate::kubernetes::key_text::{name_text, storage_key_text, token_resource};
use std::collections::BTreeMap;

/// Findings of one code that are told one by one; the last one counts the rest.
const MAX_OF_ONE_CODE: usize = 8;

/// The length of a file against what its meta page says.
pub(super) struct Sizes<'a> {
    pub(super) hashed: &'a Hashed,
    /// Where the data ends according to the meta page; `None` when that overflows.
    pub(super) data_bytes: Option<u64>,
    pub(super) page_size: u32,
}

/// Why there is no database where one should begin, and what there is.
#[derive(Debug)]
pub(super) struct NoDatabase {
    defect: MetaDefect,
    leading: Option<LeadingBytes>,
    foreign: Option<Foreign>,
}

impl NoDatabase {
    /// From the first chunk of a file.
    pub(super) fn new(defect: MetaDefect, chunk: &[u8]) -> Self {
        Self {
            defect,
            leading: foreign::leading_bytes(chunk),
            foreign: foreign::recognise(chunk),
        }
    }
}

/// No valid meta page at all.
pub(super) fn no_database(size_bytes: u64, found: Option<&NoDatabase>) -> Finding {
    if size_bytes == 0 {
        return Finding::new(Code::Truncated, "the file is empty").with("sizeBytes", 0_u64);
    }
    let reason = found.map_or_else(String::new, |found| format!(": {}", found.defect));
    let message = format!("neither of the two bbolt meta pages is valid{reason}");
    let finding = Finding::new(Code::NotASnapshot, message).with("sizeBytes", size_bytes);
    if let Some(leading) = found.and_then(|found| found.leading) {
        return behind_other_bytes(finding, leading);
    }
    let Some(foreign) = found.and_then(|found| found.foreign.as_ref()) else {
        return finding;
    };
    let message = format!("it is no database: {}", foreign.what);
    Finding { message, ..finding }
        .with("content", foreign.kind.as_str())
        .remedy(foreign.remedy.clone())
}

fn behind_other_bytes(finding: Finding, leading: LeadingBytes) -> Finding {
    let LeadingBytes { length, is_text } = leading;
    let what = if is_text { "text" } else { "other data" };
    let message = format!(
        "the database begins at byte {length}, behind {length} bytes of {what}, and nothing reads it from there"
    );
    let first = length.saturating_add(1);
    Finding { message, ..finding }
        .with("startsAt", length)
        .remedy(format!(
            "cut it free and verify that: tail -c +{first} FILE > NEW && etcd-cat verify NEW"
        ))
}

/// Length and digest.
pub(super) fn size_and_digest(sizes: &Sizes<'_>) -> Vec<Finding> {
    let size = sizes.hashed.size_bytes;
    let data = sizes.data_bytes.unwrap_or(u64::MAX);
    let mut found = Vec::new();
    // bbolt grows its file ahead. A snapshot padded to whole pages is another thing: its digest is there.
    let is_grown_raw_copy = size > data
        && size.is_multiple_of(u64::from(sizes.page_size))
        && !sizes.hashed.is_whole_before_trailing_data;
    if size < data {
        found.push(truncated(size, data));
    } else if size > data && size < data + TRAILER_BYTES {
        found.push(cut_trailer(size, data));
    } else if size != data && size != data.saturating_add(TRAILER_BYTES) && !is_grown_raw_copy {
        found.push(trailing_data(
            size,
            data,
            sizes.hashed.is_whole_before_trailing_data,
        ));
    }
    match sizes.hashed.trailer {
        Some(trailer) if trailer != sizes.hashed.computed => {
            found.push(digest_mismatch(sizes.hashed));
        }
        None if found.is_empty() => found.push(digest_missing(size)),
        _ => {}
    }
    found
}

fn truncated(size: u64, data: u64) -> Finding {
    let missing = data - size;
    let message = format!(
        "the file has {size} bytes, its meta page says {data} and a trailer of 32: {missing} bytes of data are missing"
    );
    Finding::new(Code::Truncated, message)
        .with("sizeBytes", size)
        .with("expectedBytes", data.saturating_add(TRAILER_BYTES))
}

fn cut_trailer(size: u64, data: u64) -> Finding {
    let message = format!(
        "the digest behind the data is cut off: {} of {TRAILER_BYTES} bytes are there",
        size - data
    );
    Finding::new(Code::Truncated, message)
        .with("sizeBytes", size)
        .with("expectedBytes", data + TRAILER_BYTES)
}

fn trailing_data(size: u64, data: u64, is_whole: bool) -> Finding {
    let whole = data + TRAILER_BYTES;
    let message = format!(
        "the file has {size} bytes, {} more than data and trailer",
        size - whole
    );
    let finding = Finding::new(Code::TrailingData, message)
        .with("sizeBytes", size)
        .with("expectedBytes", whole);
    if is_whole {
        finding.remedy(format!("the first {whole} bytes are a whole snapshot whose digest matches: copy them to a new file with `head -c {whole}` and verify that"))
    } else {
        finding
    }
}

fn digest_mismatch(hashed: &Hashed) -> Finding {
    let expected = hashed
        .trailer
        .map_or_else(String::new, |trailer| trailer.to_string());
    let message = format!(
        "SHA-256 of the data is {}, the trailer says {expected}",
        hashed.computed
    );
    Finding::new(Code::DigestMismatch, message)
        .with("computed", hashed.computed.to_string())
        .with("expected", expected)
}

fn digest_missing(size: u64) -> Finding {
    let message = "the file carries no digest: it is a raw copy of a database, not a snapshot made through the API";
    Finding::new(Code::DigestMissing, message).with("sizeBytes", size)
}

/// One of the two meta pages is invalid.
pub(super) fn meta(layout: &Layout) -> Option<Finding> {
    let (page, defect) = layout.other?;
    let message = format!("meta page {page} is invalid ({defect}); the other one carries the file");
    Some(Finding::new(Code::MetaInvalid, message).with("page", page.0))
}

/// Defects of the tree, each with its page, path and keys.
pub(super) fn tree(tree: &Tree<'_>) -> Vec<Finding> {
    let mut by_code: BTreeMap<Code, Vec<Finding>> = BTreeMap::new();
    for defect in &tree.defects {
        by_code
            .entry(tree_code(&defect.kind))
            .or_default()
            .push(tree_finding(defect));
    }
    let undescribed = tree.undescribed_defects;
    if let Some(first) = by_code.values_mut().next().filter(|_| undescribed > 0) {
        let more = format!("{undescribed} more defects of the tree are not listed");
        first.extend(first.first().cloned().map(|finding| Finding {
            message: more,
            ..finding
        }));
    }
    by_code
        .into_values()
        .flat_map(|findings| capped(findings.into_iter(), 0))
        .collect()
}

fn tree_code(kind: &TreeDefectKind) -> Code {
    match kind {
        TreeDefectKind::NotAscending | TreeDefectKind::BelowRange | TreeDefectKind::AboveRange => {
            Code::StructureOrder
        }
        TreeDefectKind::OutOfRange { .. }
        | TreeDefectKind::Twice
        | TreeDefectKind::TooDeep
        | TreeDefectKind::UsedAndFree => Code::StructureReference,
        TreeDefectKind::Freelist(_)
        | TreeDefectKind::FreelistId(_)
        | TreeDefectKind::Lost { .. } => Code::StructureFreelist,
        _ => Code::StructurePage,
    }
}

fn tree_finding(defect: &TreeDefect) -> Finding {
    let place = defect.bucket.as_ref().map_or_else(String::new, |name| {
        format!(" of bucket {}", name_text(name))
    });
    let message = format!("page {}{place}: {}", defect.page, defect.kind);
    let path: Vec<String> = defect.path.iter().map(ToString::to_string).collect();
    let mut finding = Finding::new(tree_code(&defect.kind), message)
        .with("page", defect.page.0)
        .with("path", path);
    if let Some(bucket) = &defect.bucket {
        finding = finding.with("bucket", name_text(bucket));
    }
    if let Some(from) = &defect.keys.0 {
        finding = finding.with("fromKey", key_text(from));
    }
    if let Some(to) = &defect.keys.1 {
        finding = finding.with("toKey", key_text(to));
    }
    finding
}

/// A revision where the key is one, else the first bytes with escapes.
fn key_text(key: &[u8]) -> String {
    RevisionKey::parse(key).map_or_else(|_| name_text(key), |key| key.revision.to_string())
}

/// Buckets that are not there.
pub(super) fn buckets(tree: &Tree<'_>) -> Vec<Finding> {
    if !tree.is_root_complete {
        return Vec::new();
    }
    let missing = NEEDED
        .iter()
        .filter(|name| tree.bucket(name.as_bytes()).is_none());
    missing
        .map(|name| {
            Finding::new(Code::BucketMissing, format!("bucket {name} is absent"))
                .with("bucket", *name)
        })
        .collect()
}

/// Entries of small buckets that are not what etcd writes there.
pub(super) fn small_buckets(defects: Vec<BucketDefect>) -> Vec<Finding> {
    let (undecodable, inconsistent): (Vec<_>, Vec<_>) = defects
        .into_iter()
        .partition(|defect| defect.kind.is_undecodable());
    let told = |code: Code, mut defects: Vec<BucketDefect>| {
        // The worst is never left out.
        defects.sort_by_key(|defect| defect.kind.harm() != Harm::Stops);
        let findings = defects
            .into_iter()
            .map(|defect| bucket_finding(code, &defect));
        capped(findings, 0)
    };
    let mut found = told(Code::RecordUndecodable, undecodable);
    found.extend(told(Code::RecordInconsistent, inconsistent));
    found
}

fn bucket_finding(code: Code, defect: &BucketDefect) -> Finding {
    let BucketDefect { bucket, key, kind } = defect;
    let key = match (*bucket, <[u8; 8]>::try_from(key.as_slice())) {
        ("lease", Ok(id)) => format!("{:016x}", u64::from_be_bytes(id)),
        _ => name_text(key),
    };
    let severity = match kind.harm() {
        Harm::Stops => Severity::Error,
        Harm::Misleads => Severity::Warning,
    };
    let finding = Finding::new(code, format!("bucket {bucket}, key {key}: {kind}"))
        .severity(severity)
        .with("bucket", *bucket)
        .with("key", key);
    match kind.harm() {
        Harm::Stops => finding,
        Harm::Misleads => finding.remedy(
            "a restore works; if there is another backup without this, prefer it: the bytes were damaged before they were saved",
        ),
    }
}

/// A compaction that lies ahead of every entry and is not finished.
pub(super) fn compaction_ahead(scheduled: i64, newest: i64) -> Finding {
    let message = format!(
        "compaction {scheduled} is scheduled, and the newest entry is at revision {newest}: etcd will go on at {scheduled}, and keep no history"
    );
    Finding::new(Code::RecordInconsistent, message)
        .severity(Severity::Warning)
        .with("bucket", "meta")
        .with("key", "scheduledCompactRev")
        .with("scheduled", scheduled)
        .with("newest", newest)
        .remedy("no key is lost by it: restore it if there is no other, and prefer another backup if there is one")
}

/// Live keys bound to leases that are not there: they never expire.
pub(super) fn keys_without_lease(keys: &[(Vec<u8>, i64)]) -> Vec<Finding> {
    let findings = keys.iter().map(|(key, lease)| {
        let (key, lease) = (storage_key_text(key), format!("{:016x}", lease.cast_unsigned()));
        let message = format!("key {key} hangs on lease {lease}, which bucket lease does not hold");
        Finding::new(Code::RecordInconsistent, message)
            .severity(Severity::Warning)
            .with("bucket", "lease")
            .with("key", key)
            .with("lease", lease)
            .remedy("a restore works, but etcd will never delete such a key: look at it afterwards, and prefer another backup if there is one")
    });
    capped(findings, 0)
}

/// Objects that an API server cannot decode, and such as are others than their keys say.
pub(super) fn objects(objects: &[DefectiveObject]) -> Vec<Finding> {
    let (mismatches, undecodable): (Vec<_>, Vec<_>) =
        objects.iter().partition(|object| object.is_mismatch);
    let of = |code, objects: Vec<&DefectiveObject>| {
        let findings = objects
            .into_iter()
            .map(|object| object_finding(code, object));
        capped(findings, 0)
    };
    let mut found = of(Code::ObjectUndecodable, undecodable);
    found.extend(of(Code::ObjectMismatch, mismatches));
    found
}

fn object_finding(code: Code, object: &DefectiveObject) -> Finding {
    let key = storage_key_text(&object.key);
    let message = match token_resource(&object.key) {
        // What is wrong may be told by names.
        Some(_) => format!("object {key}: it is malformed, or another than its key says"),
        None => format!("object {key}: {}", object.defect),
    };
    Finding::new(code, message)
        .with("key", key)
        .with("revision", object.main)
        .with("page", object.page.0)
}

/// A downgrade of etcd that was asked for and not done.
pub(super) fn downgrade(target: &str, version: Option<&str>) -> Finding {
    let from = version.map_or_else(String::new, |version| format!(" from {version}"));
    let message = format!("a downgrade of etcd{from} to {target} was enabled");
    Finding::new(Code::DowngradeInProgress, message).with("targetVersion", target)
}

/// A small bucket so large that its pages were not kept.
pub(super) fn unexamined_bucket(name: &[u8]) -> Finding {
    let name = name.escape_ascii().to_string();
    let message = format!("bucket {name} is larger than any that etcd writes and was not read");
    Finding::new(Code::StructurePage, message).with("bucket", name)
}

/// Alarms that stand, the worst first.
pub(super) fn alarms(alarms: &[Alarm]) -> Vec<Finding> {
    let (corrupt, others): (Vec<_>, Vec<_>) = alarms
        .iter()
        .partition(|alarm| alarm.kind == AlarmKind::Corrupt);
    let mut found = capped(corrupt.into_iter().map(alarm), 0);
    found.extend(capped(others.into_iter().map(alarm), 0));
    found
}

fn alarm(alarm: &Alarm) -> Finding {
    let (name, severity) = match alarm.kind {
        AlarmKind::NoSpace => ("NOSPACE".to_owned(), Severity::Warning),
        AlarmKind::Corrupt => ("CORRUPT".to_owned(), Severity::Error),
        AlarmKind::Other(number) => (format!("number {number}"), Severity::Warning),
    };
    let member = format!("{:016x}", alarm.member_id);
    let message = format!("alarm {name} was raised by member {member}");
    Finding::new(Code::AlarmRaised, message)
        .severity(severity)
        .with("alarm", name)
        .with("member", member)
}

/// Entries of bucket `key` that are wrong by themselves or do not fit together.
pub(super) fn records(
    replay: &Replay,
    defective: &[DefectiveEntry],
    foreign_pages: &[(Pgid, u16)],
) -> Vec<Finding> {
    let foreign = foreign_pages.iter().map(|(page, count)| {
        let message = format!("page {page} of bucket key: none of its {count} keys is a revision");
        Finding::new(Code::RecordUndecodable, message)
            .with("page", page.0)
            .with("bucket", "key")
    });
    let (undecodable, inconsistent): (Vec<_>, Vec<_>) = defective
        .iter()
        .partition(|entry| entry.defect.is_undecodable());
    let undecodable = foreign.chain(
        undecodable
            .into_iter()
            .map(|entry| entry_finding(Code::RecordUndecodable, entry)),
    );
    let (missing, contradicting): (Vec<_>, Vec<_>) = replay
        .defects
        .iter()
        .partition(|defect| defect.kind.is_loss());
    let inconsistent = inconsistent
        .into_iter()
        .map(|entry| entry_finding(Code::RecordInconsistent, entry));
    let contradicting = contradicting
        .into_iter()
        .map(|defect| record_finding(Code::RecordInconsistent, defect));
    let missing = missing
        .into_iter()
        .map(|defect| record_finding(Code::RecordMissing, defect));
    let untold = replay
        .defective_entries
        .saturating_sub(to_u64(defective.len()));
    let untold = (untold > 0).then(|| {
        let message = format!("{untold} more entries of bucket key cannot be read");
        Finding::new(Code::RecordUndecodable, message).with("bucket", "key")
    });
    let mut found = capped(undecodable, 0);
    found.extend(untold);
    found.extend(capped(
        inconsistent.chain(contradicting),
        replay.undescribed_contradictions,
    ));
    found.extend(capped(missing, replay.undescribed_losses));
    found
}

fn entry_finding(code: Code, entry: &DefectiveEntry) -> Finding {
    let revision = entry.revision.map_or_else(
        || "an entry".to_owned(),
        |revision| format!("revision {revision}"),
    );
    let message = format!(
        "{revision} on page {} (element {}): {}",
        entry.page, entry.index, entry.defect
    );
    let finding = Finding::new(code, message)
        .with("page", entry.page.0)
        .with("element", to_u64(entry.index));
    match entry.revision {
        Some(revision) => finding.with("revision", revision.to_string()),
        None => finding,
    }
}

fn record_finding(code: Code, defect: &RecordDefect) -> Finding {
    let RecordDefect {
        revision,
        page,
        kind,
    } = defect;
    Finding::new(code, format!("revision {revision} on page {page}: {kind}"))
        .with("revision", revision.to_string())
        .with("page", page.0)
}

/// The first findings of one code; the last of them counts those that are left out and those that nobody described.
fn capped(mut all: impl Iterator<Item = Finding>, undescribed: u64) -> Vec<Finding> {
    let mut findings: Vec<Finding> = all.by_ref().take(MAX_OF_ONE_CODE).collect();
    let more = to_u64(all.count()) + undescribed;
    if let Some(last) = findings.last_mut().filter(|_| more > 0) {
        last.message = format!("{} (and {more} more of this kind)", last.message);
        last.evidence.insert("more".to_owned(), more.into());
    }
    findings
}
