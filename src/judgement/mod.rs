//! Facts become findings, findings a verdict: one small function for each check.
//!
//! Nothing here reads a file or a clock: the instant of judgement is part of the [`Standpoint`].

mod arrival;
mod catalogue;
mod certificate_role;
mod certificates;
mod divergence;
mod encryption;
mod encryption_summary;
mod ends;
mod host;
mod judge;
mod key_problem;
mod kind;
mod kuberesources;
mod location;
mod names;
mod notes;
mod pair;
mod raw_copy;
mod restore_choice;
mod rollout;
mod rotation;
mod rules;
mod succession;
mod text;
mod time;
mod trend;
mod upgrade;
mod verdict;
mod version;

pub use certificates::Calendar;
pub use encryption_summary::{EncryptionProof, EncryptionSummary};
pub use ends::{CertificateEnd, certificate_ends};
pub use judge::Standpoint;
pub use judge::judge;
pub use restore_choice::{ChoiceOutcome, RestoreChoice, restore_choices};
pub use rules::RULES;
pub(crate) use succession::Successions;
pub(crate) use verdict::add_findings;
pub use verdict::verdict;
pub(crate) use verdict::{errors, verdict_of, verdict_when_rewritten};

#[cfg(test)]
mod tests;
