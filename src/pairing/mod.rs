//! Which kuberesources belongs to which snapshot, and what speaks for it.
//!
//! Names lead (one run of `cluster-backup.sh` gives both files one stamp), contents decide: two halves that
//! contradict each other are joined only when nobody else wants either, and then as a mismatch.
//! Work grows with n log n: halves are found through indexes by stamp, cluster and directory, never all against all.

mod assign;
mod compare;
mod evidence;
mod fact;
mod lookup;
mod rank;
mod stamp;
mod substitute;

pub(crate) use assign::candidates;
pub use assign::{Paired, pair};
pub(crate) use compare::{Contradiction, contradictions};
pub use evidence::pairing;
pub(crate) use stamp::stamp_of;
pub(crate) use substitute::{Substitutes, substitutes};

#[cfg(test)]
mod tests;
