//! Objects as the API server gives them, out of the bytes that it stored.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails is to stop where it fails"
)]

pub(crate) mod equal;
mod hostile;
pub(crate) mod real;
mod schema;
pub(crate) mod types;
