//! What each reason against a backup means that is no finding.

use crate::explain::AdviceStep::{Do, Run};
use crate::explain::Explanation;

/// Codes of reasons that are no findings, with what they mean.
pub const REASONS: [(&str, Explanation); 3] = [
    ("other-version", OTHER_VERSION),
    ("too-old", TOO_OLD),
    ("not-verified", NOT_VERIFIED),
];

const OTHER_VERSION: Explanation = Explanation {
    title: "The backup was taken from another OpenShift version than the one to restore",
    meaning: "A cluster is restored only from a backup of exactly the version it runs: 4.17.3 is neither 4.17.30 nor \
              4.17.3-rc.1. A backup of another version brings back objects that the installed operators do not fit.",
    steps: &[
        Do("See which versions there are backups of."),
        Run("etcd-cat list"),
        Do("Make sure which version the cluster runs; while it still answers it can be asked."),
        Run("etcd-cat check --from-cluster"),
    ],
};

const TOO_OLD: Explanation = Explanation {
    title: "The backup is older than was asked for, or of unknown age",
    meaning: "It was left out for --since or --max-age. Everything that changed in the cluster after it was taken would be \
              lost by a restore.",
    steps: &[
        Do("Ask without the limit, if an older state is better than none."),
        Run("etcd-cat check --valid-for VERSION"),
    ],
};

const NOT_VERIFIED: Explanation = Explanation {
    title: "Its bytes have not been proven, or were written since",
    meaning: "What the catalogue knows of the backup is not enough to promise a restore: a file was rewritten after it was \
              verified, or was never read to its end.",
    steps: &[Do("Read it again."), Run("etcd-cat verify BACKUP")],
};
