"""What the samples are about: a cluster, and the state it was in at the moment of a backup."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

COMPONENTS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"]


def utc(text):
    """`2024-11-02T03:00:00Z` as a datetime."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Cluster:
    name: str
    infrastructure: str
    cluster_id: str
    nodes: dict  # control plane: node name -> address
    installed: datetime
    platform: str = "BareMetal"
    workers: dict = field(default_factory=dict)
    bootstrap: str = ""  # address of the member etcd-bootstrap, if it is still there
    certificates: dict = field(default_factory=dict)

    @property
    def domain(self):
        return f"{self.name}.example.com"

    @property
    def api(self):
        return f"https://api.{self.domain}:6443"

    @property
    def api_internal(self):
        return f"https://api-int.{self.domain}:6443"

    @property
    def topology(self):
        return "SingleReplica" if len(self.nodes) == 1 else "HighlyAvailable"

    @property
    def members(self):
        """etcd's members: name -> address."""
        first = {"etcd-bootstrap": self.bootstrap} if self.bootstrap else {}
        return {**first, **self.nodes}

    def uid(self, key):
        return str(uuid.uuid5(uuid.UUID(self.cluster_id), key))


@dataclass
class Release:
    """One line of ClusterVersion's history; `completed` is None while it is being applied."""

    version: str
    started: datetime
    completed: datetime = None


@dataclass
class Rings:
    """The keys of each API server, in provider order; empty: there is no configuration file."""

    kube: list = field(default_factory=list)
    openshift: list = field(default_factory=list)
    oauth: list = field(default_factory=list)


@dataclass
class Moment:
    cluster: Cluster
    stamp: datetime
    history: list  # of Release, newest first
    revisions: dict  # component -> static pod revision
    encryption: str = "identity"  # apiservers/cluster .spec.encryption.type
    rings: Rings = field(default_factory=Rings)
    mixed: bool = False  # rotation: values under the first and the second key of the ring
    behind: dict = field(default_factory=dict)  # component -> nodes not yet at its revision
    node: str = ""  # where the backup was taken
    ids: dict = field(default_factory=dict)  # member name -> hex id

    @property
    def taken(self):
        """The newest renewal of a lease."""
        return self.stamp + timedelta(seconds=7)

    @property
    def desired(self):
        return self.history[0].version

    @property
    def updating(self):
        return self.history[0].completed is None

    @property
    def settled(self):
        """The newest version that has been rolled out completely."""
        return next(release.version for release in self.history if release.completed)

    def minor(self, version=None):
        return tuple(int(part) for part in (version or self.desired).split("-")[0].split(".")[:2])

    @property
    def kubernetes(self):
        major_minor = self.minor()
        return f"1.{major_minor[1] + 13}.5"

    @property
    def etcd_signer_namespace(self):
        return "openshift-etcd" if self.minor() >= (4, 16) else "openshift-config"
