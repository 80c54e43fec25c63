#!/usr/bin/env python3
"""Usage: kuberesources.py [--runs N] [DIRECTORY]

Measures `etcd-cat verify` of archives with 100 MB of static pods' resources against gzip, and prints a Markdown table.

A real archive has some 150 members and less than 1 MB: these are as many times larger as it takes to measure the reading
and not the start of a process. They are made in DIRECTORY (by default etcd-cat-bench below TMPDIR) and kept for the next
time. The commands of a row take turns, so that a machine that slows down slows both; seconds are the medians of N (9) turns,
ratios the medians of each turn's ratio.

ETCD_CAT names the program (target/release/etcd-cat).
"""

import io
import json
import os
import random
import subprocess
import sys
import tarfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "testdata" / "make"))
import certificates  # noqa: E402
from verify import Bench, directory_of, machine, parsed  # noqa: E402

BYTES = 100_000_000
COMPONENTS = {"kube-apiserver": 24, "kube-controller-manager": 13, "kube-scheduler": 10, "etcd": 10}
WORDS = """kube apiserver openshift operator cluster node resource request limit volume mount path secret configmap readiness
liveness probe termination policy static pod manifest revision endpoint health serving bundle signer token client""".split()

# What an archive is made of, by parts of its members.
KINDS = {
    # As in a real one: manifests and configuration weigh most, and of certificates there are a hundred in each MB.
    "manifests": {"pod.json": 45, "pod.yaml": 45, "ca-bundle.crt": 4, "tls.crt": 3, "tls.key": 3},
    # Keys and certificates are what deflate makes least of.
    "keys": {"pod.json": 15, "pod.yaml": 10, "ca-bundle.crt": 10, "tls.crt": 15, "tls.key": 50},
}


def main():
    arguments, options = parsed(sys.argv[1:], {"--runs": "9"})
    directory = directory_of(arguments, __doc__)
    bench = Bench(directory, False, int(options["--runs"]))
    print(machine())
    print()
    print("| 100 MB of | compressed | etcd-cat | resident | against | seconds | ratio |")
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS:
        archive = packed(directory, kind)
        size = archive.stat().st_size
        name = f"{kind} | 1 to {BYTES / size:.1f}"
        bench.compare(name, bench.verify(archive), [("gzip -t", [["gzip", "-t", str(archive)]])])


def packed(directory, kind):
    # One that is alone: a file beside it would be looked at as well.
    archive = directory / kind / "static_kuberesources_2024-11-02_030000.tar.gz"
    archive.parent.mkdir(exist_ok=True)
    if not archive.exists():
        plain = archive.with_suffix("")
        with tarfile.open(plain, "w", format=tarfile.GNU_FORMAT) as tar:
            for name, content in members(kind):
                member = tarfile.TarInfo(f"static-pod-resources/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        subprocess.run(["gzip", "-n", str(plain)], check=True)
    return archive


def members(kind):
    """The four manifests, then files of each kind in turn, until there are enough bytes."""
    made = Maker(random.Random(1))
    for component, revision in COMPONENTS.items():
        yield f"{component}-pod-{revision}/{component}-pod.yaml", made.pod_json(component)
    names, parts = zip(*KINDS[kind].items())
    written = dict.fromkeys(names, 0)
    while sum(written.values()) < BYTES:
        # What has the least of its part comes next: of all kinds, all the way through.
        file = min(names, key=lambda name: written[name] / KINDS[kind][name])
        component, revision = made.random.choice(list(COMPONENTS.items()))
        content = made.content(file)
        written[file] += len(content)
        folder = "configmaps" if file.startswith(("pod", "ca")) else "secrets"
        yield f"{component}-pod-{revision}/{folder}/{made.name()}-{sum(written.values())}/{file}", content


class Maker:
    def __init__(self, numbers):
        self.random = numbers
        start = datetime(2024, 10, 1, tzinfo=timezone.utc)
        signer = certificates.signer("openshift-kube-apiserver-operator_kube-signer@1727740800", start, timedelta(days=3650))
        leaves = [certificates.leaf(signer, f"system:{self.name()}-{number}", start, timedelta(days=30)) for number in range(400)]
        self.pairs = [(leaf.crt, leaf.pem_key) for leaf in leaves]

    def name(self):
        return "-".join(self.random.sample(WORDS, 3))

    def content(self, file):
        if file == "ca-bundle.crt":
            return b"".join(crt for crt, _ in self.random.sample(self.pairs, 12))
        if file.startswith("tls"):
            crt, key = self.random.choice(self.pairs)
            return crt if file == "tls.crt" else key
        component = self.random.choice(list(COMPONENTS))
        return self.pod_json(component) if file == "pod.json" else self.pod_yaml(component)

    def pod_json(self, component):
        return json.dumps(self.pod(component), separators=(",", ":")).encode()

    def pod_yaml(self, component):
        return "\n".join(lines(self.pod(component), "")).encode() + b"\n"

    def pod(self, component):
        revision = str(COMPONENTS[component])
        return {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": component, "namespace": f"openshift-{component}", "labels": {"app": component, "revision": revision},
                         "uid": f"{self.random.getrandbits(128):032x}"},
            "spec": {"containers": [self.container(component, revision) for _ in range(self.random.randint(3, 9))], "hostNetwork": True},
        }

    def container(self, component, revision):
        return {
            "name": self.name(), "image": f"quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:{self.random.getrandbits(256):064x}",
            "command": ["/bin/bash", "-ec"],
            "args": [f"exec hyperkube {component} " + " ".join(f"--{self.name()}={self.random.choice(WORDS)}" for _ in range(25))],
            "env": [{"name": self.name().upper(), "value": f"{self.random.choice(WORDS)}{self.random.randint(0, 999)}"} for _ in range(8)],
            "resources": {"requests": {"memory": f"{self.random.randint(50, 900)}Mi", "cpu": f"{self.random.randint(5, 300)}m"}},
            "volumeMounts": [{"mountPath": f"/etc/kubernetes/static-pod-resources/{component}-pod-{revision}/{self.name()}", "name": "resource-dir"}],
            "terminationMessagePolicy": "FallbackToLogsOnError", "imagePullPolicy": "IfNotPresent",
        }


def lines(value, indent):
    """YAML of what a pod is made of."""
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in items:
        start = f"{indent}- " if key is None else f"{indent}{key}: "
        if isinstance(item, (dict, list)):
            yield start.rstrip()
            yield from lines(item, indent + "  ")
        else:
            yield start + json.dumps(item)


if __name__ == "__main__":
    main()
