//! Which kuberesources belongs to which snapshot, and what speaks for it.
//!
//! Names lead (one run of `cluster-backup.sh` gives both files one stamp), contents decide: two halves that
//! contradict each other are joined only when nobody else wants either, and then as a mismatch.
//! Work grows with n log n: halves are found through indexes by stamp, cluster and directory, never all against all.

mod assign;
mod cluster;
mod compare;
mod evidence;
mod fact;
mod field;
mod index_lists;
mod lonely;
mod lookup;
mod pair;
mod rank;
mod rows;
mod stamp;
mod substitute;

pub use assign::Paired;
pub(crate) use compare::{Contradiction, contradictions};
pub(crate) use evidence::basis;
pub use evidence::evidence;
pub(crate) use field::candidates;
pub use pair::pair;
pub(crate) use stamp::stamp_of;
pub(crate) use substitute::{Substitutes, substitutes};

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
