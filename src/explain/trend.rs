//! Findings that compare a backup with the one before it.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const REVISION_WENT_BACK: Explanation = Explanation {
    title: "The revision is lower than in an earlier backup of the same cluster",
    meaning: "etcd's revision only ever grows while a cluster lives. A newer backup with a lower revision means \
              that the cluster was itself restored in between, or that this snapshot comes from a member that \
              had fallen behind. In the first case everything is fine and older backups are of a past that was \
              given up; in the second one this snapshot lacks the newest changes.",
    steps: &[
        Do("Was the cluster restored between the two backups? Then nothing needs to be done."),
        Run("etcd-cat list --cluster CLUSTER -o wide"),
        Do("Otherwise compare the members, and take a new backup from one that is up to date."),
        Run(
            "oc -n openshift-etcd exec POD -c etcdctl -- etcdctl endpoint status --cluster -w table",
        ),
    ],
};

pub(super) const SIZE_FELL: Explanation = Explanation {
    title: "Much smaller than the backup before it",
    meaning: "The database, or the number of its live keys, is far below that of the previous backup of this \
              cluster. Defragmentation shrinks the file and leaves the keys, which is harmless. Far fewer keys \
              mean that a great many objects were deleted, on purpose or not, or that this member lost data. \
              Restoring the newest backup would then restore the loss.",
    steps: &[
        Do("Compare keys and sizes over time."),
        Run("etcd-cat list --cluster CLUSTER -o wide"),
        Do(
            "If the keys fell and nobody deleted anything, keep the backup before it safe from your retention.",
        ),
        Do("Check the members of the live cluster."),
        Run(
            "oc -n openshift-etcd exec POD -c etcdctl -- etcdctl endpoint status --cluster -w table",
        ),
    ],
};

pub(super) const MEMBERS_CHANGED: Explanation = Explanation {
    title: "The etcd members are not those of the backup before it",
    meaning: "A member was added, removed or replaced since the previous backup. A restore makes a new cluster of \
              one member anyway and the others join again, so the data is not affected. It matters for the \
              surroundings: Node and Machine objects in an older backup may name hosts that no longer exist.",
    steps: &[
        Do("If a control-plane host was replaced, prefer backups from after that."),
        Run("etcd-cat show BACKUP"),
        Do("After restoring an older one, remove Node and Machine objects of hosts that are gone."),
        Run("oc get nodes,machines -A -o wide"),
    ],
};

pub(super) const MEMBERS_DIVERGE: Explanation = Explanation {
    title: "Another member's snapshot of the same revision holds something else",
    meaning: "Members of one etcd hold the same keys and values at the same revision; their files may differ in all else \
              (compaction, consistent index, free pages). Here two snapshots of one cluster and one revision differ in \
              what lives, so one member had gone wrong before the backup was taken, and nothing in the files says \
              which. A restore works and brings back what its member held. Versions of etcd before 3.5.3 could do \
              this after a crash.",
    steps: &[
        Do("Ask the live members, if they still run, for the hash of their keys at one revision."),
        Run(
            "oc -n openshift-etcd exec POD -c etcdctl -- etcdctl endpoint hashkv --cluster -w table",
        ),
        Do(
            "Prefer a backup of a member that agrees with most others, or one from before they differed.",
        ),
        Run("etcd-cat list --all -o wide"),
    ],
};
