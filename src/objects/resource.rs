//! Resources: the names that people and API servers have for a kind, and the path its objects lie at.

use std::fmt;

/// A resource and all its names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// Such as `pods`.
    pub plural: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Such as `Pod`.
    pub kind: String,
    /// Such as `pod`.
    pub singular: String,
    /// Such as `po`.
    pub short_names: Vec<String>,
    /// Whether its objects have a namespace.
    pub scope: Scope,
}

/// Whether objects have a namespace.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scope {
    /// They have none.
    Cluster,
    /// Each lies in one.
    Namespaced,
}

impl Resource {
    /// Is this one of its names? `word` is in lower case and without a group.
    pub(super) fn is_called(&self, word: &str) -> bool {
        self.plural == word
            || self.singular == word
            || self.kind.eq_ignore_ascii_case(word)
            || self.short_names.iter().any(|name| name == word)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.plural.escape_debug())?;
        if self.group.is_empty() {
            return Ok(());
        }
        write!(f, ".{}", self.group.escape_debug())
    }
}

/// Where the objects of a built-in resource lie, and its names.
pub(super) struct BuiltIn {
    /// API server's prefix, and the path behind it.
    pub(super) path: (Root, &'static str),
    pub(super) plural: &'static str,
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    /// Separated by blanks.
    pub(super) short_names: &'static str,
    pub(super) scope: Scope,
}

/// Under which prefix an API server stores.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Root {
    /// kube-apiserver: `/kubernetes.io`, or `/registry` outside OpenShift.
    Kubernetes,
    /// openshift-apiserver and oauth-apiserver: `/openshift.io`.
    OpenShift,
}

impl BuiltIn {
    pub(super) fn resource(&self) -> Resource {
        Resource {
            plural: self.plural.to_owned(),
            group: self.group.to_owned(),
            kind: self.kind.to_owned(),
            singular: self.kind.to_lowercase(),
            short_names: self
                .short_names
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            scope: self.scope,
        }
    }
}

use Root::{Kubernetes as K, OpenShift as O};
use Scope::{Cluster, Namespaced};

const fn row(path: (Root, &'static str), names: [&'static str; 4], scope: Scope) -> BuiltIn {
    let [plural, group, kind, short_names] = names;
    BuiltIn {
        path,
        plural,
        group,
        kind,
        short_names,
        scope,
    }
}

