//! What the integration tests share: the samples, a small trusting bbolt reader and writer, made-up records, chance.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails is to stop where it fails"
)]

pub(crate) mod bolt;
#[cfg(feature = "object-stores")]
pub(crate) mod bucket_server;
pub(crate) mod dice;
pub(crate) mod records;
pub(crate) mod samples;
#[cfg(feature = "object-stores")]
pub(crate) mod servers;
#[cfg(feature = "object-stores")]
pub(crate) mod tls;
pub(crate) mod write;

use etcd_cat::finding::{Code, Finding, Severity};
use etcd_cat::monitor::Silent;
use etcd_cat::snapshot::{self, HashOn, SnapshotReading};

/// Reads a snapshot out of memory.
pub(crate) fn read(mut bytes: &[u8]) -> SnapshotReading {
    snapshot::read(&mut bytes, HashOn::SameThread, &Silent).expect("memory can be read")
}

/// Codes of all findings, each once, in the order of the contract.
pub(crate) fn codes(reading: &SnapshotReading) -> Vec<&'static str> {
    let mut codes: Vec<Code> = reading
        .snapshot
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect();
    codes.sort();
    codes.dedup();
    codes.into_iter().map(Code::as_str).collect()
}

/// How bad the worst finding is.
pub(crate) fn worst(reading: &SnapshotReading) -> Option<Severity> {
    let findings = reading.snapshot.findings.iter();
    findings.map(|finding| finding.severity).max()
}

/// The findings with this code.
pub(crate) fn findings_of<'r>(reading: &'r SnapshotReading, code: &str) -> Vec<&'r Finding> {
    let findings = reading.snapshot.findings.iter();
    findings
        .filter(|finding| finding.code.as_str() == code)
        .collect()
}

/// One line for each finding, for messages of assertions.
pub(crate) fn told(reading: &SnapshotReading) -> String {
    let lines = reading.snapshot.findings.iter();
    lines
        .map(|finding| format!("\n  {}: {}", finding.code.as_str(), finding.message))
        .collect()
}
