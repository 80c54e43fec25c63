"""Makes every sample: the table of clusters and moments, and the story that each etcd goes through.

Usage: samples.py DIRECTORY VERSION=HOME...   (VERSION 3.4, 3.5, 3.5.30, perhaps 3.6; HOME from etcd.sh)
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import check
import etcd
import kuberesources
import openshift
import oracle
from encryption import IDENTITY, Key, carrier, encrypt
from model import COMPONENTS, Cluster, Moment, Release, Rings, rfc3339, utc

PROD = Cluster(
    "prod", "prod-7xk2p", "3a5f1c9e-7d24-4b8e-9c61-52f0a7e4d301",
    {"master-0": "127.0.1.10", "master-1": "127.0.1.11", "master-2": "127.0.1.12"}, utc("2024-02-03T10:11:12Z"),
    workers={"worker-0": "127.0.1.20", "worker-1": "127.0.1.21"},
)
EDGE = Cluster("edge", "edge-q9w4z", "b1d0c3a2-58f7-4e63-8a90-6c17e2d9f402", {"sno-0": "127.0.2.10"}, utc("2024-03-10T08:00:00Z"), platform="None")
LAB = Cluster(
    "lab", "lab-m3n8v", "c8e7d6b5-1a2b-4c3d-9e4f-0a1b2c3d4e03",
    {"master-0": "127.0.3.10", "master-1": "127.0.3.11", "master-2": "127.0.3.12"}, utc("2021-08-05T06:30:00Z"), platform="VSphere",
)
FRESH = Cluster(
    "fresh", "fresh-t6r2b", "d4c3b2a1-90ab-4cde-8f01-23456789ab04",
    {"master-0": "127.0.4.10", "master-1": "127.0.4.11", "master-2": "127.0.4.12"}, utc("2024-11-05T03:00:00Z"), bootstrap="127.0.4.9",
)
KMS = Cluster("vault", "vault-h4j6t", "e5f60718-2938-4a4b-9c5d-6e7f80912a05", {"sno-0": "127.0.5.10"}, utc("2024-05-06T07:08:09Z"), platform="None")
NEXT = Cluster(
    "next", "next-w5c8d", "f6071829-3a4b-4c5d-8e6f-708192a3b406",
    {"master-0": "127.0.6.10", "master-1": "127.0.6.11", "master-2": "127.0.6.12"}, utc("2025-06-01T12:00:00Z"),
)


def release(version, started, minutes=65):
    begun = utc(started)
    return Release(version, begun, begun + timedelta(minutes=minutes) if minutes else None)


def revisions(*numbers):
    return dict(zip(COMPONENTS, numbers))


PROD_OLD = [release("4.16.7", "2024-08-20T07:00:00Z"), release("4.15.1", "2024-02-03T10:15:00Z", 35)]
PROD_2 = [release("4.17.2", "2024-10-13T06:00:00Z"), *PROD_OLD]
PROD_3 = [release("4.17.3", "2024-10-27T02:20:00Z", 105), *PROD_2]
EDGE_RC = [release("4.17.3-rc.1", "2024-09-10T09:00:00Z"), release("4.16.7", "2024-08-21T07:00:00Z"), release("4.15.1", "2024-03-10T08:05:00Z", 40)]

CBC6, CBC7, CBC8 = (Key.new("aescbc", name) for name in "678")
GCM3, BOX5, KMS1 = Key.new("aesgcm", "3"), Key.new("secretbox", "5"), Key.new("kms", "1")
WAS_ON = [IDENTITY, carrier("5")]


def app_ring(mode, name):
    return [Key.new(mode, name), IDENTITY]


PROD_ROUTES, PROD_TOKENS = app_ring("aescbc", "5"), app_ring("aescbc", "4")


class Story:
    """One etcd cluster, from its first key on, and what has been stored in it."""

    def __init__(self, server, cluster, plain=False):
        self.server = server
        self.cluster = cluster
        self.plain = plain  # plain Kubernetes: built-in types only, below /registry
        self.stored = {}
        self.leases = []
        self.compactions = 0

    def translate(self, values):
        """`values` as this cluster has them: all, or what there is without OpenShift."""
        if not self.plain:
            return dict(values)
        kept = {}
        for name, value in values.items():
            if name.startswith(openshift.KUBE + "/") and "openshift" not in name and value.startswith(b"k8s\0"):
                kept[name.replace(openshift.KUBE, "/registry", 1)] = value
        return kept

    def store(self, moment, values):
        """Puts what changed, deletes what is gone; events and tokens hang on leases."""
        server = self.server
        wanted = {}
        for name, plain in values.items():
            key = openshift.key_for(moment, name)
            wanted[name] = (key.mode + key.name if key else "", plain, key)
        changed = [name for name in sorted(wanted) if self.stored.get(name, ())[:2] != wanted[name][:2]]
        gone = [name for name in self.stored if name not in wanted]
        batch = []
        for index, name in enumerate(changed):
            _, plain, key = wanted[name]
            value = encrypt(key, name, openshift.resource_of(name), plain)
            lease = None
            if "/events/" in name:
                lease = self.leases[index % 3]
            elif "tokens/" in name:
                lease = self.leases[3]
            # Every eleventh to thirteenth change goes into one transaction of three.
            if index % 13 > 9:
                batch.append((name, value, lease))
                if len(batch) == 3:
                    server.transaction(batch)
                    batch = []
            else:
                server.put(name, value, lease)
        if batch:
            server.transaction(batch)
        for name in gone:
            server.delete(name)
        self.stored = {name: entry[:2] for name, entry in wanted.items()}

    def churn(self, moment, objects, rounds, step, compact, defragment):
        """Leases are renewed, events come and go; half way the history before is compacted."""
        server = self.server
        for number in range(rounds):
            if compact and number == rounds // 2:
                server.put("compact_rev_key", str(server.revision))
                server.compact(server.revision)
                self.compactions += 1
                for member in server.members if defragment else ():
                    server.defragment(member)
            renewed = self.renewals(objects, step * (rounds - number))
            for start in range(0, len(renewed), 3):
                server.transaction([(key, value, None) for key, value in renewed[start:start + 3]])
            turn = number % 4
            scratch = [self.scratch(moment, objects, turn, number) for turn in range(4)]
            if turn == 3:
                # A put and a delete at one revision, then the rest one by one.
                server.transaction([(*scratch[3], None)], [scratch[2][0]])
                for key, _ in (scratch[0], scratch[1], scratch[3]):
                    server.delete(key)
            else:
                server.put(*scratch[turn])
        for key, value in reversed(self.renewals(objects, 0)):
            server.put(key, value)

    def renewals(self, objects, ago):
        keys = objects.leases(ago)
        return list(self.translate({key: objects.values[key] for key in keys}).items())

    def scratch(self, moment, objects, turn, number):
        """A ConfigMap that lives for a few rounds, as it is stored."""
        name = objects.config_map("kube-public", f"scratch-{turn}", {"round": str(number)})
        plain = objects.values.pop(name)
        name = next(iter(self.translate({name: plain})))
        return name, encrypt(openshift.key_for(moment, name), name, openshift.resource_of(name), plain)

    def reach(self, moment, rounds=16, step=10, compact=True, defragment=False):
        """Brings the cluster to this moment. `rounds` renewals of all leases come before it, `step` seconds apart."""
        moment.ids = self.server.ids()
        if not self.leases:
            self.leases = [self.server.grant(10800) for _ in range(3)] + [self.server.grant(86400)]
        objects = openshift.Objects(moment).build()
        self.store(moment, self.translate(objects.values))
        self.churn(moment, objects, rounds, step, compact, defragment)
        return objects


class Samples:
    def __init__(self, root, homes):
        self.root = root
        self.homes = homes
        self.table = []

    def home(self, version):
        return self.homes[version]

    def save(self, story, objects, path, scenario, member, archive=None, **extra):
        """Takes the snapshot and, next to it or elsewhere, the tarball; writes down what is expected of both."""
        moment, server = objects.moment, story.server
        live = server.count(member)
        target = os.path.join(self.root, path)
        server.snapshot(member, target)
        self.describe(path, scenario, moment, archive, objects, live, story, **extra)

    def describe(self, path, scenario, moment, archive, objects, live, story, openshift_facts=True, raw=False):
        cluster = story.cluster
        target = os.path.join(self.root, path)
        answers = oracle.write(self.homes, target)
        status = answers.get("3.5") or answers["3.4"]
        members = sorted(({"id": identity, "name": name} for name, identity in story.server.ids().items()), key=lambda member: member["id"])
        row = {
            "path": path, "scenario": scenario, "etcd": version_of(story.server.home), "raw": raw, "openshift": openshift_facts,
            "version": None, "upgradingFrom": None, "upgradingTo": None, "clusterId": None, "infrastructureName": None, "apiServerUrl": None,
            "apiServerInternalUri": None, "controlPlaneTopology": None, "installedAt": None, "takenAt": rfc3339(moment.taken),
            "namedAt": None if path.endswith("/snapshot.db") else rfc3339(moment.stamp),
            "revision": status["revision"], "totalKey": status["totalKey"], "totalSize": status["totalSize"], "hash": status["hash"],
            "liveKeys": live, "compactRevision": check.read(target)["compactRevision"], "members": members, "alarms": [],
            "history": [], "nodes": [], "staticPodRevisions": None, "node": None, "kuberesources": None,
            "encryption": {"provider": "none", "keysUsed": [], "keysFound": [], "routes": None, "oauth": None},
        }
        if openshift_facts:
            row.update({
                "version": None if moment.updating else moment.desired,
                "upgradingFrom": moment.settled if moment.updating else None, "upgradingTo": moment.desired if moment.updating else None,
                "clusterId": cluster.cluster_id, "infrastructureName": cluster.infrastructure, "apiServerUrl": cluster.api,
                "apiServerInternalUri": cluster.api_internal, "controlPlaneTopology": cluster.topology, "installedAt": rfc3339(cluster.installed),
                "nodes": list(cluster.nodes),
                "history": [{"version": entry.version, "state": "Completed" if entry.completed else "Partial", "startedTime": rfc3339(entry.started),
                             "completionTime": rfc3339(entry.completed) if entry.completed else None} for entry in moment.history],
            })
            row["encryption"] = expected_encryption(moment, objects)
        if archive:
            row["staticPodRevisions"] = kuberesources.Tree(moment, objects).pack(os.path.join(self.root, archive))
            row["node"], row["kuberesources"] = moment.node, archive
        elif row["encryption"]["keysFound"]:
            row["encryption"]["keysFound"] = []
        row["alarms"] = [{"memberId": f"{int(alarm['memberID']):016x}", "alarm": alarm["alarm"]} for alarm in story.server.alarms()] if not raw else []
        self.table.append(row)
        print(path, row["revision"], row["totalKey"], row["totalSize"], flush=True)

    # -- the stories ------------------------------------------------------

    def prod(self):
        none = Rings(kube=WAS_ON)
        with etcd.Cluster(self.home("3.5"), PROD.members, "prod") as server:
            story = Story(server, PROD)
            moment = Moment(PROD, utc("2024-10-20T03:00:00Z"), PROD_2, revisions(19, 11, 9, 8), rings=none, node="master-0")
            objects = story.reach(moment, defragment=True)
            self.save(story, objects, "backups/prod/snapshot_2024-10-20_030000.db",
                      "4.17.2, not encrypted; encryption had been on before, so the configuration has identity first and a carrier of zero bytes",
                      "master-0", "backups/prod/static_kuberesources_2024-10-20_030000.tar.gz")
            upgrading = [Release("4.17.3", utc("2024-10-27T02:20:00Z")), *PROD_2]
            moment = Moment(PROD, utc("2024-10-27T03:00:00Z"), upgrading, revisions(20, 12, 9, 9), rings=none, node="master-0",
                            behind={"kube-apiserver": ["master-1", "master-2"], "etcd": ["master-2"]})
            objects = story.reach(moment)
            self.save(story, objects, "backups/prod-upgrade/snapshot_2024-10-27_030000.db",
                      "in the middle of the upgrade 4.17.2 -> 4.17.3: history[0] is Partial, kube-apiserver and etcd are rolling out",
                      "master-0", "backups/prod-upgrade/static_kuberesources_2024-10-27_030000.tar.gz")
            rings = Rings([CBC7, CBC6, IDENTITY, carrier("5")], PROD_ROUTES, PROD_TOKENS)
            moment = Moment(PROD, utc("2024-11-02T03:00:00Z"), PROD_3, revisions(24, 13, 10, 10), "aescbc", rings, node="master-0")
            objects = story.reach(moment, defragment=True)
            self.save(story, objects, "backups/prod/snapshot_2024-11-02_030000.db",
                      "4.17.3, aescbc: all under key 7, the ring holds 7 and 6; routes and tokens under keys of their own; tarball kept apart",
                      "master-0", "backups/keys/prod/static_kuberesources_2024-11-02_030000.tar.gz")
            live = server.count("master-2")
            raw = "backups/raw/snapshot-20241102-030000.db"
            server.raw_copy("master-2", os.path.join(self.root, raw))
            self.describe(raw, "raw copy of member/snap/db of a stopped member, the content of prod 2024-11-02; no digest, no tarball", moment,
                          None, objects, live, story, raw=True)
            rings = Rings([CBC8, CBC7, IDENTITY], PROD_ROUTES, PROD_TOKENS)
            moment = Moment(PROD, utc("2024-11-09T03:00:00Z"), PROD_3, revisions(25, 14, 10, 10), "aescbc", rings, mixed=True, node="master-0")
            objects = story.reach(moment)
            self.save(story, objects, "backups/prod/snapshot_2024-11-09_030000.db",
                      "4.17.3, aescbc during a key rotation: values under 7 and 8, the ring is 8, 7; tarball kept apart",
                      "master-0", "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz")
            moment = Moment(PROD, utc("2024-11-09T03:04:00Z"), PROD_3, revisions(25, 14, 10, 10), "aescbc", rings, mixed=True, node="master-1")
            objects = story.reach(moment, rounds=150, step=1.5, compact=False)
            self.save(story, objects, "backups/prod-master-1/snapshot_2024-11-09_030400.db",
                      "another host's backup of the same cluster, 4 minutes after the one before; tarball of master-1, kept apart",
                      "master-1", "backups/keys/prod-master-1/static_kuberesources_2024-11-09_030400.tar.gz")

    def edge(self):
        candidate = Moment(EDGE, utc("2024-09-15T12:00:00Z"), EDGE_RC, revisions(14, 8, 7, 5), node="sno-0")
        with etcd.Cluster(self.home("3.5"), EDGE.members, "edge") as server:
            story = Story(server, EDGE)
            objects = story.reach(candidate)
            self.save(story, objects, "backups/edge/snapshot_2024-09-15_120000.db", "single node, 4.17.3-rc.1, never encrypted",
                      "sno-0", "backups/edge/static_kuberesources_2024-09-15_120000.tar.gz")
            rings = Rings([GCM3, IDENTITY], app_ring("aesgcm", "2"), app_ring("aesgcm", "2"))
            moment = Moment(EDGE, utc("2024-11-02T03:00:00Z"), [release("4.17.30", "2024-10-25T09:00:00Z"), *EDGE_RC], revisions(17, 9, 8, 6), "aesgcm",
                            rings, node="sno-0")
            objects = story.reach(moment, defragment=True)
            self.save(story, objects, "backups/edge/snapshot_2024-11-02_030000.db",
                      "single node, 4.17.30, aesgcm key 3; the same file name as prod's, another cluster; tarball kept apart",
                      "sno-0", "backups/keys/edge/static_kuberesources_2024-11-02_030000.tar.gz")
        # The same cluster had it taken the other way: 4.17.3, first without encryption.
        history = [release("4.17.3", "2024-10-29T09:00:00Z"), *EDGE_RC]
        with etcd.Cluster(self.home("3.5"), EDGE.members, "edge") as server:
            story = Story(server, EDGE)
            story.reach(candidate, rounds=60)
            moment = Moment(EDGE, utc("2024-11-06T03:00:00Z"), history, revisions(18, 9, 8, 7), node="sno-0")
            objects = story.reach(moment)
            server.restart(quota=server.size() + 48 * 1024)
            try:
                for number in range(2000):
                    name = objects.event("openshift-monitoring", f"filler.{number:x}", "filler", "Created", openshift.noise(f"filler/{number}", 1400),
                                         moment.taken - timedelta(seconds=1))
                    value = objects.values.pop(name)
                    server.put(name, value, story.leases[0])
                    story.stored[name] = ("", value)
            except etcd.NoSpace:
                pass
            assert server.alarms(), "no alarm was raised"
            self.save(story, objects, "backups/alarm/snapshot_2024-11-06_030000.db", "single node, 4.17.3, not encrypted, alarm NOSPACE raised",
                      "sno-0", "backups/alarm/static_kuberesources_2024-11-06_030000.tar.gz")
            server.restart()
            server.disarm()
            rings = Rings([BOX5, IDENTITY], app_ring("secretbox", "4"), app_ring("secretbox", "3"))
            moment = Moment(EDGE, utc("2024-11-07T03:00:00Z"), history, revisions(20, 9, 8, 7), "secretbox", rings, node="sno-0")
            objects = story.reach(moment)
            self.save(story, objects, "backups/secretbox/snapshot_2024-11-07_030000.db", "single node, 4.17.3, secretbox key 5; tarball kept apart",
                      "sno-0", "backups/keys/secretbox/static_kuberesources_2024-11-07_030000.tar.gz")

    def lab(self):
        history = [release("4.8.14", "2021-11-02T09:00:00Z"), release("4.8.3", "2021-08-05T06:35:00Z", 40)]
        with etcd.Cluster(self.home("3.4"), LAB.members, "lab") as server:
            story = Story(server, LAB)
            objects = story.reach(Moment(LAB, utc("2022-03-01T02:00:00Z"), history, revisions(9, 7, 6, 3), node="master-0"), rounds=40, compact=False)
            self.save(story, objects, "backups/lab/snapshot_2022-03-01_020000.db", "4.8.14 on etcd 3.4, not encrypted, never compacted",
                      "master-0", "backups/lab/static_kuberesources_2022-03-01_020000.tar.gz")

    def fresh(self):
        history = [release("4.17.3", "2024-11-05T03:05:00Z", 45)]
        with etcd.Cluster(self.home("3.5"), FRESH.members, "fresh") as server:
            story = Story(server, FRESH)
            objects = story.reach(Moment(FRESH, utc("2024-11-05T09:00:00Z"), history, revisions(4, 4, 3, 2), node="master-0"))
            self.save(story, objects, "backups/fresh/snapshot_2024-11-05_090000.db",
                      "4.17.3, six hours after the installation: the installer's signers, member etcd-bootstrap still listed",
                      "master-0", "backups/fresh/static_kuberesources_2024-11-05_090000.tar.gz")

    def kubernetes(self):
        with etcd.Cluster(self.home("3.4"), {"node-0": "127.0.7.10"}, "kubernetes") as server:
            story = Story(server, LAB, plain=True)
            moment = Moment(LAB, utc("2022-03-01T02:00:00Z"), [release("4.8.14", "2021-11-02T09:00:00Z")], revisions(1, 1, 1, 1), node="master-0")
            objects = story.reach(moment, rounds=60)
            self.save(story, objects, "backups/kubernetes/snapshot.db", "plain Kubernetes: keys under /registry, no OpenShift, no tarball",
                      "node-0", openshift_facts=False)

    def kms(self):
        history = [release("4.21.1", "2024-10-20T09:00:00Z"), release("4.20.8", "2024-05-06T07:10:00Z", 40)]
        rings = Rings([KMS1, IDENTITY], [KMS1, IDENTITY], [KMS1, IDENTITY])
        with etcd.Cluster(self.home("3.5.30"), KMS.members, "kms") as server:
            story = Story(server, KMS)
            objects = story.reach(Moment(KMS, utc("2024-11-08T03:00:00Z"), history, revisions(13, 8, 7, 6), "KMS", rings, node="sno-0"))
            self.save(story, objects, "backups/kms/snapshot_2024-11-08_030000.db", "single node, 4.21.1, KMS v2: cannot be decrypted offline",
                      "sno-0", "backups/kms/static_kuberesources_2024-11-08_030000.tar.gz")

    def next(self):
        # 4.21 comes with etcd 3.6; without a 3.6 the newest release that runs on 3.5 takes its place.
        six = "3.6" in self.homes
        newest = "4.21.0" if six else "4.20.8"
        history = [release(newest, "2025-12-15T09:00:00Z"), release("4.19.4", "2025-06-01T12:05:00Z", 40)]
        with etcd.Cluster(self.home("3.6" if six else "3.5.30"), NEXT.members, "next") as server:
            story = Story(server, NEXT)
            objects = story.reach(Moment(NEXT, utc("2026-01-10T03:00:00Z"), history, revisions(12, 9, 8, 7), node="master-0"))
            self.save(story, objects, "backups/next/snapshot_2026-01-10_030000.db", f"{newest}, not encrypted, OPERATOR_IMAGE_VERSION in the tarball",
                      "master-0", "backups/next/static_kuberesources_2026-01-10_030000.tar.gz")


def expected_encryption(moment, objects):
    used = {"kube": set(), "openshift": set(), "oauth": set()}
    for etcd_key in objects.values:
        key = openshift.key_for(moment, etcd_key)
        if key:
            resource = openshift.resource_of(etcd_key)
            name = f"{key.name}_{resource}" if key.mode == "kms" else key.name
            used["kube" if resource in openshift.CONFIGURED else "openshift" if resource.startswith("routes") else "oauth"].add(name)
    real = [key for key in moment.rings.kube if key.mode != "identity" and key.secret != bytes(16)]

    def apart(ring, names):
        if not ring:
            return None
        keys = [key for key in ring if key.mode != "identity"]
        return {"provider": keys[0].mode, "keysUsed": sorted(names),
                "keys": [{"name": key.name, "secret": base64.b64encode(key.secret).decode()} for key in keys if key.secret]}

    return {
        "provider": real[0].mode if real else "none",
        "keysUsed": sorted(used["kube"]),
        "keysFound": [key.name for key in real if key.secret],
        "routes": apart(moment.rings.openshift, used["openshift"]),
        "oauth": apart(moment.rings.oauth, used["oauth"]),
    }


def version_of(home):
    out = subprocess.run([os.path.join(home, "etcd"), "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return out.splitlines()[0].split(": ")[1]


def readme(root, table, homes):
    """README.md: every file, what it is for, what made it, its SHA-256."""
    tar = subprocess.run(["tar", "--version"], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()[0]
    lines = [
        "# Test data", "",
        "Backups made by real etcd servers and GNU tar, with invented clusters in them. All keys and certificates were generated at random for this and protect nothing.", "",
        "- `samples.json`: what is known about each snapshot, for table-driven tests.",
        "- `<snapshot>.status.json`: what `snapshot status -w json` of each etcd says about it. `totalKey` of 3.6 would be the number of live keys.",
        "- `make/make.sh`: makes all of it again, with new random keys, so with new digests. `make/etcd.sh VERSION` prints where that etcd is.", "",
        f"Made on {datetime.now(timezone.utc):%Y-%m-%d} with etcd " + ", ".join(version_of(home) for _, home in sorted(homes.items())) + f" of Debian and {tar}.", "",
    ]
    for row in table:
        lines += [f"## `{row['path']}`", "", f"{row['scenario'][0].upper()}{row['scenario'][1:]}. etcd {row['etcd']}.", ""]
        for path in filter(None, (row["path"], row["path"] + ".status.json", row["kuberesources"])):
            with open(os.path.join(root, path), "rb") as file:
                content = file.read()
            lines.append(f"- `{path}` {len(content)} bytes, SHA-256 `{hashlib.sha256(content).hexdigest()}`")
        lines.append("")
    with open(os.path.join(root, "README.md"), "w", encoding="ascii") as file:
        file.write("\n".join(lines).rstrip() + "\n")


def main():
    root = sys.argv[1]
    homes = dict(argument.split("=", 1) for argument in sys.argv[2:])
    samples = Samples(root, homes)
    shutil.rmtree(os.path.join(root, "backups"), ignore_errors=True)
    for story in (samples.prod, samples.edge, samples.lab, samples.fresh, samples.kubernetes, samples.kms, samples.next):
        story()
    samples.table.sort(key=lambda row: row["path"])
    with open(os.path.join(root, "samples.json"), "w", encoding="ascii") as file:
        json.dump(samples.table, file, indent=2)
        file.write("\n")
    readme(root, samples.table, homes)
    bad = 0
    for row in samples.table:
        facts = check.read(os.path.join(root, row["path"]))
        for name in ("revision", "totalKey", "totalSize", "hash", "liveKeys"):
            if facts[name] != row[name]:
                facts["problems"].append(f"{name}: {row[name]} expected, {facts[name]} read")
        for problem in facts["problems"]:
            print(f"{row['path']}: {problem}", file=sys.stderr)
            bad += 1
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
