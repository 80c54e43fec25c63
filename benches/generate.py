#!/usr/bin/env python3
"""Usage: generate.py KIND BYTES OUT [LATER]

Writes a snapshot of at least BYTES that a real etcd has filled: through its JSON gateway, by several
connections, with overwrites, deletions and a compaction on the way.

KIND  kubernetes   objects of 0.3 to 24 KiB in the encodings of Kubernetes, 4 KiB on average
      tiny         keys of some 30 bytes with values of 16, each written three times

LATER, of kubernetes, is the same cluster after a twentieth more: what a diff has to tell apart.

BYTES takes K, M or G (of 1,000). The programs come from testdata/make/etcd.sh; set ETCD_HOME to use others.
"""

import base64
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

MAKE = Path(__file__).resolve().parent.parent / "testdata" / "make"
sys.path.insert(0, str(MAKE))
import http.client  # noqa: E402

import protobuf as pb  # noqa: E402

ADDRESS, PORT, PEER_PORT = "127.0.0.1", 32379, 32380
CONNECTIONS = 3
WORDS = """cluster operator available progressing degraded condition reason message status observed generation image
registry release payload container volume mount secret configmap token certificate endpoint service route node master
worker machine network policy selector label annotation template replicas resources requests limits memory cpu storage
probe liveness readiness startup namespace owner reference controller finalizer managed fields time apply update""".split()
RESOURCES = [
    ("pods", "v1", "Pod", 8), ("events", "v1", "Event", 6), ("secrets", "v1", "Secret", 5), ("configmaps", "v1", "ConfigMap", 5),
    ("replicasets", "apps/v1", "ReplicaSet", 4), ("deployments", "apps/v1", "Deployment", 2), ("services/specs", "v1", "Service", 2),
    ("leases", "coordination.k8s.io/v1", "Lease", 1), ("endpointslices", "discovery.k8s.io/v1", "EndpointSlice", 2),
]


def b64(data):
    return base64.b64encode(data).decode()


