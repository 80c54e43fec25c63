//! What is still in the cluster after a run, with the command that removes it.

use crate::oc::client::{Call, Oc, commands, shell_line};

/// Something of ours that is still in the cluster, and how to remove it by hand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leftover {
    /// What, and where.
    pub what: String,
    /// The command that removes it: works as it stands, with the context and the namespace of the run.
    pub command: String,
    /// Why it is still there, in the words of `oc` or of the host; `None`: nobody tried to remove it.
    pub reason: Option<String>,
}

impl Leftover {
    pub(super) fn new(oc: &Oc, what: String, call: &Call) -> Self {
        let command = shell_line(&oc.argv(call));
        Self {
            what,
            command,
            reason: None,
        }
    }

    /// With why it is still there.
    pub(super) fn because(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }

    /// `namespace` where debug pods may run; `None` has `oc debug` make one of its own.
    pub(super) fn directory(oc: &Oc, node: &str, directory: &str, namespace: Option<&str>) -> Self {
        let what =
            format!("directory {directory} on {node}, with the database and the encryption keys");
        let call = commands::remove_directory(node, directory, namespace);
        Self::new(oc, what, &call)
    }

    pub(super) fn pod(oc: &Oc, namespace: &str, pod: &str) -> Self {
        let what = format!("pod {pod} in namespace {namespace}");
        Self::new(oc, what, &commands::delete_pod(namespace, pod))
    }

    pub(super) fn namespace(oc: &Oc, namespace: &str) -> Self {
        let what = format!("namespace {namespace}");
        Self::new(oc, what, &commands::delete_namespace(namespace))
    }
}
