"""static_kuberesources_<ts>.tar.gz: the static pods' resources of one node, packed by GNU tar as cluster-backup.sh does."""

import json
import os
import shutil
import subprocess
import tempfile
from datetime import timedelta

from cryptography.hazmat.primitives import serialization

import encryption
import openshift
from model import COMPONENTS

ROOT = "static-pod-resources"


def line(document):
    return json.dumps(document, separators=(",", ":"))


class Tree:
    """Files by path below static-pod-resources; `mode` None means the mode that ConfigMap files have in this release."""

    def __init__(self, moment, objects):
        self.moment = moment
        self.cluster = moment.cluster
        self.objects = objects
        self.files = {}

    def add(self, component, path, content, mode=None):
        name = f"{component}-pod-{self.revision(component)}/{path}"
        self.files[name] = (content if isinstance(content, bytes) else content.encode(), mode)

    def revision(self, component):
        late = self.moment.node in self.moment.behind.get(component, [])
        return self.moment.revisions[component] - (1 if late else 0)

    def config_map(self, component, path, content):
        self.add(component, f"configmaps/{path}", content)

    def secret(self, component, path, content):
        self.add(component, f"secrets/{path}", content, 0o600)

    def pod(self, component, namespace, containers, init=(), yaml_template=False):
        revision = str(self.revision(component))
        document = {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {
                "name": component, "namespace": namespace,
                "labels": {"app": f"openshift-{component}" if component != "etcd" else "etcd", component: "true", "revision": revision},
                "annotations": {"target.workload.openshift.io/management": "{\"effect\": \"PreferredDuringScheduling\"}"},
            },
            "spec": {
                "volumes": [
                    {"name": "resource-dir", "hostPath": {"path": f"/etc/kubernetes/{ROOT}/{component}-pod-{revision}"}},
                    {"name": "cert-dir", "hostPath": {"path": f"/etc/kubernetes/{ROOT}/{component}-certs"}},
                ],
                "initContainers": list(init), "containers": containers, "hostNetwork": True,
                "priorityClassName": "system-node-critical", "tolerations": [{"operator": "Exists"}],
            },
            "status": {},
        }
        if self.moment.minor() < (4, 10):
            document["metadata"]["uid"] = self.cluster.uid(f"{component}/{revision}/{self.moment.node}")
        self.add(component, f"{component}-pod.yaml", line(document))
        self.config_map(component, f"{component}-pod/pod.yaml", line(document) if not yaml_template else
                        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: {component}\n  namespace: {namespace}\n  labels:\n    revision: \"{revision}\"\n")
        self.config_map(component, f"{component}-pod/forceRedeploymentReason", "")
        self.config_map(component, f"{component}-pod/version", "v4.0.0-alpha.0")

    def container(self, name, args=(), env=(), image=None):
        return {
            "name": name, "image": openshift.image(self.moment.desired, image or name), "command": ["/bin/bash", "-ec"], "args": list(args),
            "env": [{"name": key, "value": value} for key, value in env],
            "volumeMounts": [{"name": "resource-dir", "mountPath": f"/etc/kubernetes/{ROOT}"}],
            "terminationMessagePolicy": "FallbackToLogsOnError", "imagePullPolicy": "IfNotPresent",
        }

    def kubeconfig(self, user):
        return (
            "apiVersion: v1\nclusters:\n  - cluster:\n      certificate-authority: /etc/kubernetes/static-pod-resources/configmaps/serviceaccount-ca/ca-bundle.crt\n"
            f"      server: {self.cluster.api_internal}\n    name: lb-int\ncontexts:\n  - context:\n      cluster: lb-int\n      user: {user}\n    name: {user}\n"
            f"current-context: {user}\nkind: Config\npreferences: {{}}\nusers:\n  - name: {user}\n    user:\n"
            "      client-certificate: /etc/kubernetes/static-pod-certs/secrets/client-cert-key/tls.crt\n"
            "      client-key: /etc/kubernetes/static-pod-certs/secrets/client-cert-key/tls.key\n"
        )

    def local_kubeconfig(self, user):
        return self.kubeconfig(user).replace(self.cluster.api_internal, "https://localhost:6443").replace("lb-int", "loopback")

    def kube_apiserver(self):
        component, moment, pairs = "kube-apiserver", self.moment, self.objects.signers()
        arguments = {
            "audit-log-path": ["/var/log/kube-apiserver/audit.log"],
            "etcd-prefix": ["kubernetes.io"],
            "etcd-servers": [f"https://{address}:2379" for address in self.cluster.nodes.values()] + ["https://localhost:2379"],
            "service-cluster-ip-range": ["172.30.0.0/16"],
            "storage-media-type": ["application/vnd.kubernetes.protobuf"],
        }
        if moment.rings.kube:
            arguments["encryption-provider-config"] = [f"/etc/kubernetes/{ROOT}/secrets/encryption-config/encryption-config"]
            self.secret(component, "encryption-config/encryption-config", encryption.configuration(moment.rings.kube, openshift.CONFIGURED))
        config = {"apiVersion": "kubecontrolplane.config.openshift.io/v1", "kind": "KubeAPIServerConfig",
                  "apiServerArguments": dict(sorted(arguments.items())), "servicesSubnet": "172.30.0.0/16"}
        self.config_map(component, "config/config.yaml", line(config) + "\n")
        self.config_map(component, "bound-sa-token-signing-certs/service-account-001.pub", self.public_key())
        self.config_map(component, "etcd-serving-ca/ca-bundle.crt", pairs["etcd-signer"].crt)
        self.config_map(component, "kube-apiserver-audit-policies/policy.yaml", "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n")
        self.config_map(component, "kube-apiserver-cert-syncer-kubeconfig/kubeconfig", self.local_kubeconfig("cert-syncer"))
        self.config_map(component, "kube-apiserver-server-ca/ca-bundle.crt", pairs["loadbalancer-serving-signer"].crt)
        self.config_map(component, "kubelet-serving-ca/ca-bundle.crt", pairs["csr-signer"].crt)
        self.config_map(component, "sa-token-signing-certs/service-account-001.pub", self.public_key())
        client = self.objects.etcd_certificates()[f"etcd-peer-{next(iter(self.cluster.nodes))}"]
        self.secret(component, "etcd-client/tls.crt", client.crt)
        self.secret(component, "etcd-client/tls.key", client.pem_key)
        if moment.minor() <= (4, 8):
            self.secret(component, "kubelet-client/tls.crt", pairs["kubelet-client"].crt)
            self.secret(component, "kubelet-client/tls.key", pairs["kubelet-client"].pem_key)
        recovery = pairs["localhost-serving-signer"]
        self.secret(component, "localhost-recovery-serving-certkey/tls.crt", recovery.crt)
        self.secret(component, "localhost-recovery-serving-certkey/tls.key", recovery.pem_key)
        self.recovery_token(component)
        regeneration = [("OPERATOR_IMAGE_VERSION", moment.desired)] if moment.minor() >= (4, 19) else []
        self.pod(component, "openshift-kube-apiserver", [
            self.container("kube-apiserver", ["exec watch-termination -- hyperkube kube-apiserver --openshift-config=/etc/kubernetes/"
                                              f"{ROOT}/configmaps/config/config.yaml"],
                           [("POD_NAME", component), ("STATIC_POD_VERSION", str(self.revision(component)))], "hyperkube"),
            self.container("kube-apiserver-cert-syncer"),
            self.container("kube-apiserver-cert-regeneration-controller", env=regeneration, image="cluster-kube-apiserver-operator"),
            self.container("kube-apiserver-insecure-readyz"),
            self.container("kube-apiserver-check-endpoints"),
        ], [self.container("setup", image="hyperkube")])

    def public_key(self):
        key = self.objects.signers()["csr-signer"].key.public_key()
        return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def recovery_token(self, component):
        self.secret(component, "localhost-recovery-client-token/token", openshift.noise(component + "/token", 600))
        self.secret(component, "localhost-recovery-client-token/ca.crt", self.objects.signers()["loadbalancer-serving-signer"].crt)
        self.secret(component, "localhost-recovery-client-token/namespace", f"openshift-{component}")

    def kube_controller_manager(self):
        component = "kube-controller-manager"
        config = {"apiVersion": "kubecontrolplane.config.openshift.io/v1", "kind": "KubeControllerManagerConfig",
                  "extendedArguments": {"cluster-cidr": ["10.128.0.0/14"], "cluster-name": [self.cluster.infrastructure],
                                        "cluster-signing-duration": ["720h"], "service-cluster-ip-range": ["172.30.0.0/16"]}}
        self.config_map(component, "config/config.yaml", line(config) + "\n")
        self.config_map(component, "cluster-policy-controller-config/config.yaml",
                        line({"apiVersion": "openshiftcontrolplane.config.openshift.io/v1", "kind": "OpenShiftControllerManagerConfig"}) + "\n")
        self.config_map(component, "controller-manager-kubeconfig/kubeconfig", self.kubeconfig("kube-controller-manager"))
        self.config_map(component, "kube-controller-cert-syncer-kubeconfig/kubeconfig", self.local_kubeconfig("cert-syncer"))
        self.authorities(component)
        self.config_map(component, "recycler-config/recycler-pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: recycler-pod\n")
        self.secret(component, "service-account-private-key/service-account.key", self.objects.signers()["csr-signer"].pem_key)
        self.secret(component, "service-account-private-key/service-account.pub", self.public_key())
        self.recovery_token(component)
        self.pod(component, "openshift-kube-controller-manager", [
            self.container("kube-controller-manager", [f"exec hyperkube kube-controller-manager --openshift-config=/etc/kubernetes/{ROOT}/configmaps/config/config.yaml"]),
            self.container("cluster-policy-controller"),
            self.container("kube-controller-manager-cert-syncer"),
            self.container("kube-controller-manager-recovery-controller"),
        ])

    def authorities(self, component):
        pairs = self.objects.signers()
        self.config_map(component, "serviceaccount-ca/ca-bundle.crt", pairs["loadbalancer-serving-signer"].crt + pairs["localhost-serving-signer"].crt)
        if component == "kube-controller-manager":
            self.config_map(component, "service-ca/ca-bundle.crt", pairs["localhost-serving-signer"].crt)

    def kube_scheduler(self):
        component = "kube-scheduler"
        self.config_map(component, "config/config.yaml", line({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}) + "\n")
        self.config_map(component, "scheduler-kubeconfig/kubeconfig", self.kubeconfig("kube-scheduler"))
        self.config_map(component, "kube-scheduler-cert-syncer-kubeconfig/kubeconfig", self.local_kubeconfig("cert-syncer"))
        self.authorities(component)
        self.recovery_token(component)
        self.pod(component, "openshift-kube-scheduler", [
            self.container("kube-scheduler"),
            self.container("kube-scheduler-cert-syncer"),
            self.container("kube-scheduler-recovery-controller"),
        ])

    def etcd(self):
        component, moment, cluster = "etcd", self.moment, self.cluster
        endpoints = ",".join(f"https://{address}:2379" for address in cluster.nodes.values())
        certs = "/etc/kubernetes/static-pod-certs"
        authority = f"{certs}/configmaps/" + ("etcd-all-bundles/server-ca-bundle.crt" if moment.minor() >= (4, 17) else "etcd-serving-ca/ca-bundle.crt")
        env = [
            ("ALL_ETCD_ENDPOINTS", endpoints), ("ETCDCTL_API", "3"), ("ETCDCTL_CACERT", authority),
            ("ETCDCTL_CERT", f"{certs}/secrets/etcd-all-certs/etcd-peer-{moment.node}.crt"),
            ("ETCDCTL_ENDPOINTS", endpoints), ("ETCDCTL_KEY", f"{certs}/secrets/etcd-all-certs/etcd-peer-{moment.node}.key"),
            ("ETCD_CIPHER_SUITES", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            ("ETCD_DATA_DIR", "/var/lib/etcd"), ("ETCD_ELECTION_TIMEOUT", "1000"), ("ETCD_HEARTBEAT_INTERVAL", "100"),
            ("ETCD_IMAGE", openshift.image(moment.desired, "etcd")), ("ETCD_INITIAL_CLUSTER_STATE", "existing"),
            ("ETCD_QUOTA_BACKEND_BYTES", "8589934592"), ("ETCD_STATIC_POD_VERSION", str(self.revision(component))),
        ]
        for node, address in cluster.nodes.items():
            safe = node.replace("-", "_").replace(".", "_")
            env += [(f"NODE_{safe}_ETCD_NAME", node), (f"NODE_{safe}_ETCD_URL_HOST", address), (f"NODE_{safe}_IP", address)]
        address = cluster.nodes[moment.node]
        command = (
            f"exec etcd --logger=zap --log-level=info --cert-file={certs}/secrets/etcd-all-certs/etcd-serving-{moment.node}.crt"
            f" --key-file={certs}/secrets/etcd-all-certs/etcd-serving-{moment.node}.key --trusted-ca-file={authority} --client-cert-auth=true"
            f" --peer-cert-file={certs}/secrets/etcd-all-certs/etcd-peer-{moment.node}.crt"
            f" --peer-key-file={certs}/secrets/etcd-all-certs/etcd-peer-{moment.node}.key"
            f" --advertise-client-urls=https://{address}:2379 --listen-client-urls=https://0.0.0.0:2379,unixs://{address}:0"
        )
        for node, ip in cluster.nodes.items():
            if node in moment.ids:
                self.config_map(component, f"etcd-endpoints/{moment.ids[node]}", ip)
        ca = self.objects.signers()["etcd-signer"].crt
        if moment.minor() >= (4, 17):
            self.config_map(component, "etcd-all-bundles/server-ca-bundle.crt", ca)
            self.config_map(component, "etcd-all-bundles/metrics-ca-bundle.crt", ca)
        else:
            for name in ("etcd-serving-ca", "etcd-peer-client-ca", "etcd-metrics-proxy-serving-ca", "etcd-metrics-proxy-client-ca"):
                self.config_map(component, f"{name}/ca-bundle.crt", ca)
        for name, pair in self.objects.etcd_certificates().items():
            self.secret(component, f"etcd-all-certs/{name}.crt", pair.crt)
            self.secret(component, f"etcd-all-certs/{name}.key", pair.pem_key)
        self.pod(component, "openshift-etcd", [
            self.container("etcdctl", ["trap TERM INT; sleep infinity & wait"], env, "etcd"),
            self.container("etcd", [command], env, "etcd"),
            self.container("etcd-metrics", env=env, image="etcd"),
            self.container("etcd-readyz", image="cluster-etcd-operator"),
        ], [self.container("setup", image="etcd"), self.container("etcd-ensure-env-vars", env=env, image="etcd")], yaml_template=True)

    def pack(self, path):
        """Writes the tree and runs tar on the four directories, in the order of the script."""
        self.kube_apiserver()
        self.kube_controller_manager()
        self.kube_scheduler()
        self.etcd()
        plain = 0o600 if self.moment.minor() >= (4, 12) else 0o644
        base = tempfile.mkdtemp(prefix="etcd-cat-testdata-")
        try:
            # The installer pod wrote it with the newest release or, as here, the day before.
            when = max(self.moment.history[0].started, self.moment.stamp - timedelta(hours=26)).timestamp()
            for name, (content, mode) in sorted(self.files.items()):
                target = os.path.join(base, ROOT, name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "wb") as file:
                    file.write(content)
                os.chmod(target, mode or plain)
                os.utime(target, (when, when))
            for directory, _, _ in os.walk(os.path.join(base, ROOT), topdown=False):
                os.chmod(directory, 0o755)
                os.utime(directory, (when, when))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            members = [f"{ROOT}/{component}-pod-{self.revision(component)}" for component in COMPONENTS]
            subprocess.run(["tar", "-cpzf", path, "-C", base, *members], check=True)
            os.chmod(path, 0o600)
        finally:
            shutil.rmtree(base)
        return {component: self.revision(component) for component in COMPONENTS}
