//! Findings about the kuberesources and about which two files belong together.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const KUBERESOURCES_MISSING: Explanation = Explanation {
    title: "There is no kuberesources for this snapshot",
    meaning: "cluster-restore.sh needs both files: the snapshot and the static_kuberesources archive of the same \
              moment. It does not check for the archive before it begins; it fails at unpacking it, after etcd \
              was stopped and its data moved away. With encryption at rest the keys are in that archive, and \
              without them the Secrets in the snapshot cannot be read by anybody. A file of the same stamp that is \
              encrypted, split or packed in a way that is not read is named: it may be the archive.",
    steps: &[
        Do(
            "Look for the archive of the same time stamp on the node, in the other bucket, or in the other directory of your backup job, and index that place too.",
        ),
        Run("etcd-cat index DIRECTORY"),
        Do("Choose a complete backup."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "If only this one is left and nothing is encrypted, restore the snapshot alone: cluster-restore.sh of 4.18 and later does without the archive when ETCD_ETCDCTL_RESTORE is set, and deletes all of /var/lib/etcd first.",
        ),
    ],
};

pub(super) const KUBERESOURCES_NOT_USED: Explanation = Explanation {
    title: "This kind of cluster has no kuberesources, by design",
    meaning: "Hosted control planes, two-node clusters with fencing, MicroShift, OpenShift 3 and plain Kubernetes are \
              restored by procedures of their own, and their backup makes no archive. So none is missing. For a hosted \
              control plane with encryption the keys are Secrets in the management cluster, or in a KMS.",
    steps: &[
        Do("For MicroShift, give its own command the name of the backup, which is a directory."),
        Run("microshift restore /var/lib/microshift-backups/NAME"),
        Do("Use the restore procedure of that kind of cluster, not cluster-restore.sh."),
        Do(
            "For a hosted control plane, make sure that the management cluster is backed up as well.",
        ),
    ],
};

pub(super) const SNAPSHOT_MISSING: Explanation = Explanation {
    title: "A kuberesources without its snapshot",
    meaning: "The static_kuberesources archive is there and the snapshot of the same moment is not. By itself it \
              restores nothing: the cluster's state is in the snapshot. The snapshot failed after the archive \
              was written, was moved elsewhere, or has been deleted by a clean-up that looks at single files. \
              Keep the archive while a snapshot may still turn up: it may hold that snapshot's only keys. A file of \
              the same stamp that is encrypted, split or packed in a way that is not read is named: it may be the snapshot.",
    steps: &[
        Do("Look for the snapshot of the same time stamp and index that place too."),
        Run("etcd-cat index DIRECTORY"),
        Do(
            "A file ending in .db.part beside it says that the save was interrupted; take a new backup.",
        ),
        Run("etcd-cat backup --to DIRECTORY"),
    ],
};

pub(super) const STILL_ARRIVING: Explanation = Explanation {
    title: "One half came just now, the other one may be on its way",
    meaning: "Most backup jobs upload one file after the other, and this one was looked at in between: a half lies alone in \
              a bucket, and by the clock of that store it came less than 15 minutes ago. Nothing is said to be missing \
              yet, and nothing is said to be usable: the backup is unknown until the other half is there. After the 15 \
              minutes a half that is still alone is kuberesources-missing or snapshot-missing, in lists without another \
              run. A file on a disk has no such grace: its time was set by whoever copied it, and says nothing of when it came.",
    steps: &[
        Do("Wait until the time that the finding names, and look again."),
        Run("etcd-cat index s3://BUCKET/PREFIX"),
        Do(
            "If it comes back in every run, have the job upload both files at once, or index later.",
        ),
    ],
};

