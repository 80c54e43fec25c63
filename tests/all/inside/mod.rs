//! Looking inside backups: `ls`, `get`, `history` and `diff`, held to what the API servers themselves said.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails is to stop where it fails"
)]

mod answers;
mod bundles;
mod clusters;
mod diff;
mod hostile;
mod live;
mod made;
mod oracle;
mod secrets;
mod types;
