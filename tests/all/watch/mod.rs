//! What is there to be watched: metrics, the lines of Nagios, the manifests and rules around them.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails is to stop where it fails, and one that is skipped to say so"
)]

mod deploy;
mod metrics;
mod nagios;
mod promtool;
mod report;
mod rights;
mod schema;
