//! The way through a restore: what to know first, and what to type, for exactly this release and topology.
//!
//! Follows the documented procedure of the release and what its scripts do. Nothing here is run.

mod aftermath;
mod backup;
mod input;
mod make;
mod script;
mod steps;
mod warnings;

pub use input::{Encryption, Plan, Step};
pub use make::plan;
pub use script::Script;

#[cfg(test)]
mod tests;
