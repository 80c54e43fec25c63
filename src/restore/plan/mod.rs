//! The way through a restore: what to know first, and what to type, for exactly this release and topology.
//!
//! Follows the documented procedure of the release and what its scripts do. Nothing here is run.

mod aftermath;
mod backup;
mod hosts;
mod input;
mod make;
mod rebuild;
mod script;
mod steps;
mod warnings;

pub use hosts::{Disaster, HostError, Hosts};
pub use input::{Encryption, Plan, PlanRequest, StageCall, Step};
pub use script::Script;

#[cfg(test)]
mod tests;
