//! What each reason not to take a backup means, and what to do about it.

use super::reason::ReasonCode;
use crate::explain::AdviceStep::{Do, Run};
use crate::explain::Explanation;

impl ReasonCode {
    /// What it means, at length.
    pub fn explanation(self) -> &'static Explanation {
        match self {
            Self::NotLoggedIn => &NOT_LOGGED_IN,
            Self::Forbidden => &FORBIDDEN,
            Self::HostedControlPlane => &HOSTED_CONTROL_PLANE,
            Self::UpgradeInProgress => &UPGRADE_IN_PROGRESS,
            Self::RolloutInProgress => &ROLLOUT_IN_PROGRESS,
            Self::OperatorDegraded => &OPERATOR_DEGRADED,
            Self::OperatorUnknown => &OPERATOR_UNKNOWN,
            Self::TooYoung => &TOO_YOUNG,
            Self::NotDuring => &NOT_DURING,
            Self::NoHealthyNode => &NO_HEALTHY_NODE,
            Self::NoSpaceLocal => &NO_SPACE_LOCAL,
            Self::NoSpaceNode => &NO_SPACE_NODE,
            Self::AlreadyRunning => &ALREADY_RUNNING,
        }
    }
}

const NOT_LOGGED_IN: Explanation = Explanation {
    title: "oc has no credentials that the API server accepts",
    meaning: "etcd-cat backup does everything through oc, as the user that oc is logged in as. The API server knows no \
              such user, or the token has expired.",
    steps: &[
        Do("Log in, or name another kubeconfig or context."),
        Run("oc login API-SERVER"),
        Run("etcd-cat backup --kubeconfig FILE --context NAME --to DIRECTORY"),
    ],
};

const FORBIDDEN: Explanation = Explanation {
    title: "A permission that the procedure needs is missing",
    meaning: "The procedure reads a few kinds of objects and runs a privileged pod on one control-plane host. The API \
              server says that this user may not. The least that is needed stands in the README.",
    steps: &[
        Do("Give the permission to the user or ServiceAccount, or use one that has it."),
        Run("oc auth can-i create pods --subresource=exec -n NAMESPACE"),
    ],
};

const HOSTED_CONTROL_PLANE: Explanation = Explanation {
    title: "The cluster has a hosted control plane",
    meaning: "Its etcd runs as pods of a management cluster. There is no control-plane host to run cluster-backup.sh on, \
              and no static pod resources belong to its backups.",
    steps: &[
        Do(
            "Take the snapshot in the management cluster, as the documentation of hosted control planes says.",
        ),
        Do("Have the file verified here."),
        Run("etcd-cat verify FILE"),
    ],
};

const UPGRADE_IN_PROGRESS: Explanation = Explanation {
    title: "The cluster is between two versions",
    meaning: "A restore needs a backup of exactly the version that is restored. One that is taken during an upgrade is of \
              no version.",
    steps: &[
        Do("Wait until the upgrade is complete, then take the backup at once."),
        Run("oc get clusterversion"),
        Do("For forensics alone it can be taken all the same."),
        Run("etcd-cat backup --force upgrade-in-progress --to DIRECTORY"),
    ],
};

const ROLLOUT_IN_PROGRESS: Explanation = Explanation {
    title: "A control-plane operator is rolling out",
    meaning: "Static pods of different revisions run at this moment, and a backup may hold one revision in etcd and \
              another in its static pod resources. cluster-backup.sh itself refuses then unless it is forced, and marks \
              the file name.",
    steps: &[
        Do("Wait until no operator is progressing; it takes minutes."),
        Run("oc get clusteroperators etcd kube-apiserver kube-controller-manager kube-scheduler"),
        Do("If there may be no second chance, take it now."),
        Run("etcd-cat backup --force rollout-in-progress --to DIRECTORY"),
    ],
};

