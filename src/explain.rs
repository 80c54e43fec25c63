//! What each finding means and what to do about it, in the words of the person who must act.

use crate::finding::Code;

/// The one-sentence remedy of a finding.
pub fn remedy(_code: Code) -> &'static str {
    ""
}
