//! The pre-restore check and staging as a person runs them, on backups made from real ones.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    reason = "a test that fails is to stop where it fails"
)]

mod accept;
mod certificates;
mod choice;
mod keys;
mod pairs;
mod stage;
mod tools;
mod tree;
mod trend;

use tree::Tree;
