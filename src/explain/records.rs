//! Findings about what etcd keeps in the database.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const BUCKET_MISSING: Explanation = Explanation {
    title: "A bucket that etcd needs is absent",
    meaning: "etcd keeps its data in fixed buckets, such as `key`, `meta` and `members`. One of them is not in \
              this database, so etcd cannot start from it, or starts with nothing. The file is a bbolt database \
              of another program, of an etcd that never served, or a damaged one.",
    steps: &[
        Do("Check that this is the file you meant; other programs use bbolt as well."),
        Run("etcd-cat show BACKUP"),
        Do("Choose another backup."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const RECORD_UNDECODABLE: Explanation = Explanation {
    title: "An entry cannot be read as an etcd record",
    meaning: "Every entry of bucket `key` is a revision followed by a KeyValue message. The named one is not, so \
              etcd stops with a panic when it builds its index after the restore. With a digest that does not \
              match it is damage to the file; with one that matches, the member's own data was already damaged.",
    steps: &[
        Do("Choose another backup; this one cannot be repaired."),
        Run("etcd-cat list --valid-for VERSION"),
        Do("If the digest matches, take the next backup from another member and replace this one."),
        Run("etcd-cat backup --node OTHER_NODE --to DIRECTORY"),
    ],
};

pub(super) const RECORD_INCONSISTENT: Explanation = Explanation {
    title: "Records contradict each other",
    meaning: "etcd writes revisions, versions and creation revisions that depend on each other, and here they do \
              not fit: a record says a revision other than the one it is stored under, or a version that its \
              own history rules out. A restored cluster would serve wrong or stale objects, which controllers \
              then act on. It is a trace of damage, of hand-made changes, or of an etcd data corruption bug.",
    steps: &[
        Do("Choose another backup, if possible from another member."),
        Run("etcd-cat list --valid-for VERSION -o wide"),
        Do("If the cluster still lives, compare its members; they may have diverged."),
        Run(
            "oc -n openshift-etcd exec POD -c etcdctl -- etcdctl endpoint hashkv --cluster -w table",
        ),
    ],
};

pub(super) const RECORD_MISSING: Explanation = Explanation {
    title: "Records are gone that must have been there",
    meaning: "Between the last compaction and the newest revision etcd keeps every change, without gaps, and \
              this snapshot has a gap. The structure is sound, so the restore would work, and the restored \
              cluster would silently lack objects or show old states of them. It happens when pages were lost \
              and the tree was rebuilt without them, or when two files were mixed.",
    steps: &[
        Do("Choose another backup; what is missing cannot be known from this one."),
        Run("etcd-cat list --valid-for VERSION"),
        Do("Take a new one from another member if the cluster still lives."),
        Run("etcd-cat backup --node OTHER_NODE --to DIRECTORY"),
    ],
};

pub(super) const OBJECT_UNDECODABLE: Explanation = Explanation {
    title: "An object is stored that no API server can decode",
    meaning: "etcd keeps whatever was put, so a restore brings this object back as it is: JSON or protobuf that does \
              not parse, zeros in place of what a disk lost, or no encoding at all. The API server then fails to read it, and with it every list of its \
              kind, so that controllers of that kind stand still until the key is removed. It is damage that \
              happened before the snapshot was saved, a value written by hand, or a trace of a lost encryption key.",
    steps: &[
        Do("Look for a backup without it, from before the damage or from another member."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "While the cluster lives, ask it for the object: what fails there fails after a restore, too.",
        ),
        Do(
            "If this backup has to be restored, delete the key in etcd afterwards and create the object anew.",
        ),
        Run("oc -n openshift-etcd rsh POD etcdctl del KEY"),
    ],
};

pub(super) const OBJECT_MISMATCH: Explanation = Explanation {
    title: "An object is not the one that its key says",
    meaning: "API servers store each object under a key made of its resource, namespace and name, and here the object \
              itself says something else. After a restore it would be served under a name that is not its own, or \
              as a kind that it is not, and clients act on the wrong object or fail. It is a value that was damaged or \
              exchanged before the snapshot was saved, or one that was written by hand.",
    steps: &[
        Do("Prefer a backup without it, if possible from another member."),
        Run("etcd-cat list --valid-for VERSION"),
        Do("After restoring this one, look at the object under its key and put it right."),
        Run("oc -n openshift-etcd rsh POD etcdctl get KEY --print-value-only"),
    ],
};

pub(super) const ALARM_RAISED: Explanation = Explanation {
    title: "An etcd alarm is stored in the snapshot",
    meaning: "Alarms live in the database and come back with it. NOSPACE means that the database had reached its \
              quota: the restored etcd refuses writes until it is compacted, defragmented and the alarm is \
              disarmed, and the cluster looks dead until then. CORRUPT (then an error) means that etcd itself \
              had found its members to differ, so this snapshot may be the wrong one of them.",
    steps: &[
        Do("For NOSPACE: restore, then make room and disarm."),
        Run("oc -n openshift-etcd exec POD -c etcdctl -- etcdctl defrag --cluster"),
        Run("oc -n openshift-etcd exec POD -c etcdctl -- etcdctl alarm disarm"),
        Do("For CORRUPT: use a backup from before the alarm, or of a member known to be right."),
        Run("etcd-cat list --valid-for VERSION -o wide"),
    ],
};

pub(super) const SNAPSHOT_EMPTY: Explanation = Explanation {
    title: "The database holds no key at all",
    meaning: "The file is a sound snapshot of an etcd in which nothing lives: no object, no version, no cluster. A \
              restore works and brings up an empty cluster, which is worse than none. It is what an etcd saves that \
              came up with an empty data directory, after its disk was replaced or its path was wrong, or a new one \
              that was never used.",
    steps: &[
        Do("Choose another backup."),
        Run("etcd-cat list"),
        Do("See whether the member that it came from has its data."),
        Run(
            "oc -n openshift-etcd exec POD -c etcdctl -- etcdctl endpoint status --cluster -w table",
        ),
        Do("Find out since when the job saves nothing, and take a new backup from a sound member."),
        Run("etcd-cat backup --node NODE --to DIRECTORY"),
    ],
};
