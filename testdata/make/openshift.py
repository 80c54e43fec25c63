"""The objects of an OpenShift cluster as they lie in etcd: key -> value before encryption."""

import base64
import hashlib
import json
from datetime import timedelta

import certificates
import encryption
import protobuf as pb
from model import COMPONENTS, rfc3339

KUBE = "/kubernetes.io"
OPENSHIFT = "/openshift.io"

NAMESPACES = """default kube-node-lease kube-public kube-system openshift openshift-apiserver openshift-apiserver-operator
openshift-authentication openshift-authentication-operator openshift-cluster-machine-approver openshift-cluster-version openshift-config
openshift-config-managed openshift-console openshift-controller-manager openshift-dns openshift-etcd openshift-etcd-operator
openshift-image-registry openshift-ingress openshift-ingress-operator openshift-kube-apiserver openshift-kube-apiserver-operator
openshift-kube-controller-manager openshift-kube-controller-manager-operator openshift-kube-scheduler openshift-kube-scheduler-operator
openshift-machine-api openshift-machine-config-operator openshift-marketplace openshift-monitoring openshift-multus openshift-network-operator
openshift-node openshift-oauth-apiserver openshift-operators openshift-ovn-kubernetes openshift-service-ca payments inventory""".split()

PREFIX = "encryption.apiserver.operator.openshift.io"
CONFIGURED = ["secrets", "configmaps"]
TOKENS = ["oauthaccesstokens.oauth.openshift.io", "oauthauthorizetokens.oauth.openshift.io"]


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def image(version, name="ocp-release"):
    return f"registry.example.com/ocp/{name}@{digest(version + name)}"


def noise(seed, length):
    """Text that does not compress, the same for the same seed."""
    out, counter = [], 0
    while sum(map(len, out)) < length:
        block = hashlib.sha512(f"{seed}/{counter}".encode()).digest()
        out.append(base64.b64encode(block).decode().rstrip("="))
        counter += 1
    return "".join(out)[:length]


