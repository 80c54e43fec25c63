//! Findings about the moment at which a snapshot was taken.

use super::AdviceStep::{Do, Run};
use super::Explanation;

pub(super) const POSSIBLY_DIRTY: Explanation = Explanation {
    title: "The backup was forced, without the check that nothing was rolling out",
    meaning: "cluster-backup.sh --force, the automatic backup before an upgrade (4.9 to 4.14) and the backup Job \
              of 4.14 skip the check of the control-plane operators and put `__POSSIBLY_DIRTY__` into both \
              names. The bytes can be perfectly sound: the name only says that nobody looked. etcd-cat looks \
              into the content: where all four operators say there that they were changing nothing, and every node \
              was at the newest revision, this is information; where they do not, a warning. Beware that \
              cluster-restore.sh sorts a dirty name after the clean one of the same second, and so prefers it.",
    steps: &[
        Do("See whether other findings confirm the suspicion."),
        Run("etcd-cat show BACKUP"),
        Do("Prefer a clean backup of the same version if there is one."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "Stage the pair you chose into a directory of its own, so that the script cannot pick the other one.",
        ),
        Run("etcd-cat stage BACKUP --to DIRECTORY"),
    ],
};

pub(super) const VERSION_UNKNOWN: Explanation = Explanation {
    title: "The snapshot does not say which OpenShift it was taken from",
    meaning: "There is no ClusterVersion object in the snapshot, so its version cannot be known. OpenShift is \
              restored only from a backup of the very same version, hence this backup is valid for none. A \
              snapshot of plain Kubernetes, of a hosted control plane, or of a cluster that was never \
              installed completely has no such object; so has one whose data is lost.",
    steps: &[
        Do("Check whether this is a snapshot of an OpenShift cluster at all."),
        Run("etcd-cat show BACKUP"),
        Do("Choose a backup whose version is known."),
        Run("etcd-cat list --valid-for VERSION"),
    ],
};

pub(super) const UPGRADE_IN_PROGRESS: Explanation = Explanation {
    title: "The cluster was between two versions when the snapshot was taken",
    meaning: "ClusterVersion shows an update that was not completed, so the objects in this snapshot belong \
              partly to one version and partly to the next. Restoring is defined for the same version on both \
              sides, and this backup is valid for neither. It happens when a scheduled backup runs during an \
              upgrade, or by an upgrade that had been stuck for days.",
    steps: &[
        Do(
            "Use the newest backup from before the upgrade with the old version, or the first one from after it with the new.",
        ),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "For the future: take one backup before and one after each upgrade, and none during it.",
        ),
        Run("etcd-cat backup --to DIRECTORY --if-version-changed"),
    ],
};

pub(super) const ROLLOUT_IN_PROGRESS: Explanation = Explanation {
    title: "A control-plane component was rolling out a new revision",
    meaning: "At least one of etcd, kube-apiserver, kube-controller-manager and kube-scheduler was moving its \
              static pods to a new revision. The snapshot then already knows the new revision, while the \
              kuberesources may still hold the old one, or the other way round. A restore works, but the \
              operators first have to sort this out; a change of certificates or encryption keys in that \
              revision makes it worse.",
    steps: &[
        Do("Prefer a backup from a quiet moment of the same version."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "If you restore this one, expect to force a redeployment of the named component afterwards.",
        ),
        Run(
            "oc patch kubeapiserver cluster --type merge -p '{\"spec\":{\"forceRedeploymentReason\":\"restore\"}}'",
        ),
        Do("Before the next backup, wait until nothing is progressing."),
        Run("oc get clusteroperator etcd kube-apiserver kube-controller-manager kube-scheduler"),
    ],
};

pub(super) const TAKEN_BEFORE_ROTATION: Explanation = Explanation {
    title: "The backup was taken in the first 24 hours of the cluster",
    meaning: "The installer issues several signers that live for one day only, and the cluster replaces them \
              within its first 24 hours. A backup from before that brings the short-lived ones back; once they \
              have expired, the restored control plane trusts certificates that nothing can renew. The \
              documentation says not to take a backup before the first rotation.",
    steps: &[
        Do("Use a backup that was taken at least a day after the installation."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "If the cluster is younger than a day, wait and take a new one; reinstalling may be quicker than this restore.",
        ),
        Run("etcd-cat backup --to DIRECTORY"),
    ],
};

