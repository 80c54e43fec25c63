//! Snapshots of objects that no API server wrote.

use crate::cli::environment::TestEnv;
use crate::support::records::{Put, around, key_value, revision};
use crate::support::write::{Form, database};

/// Revision of the first object; each next one has the next.
pub(crate) const FIRST: i64 = 2;

/// Puts a sealed snapshot of these keys and values, in this order, into the place; a key that comes again is changed.
pub(crate) fn put(env: &TestEnv, name: &str, objects: &[(String, Vec<u8>)]) -> String {
    let mut entries = Vec::new();
    for ((key, value), modified) in objects.iter().zip(FIRST..) {
        let before = objects.iter().zip(FIRST..modified);
        let earlier: Vec<i64> = before
            .filter(|((other, _), _)| other == key)
            .map(|(_, revision)| revision)
            .collect();
        let put = Put {
            key,
            create: earlier.first().copied().unwrap_or(modified),
            modified,
            version: i64::try_from(earlier.len()).expect("few") + 1,
        };
        entries.push((revision(modified, 0, false), key_value(put, value)));
    }
    let file = database(&around(entries), Form::default()).sealed();
    let path = env.put(&format!("{name}/snapshot_2026-11-28_060000.db"), file);
    path.to_str().expect("plain").to_owned()
}
