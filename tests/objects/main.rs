//! Objects as the API server gives them, out of the bytes that it stored.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    reason = "a test that fails is to stop where it fails"
)]

mod clusters;
mod equal;
mod hostile;
mod real;
mod schema;
mod types;

#[expect(dead_code, reason = "each test uses its own part")]
#[path = "../support/mod.rs"]
mod support;