pub(super) const BOOTSTRAP_INCOMPLETE: Explanation = Explanation {
    title: "The installation was not finished: the bootstrap member is still there",
    meaning: "The member `etcd-bootstrap` belongs to the temporary machine of the installer and is removed when \
              the control plane stands on its own. A snapshot that lists it was taken during the installation. \
              It holds an unfinished cluster, usually also with certificates from before the first rotation.",
    steps: &[
        Do("Use a later backup."),
        Run("etcd-cat list --valid-for VERSION"),
        Do("If the live cluster still lists that member, finish or repeat the installation first."),
        Run("oc -n openshift-etcd exec POD -c etcdctl -- etcdctl member list -w table"),
    ],
};

pub(super) const CERTIFICATE_EXPIRED: Explanation = Explanation {
    title: "A certificate in the backup has expired",
    meaning: "Certificates come back with the backup as they were. Most control-plane certificates live for 30 \
              days and are issued anew after a restore, which costs time and manual approvals; those are \
              warnings. Two cannot be renewed by themselves: without a valid etcd CA the members do not trust \
              each other, and without a valid kube-apiserver-to-kubelet-signer the API server cannot reach the \
              nodes; those are errors.",
    steps: &[
        Do("Prefer the newest backup of the version: it carries the youngest certificates."),
        Run("etcd-cat list --valid-for VERSION"),
        Do(
            "After restoring this one, approve the nodes' certificate requests until none is pending; two rounds are usual.",
        ),
        Run("oc get csr -o name | xargs oc adm certificate approve"),
        Do(
            "If the kubelets renewed their certificates since the backup, remove /var/lib/kubelet/pki/*.pem on each node and restart the kubelet first.",
        ),
        Do("To see the backup as of another day, say so."),
        Run("etcd-cat show BACKUP --as-of 2026-01-31T00:00:00Z"),
    ],
};

pub(super) const CERTIFICATE_EXPIRING: Explanation = Explanation {
    title: "A certificate in the backup ends within 7 days",
    meaning: "The named certificate is still valid and will not be for long. A restore today works; the same \
              restore next week meets an expired certificate and needs manual steps. Certificates of 30 days \
              are renewed after half of that, so in a backup that is some two weeks old this is normal.",
    steps: &[
        Do("Nothing today. Take a new backup within the week."),
        Run("etcd-cat backup --to DIRECTORY"),
        Do("See what the certificate calendar of this backup looks like on a later day."),
        Run("etcd-cat check --valid-for VERSION --as-of 2026-01-31T00:00:00Z"),
    ],
};

pub(super) const TIME_SKEW: Explanation = Explanation {
    title: "The file name and the content disagree about when it was taken",
    meaning: "Node leases in the snapshot are renewed every ten seconds, so the newest one tells when it was \
              taken; the name says something else by more than 10 minutes. A whole number of hours is a time \
              zone: the name carries the host's local time without saying so. Anything else means a renamed \
              file, a host with a wrong clock, or a member that had been cut off from the others and was \
              already behind.",
    steps: &[
        Do("Trust the content: etcd-cat sorts and ages by it."),
        Run("etcd-cat show BACKUP"),
        Do(
            "If the content is much older than the name and the file was not renamed, check the health of the member it came from before relying on its backups.",
        ),
        Run(
            "oc -n openshift-etcd exec POD -c etcdctl -- etcdctl endpoint status --cluster -w table",
        ),
    ],
};

pub(super) const DOWNGRADE_IN_PROGRESS: Explanation = Explanation {
    title: "A downgrade of etcd was enabled and not done",
    meaning: "Since etcd 3.5 a cluster is taken to an older minor version by `etcdctl downgrade enable`; until every \
              member runs the older one, the target stands in bucket cluster. The data is whole and a restore \
              works. OpenShift does not downgrade etcd by itself, so somebody has asked for it.",
    steps: &[
        Do("Ask who enabled the downgrade, and whether it is still wanted."),
        Do("After a restore look at it, and cancel it if nobody wants it."),
        Run("oc rsh -n openshift-etcd ETCD_POD etcdctl downgrade cancel"),
    ],
};
