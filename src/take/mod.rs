//! A whole backup run: is one due, what would be done, do it, believe it only when it is verified, remember it.

mod cross_check;
mod due;

pub use cross_check::{LearntFacts, Mismatch, cross_check};
pub use due::{Due, DueOptions, KnownBackup, is_due};
