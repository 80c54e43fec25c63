//! Numbers and verdicts as the parts of the page tell them.

use crate::output::units::count;
use etcd_cat::backup::{Backup, Verdict};

/// How many have which verdict.
pub(super) fn counted(backups: &[Backup]) -> String {
    let all = count(to_u64(backups.len()), "backup");
    let of = |verdict: Verdict| backups.iter().filter(|one| one.verdict == verdict).count();
    let verdicts = VERDICTS.into_iter().filter(|verdict| of(*verdict) > 0);
    let parts: Vec<String> = verdicts
        .map(|verdict| format!("{} {}", of(verdict), verdict.as_str()))
        .collect();
    match parts.as_slice() {
        [] => all,
        parts => format!("{all}, {}", parts.join(", ")),
    }
}

/// In the order of the contract.
pub(super) const VERDICTS: [Verdict; 4] = [
    Verdict::Valid,
    Verdict::Warning,
    Verdict::Invalid,
    Verdict::Unknown,
];

/// A number of things.
pub(super) fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