/// What API servers store without a definition. Where two share a name, the first is meant.
///
/// Source: kubernetes `pkg/registry/*/rest/storage_*.go`, `pkg/registry/*/*/storage/storage.go` (short names);
/// openshift-apiserver and oauth-apiserver `pkg/*/apiserver/registry/*/etcd/etcd.go`.
pub(super) const BUILT_IN: &[BuiltIn] = &[
    row((K, "pods"), ["pods", "", "Pod", "po"], Namespaced),
    row(
        (K, "services/specs"),
        ["services", "", "Service", "svc"],
        Namespaced,
    ),
    row(
        (K, "services/endpoints"),
        ["endpoints", "", "Endpoints", "ep"],
        Namespaced,
    ),
    row((K, "minions"), ["nodes", "", "Node", "no"], Cluster),
    row(
        (K, "namespaces"),
        ["namespaces", "", "Namespace", "ns"],
        Cluster,
    ),
    row(
        (K, "configmaps"),
        ["configmaps", "", "ConfigMap", "cm"],
        Namespaced,
    ),
    row((K, "secrets"), ["secrets", "", "Secret", ""], Namespaced),
    row(
        (K, "serviceaccounts"),
        ["serviceaccounts", "", "ServiceAccount", "sa"],
        Namespaced,
    ),
    row(
        (K, "persistentvolumes"),
        ["persistentvolumes", "", "PersistentVolume", "pv"],
        Cluster,
    ),
    row(
        (K, "persistentvolumeclaims"),
        ["persistentvolumeclaims", "", "PersistentVolumeClaim", "pvc"],
        Namespaced,
    ),
    row((K, "events"), ["events", "", "Event", "ev"], Namespaced),
    row(
        (K, "controllers"),
        ["replicationcontrollers", "", "ReplicationController", "rc"],
        Namespaced,
    ),
    row(
        (K, "limitranges"),
        ["limitranges", "", "LimitRange", "limits"],
        Namespaced,
    ),
    row(
        (K, "resourcequotas"),
        ["resourcequotas", "", "ResourceQuota", "quota"],
        Namespaced,
    ),
    row(
        (K, "podtemplates"),
        ["podtemplates", "", "PodTemplate", ""],
        Namespaced,
    ),
    row(
        (K, "ranges"),
        ["rangeallocations", "", "RangeAllocation", ""],
        Cluster,
    ),
    row(
        (K, "deployments"),
        ["deployments", "apps", "Deployment", "deploy"],
        Namespaced,
    ),
    row(
        (K, "replicasets"),
        ["replicasets", "apps", "ReplicaSet", "rs"],
        Namespaced,
    ),
    row(
        (K, "statefulsets"),
        ["statefulsets", "apps", "StatefulSet", "sts"],
        Namespaced,
    ),
    row(
        (K, "daemonsets"),
        ["daemonsets", "apps", "DaemonSet", "ds"],
        Namespaced,
    ),
    row(
        (K, "controllerrevisions"),
        ["controllerrevisions", "apps", "ControllerRevision", ""],
        Namespaced,
    ),
    row((K, "jobs"), ["jobs", "batch", "Job", ""], Namespaced),
    row(
        (K, "cronjobs"),
        ["cronjobs", "batch", "CronJob", "cj"],
        Namespaced,
    ),
    row(
        (K, "horizontalpodautoscalers"),
        [
            "horizontalpodautoscalers",
            "autoscaling",
            "HorizontalPodAutoscaler",
            "hpa",
        ],
        Namespaced,
    ),
    row(
        (K, "ingress"),
        ["ingresses", "networking.k8s.io", "Ingress", "ing"],
        Namespaced,
    ),
    row(
        (K, "ingressclasses"),
        ["ingressclasses", "networking.k8s.io", "IngressClass", ""],
        Cluster,
    ),
    row(
        (K, "networkpolicies"),
        [
            "networkpolicies",
            "networking.k8s.io",
            "NetworkPolicy",
            "netpol",
        ],
        Namespaced,
    ),
    row(
        (K, "ipaddresses"),
        ["ipaddresses", "networking.k8s.io", "IPAddress", "ip"],
        Cluster,
    ),
    row(
        (K, "servicecidrs"),
        ["servicecidrs", "networking.k8s.io", "ServiceCIDR", ""],
        Cluster,
    ),
    row(
        (K, "poddisruptionbudgets"),
        [
            "poddisruptionbudgets",
            "policy",
            "PodDisruptionBudget",
            "pdb",
        ],
        Namespaced,
    ),
    row(
        (K, "podsecuritypolicy"),
        ["podsecuritypolicies", "policy", "PodSecurityPolicy", "psp"],
        Cluster,
    ),
    row(
        (K, "roles"),
        ["roles", "rbac.authorization.k8s.io", "Role", ""],
        Namespaced,
    ),
    row(
        (K, "rolebindings"),
        [
            "rolebindings",
            "rbac.authorization.k8s.io",
            "RoleBinding",
            "",
        ],
        Namespaced,
    ),
    row(
        (K, "clusterroles"),
        [
            "clusterroles",
            "rbac.authorization.k8s.io",
            "ClusterRole",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "clusterrolebindings"),
        [
            "clusterrolebindings",
            "rbac.authorization.k8s.io",
            "ClusterRoleBinding",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "storageclasses"),
        ["storageclasses", "storage.k8s.io", "StorageClass", "sc"],
        Cluster,
    ),
    row(
        (K, "volumeattachments"),
        [
            "volumeattachments",
            "storage.k8s.io",
            "VolumeAttachment",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "csidrivers"),
        ["csidrivers", "storage.k8s.io", "CSIDriver", ""],
        Cluster,
    ),
    row(
        (K, "csinodes"),
        ["csinodes", "storage.k8s.io", "CSINode", ""],
        Cluster,
    ),
    row(
        (K, "csistoragecapacities"),
        [
            "csistoragecapacities",
            "storage.k8s.io",
            "CSIStorageCapacity",
            "",
        ],
        Namespaced,
    ),
    row(
        (K, "volumeattributesclasses"),
        [
            "volumeattributesclasses",
            "storage.k8s.io",
            "VolumeAttributesClass",
            "vac",
        ],
        Cluster,
    ),
    row(
        (K, "storageversionmigrations"),
        [
            "storageversionmigrations",
            "storagemigration.k8s.io",
            "StorageVersionMigration",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "priorityclasses"),
        [
            "priorityclasses",
            "scheduling.k8s.io",
            "PriorityClass",
            "pc",
        ],
        Cluster,
    ),
    row(
        (K, "workloads"),
        ["workloads", "scheduling.k8s.io", "Workload", ""],
        Namespaced,
    ),
    row(
        (K, "podgroups"),
        ["podgroups", "scheduling.k8s.io", "PodGroup", ""],
        Namespaced,
    ),
    row(
        (K, "leases"),
        ["leases", "coordination.k8s.io", "Lease", ""],
        Namespaced,
    ),
    row(
        (K, "leasecandidates"),
        [
            "leasecandidates",
            "coordination.k8s.io",
            "LeaseCandidate",
            "",
        ],
        Namespaced,
    ),
    row(
        (K, "endpointslices"),
        ["endpointslices", "discovery.k8s.io", "EndpointSlice", ""],
        Namespaced,
    ),
    row(
        (K, "certificatesigningrequests"),
        [
            "certificatesigningrequests",
            "certificates.k8s.io",
            "CertificateSigningRequest",
            "csr",
        ],
        Cluster,
    ),
    row(
        (K, "clustertrustbundles"),
        [
            "clustertrustbundles",
            "certificates.k8s.io",
            "ClusterTrustBundle",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "podcertificaterequests"),
        [
            "podcertificaterequests",
            "certificates.k8s.io",
            "PodCertificateRequest",
            "",
        ],
        Namespaced,
    ),
    row(
        (K, "mutatingwebhookconfigurations"),
        [
            "mutatingwebhookconfigurations",
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "validatingwebhookconfigurations"),
        [
            "validatingwebhookconfigurations",
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "validatingadmissionpolicies"),
        [
            "validatingadmissionpolicies",
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicy",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "validatingadmissionpolicybindings"),
        [
            "validatingadmissionpolicybindings",
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicyBinding",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "mutatingadmissionpolicies"),
        [
            "mutatingadmissionpolicies",
            "admissionregistration.k8s.io",
            "MutatingAdmissionPolicy",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "mutatingadmissionpolicybindings"),
        [
            "mutatingadmissionpolicybindings",
            "admissionregistration.k8s.io",
            "MutatingAdmissionPolicyBinding",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "flowschemas"),
        [
            "flowschemas",
            "flowcontrol.apiserver.k8s.io",
            "FlowSchema",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "prioritylevelconfigurations"),
        [
            "prioritylevelconfigurations",
            "flowcontrol.apiserver.k8s.io",
            "PriorityLevelConfiguration",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "runtimeclasses"),
        ["runtimeclasses", "node.k8s.io", "RuntimeClass", ""],
        Cluster,
    ),
    row(
        (K, "resourceclaims"),
        ["resourceclaims", "resource.k8s.io", "ResourceClaim", ""],
        Namespaced,
    ),
    row(
        (K, "resourceclaimtemplates"),
        [
            "resourceclaimtemplates",
            "resource.k8s.io",
            "ResourceClaimTemplate",
            "",
        ],
        Namespaced,
    ),
    row(
        (K, "resourceslices"),
        ["resourceslices", "resource.k8s.io", "ResourceSlice", ""],
        Cluster,
    ),
    row(
        (K, "deviceclasses"),
        ["deviceclasses", "resource.k8s.io", "DeviceClass", ""],
        Cluster,
    ),
    row(
        (K, "devicetaintrules"),
        ["devicetaintrules", "resource.k8s.io", "DeviceTaintRule", ""],
        Cluster,
    ),
    row(
        (K, "storageversions"),
        [
            "storageversions",
            "internal.apiserver.k8s.io",
            "StorageVersion",
            "",
        ],
        Cluster,
    ),
    row(
        (K, "apiextensions.k8s.io/customresourcedefinitions"),
        [
            "customresourcedefinitions",
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "crd crds",
        ],
        Cluster,
    ),
    row(
        (K, "apiregistration.k8s.io/apiservices"),
        ["apiservices", "apiregistration.k8s.io", "APIService", ""],
        Cluster,
    ),
    row(
        (O, "routes"),
        ["routes", "route.openshift.io", "Route", ""],
        Namespaced,
    ),
    row(
        (O, "images"),
        ["images", "image.openshift.io", "Image", ""],
        Cluster,
    ),
    row(
        (O, "imagestreams"),
        ["imagestreams", "image.openshift.io", "ImageStream", "is"],
        Namespaced,
    ),
    row(
        (O, "buildconfigs"),
        ["buildconfigs", "build.openshift.io", "BuildConfig", "bc"],
        Namespaced,
    ),
    row(
        (O, "builds"),
        ["builds", "build.openshift.io", "Build", ""],
        Namespaced,
    ),
    row(
        (O, "deploymentconfigs"),
        [
            "deploymentconfigs",
            "apps.openshift.io",
            "DeploymentConfig",
            "dc",
        ],
        Namespaced,
    ),
    row(
        (O, "templates"),
        ["templates", "template.openshift.io", "Template", ""],
        Namespaced,
    ),
    row(
        (O, "templateinstances"),
        [
            "templateinstances",
            "template.openshift.io",
            "TemplateInstance",
            "",
        ],
        Namespaced,
    ),
    row(
        (O, "brokertemplateinstances"),
        [
            "brokertemplateinstances",
            "template.openshift.io",
            "BrokerTemplateInstance",
            "",
        ],
        Cluster,
    ),
    row(
        (O, "oauth/accesstokens"),
        [
            "oauthaccesstokens",
            "oauth.openshift.io",
            "OAuthAccessToken",
            "",
        ],
        Cluster,
    ),
    row(
        (O, "oauth/authorizetokens"),
        [
            "oauthauthorizetokens",
            "oauth.openshift.io",
            "OAuthAuthorizeToken",
            "",
        ],
        Cluster,
    ),
    row(
        (O, "oauth/clients"),
        ["oauthclients", "oauth.openshift.io", "OAuthClient", ""],
        Cluster,
    ),
    row(
        (O, "oauth/clientauthorizations"),
        [
            "oauthclientauthorizations",
            "oauth.openshift.io",
            "OAuthClientAuthorization",
            "",
        ],
        Cluster,
    ),
    row(
        (O, "users"),
        ["users", "user.openshift.io", "User", ""],
        Cluster,
    ),
    row(
        (O, "groups"),
        ["groups", "user.openshift.io", "Group", ""],
        Cluster,
    ),
    row(
        (O, "useridentities"),
        ["identities", "user.openshift.io", "Identity", ""],
        Cluster,
    ),
    row(
        (O, "rangeallocations"),
        [
            "rangeallocations",
            "security.openshift.io",
            "RangeAllocation",
            "",
        ],
        Cluster,
    ),
];
