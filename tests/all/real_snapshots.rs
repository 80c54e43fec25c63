//! Snapshots that real servers wrote, and that nothing may accuse: `testdata/real`.

use crate::objects::real::unpacked;
use crate::support::samples::files_ending;
use crate::support::{codes, read, told};

/// What is true of two of them.
const TRUE: [(&str, &str); 2] = [
    ("real/etcd/downgrade-37/", "downgrade-in-progress"),
    ("real/etcd/nospace-37/", "alarm-raised"),
];

#[test]
fn nothing_untrue_is_told_of_a_real_snapshot() {
    let mut paths = files_ending(".db.xz");
    paths.retain(|path| path.starts_with("real/"));
    assert!(paths.len() >= 26, "{} real snapshots", paths.len());
    for path in paths {
        let reading = read(&unpacked(path.trim_start_matches("real/")));
        let is_true = TRUE.iter().filter(|(of, _)| path.starts_with(of));
        let expected: Vec<&str> = is_true.map(|(_, code)| *code).collect();
        assert_eq!(codes(&reading), expected, "{path}:{}", told(&reading));
        let status = reading.snapshot.status;
        assert!(status.hash.is_some() && status.revision.is_some(), "{path}");
    }
}
