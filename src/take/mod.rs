//! A whole backup run: is one due, what would be done, do it, believe it only when it is verified, remember it.
//!
//! [`take`] does all of it. What needs the cluster is done by [`oc`](crate::oc); here stands what is ours: the usable
//! backups that make a new one needless, the verification of the two files that were brought here, what the script
//! and the cluster said held against what the bytes say, the way to a bucket (`deliver`), and what the catalogue keeps of it.

mod cross_check;
mod deliver;
mod destination;
mod due;
mod examine;
mod hand_over;
mod left_here;
mod remember;
mod report;
mod run;
mod work_directory;

pub use cross_check::Mismatch;
pub use cross_check::{LearntFacts, cross_check};
pub use destination::{BadDestination, Delivered, Delivery, Destination};
pub use due::DueOptions;
pub use report::{TakeOutcome, TakeReport};
pub use run::{TakeError, TakeOptions, take};