class Etcd:
    """One member without fsync, in a directory that goes with it."""

    def __init__(self, directory):
        home = os.environ.get("ETCD_HOME") or subprocess.check_output(["sh", str(MAKE / "etcd.sh"), "3.5"], text=True).strip()
        self.home, self.local = home, threading.local()
        self.revision = 1
        command = [
            f"{home}/etcd", "--name", "bench", "--data-dir", directory,
            "--listen-client-urls", f"http://{ADDRESS}:{PORT}", "--advertise-client-urls", f"http://{ADDRESS}:{PORT}",
            "--listen-peer-urls", f"http://{ADDRESS}:{PEER_PORT}", "--initial-advertise-peer-urls", f"http://{ADDRESS}:{PEER_PORT}",
            "--initial-cluster", f"bench=http://{ADDRESS}:{PEER_PORT}",
            "--quota-backend-bytes", str(64 << 30), "--max-txn-ops", "20000", "--max-request-bytes", str(16 << 20),
            "--snapshot-count", "500", "--max-wals", "1", "--max-snapshots", "1", "--unsafe-no-fsync", "--log-level", "error",
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                return self.call("/v3/maintenance/status", "{}") and None
            except (OSError, http.client.HTTPException, RuntimeError):
                time.sleep(0.1)
        raise SystemExit("generate.py: etcd does not answer")

    def call(self, path, body):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=120)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            payload = response.read()
        except (OSError, http.client.HTTPException):
            self.local.connection = None
            raise
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status}: {payload[:200]}")
        return payload.decode()

    def write(self, operations):
        body = '{"success":[' + ",".join(operations) + "]}"
        for _ in range(20):
            try:
                payload = self.call("/v3/kv/txn", body)
                break
            except RuntimeError as error:
                # A busy machine: the transaction may come to be written twice, which does no harm.
                if "timed out" not in str(error) and "too many" not in str(error):
                    raise
                time.sleep(0.5)
        else:
            raise SystemExit("generate.py: etcd is too slow")
        revision = int(payload.split('"revision":"', 1)[1].split('"', 1)[0])
        self.revision = max(self.revision, revision)

    def size(self):
        return int(self.call("/v3/maintenance/status", "{}").split('"dbSize":"', 1)[1].split('"', 1)[0])

    def compact(self, revision):
        self.call("/v3/kv/compaction", f'{{"revision":"{revision}","physical":true}}')

    def snapshot(self, out):
        part = f"{out}.part"
        subprocess.run([f"{self.home}/etcdctl", "--endpoints", f"http://{ADDRESS}:{PORT}", "snapshot", "save", part],
                       env={**os.environ, "ETCDCTL_API": "3"}, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.replace(part, out)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def put(key, value):
    return f'{{"requestPut":{{"key":"{b64(key)}","value":"{value}"}}}}'


def delete(key):
    return f'{{"requestDeleteRange":{{"key":"{b64(key)}"}}}}'


class Body:
    """All of an object but its name and namespace: these are put in front of it for each key."""

    def __init__(self, version, kind, meta, spec):
        self.version, self.kind, self.meta, self.spec = version, kind, meta, spec

    def named(self, namespace, name):
        meta = pb.message(1, pb.text(1, name), pb.text(3, namespace), self.meta)
        return b64(pb.envelope(self.version, self.kind, meta + self.spec))


def bodies(randomness):
    """Some of each resource; to make each anew would take most of the time."""
    pool = {}
    created = datetime(2025, 11, 1, tzinfo=timezone.utc)
    for plural, version, kind, _ in RESOURCES:
        values = pool[plural] = []
        for _ in range(96):
            length = int(min(24_000, 300 + randomness.expovariate(1 / 3600)))
            text, written = [], 0
            while written < length:
                text.append(randomness.choice(WORDS) + "-" + f"{randomness.getrandbits(40):x}"[: randomness.randint(0, 8)] + " ")
                written += len(text[-1])
            moment = created + timedelta(seconds=randomness.randrange(2_000_000))
            meta = (pb.text(5, f"{randomness.getrandbits(128):032x}") + pb.timestamp(8, moment)
                    + pb.mapping(11, {"app": "bench", "tier": randomness.choice(WORDS)}))
            values.append(Body(version, kind, meta, pb.message(2, pb.text(1, "".join(text)[:length]))))
    return pool


def kubernetes(etcd):
    randomness = random.Random(5)
    pool = bodies(randomness)
    weighted = [plural for plural, _, _, weight in RESOURCES for _ in range(weight)]
    numbers, batch = {plural: 0 for plural in pool}, 160

    def place(plural, number):
        return f"namespace-{number % 97}", f"{plural.split('/')[0]}-{number:08x}"

    def transaction():
        operations, used = [], set()
        while len(operations) < batch:
            plural, chance = randomness.choice(weighted), randomness.random()
            number = numbers[plural]
            if chance < 0.6 or number < 50:
                numbers[plural] += 1
            else:
                number = randomness.randrange(number)
            namespace, name = place(plural, number)
            key = f"/kubernetes.io/{plural}/{namespace}/{name}".encode()
            if key in used:
                continue
            used.add(key)
            body = randomness.choice(pool[plural])
            operations.append(delete(key) if 0.96 < chance else put(key, body.named(namespace, name)))
        return operations

    compacted = False

    def fill(target):
        nonlocal compacted
        with ThreadPoolExecutor(CONNECTIONS) as workers:
            while (size := etcd.size()) < target:
                if not compacted and size > target * 0.6:
                    etcd.compact(etcd.revision * 2 // 3)
                    compacted = True
                round_ = [transaction() for _ in range(48)]
                list(workers.map(etcd.write, round_))

    return fill


def tiny(etcd):
    return lambda target: fill_tiny(etcd, target)


def fill_tiny(etcd, target):
    # Some 90 bytes an entry, pages and their slack included.
    keys, batch = target // 330, 1000
    values = [b64(random.Random(seed).randbytes(16)) for seed in range(512)]
    with ThreadPoolExecutor(CONNECTIONS) as workers:
        for version in range(3):
            starts = range(0, keys, batch)
            etcd_write = lambda start: etcd.write(  # noqa: E731
                [put(f"/tiny/{number * 2654435761 % (1 << 32):08x}/{number:012x}".encode(), values[(number + version) % 512])
                 for number in range(start, min(start + batch, keys))])
            list(workers.map(etcd_write, starts))
            if version == 1:
                etcd.compact(etcd.revision // 2)


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in ("kubernetes", "tiny"):
        raise SystemExit(__doc__)
    kind, size, out, *later = sys.argv[1:]
    target = int(float(size.rstrip("KMG")) * 1000 ** " KMG".index(size[-1] if size[-1] in "KMG" else " "))
    out = Path(out)
    directory = out.with_name(out.name + ".etcd")
    etcd = Etcd(str(directory))
    try:
        fill = {"kubernetes": kubernetes, "tiny": tiny}[kind](etcd)
        for out, target in [(out, target), *((Path(one), target * 21 // 20) for one in later)]:
            fill(target)
            time.sleep(1)
            etcd.snapshot(out)
            print(f"{out}: {out.stat().st_size} bytes")
    finally:
        etcd.stop()
        subprocess.run(["rm", "-rf", str(directory)], check=False)


if __name__ == "__main__":
    main()
