//! Findings about encryption at rest.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const ENCRYPTION_CONFIG_MISSING: Explanation = Explanation {
    title: "Values are encrypted and there is no encryption configuration",
    meaning: "The snapshot holds encrypted values, and no kuberesources with an encryption configuration goes \
              with it. The keys of the kube-apiserver are in that archive and nowhere else in the backup; all \
              other keys are Secrets encrypted with them. Restored like this, no Secret, ConfigMap or token can \
              be read, and the control plane does not come up.",
    steps: &[
        Do(
            "Find the archive that belongs to this snapshot; when encryption is on it is often kept elsewhere on purpose.",
        ),
        Run("etcd-cat index DIRECTORY"),
        Do(
            "While the cluster still lives it keeps its ten newest migrated keys, about ten weeks' worth: take a new backup now.",
        ),
        Run(
            "oc -n openshift-config-managed get secrets -l encryption.apiserver.operator.openshift.io/component",
        ),
        Run("etcd-cat backup --to DIRECTORY --keys-to OTHER_DIRECTORY"),
    ],
};

pub(super) const ENCRYPTION_KEY_MISSING: Explanation = Explanation {
    title: "A key that the values use is not in the kuberesources",
    meaning: "Each encrypted value names the key that it was written with, and the archive has no key of that \
              name. The values under it cannot be read after a restore. The archive is of another moment, or a \
              key rotation fell between the two halves: cluster-backup.sh writes the archive shortly before \
              the snapshot.",
    steps: &[
        Do(
            "Look for a kuberesources of this cluster that has the key; a slightly later one usually holds the old and the new key.",
        ),
        Run("etcd-cat list --all -o wide"),
        Do("While the cluster still lives, the key may still be there."),
        Run(
            "oc -n openshift-config-managed get secrets -l encryption.apiserver.operator.openshift.io/component",
        ),
        Do("Choose another backup otherwise."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const ENCRYPTION_KEY_WRONG: Explanation = Explanation {
    title: "The named key does not open the values",
    meaning: "The archive has a key of the name that the values carry, and it does not decrypt them. Names are \
              plain numbers, so key `7` of one cluster is not key `7` of another: the archive is most likely of \
              another cluster, or of this one after it was reinstalled. A damaged value or key is the other \
              possibility.",
    steps: &[
        Do("Check that both halves are of one cluster."),
        Run("etcd-cat show BACKUP"),
        Do("Index every place where the right archive may lie; etcd-cat pairs by content."),
        Run("etcd-cat index DIRECTORY"),
        Do("Choose another backup if it is gone."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const VALUE_DAMAGED: Explanation = Explanation {
    title: "An encrypted object does not open with the key that opens its neighbours",
    meaning: "The key is there and right, as other values of the same resource open with it, and these do not: their \
              bytes are not what was encrypted, or lie under another name. The objects are lost after a restore, and \
              more than they: an API server that meets one value it cannot open refuses to list the whole kind, so \
              that nothing that watches Secrets comes up. That is why it is an error and no warning.",
    steps: &[
        Do("Choose another backup, from before the damage or from another member."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "While the cluster lives, read the named objects: what fails there is damaged in etcd itself.",
        ),
        Do(
            "If this backup has to be restored, delete the named keys in etcd afterwards, before the API server is relied upon.",
        ),
        Run("oc -n openshift-etcd rsh POD etcdctl del KEY"),
    ],
};

pub(super) const ENCRYPTION_PARTIAL: Explanation = Explanation {
    title: "Encrypted and plain values of one resource lie side by side",
    meaning: "When encryption is switched on or off, or keys are rotated, all values are rewritten one by one, \
              and this snapshot was taken during that. The API server reads both forms, so it can be restored \
              with its own kuberesources. Afterwards the migration goes on from where it stood. Until it is \
              done, some values are readable without any key.",
    steps: &[
        Do("Prefer a backup from after the migration."),
        Run("etcd-cat list --valid-for VERSION"),
        Do("Before the next backup, wait until the migration is complete."),
        Run(
            "oc get openshiftapiserver,kubeapiserver -o jsonpath='{range .items[*].status.conditions[?(@.type==\"Encrypted\")]}{.reason}{\"\\n\"}{end}'",
        ),
    ],
};

pub(super) const ENCRYPTION_EXTERNAL: Explanation = Explanation {
    title: "Values are encrypted by something outside of the backup",
    meaning: "The values were encrypted through a key management service, or by a provider that etcd-cat does not \
              know. The key that opens them is in that service, so no backup contains it and nothing can be \
              proven offline. A restore works only while the service, its key and the access to it still exist \
              as they were. Clusters whose backups have no kuberesources keep their keys elsewhere, too; those that the \
              backup of a hosted control plane has beside the snapshot (`secrets/NAME.json`), packed with it or not, are \
              tried, and this is said only of values that they do not open.",
    steps: &[
        Do(
            "Make sure that the key in the service exists, is enabled, and is not scheduled for deletion.",
        ),
        Do(
            "Make sure that the restored control plane can reach the service and has the credentials for it.",
        ),
        Do("Keep every key that any kept backup used, even after a rotation."),
    ],
};

pub(super) const KEYS_BESIDE_SNAPSHOT: Explanation = Explanation {
    title: "The encrypted snapshot and the keys to it lie in one directory",
    meaning: "Encryption at rest protects a stolen backup only if the keys are elsewhere. The kuberesources of an \
              encrypted cluster holds the keys in plain form, so whoever can read this directory can read every \
              Secret. The documentation says to keep the two apart, and to keep both.",
    steps: &[
        Do(
            "Move the archives to a place with other access rights, and index both places; etcd-cat pairs them wherever they lie.",
        ),
        Run("etcd-cat index SNAPSHOT_DIRECTORY KEYS_DIRECTORY"),
        Do("Take the next backup that way from the start."),
        Run("etcd-cat backup --to SNAPSHOT_DIRECTORY --keys-to KEYS_DIRECTORY"),
        Do("For a restore, bring the two together on the recovery host."),
        Run("etcd-cat stage BACKUP --to DIRECTORY"),
    ],
};
