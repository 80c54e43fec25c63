"""Real etcd servers on loopback addresses, written to through the v3 JSON gateway."""

import base64
import http.client
import json
import os
import shutil
import subprocess
import tempfile
import time


class NoSpace(Exception):
    """etcd refused a write: its quota is used up."""


def _b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


class Cluster:
    """A cluster of one or more members, each on an address of its own."""

    def __init__(self, home, members, token, quota=None):
        self.home = home
        self.members = members
        self.token = token
        self.quota = quota
        self.directory = tempfile.mkdtemp(prefix="etcd-cat-testdata-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.processes = {}
        self.connections = {}
        self.revision = 1

    def __enter__(self):
        try:
            for name in self.members:
                self.start(name)
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.stop(name)
        shutil.rmtree(self.directory, ignore_errors=True)

    def data(self, name):
        return os.path.join(self.directory, name)

    def client_url(self, name):
        return f"http://{self.members[name]}:2379"

    def start(self, name):
        address = self.members[name]
        peers = ",".join(f"{member}=http://{ip}:2380" for member, ip in self.members.items())
        command = [
            os.path.join(self.home, "etcd"),
            "--name", name,
            "--data-dir", self.data(name),
            "--listen-client-urls", f"http://{address}:2379",
            "--advertise-client-urls", f"http://{address}:2379",
            "--listen-peer-urls", f"http://{address}:2380",
            "--initial-advertise-peer-urls", f"http://{address}:2380",
            "--initial-cluster", peers,
            "--initial-cluster-token", self.token,
            "--initial-cluster-state", "new",
            "--logger", "zap",
            "--log-level", "error",
        ]
        if self.quota:
            command += ["--quota-backend-bytes", str(self.quota)]
        log = open(os.path.join(self.directory, name + ".log"), "ab")
        self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()

    def stop(self, name):
        process = self.processes.pop(name)
        connection = self.connections.pop(name, None)
        if connection:
            connection.close()
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self, quota=None):
        self.quota = quota
        for name in list(self.processes):
            self.stop(name)
        for name in self.members:
            self.start(name)
        self.wait()

    def wait(self):
        """Returns once every member answers a linearizable read."""
        deadline = time.monotonic() + 60
        for name in self.members:
            while True:
                try:
                    self.count(name)
                    break
                except (OSError, http.client.HTTPException, RuntimeError):
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)

    def call(self, path, body, name=None):
        name = name or next(iter(self.members))
        connection = self.connections.get(name)
        if connection is None:
            connection = self.connections[name] = http.client.HTTPConnection(self.members[name], 2379, timeout=30)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            payload = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            del self.connections[name]
            raise
        if response.status != 200:
            if b"space exceeded" in payload:
                raise NoSpace
            raise RuntimeError(f"{path}: {response.status}: {payload.decode(errors='replace')[:300]}")
        answer = json.loads(payload)
        self.revision = int(answer.get("header", {}).get("revision", self.revision))
        return answer

    def put(self, key, value, lease=None):
        return self.call("/v3/kv/put", self._put(key, value, lease))

    def delete(self, key):
        return self.call("/v3/kv/deleterange", {"key": _b64(key)})

    def transaction(self, puts, deletes=()):
        """All of it at one main revision, one sub revision for each operation. `puts`: (key, value, lease)."""
        operations = [{"requestPut": self._put(*put)} for put in puts]
        operations += [{"requestDeleteRange": {"key": _b64(key)}} for key in deletes]
        return self.call("/v3/kv/txn", {"success": operations})

    @staticmethod
    def _put(key, value, lease=None):
        body = {"key": _b64(key), "value": _b64(value)}
        if lease:
            body["lease"] = lease
        return body

    def grant(self, seconds):
        return self.call("/v3/lease/grant", {"TTL": str(seconds)})["ID"]

    def compact(self, revision):
        self.call("/v3/kv/compaction", {"revision": str(revision), "physical": True})

    def defragment(self, name):
        self.call("/v3/maintenance/defragment", {}, name)

    def count(self, name=None):
        """How many keys live, by a linearizable read: the member has caught up when it answers."""
        answer = self.call("/v3/kv/range", {"key": "AA==", "range_end": "AA==", "count_only": True}, name)
        return int(answer.get("count", 0))

    def size(self):
        return int(self.call("/v3/maintenance/status", {})["dbSize"])

    def alarms(self):
        return self.call("/v3/maintenance/alarm", {"action": "GET"}).get("alarms", [])

    def disarm(self):
        for alarm in self.alarms():
            self.call("/v3/maintenance/alarm", {"action": "DEACTIVATE", "memberID": alarm["memberID"], "alarm": alarm["alarm"]})

    def ids(self):
        """Member name -> 16 hex digits."""
        members = self.call("/v3/cluster/member/list", {})["members"]
        return {member["name"]: f"{int(member['ID']):016x}" for member in members}

    def snapshot(self, name, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            os.unlink(path)
        subprocess.run(
            [os.path.join(self.home, "etcdctl"), "--endpoints", self.client_url(name), "snapshot", "save", path],
            env={**os.environ, "ETCDCTL_API": "3"}, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )

    def raw_copy(self, name, path):
        """Stops the member, copies its database as it lies there, starts it again."""
        self.defragment(name)
        self.stop(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(os.path.join(self.data(name), "member", "snap", "db"), path)
        os.chmod(path, 0o600)
        self.start(name)
        self.wait()
