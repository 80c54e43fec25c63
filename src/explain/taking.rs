//! Findings about how a backup was taken.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const PROVENANCE_MISMATCH: Explanation = Explanation {
    title: "The bytes are not what the host or the cluster said when the backup was taken",
    meaning: "When etcd-cat backup takes a backup, it holds what was read here against what cluster-backup.sh \
              printed on the host (hash, revision, totalKey, totalSize) and against the version and id of the \
              cluster before and after. They disagree, although the SHA-256 of the file is the same on both sides. \
              Either an upgrade began while the script ran, or the file changed on the host after the script \
              had looked at it, or another cluster answered half way.",
    steps: &[
        Do("See which field differs, and whether an upgrade has begun."),
        Run("oc get clusterversion; oc get clusteroperators"),
        Do("Take a new backup. If it disagrees again, take one from another host."),
        Run("etcd-cat backup --node NODE --to DIRECTORY"),
        Do("Remove the files that were put aside once a valid backup exists."),
    ],
};

pub(super) const PUT_ASIDE: Explanation = Explanation {
    title: "The file is called .failed-verification: it was put aside when it was taken",
    meaning: "etcd-cat backup verifies what it brings here and renames what it cannot believe, so that \
              neither cluster-restore.sh nor the catalogue takes it for a backup. Such files are passed over \
              unless they are named on the command line. The bytes may look sound: what was wrong may be that \
              the host or the cluster described something else.",
    steps: &[
        Do("Look at the other findings; the run that took it told them too."),
        Run("etcd-cat verify FILE"),
        Do("Take a new backup and remove the file."),
        Run("etcd-cat backup --to DIRECTORY; rm FILE"),
    ],
};
