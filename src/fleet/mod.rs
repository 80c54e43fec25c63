//! One proof by many workers: `plan` says who reads what, `work` reads its share, `merge` remembers it in one catalogue.
//!
//! A run lies in a directory of its own, on a disk or in a bucket, and no file in it is ever written twice:
//!
//! ```text
//! RESULTS/RUN/plan.jsonl                         what is to be read, by whom, and what it looked like
//! RESULTS/RUN/shards/INDEX/TIME-DIGEST.fragment  what a worker has learnt since its last fragment
//! RESULTS/RUN/shards/INDEX/done.json             written last: all of the share is in the fragments
//! ```
//!
//! The same bytes give the same records, so it does no harm when a share is worked on twice, by two workers at once, or
//! again after one was killed: what lies in whole fragments is not read again, and merging takes the newest of each object.

mod balance;
mod due;
mod error;
mod fragment;
mod merge;
mod plan;
mod plan_text;
mod planning;
mod results;
mod work;

pub use due::Budget;
pub use error::{FleetError, FleetErrorClass};
pub use merge::{Merged, merge, not_done, shards};
pub use plan::{LeftOut, Plan, PlanHead, PlannedGroup, PlannedObject};
pub use planning::{PlanOptions, plan};
pub use results::FleetRun;
pub use work::{Done, WorkOptions, work};
