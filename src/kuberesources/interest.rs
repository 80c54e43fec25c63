//! Which members are worth reading, and what each is to us.

use super::member::MemberPlace;

/// Where the kube-apiserver's keys lie below its directory.
pub(super) const ENCRYPTION_CONFIG: [&str; 3] =
    ["secrets", "encryption-config", "encryption-config"];

/// Bundle of public authorities that administrators add to: it says nothing of this cluster's calendar.
const TRUSTED_BUNDLE: &str = "trusted-ca-bundle";

/// What one file of a component is to us.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Interest {
    Manifest,
    Config,
    Kubeconfig,
    EncryptionConfig,
    EtcdEndpoint,
    Certificate,
}

impl Interest {
    /// `None`: the file is passed over unread.
    pub(super) fn of(place: &MemberPlace<'_>) -> Option<Self> {
        match place.rest.as_slice() {
            [file] if file.strip_suffix("-pod.yaml") == Some(place.component) => {
                Some(Self::Manifest)
            }
            ["configmaps", "config", "config.yaml"] => Some(Self::Config),
            [
                "configmaps",
                "controller-manager-kubeconfig" | "scheduler-kubeconfig",
                "kubeconfig",
            ] => Some(Self::Kubeconfig),
            path if path == ENCRYPTION_CONFIG && place.component == "kube-apiserver" => {
                Some(Self::EncryptionConfig)
            }
            ["configmaps", "etcd-endpoints", _] if place.component == "etcd" => {
                Some(Self::EtcdEndpoint)
            }
            ["configmaps" | "secrets", name, file]
                if file.ends_with(".crt") && *name != TRUSTED_BUNDLE =>
            {
                Some(Self::Certificate)
            }
            _ => None,
        }
    }

    /// True for what goes through a JSON or YAML parser.
    pub(super) fn is_text(self) -> bool {
        !matches!(self, Self::EtcdEndpoint | Self::Certificate)
    }
}