const OPERATOR_DEGRADED: Explanation = Explanation {
    title: "A control-plane operator is degraded or not available",
    meaning: "Something is wrong with the control plane now, and the backup will hold it as it is. That may be just why \
              somebody wants one before a repair.",
    steps: &[
        Do("See what it complains of."),
        Run("oc describe clusteroperator NAME"),
        Do("To have a backup before the repair, override the reason."),
        Run("etcd-cat backup --force operator-degraded --to DIRECTORY"),
    ],
};

const OPERATOR_UNKNOWN: Explanation = Explanation {
    title: "The API server does not tell how the control-plane operators are",
    meaning: "Whether something is rolling out cannot be seen: the question fails, here or in cluster-backup.sh, which \
              asks the API server of its own host. Forced, the script is run with its own --force: it asks no more, and \
              marks the file name, for the backup may hold one revision in etcd and another in its static pod resources.",
    steps: &[
        Do("See whether the API server answers, and on which host it does not."),
        Run("oc get clusteroperators etcd kube-apiserver kube-controller-manager kube-scheduler"),
        Run("etcd-cat backup --node NODE --to DIRECTORY"),
        Do("If there may be no second chance, take it now."),
        Run("etcd-cat backup --force operator-unknown --to DIRECTORY"),
    ],
};

const TOO_YOUNG: Explanation = Explanation {
    title: "The cluster was installed less than 24 hours ago",
    meaning: "The first certificates of a cluster live one day. A backup from before their rotation cannot be restored \
              after they have expired.",
    steps: &[
        Do("Take the backup a day after the installation."),
        Do("For a restore within the same day only, override the reason."),
        Run("etcd-cat backup --force too-young --to DIRECTORY"),
    ],
};

const NOT_DURING: Explanation = Explanation {
    title: "It is one of the hours in which no backup is to be started",
    meaning: "The hours were given with --not-during or ETCD_CAT_NOT_DURING. They are UTC unless a zone stands behind \
              them.",
    steps: &[
        Do("Wait for the end of the window, or override the reason."),
        Run("etcd-cat backup --force not-during --to DIRECTORY"),
    ],
};

const NO_HEALTHY_NODE: Explanation = Explanation {
    title: "No control-plane host is ready, or not the one that was asked for",
    meaning: "The script runs on a host whose node is Ready and whose etcd pod answers. Without one there is nobody to \
              take the snapshot from.",
    steps: &[
        Do("See which hosts are ready, and leave out --node unless it must be that one."),
        Run("oc get nodes -l node-role.kubernetes.io/control-plane"),
    ],
};

const NO_SPACE_LOCAL: Explanation = Explanation {
    title: "The backup would not fit into the directory here",
    meaning: "The snapshot is about as large as etcd's database. The file system of the directory has less than that free, \
              so the copy would break off.",
    steps: &[
        Do("Make room, or name a directory elsewhere."),
        Run("df -h DIRECTORY"),
    ],
};

const NO_SPACE_NODE: Explanation = Explanation {
    title: "The host has less than twice the database free",
    meaning: "cluster-backup.sh writes the snapshot to the host's own disk, where etcd lives too. A full disk stops etcd, \
              so this reason cannot be overridden.",
    steps: &[
        Do("Make room on the host, or take the backup on another one."),
        Run("etcd-cat backup --node NODE --to DIRECTORY"),
    ],
};

const ALREADY_RUNNING: Explanation = Explanation {
    title: "Another run on this machine is taking a backup of the cluster",
    meaning: "Two runs at a time would load the control plane twice and gain nothing. The lock ends with the process that \
              holds it.",
    steps: &[Do(
        "Wait for the other run; its answer is as good as yours.",
    )],
};

#[cfg(test)]
mod tests {
    use super::ReasonCode;

    #[test]
    fn every_reason_is_explained_in_full() {
        for &code in ReasonCode::ALL {
            let text = code.explanation();
            assert!(
                !text.title.ends_with('.') && text.meaning.ends_with('.'),
                "{code}"
            );
            assert!(!text.steps.is_empty(), "{code}");
        }
    }
}