pub(super) const KUBERESOURCES_CORRUPT: Explanation = Explanation {
    title: "The kuberesources archive is damaged",
    meaning: "The archive does not unpack completely: the gzip checksum or length is wrong, the tar is broken, \
              the end is missing, or something follows it. cluster-restore.sh unpacks it after etcd was \
              stopped, so it would fail at the worst moment. A copy was cut off or damaged, or an upload \
              changed the bytes.",
    steps: &[
        Do("Copy it again from its origin and prove it."),
        Run("etcd-cat verify FILE"),
        Do("Check the original, if it still exists."),
        Run("gzip -t FILE && tar -tzf FILE > /dev/null && echo good"),
        Do("Choose another backup of the same version if there is none."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const KUBERESOURCES_UNSAFE: Explanation = Explanation {
    title: "The archive holds something that no real one does",
    meaning: "A kuberesources archive holds plain files below static-pod-resources and nothing else. This one \
              has a member that would be written outside of that place, a link or a device, or more members or \
              bytes than any real one. cluster-restore.sh unpacks it as root over /etc/kubernetes, so whoever \
              made it could replace any file there. Treat it as tampered with until you know better.",
    steps: &[
        Do("Do not unpack it as root. List what is in it."),
        Run("tar -tvzf FILE | less"),
        Do("Find out where it came from and who could write there; compare with the original."),
        Do("Choose another backup."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const KUBERESOURCES_INCOMPLETE: Explanation = Explanation {
    title: "A part of the kuberesources archive is absent",
    meaning: "A real archive has one directory for each of etcd, kube-apiserver, kube-controller-manager and \
              kube-scheduler, each with its pod manifest. One is absent here. Up to 4.17 cluster-restore.sh \
              puts these manifests back and stops with `does not exist in` when one is missing, after the \
              control plane was stopped. Archives of 4.3 have the kube-apiserver only.",
    steps: &[
        Do("Choose a complete backup of the same version."),
        Run("etcd-cat list --valid-for VERSION"),
        Do("See what is in this one."),
        Run("tar -tzf FILE | cut -d/ -f1-2 | sort -u"),
    ],
};

pub(super) const PAIR_MISMATCH: Explanation = Explanation {
    title: "The snapshot and the kuberesources do not belong together",
    meaning: "Their contents prove it: they name different clusters, or static pod revisions that cannot have \
              been there at one moment. Restored together, the control plane starts with manifests, \
              certificates and keys that its own data does not know. It happens when files of several backups \
              were gathered in one directory, or renamed; cluster-restore.sh itself never looks whether the two \
              it takes belong together.",
    steps: &[
        Do("Look at the evidence, and for the right partner of each half."),
        Run("etcd-cat show BACKUP"),
        Run("etcd-cat list --all -o wide"),
        Do("Index every place where the right partner may lie."),
        Run("etcd-cat index DIRECTORY"),
    ],
};

pub(super) const PAIR_AMBIGUOUS: Explanation = Explanation {
    title: "More than one kuberesources could belong to this snapshot",
    meaning: "Several archives fit the snapshot's cluster and revisions, and content alone does not decide \
              between them. etcd-cat has chosen one and names its reason; any of them would normally do, as they \
              carry the same revisions. It is the rule when every control-plane host takes its own backup, or \
              when several were taken while nothing was rolled out.",
    steps: &[
        Do("Check that the chosen archive is of the node you will restore on."),
        Run("etcd-cat show BACKUP"),
        Do("Stage exactly that pair."),
        Run("etcd-cat stage BACKUP --to DIRECTORY"),
    ],
};

pub(super) const DUPLICATE_HOST: Explanation = Explanation {
    title: "Another host's backup of the same cluster was taken within 10 minutes",
    meaning: "A backup is to be taken on one control-plane host only; here several hosts took one at nearly the \
              same moment. Each is a backup of its own, with its own member's data and its own node's files. \
              Together they cost space and invite mixing the halves of two of them. A cron job installed on \
              all control-plane hosts does this.",
    steps: &[
        Do("Keep one of them, preferably a valid one of the node you would restore on."),
        Run("etcd-cat list -o wide"),
        Do("Change the job so that it runs on one host at a time."),
        Run("etcd-cat backup --node NODE --to DIRECTORY"),
    ],
};

pub(super) const COMPLETION_MARK_MISSING: Explanation = Explanation {
    title: "A run without the mark of completion that another one beside it has",
    meaning: "Some jobs give each run a directory and write an empty file COMPLETE into it when all else is there; who prunes \
              removes that file first. A run without it, where another run beside it has one, may still be written or be on \
              its way out. That is information and no fault: what lies there was read and judged as it is.",
    steps: &[
        Do("Look again when the job is done."),
        Run("etcd-cat index LOCATION"),
        Do("If the job ended long ago, look into its log: it did not get to its end."),
    ],
};

pub(super) const RESTORE_PICKS_OTHER: Explanation = Explanation {
    title: "In this directory cluster-restore.sh would take other files",
    meaning: "The script takes the last snapshot*.db and, on its own, the last static_kuberesources*.tar.gz by \
              name, and never checks that they are a pair. In this directory its choice is not this backup. That is \
              no fault of the backup, and is told as information; it is a warning where the script would join halves \
              of two backups, or take one that does not restore. It comes from keeping several backups, or a stray \
              copy, in one directory.",
    steps: &[
        Do("Stage this pair into an empty directory and give that one to the script."),
        Run("etcd-cat stage BACKUP --to DIRECTORY"),
        Run("sudo -E /usr/local/bin/cluster-restore.sh DIRECTORY"),
        Do("Let the backup job make one directory for each backup."),
    ],
};