class Objects:
    """Collects the objects of one moment. `values` is the plaintext by etcd key."""

    def __init__(self, moment):
        self.moment = moment
        self.cluster = moment.cluster
        self.values = {}

    # -- encoding ---------------------------------------------------------

    def meta(self, key, name, namespace="", labels=None, annotations=None, created=None):
        created = created or self.cluster.installed + timedelta(seconds=int(hashlib.sha256(key.encode()).hexdigest()[:4], 16) % 2400)
        return pb.message(
            1,
            pb.text(1, name), pb.text(2, ""), pb.text(3, namespace), pb.text(4, ""), pb.text(5, self.cluster.uid(key)),
            pb.text(6, ""), pb.integer(7, 0), pb.timestamp(8, created),
            pb.mapping(11, labels or {}), pb.mapping(12, annotations or {}),
        )

    def builtin(self, path, api_version, kind, name, namespace, *fields, prefix=KUBE, **metadata):
        key = "/".join(part for part in (prefix, path, namespace, name) if part)
        self.values[key] = pb.envelope(api_version, kind, self.meta(key, name, namespace, **metadata) + b"".join(fields))
        return key

    def custom(self, group, plural, kind, name, body, namespace="", version="v1", created=None, generation=1):
        key = "/".join(part for part in (KUBE, group, plural, namespace, name) if part)
        created = rfc3339(created or self.cluster.installed)
        metadata = {
            "creationTimestamp": created,
            "generation": generation,
            "managedFields": [{
                "apiVersion": f"{group}/{version}", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}},
                "manager": "cluster-bootstrap", "operation": "Update", "time": created,
            }],
            "name": name,
            "uid": self.cluster.uid(key),
        }
        if namespace:
            metadata["namespace"] = namespace
        document = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, **body}
        self.values[key] = (json.dumps(document, separators=(",", ":")) + "\n").encode()

    def secret(self, namespace, name, data, kind="Opaque", **metadata):
        data = {key: value if isinstance(value, bytes) else value.encode() for key, value in data.items()}
        fields = pb.mapping(2, data, pb.bytestring) + pb.text(3, kind)
        return self.builtin("secrets", "v1", "Secret", name, namespace, fields, **metadata)

    def config_map(self, namespace, name, data, **metadata):
        return self.builtin("configmaps", "v1", "ConfigMap", name, namespace, pb.mapping(2, data), **metadata)

    def lease(self, namespace, name, holder, renewed, seconds=40):
        spec = pb.message(
            2, pb.text(1, holder), pb.integer(2, seconds), pb.timestamp(3, self.cluster.installed),
            pb.timestamp(4, renewed), pb.integer(5, 1),
        )
        return self.builtin("leases", "coordination.k8s.io/v1", "Lease", name, namespace, spec)

    def event(self, namespace, name, subject, reason, note, when):
        fields = (
            pb.message(2, pb.text(1, "Pod"), pb.text(2, namespace), pb.text(3, subject), pb.text(4, self.cluster.uid(subject)),
                       pb.text(5, "v1"), pb.text(6, ""), pb.text(7, "")),
            pb.text(3, reason), pb.text(4, note),
            pb.message(5, pb.text(1, "kubelet"), pb.text(2, next(iter(self.cluster.nodes)))),
            pb.timestamp(6, when), pb.timestamp(7, when), pb.integer(8, 1), pb.text(9, "Normal"),
        )
        return self.builtin("events", "v1", "Event", name, namespace, *fields, created=when)

    # -- cluster-wide configuration --------------------------------------

    def cluster_version(self):
        moment, history = self.moment, []
        for release in moment.history:
            history.append({
                "acceptedRisks": "",
                "completionTime": rfc3339(release.completed) if release.completed else None,
                "image": image(release.version),
                "startedTime": rfc3339(release.started),
                "state": "Completed" if release.completed else "Partial",
                "verified": release is not moment.history[-1],
                "version": release.version,
            })
        newest = moment.history[0]
        since = rfc3339(newest.completed or newest.started)
        channel = "stable-" + ".".join(map(str, moment.minor()))
        if moment.updating:
            progress = ("True", f"Working towards {moment.desired}: 131 of 901 done (14% complete), waiting on etcd, kube-apiserver")
        else:
            progress = ("False", f"Cluster version is {moment.desired}")
        conditions = [
            {"type": "RetrievedUpdates", "status": "True", "lastTransitionTime": rfc3339(self.cluster.installed + timedelta(minutes=5))},
            {"type": "Available", "status": "True", "lastTransitionTime": rfc3339(self.cluster.installed + timedelta(minutes=44)),
             "message": f"Done applying {moment.settled}"},
            {"type": "Failing", "status": "False", "lastTransitionTime": since},
            {"type": "Progressing", "status": progress[0], "lastTransitionTime": since, "message": progress[1]},
            {"type": "Upgradeable", "status": "True", "lastTransitionTime": since},
        ]
        desired = {
            "channels": ["candidate" + channel[6:], "fast" + channel[6:], channel],
            "image": image(moment.desired),
            "url": f"https://errata.example.com/RHBA-{newest.started.year}:0000",
            "version": moment.desired,
        }
        generation = len(history) + 1
        self.custom("config.openshift.io", "clusterversions", "ClusterVersion", "version", {
            "spec": {
                "channel": channel,
                "clusterID": self.cluster.cluster_id,
                "desiredUpdate": {"architecture": "", "force": False, "image": image(moment.desired), "version": moment.desired},
            },
            "status": {
                "availableUpdates": None,
                "capabilities": {"enabledCapabilities": ["Console", "Ingress", "MachineAPI"], "knownCapabilities": ["Console", "Ingress", "MachineAPI"]},
                "conditions": conditions, "desired": desired, "history": history,
                "observedGeneration": generation, "versionHash": "mZ0c9Fq1Zt0=",
            },
        }, generation=generation)

    def configuration(self):
        cluster, moment = self.cluster, self.moment
        group = "config.openshift.io"
        self.custom(group, "infrastructures", "Infrastructure", "cluster", {
            "spec": {"cloudConfig": {"name": ""}, "platformSpec": {"type": cluster.platform}},
            "status": {
                "apiServerInternalURI": cluster.api_internal, "apiServerURL": cluster.api,
                "controlPlaneTopology": cluster.topology, "cpuPartitioning": "None", "etcdDiscoveryDomain": "",
                "infrastructureName": cluster.infrastructure, "infrastructureTopology": cluster.topology,
                "platform": cluster.platform, "platformStatus": {"type": cluster.platform},
            },
        })
        spec = {"audit": {"profile": "Default"}}
        if moment.rings.kube or moment.encryption != "identity":
            spec["encryption"] = {"type": moment.encryption}
        self.custom(group, "apiservers", "APIServer", "cluster", {"spec": spec})
        self.custom(group, "dnses", "DNS", "cluster", {"spec": {"baseDomain": cluster.domain, "platformSpec": {"type": ""}}, "status": {}})
        network = {
            "clusterNetwork": [{"cidr": "10.128.0.0/14", "hostPrefix": 23}], "networkType": "OVNKubernetes",
            "serviceNetwork": ["172.30.0.0/16"],
        }
        self.custom(group, "networks", "Network", "cluster", {"spec": network, "status": {**network, "clusterNetworkMTU": 1400}})
        self.custom(group, "proxies", "Proxy", "cluster", {"spec": {"trustedCA": {"name": ""}}, "status": {}})
        self.custom(group, "featuregates", "FeatureGate", "cluster", {"spec": {}, "status": {"featureGates": []}})
        self.custom(group, "ingresses", "Ingress", "cluster", {"spec": {"domain": f"apps.{cluster.domain}"}})
        self.custom(group, "oauths", "OAuth", "cluster", {"spec": {}})
        self.custom(group, "schedulers", "Scheduler", "cluster", {"spec": {"mastersSchedulable": not cluster.workers}})
        for role, count in (("master", len(cluster.nodes)), ("worker", len(cluster.workers))):
            rendered = f"rendered-{role}-{hashlib.md5((moment.settled + role).encode()).hexdigest()}"
            self.custom("machineconfiguration.openshift.io", "machineconfigpools", "MachineConfigPool", role, {
                "spec": {"configuration": {"name": rendered}, "paused": False},
                "status": {
                    "configuration": {"name": rendered}, "machineCount": count, "readyMachineCount": count,
                    "updatedMachineCount": count, "degradedMachineCount": 0, "unavailableMachineCount": 0,
                    "conditions": [{"type": "Updated", "status": "True", "lastTransitionTime": rfc3339(moment.history[-1].completed)}],
                },
            })
        for plural, group in (("clusterversions", "config.openshift.io"), ("infrastructures", "config.openshift.io"),
                              ("etcds", "operator.openshift.io"), ("machineconfigpools", "machineconfiguration.openshift.io")):
            self.custom("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", f"{plural}.{group}", {
                "spec": {"group": group, "names": {"plural": plural}, "scope": "Cluster",
                         "versions": [{"name": "v1", "served": True, "storage": True,
                                       "schema": {"openAPIV3Schema": {"description": noise(plural, 1500), "type": "object"}}}]},
            })

    # -- operators --------------------------------------------------------

    def operators(self):
        moment, cluster = self.moment, self.cluster
        kinds = {"etcd": ("etcds", "Etcd"), "kube-apiserver": ("kubeapiservers", "KubeAPIServer"),
                 "kube-controller-manager": ("kubecontrollermanagers", "KubeControllerManager"),
                 "kube-scheduler": ("kubeschedulers", "KubeScheduler")}
        healthy_since = rfc3339(moment.history[-1].completed)
        changed = rfc3339(moment.stamp - timedelta(minutes=6)) if moment.updating else rfc3339(moment.history[0].completed)
        for component in COMPONENTS:
            newest = moment.revisions[component]
            late = moment.behind.get(component, [])
            statuses = []
            for index, node in enumerate(cluster.nodes):
                status = {"currentRevision": newest, "nodeName": node, "targetRevision": 0}
                if node in late:
                    status["currentRevision"] = newest - 1
                    status["targetRevision"] = newest if node == late[0] else 0
                statuses.append(status)
            done = len(cluster.nodes) - len(late)
            text = f"{len(cluster.nodes)} nodes are at revision {newest}"
            if late:
                text = f"{len(late)} nodes are at revision {newest - 1}; {done} nodes are at revision {newest}"
            progressing = "True" if late else "False"
            conditions = [
                {"type": "NodeInstallerProgressing", "status": progressing, "reason": "" if late else "AllNodesAtLatestRevision",
                 "message": text, "lastTransitionTime": changed},
                {"type": "NodeInstallerDegraded", "status": "False", "lastTransitionTime": healthy_since},
                {"type": "StaticPodsAvailable", "status": "True", "message": text, "lastTransitionTime": healthy_since},
            ]
            if component == "kube-apiserver":
                encrypted = moment.encryption != "identity"
                conditions.append({
                    "type": "Encrypted", "status": "True" if encrypted else "False",
                    "reason": "EncryptionCompleted" if encrypted else "EncryptionDisabled",
                    "message": "All resources encrypted: secrets, configmaps" if encrypted else "Encryption is not enabled",
                    "lastTransitionTime": changed if encrypted else healthy_since,
                })
            plural, kind = kinds[component]
            self.custom("operator.openshift.io", plural, kind, "cluster", {
                "spec": {"forceRedeploymentReason": "", "logLevel": "Normal", "managementState": "Managed", "observedConfig": None,
                         "operatorLogLevel": "Normal", "unsupportedConfigOverrides": None},
                "status": {"conditions": conditions, "latestAvailableRevision": newest, "latestAvailableRevisionReason": "",
                           "nodeStatuses": statuses, "readyReplicas": 0},
            }, generation=newest)
        for name in [*COMPONENTS, "authentication", "dns", "ingress", "machine-config", "network", "openshift-apiserver"]:
            late = moment.behind.get(name, [])
            version = moment.desired if name in COMPONENTS and name in moment.behind else moment.settled
            if moment.updating and name == "etcd":
                version = moment.desired
            versions = [{"name": "raw-internal", "version": version}, {"name": "operator", "version": version}]
            versions.append({"name": name, "version": moment.kubernetes if name.startswith("kube-") else version})
            reason = "NodeInstaller" if late else "AsExpected"
            self.custom("config.openshift.io", "clusteroperators", "ClusterOperator", name, {
                "spec": {},
                "status": {
                    "conditions": [
                        {"type": "Degraded", "status": "False", "reason": "AsExpected", "message": "All is well", "lastTransitionTime": healthy_since},
                        {"type": "Progressing", "status": "True" if late else "False", "reason": reason,
                         "message": "NodeInstallerProgressing: a revision is being rolled out" if late else "All is well", "lastTransitionTime": changed},
                        {"type": "Available", "status": "True", "reason": "AsExpected", "message": "All is well", "lastTransitionTime": healthy_since},
                        {"type": "Upgradeable", "status": "True", "reason": "AsExpected", "message": "All is well", "lastTransitionTime": healthy_since},
                    ],
                    "extension": None,
                    "relatedObjects": [{"group": "", "name": f"openshift-{name}", "resource": "namespaces"}],
                    "versions": versions,
                },
            })

    # -- nodes, workloads, time ------------------------------------------

    def nodes(self):
        moment, cluster = self.moment, self.cluster
        for name, address in {**cluster.nodes, **cluster.workers}.items():
            roles = ["worker"]
            if name in cluster.nodes:
                roles = ["master"] + (["control-plane"] if moment.minor() >= (4, 12) else []) + ([] if cluster.workers else ["worker"])
            labels = {f"node-role.kubernetes.io/{role}": "" for role in roles}
            labels.update({"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"})
            uid = cluster.uid(name).replace("-", "")
            beat = moment.taken - timedelta(seconds=97)
            ready = pb.message(4, pb.text(1, "Ready"), pb.text(2, "True"), pb.timestamp(3, beat),
                               pb.timestamp(4, cluster.installed + timedelta(minutes=12)), pb.text(5, "KubeletReady"),
                               pb.text(6, "kubelet is posting ready status"))
            info = pb.message(7, pb.text(1, uid), pb.text(2, cluster.uid(name + "/system")), pb.text(3, cluster.uid(name + "/boot")),
                              pb.text(4, "5.14.0-427.40.1.el9_4.x86_64"), pb.text(5, "Red Hat Enterprise Linux CoreOS"),
                              pb.text(6, f"cri-o://{moment.kubernetes}"), pb.text(7, f"v{moment.kubernetes}"), pb.text(8, f"v{moment.kubernetes}"),
                              pb.text(9, "linux"), pb.text(10, "amd64"))
            addresses = pb.message(5, pb.text(1, "InternalIP"), pb.text(2, address)) + pb.message(5, pb.text(1, "Hostname"), pb.text(2, name))
            self.builtin("minions", "v1", "Node", name, "", pb.message(2), pb.message(3, ready, addresses, info), labels=labels,
                         created=cluster.installed + timedelta(minutes=10))

    def leases(self, ago=0):
        """Every lease of the cluster as of `ago` seconds before the snapshot; returns their keys."""
        moment, cluster, keys = self.moment, self.cluster, []
        machines = {**cluster.nodes, **cluster.workers}
        for index, node in enumerate(machines):
            renewed = moment.taken - timedelta(seconds=ago + index * 2, microseconds=index * 1234)
            keys.append(self.lease("kube-node-lease", node, node, renewed))
        holder = next(iter(cluster.nodes))
        for index, (namespace, name) in enumerate([("openshift-cluster-version", "version"), ("kube-system", "kube-controller-manager"),
                                                   ("kube-system", "kube-scheduler"), ("openshift-etcd-operator", "openshift-cluster-etcd-operator-lock")]):
            renewed = moment.taken - timedelta(seconds=ago + 3 + index * 5)
            keys.append(self.lease(namespace, name, f"{holder}_{cluster.uid(name)}", renewed, 137))
        return keys

    def workloads(self):
        moment, cluster = self.moment, self.cluster
        for namespace in NAMESPACES:
            self.builtin("namespaces", "v1", "Namespace", namespace, "", pb.message(2, pb.text(1, "kubernetes")), pb.message(3, pb.text(1, "Active")),
                         labels={"kubernetes.io/metadata.name": namespace})
            for account in ("default", "deployer"):
                self.builtin("serviceaccounts", "v1", "ServiceAccount", account, namespace)
        for index, namespace in enumerate(NAMESPACES):
            if index % 3 == 0:
                self.config_map(namespace, "kube-root-ca.crt", {"ca.crt": self.signers()["loadbalancer-serving-signer"].crt.decode()})
            if index % 2 == 0:
                name = f"worker-{namespace.split('-')[-1]}"
                number = 300 + (index * 37) % 900
                container = pb.message(2, pb.text(1, "main"), pb.text(2, image(moment.desired, name)), pb.text(5, noise(name, number)))
                spec = pb.message(2, container, pb.text(3, "Always"), pb.text(10, next(iter(cluster.nodes))))
                self.builtin("pods", "v1", "Pod", f"{name}-{cluster.uid(name)[:5]}", namespace, spec, pb.message(3, pb.text(1, "Running")),
                             labels={"app": name})
                self.builtin("deployments", "apps/v1", "Deployment", name, namespace, pb.message(2, pb.integer(1, 1)))
                self.builtin("services/specs", "v1", "Service", name, namespace, pb.message(2, pb.text(3, f"172.30.0.{index + 10}"), pb.text(4, "ClusterIP")))
                self.builtin("services/endpoints", "v1", "Endpoints", name, namespace)
                self.secret(namespace, f"{name}-dockercfg", {".dockercfg": noise(name + "/docker", 200 + (index * 91) % 1200)},
                            "kubernetes.io/dockercfg")
        for index in range(24):
            container = pb.message(2, pb.text(1, "main"), pb.text(2, image(moment.desired, "job")), pb.text(5, noise(f"job/{index}", 500 + 150 * index)))
            self.builtin("pods", "v1", "Pod", f"job-{index}", "default", pb.message(2, container, pb.text(3, "Never")), pb.message(3, pb.text(1, "Succeeded")))
        for name in ("admin", "cluster-admin", "edit", "view", "system:node"):
            self.builtin("clusterroles", "rbac.authorization.k8s.io/v1", "ClusterRole", name, "")
        self.secret("kube-system", "kubeadmin", {"kubeadmin": noise("kubeadmin" + cluster.name, 60)})
        install = f"apiVersion: v1\nbaseDomain: example.com\nmetadata:\n  name: {cluster.name}\nplatform: {{}}\n"
        self.config_map("kube-system", "cluster-config-v1", {"install-config": install})
        endpoints = {moment.ids[node]: address for node, address in cluster.nodes.items() if node in moment.ids}
        self.config_map("openshift-etcd", "etcd-endpoints", endpoints)
        # More than one page each: bbolt stores them with overflow pages.
        self.config_map("openshift-config-managed", "trusted-ca-bundle", {"ca-bundle.crt": noise("bundle", 118_000)})
        if len(cluster.nodes) > 1:
            self.secret("openshift-machine-config-operator", "node-bootstrapper-image", {"payload": noise("payload", 104_000)})
        self.config_map("openshift-monitoring", "dashboards", {"etcd.json": noise("dashboards", 23_000)})

    def routes_and_tokens(self):
        moment, cluster = self.moment, self.cluster
        for namespace, name in (("openshift-console", "console"), ("openshift-console", "downloads"), ("openshift-authentication", "oauth-openshift"),
                                ("openshift-ingress", "canary"), ("openshift-monitoring", "prometheus-k8s"), ("payments", "shop"), ("inventory", "stock")):
            spec = pb.message(2, pb.text(1, f"{name}-{namespace}.apps.{cluster.domain}"), pb.text(2, ""),
                              pb.message(3, pb.text(1, "Service"), pb.text(2, name), pb.integer(3, 100)), pb.text(8, "None"))
            self.builtin("routes", "route.openshift.io/v1", "Route", name, namespace, spec, pb.message(3), prefix=OPENSHIFT)
        for index in range(4):
            name = "sha256~" + noise(f"{cluster.name}/token/{index}", 43).replace("/", "_").replace("+", "-")
            fields = (pb.text(2, "console"), pb.integer(3, 86400), pb.text(4, "user:full"),
                      pb.text(5, f"https://console.apps.{cluster.domain}/auth/callback"), pb.text(6, "kube:admin"), pb.text(7, cluster.uid("kube:admin")))
            self.builtin("oauth/accesstokens", "oauth.openshift.io/v1", "OAuthAccessToken", name, "", *fields, prefix=OPENSHIFT,
                         created=moment.taken - timedelta(hours=2 * index + 1))
        name = "sha256~" + noise(cluster.name + "/authorize", 43).replace("/", "_").replace("+", "-")
        self.builtin("oauth/authorizetokens", "oauth.openshift.io/v1", "OAuthAuthorizeToken", name, "", pb.text(2, "console"), pb.integer(3, 300),
                     pb.text(4, "user:full"), prefix=OPENSHIFT, created=moment.taken - timedelta(minutes=2))
        self.builtin("oauth/clients", "oauth.openshift.io/v1", "OAuthClient", "console", "", prefix=OPENSHIFT)

    def events(self):
        for index in range(36):
            namespace = NAMESPACES[(index * 5) % len(NAMESPACES)]
            when = self.moment.taken - timedelta(minutes=4 * index + 1)
            subject = f"worker-{namespace.split('-')[-1]}"
            self.event(namespace, f"{subject}.{int(when.timestamp()) * 1000:x}", subject, "Pulled",
                       f"Container image {image(self.moment.desired, subject)} already present on machine", when)

    # -- certificates -----------------------------------------------------

    def signers(self):
        """The signers and leaves in force at this moment, issued once for each period."""
        moment, cluster = self.moment, self.cluster
        day = timedelta(days=1)
        first = cluster.installed + timedelta(hours=14)
        rotated = moment.taken >= first
        kubelet_refresh = 292 if moment.minor() >= (4, 14) else 365
        table = {  # secret: namespace, validity, refresh, the installer's common name and validity
            "kube-apiserver-to-kubelet-signer": ("openshift-kube-apiserver-operator", 365, kubelet_refresh, "kube-apiserver-to-kubelet-signer", 365),
            "kube-control-plane-signer": ("openshift-kube-apiserver-operator", 60, 30, "kube-control-plane-signer", 365),
            "aggregator-client-signer": ("openshift-kube-apiserver-operator", 30, 15, "aggregator-signer", 1),
            "loadbalancer-serving-signer": ("openshift-kube-apiserver-operator", 3650, 2920, "kube-apiserver-lb-signer", 3650),
            "localhost-serving-signer": ("openshift-kube-apiserver-operator", 3650, 2920, "kube-apiserver-localhost-signer", 3650),
            "csr-signer-signer": ("openshift-kube-controller-manager-operator", 60, 30, "kubelet-signer", 1),
            "csr-signer": ("openshift-kube-controller-manager-operator", 30, 15, "kubelet-signer", 1),
            "etcd-signer": (moment.etcd_signer_namespace, 1825, 1533, "etcd-signer", 1825),
        }
        pairs = {}
        for name, (namespace, validity, refresh, plain, installer) in table.items():
            if rotated and not plain.endswith(("-lb-signer", "-localhost-signer")) and name != "etcd-signer":
                period = (moment.taken - first) // (refresh * day)
                start = first + period * refresh * day
                common, lifetime = f"{namespace}_{name}@{int(start.timestamp())}", validity * day
            else:
                start, common, lifetime = cluster.installed, plain, installer * day
                if name == "etcd-signer" and rotated:
                    common = f"{namespace}_{name}@{int(start.timestamp())}"
            slot = (name, start)
            if slot not in cluster.certificates:
                cluster.certificates[slot] = certificates.signer(common, start, lifetime, None if "@" in common else "openshift")
            pairs[name] = cluster.certificates[slot]
        for name, issuer, common in (("aggregator-client", "aggregator-client-signer", "system:openshift-aggregator"),
                                     ("kubelet-client", "kube-apiserver-to-kubelet-signer", "system:kube-apiserver"),
                                     ("kube-controller-manager-client-cert-key", "kube-control-plane-signer", "system:kube-controller-manager")):
            start = first + (moment.taken - first) // (15 * day) * 15 * day if rotated else cluster.installed
            slot = (name, start)
            if slot not in cluster.certificates:
                cluster.certificates[slot] = certificates.leaf(pairs[issuer], common, start, 30 * day if rotated else day)
            pairs[name] = cluster.certificates[slot]
        return pairs

    def etcd_certificates(self):
        """Serving, peer and metrics certificates of every control-plane node, 3 years from the installation."""
        cluster, pairs = self.cluster, {}
        issuer = self.signers()["etcd-signer"]
        for node, address in cluster.nodes.items():
            for kind in ("peer", "serving", "serving-metrics"):
                slot = (kind, node)
                if slot not in cluster.certificates:
                    cluster.certificates[slot] = certificates.leaf(
                        issuer, f"system:etcd-{kind.replace('serving', 'server')}:{node}", cluster.installed, timedelta(days=1095), [address])
                pairs[f"etcd-{kind}-{node}"] = cluster.certificates[slot]
        return pairs

    def certificate_secrets(self):
        pairs = self.signers()
        namespaces = {"csr-signer": "openshift-kube-controller-manager-operator", "csr-signer-signer": "openshift-kube-controller-manager-operator",
                      "etcd-signer": self.moment.etcd_signer_namespace, "aggregator-client": "openshift-kube-apiserver",
                      "kubelet-client": "openshift-kube-apiserver", "kube-controller-manager-client-cert-key": "openshift-config-managed"}
        for name, pair in pairs.items():
            namespace = namespaces.get(name, "openshift-kube-apiserver-operator")
            issuer = next(other.common_name for other in pairs.values() if other.certificate.subject == pair.certificate.issuer)
            annotations = {
                "auth.openshift.io/certificate-issuer": issuer,
                "auth.openshift.io/certificate-not-after": rfc3339(pair.not_after),
                "auth.openshift.io/certificate-not-before": rfc3339(pair.not_before),
            }
            kind = "SecretTypeTLS" if self.moment.minor() < (4, 15) and name.endswith("signer") else "kubernetes.io/tls"
            self.secret(namespace, name, {"tls.crt": pair.crt, "tls.key": pair.pem_key}, kind, annotations=annotations)
        if self.moment.etcd_signer_namespace == "openshift-etcd":
            # Newer releases keep the installer's place as well.
            pair = pairs["etcd-signer"]
            self.secret("openshift-config", "etcd-signer", {"tls.crt": pair.crt, "tls.key": pair.pem_key}, "kubernetes.io/tls")
        data = {}
        for name, pair in self.etcd_certificates().items():
            data[name + ".crt"], data[name + ".key"] = pair.crt, pair.pem_key
        self.secret("openshift-etcd", "etcd-all-certs", data)

    def encryption_secrets(self):
        moment, rings = self.moment, self.moment.rings
        for component, namespace, resources, ring in (
            ("openshift-kube-apiserver", "openshift-kube-apiserver", CONFIGURED, rings.kube),
            ("openshift-apiserver", "openshift-apiserver", ["routes.route.openshift.io"], rings.openshift),
            ("openshift-oauth-apiserver", "openshift-oauth-apiserver", TOKENS, rings.oauth),
        ):
            if not ring:
                continue
            revision = moment.revisions["kube-apiserver"] if component == "openshift-kube-apiserver" else 4
            self.secret(namespace, f"encryption-config-{revision}", {"encryption-config": encryption.configuration(ring, resources)},
                        labels={f"{PREFIX}/component": component})
            for key in ring:
                if key.mode == "identity":
                    continue
                empty = key.secret == bytes(16)
                migrated = moment.stamp - timedelta(days=2)
                annotations = {f"{PREFIX}/mode": "identity" if empty else key.mode.upper() if key.mode == "kms" else key.mode}
                if not (moment.mixed and key is ring[0]):
                    annotations[f"{PREFIX}/migrated-timestamp"] = rfc3339(migrated)
                    listed = [{"Group": resource.partition(".")[2], "Resource": resource.partition(".")[0]} for resource in resources]
                    annotations[f"{PREFIX}/migrated-resources"] = json.dumps({"resources": listed}, separators=(",", ":"))
                self.secret("openshift-config-managed", f"encryption-key-{component}-{key.name}", {f"{PREFIX}-key": key.secret},
                            annotations=annotations, labels={f"{PREFIX}/component": component})

    def build(self):
        self.cluster_version()
        self.configuration()
        self.operators()
        self.nodes()
        self.workloads()
        self.routes_and_tokens()
        self.certificate_secrets()
        self.encryption_secrets()
        self.events()
        self.leases()
        return self


def resource_of(etcd_key):
    """The group-resource that an EncryptionConfiguration names for this key, or None."""
    for prefix, resource in (
        (f"{KUBE}/secrets/", "secrets"),
        (f"{KUBE}/configmaps/", "configmaps"),
        (f"{OPENSHIFT}/routes/", "routes.route.openshift.io"),
        (f"{OPENSHIFT}/oauth/accesstokens/", TOKENS[0]),
        (f"{OPENSHIFT}/oauth/authorizetokens/", TOKENS[1]),
    ):
        if etcd_key.startswith(prefix):
            return resource
    return None


def key_for(moment, etcd_key):
    """The key under which this value is stored at this moment, or None for plain text."""
    resource = resource_of(etcd_key)
    if resource is None:
        return None
    rings = moment.rings
    ring = rings.kube if resource in CONFIGURED else rings.openshift if resource.startswith("routes") else rings.oauth
    if not ring or ring[0].mode == "identity":
        return None
    # Written under the second key and not yet migrated; the keys' own Secrets were written last.
    if moment.mixed and ring is rings.kube and "encryption-" not in etcd_key and hashlib.sha256(etcd_key.encode()).digest()[0] % 3:
        return ring[1]
    return ring[0]
