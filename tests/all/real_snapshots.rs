//! Snapshots that real servers wrote, and that nothing may accuse: `testdata/real`.

use crate::objects::real::unpacked;
use crate::support::samples::files_ending;
use crate::support::{codes, read, told};

/// What is true of some of them.
const TRUE_OF_SOME: [&str; 2] = ["alarm-raised", "downgrade-in-progress"];

#[test]
fn nothing_untrue_is_told_of_a_real_snapshot() {
    let mut paths = files_ending(".db.xz");
    paths.retain(|path| path.starts_with("real/"));
    assert!(paths.len() >= 26, "{} real snapshots", paths.len());
    for path in paths {
        let reading = read(&unpacked(path.trim_start_matches("real/")));
        let mut codes = codes(&reading);
        codes.retain(|code| !TRUE_OF_SOME.contains(code));
        assert!(codes.is_empty(), "{path}:{}", told(&reading));
        let status = reading.snapshot.status;
        assert!(status.hash.is_some() && status.revision.is_some(), "{path}");
    }
}
