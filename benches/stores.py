#!/usr/bin/env python3
"""Usage: stores.py [--runs N] [--only NAME] [--objects N] [DIRECTORY]

Measures `etcd-cat` on buckets against what one would use instead, and prints a Markdown table.

SeaweedFS (testdata/make/servers.sh; ETCD_CAT_TEST_SERVERS names other programs) and a server of this script's own are
started on loopback and stopped again. The latter gives each connection 100 MB/s and no more, as a network does: two
processors serve no more from SeaweedFS, whatever asks it. A snapshot of 1 GB is made by generate.py; it and what
SeaweedFS holds (a copy of it, and 100,000 small objects: 50,000 backups of 500 clusters, 4 GB) stay in DIRECTORY (by
default etcd-cat-bench below TMPDIR) for the next time. The commands of a row take turns, as in verify.py.

--only     rows whose name begins so
--objects  how many small objects are listed (100000); a tenth of them are read for the first time

ETCD_CAT names the program (target/release/etcd-cat), ETCD_HOME the directory of etcd (testdata/make/etcd.sh 3.5).
"""

import gzip
import hashlib
import http.client
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from verify import COPIES, HERE, Bench, directory_of, machine, parsed

SAMPLES = HERE.parent / "testdata/cases/43-cv-desired-empty-history-complete"
KEY, SECRET = "key-of-benches", "secret-of-benches"
PACE = 100e6
PIECE = 256 << 10
CLUSTERS = 500
WRITERS = 8


def free_ports(count):
    """Chosen at one time, so that none is chosen twice."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Seaweed:
    """SeaweedFS with signatures, whose bucket anybody may fill. What it holds stays in its directory."""

    BUCKET = "bench"
    NAMES = "s3.port s3.port.grpc master.port master.port.grpc volume.port volume.port.grpc filer.port filer.port.grpc".split()

    def __init__(self, directory):
        programs = os.environ.get("ETCD_CAT_TEST_SERVERS") or subprocess.check_output(
            ["sh", str(HERE.parent / "testdata/make/servers.sh")], text=True).strip()
        directory.mkdir(exist_ok=True)
        actions = ["Admin", "Read", "List", "Write"]
        identities = directory / "identities.json"
        signing = {"name": "bench", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": actions}
        identities.write_text(json.dumps({"identities": [signing, {"name": "anonymous", "actions": actions}]}))
        ports = free_ports(len(self.NAMES))
        self.port = ports[0]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.local = threading.local()
        fixed = ("server -ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.iam=false -s3.port.iceberg=0 -s3.port.lance=0 "
                 "-master.telemetry=false -volume.max=200 -master.volumeSizeLimitMB=128 -volume.minFreeSpace=1")
        arguments = [f"-dir={directory}", f"-s3.config={identities}"]
        arguments += [f"-{name}.localSocket={directory / name}.sock" for name in ("s3", "filer")]
        arguments += [f"-{name}={port}" for name, port in zip(self.NAMES, ports)]
        with open(directory / "log", "wb") as log:
            self.process = subprocess.Popen([f"{programs}/weed", *fixed.split(), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self):
        """Until it takes an object."""
        for _ in range(1200):
            time.sleep(0.1)
            if self.process.poll() is not None:
                break
            try:
                if self.ask("PUT", f"/{self.BUCKET}") in (200, 409) and self.ask("PUT", f"/{self.BUCKET}/ready", b"x") == 200:
                    return self
            except OSError:
                pass
        self.stop()
        raise SystemExit("SeaweedFS does not start")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None):
        """The status of an answer. Each thread has a connection of its own."""
        connection = getattr(self.local, "connection", None) or http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.local.connection = None
            raise OSError("no answer") from error
        self.local.connection = connection
        return answer.status

    def keep(self, key, body):
        """Puts an object unless it lies there already."""
        path = f"/{self.BUCKET}/{quote(key)}"
        if self.ask("HEAD", path) != 200:
            body = body() if callable(body) else body
            status = self.ask("PUT", path, body)
            if status != 200:
                raise SystemExit(f"SeaweedFS takes no {key}: {status}")

    def keep_file(self, key, file):
        with open(file, "rb") as body:
            self.keep(key, body)
        return f"{self.BUCKET}/{key}"

    def keep_many(self, objects):
        """Small objects, made from one pair; where they lie."""
        pair, place = Pair(), f"many-{objects}/"

        def keep(number):
            name, body = pair.object(number)
            self.keep(place + name, body)
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(keep, range(objects)))
        return place


class Pair:
    """Any number of different backups from one: another cluster in the text of its snapshot, another time in the
    header of its archive."""

    def __init__(self):
        [snapshot] = SAMPLES.glob("snapshot_*.db")
        [archive] = SAMPLES.glob("static_*.tar.gz")
        self.snapshot = snapshot.read_bytes()[:-32]
        self.archive = archive.read_bytes()
        self.uid = re.search(rb'"clusterID": ?"([0-9a-f-]{36})"', self.snapshot)[1]
        # The API server's own identifier of the object: told nowhere, and different in each.
        self.object_uid = re.search(rb'"name":"version","uid":"([0-9a-f-]{36})"', self.snapshot)[1]

    def object(self, number):
        backup, is_archive = divmod(number, 2)
        cluster, turn = backup % CLUSTERS, backup // CLUSTERS
        stamp = time.strftime("%Y-%m-%d_%H%M%S", time.gmtime(1_733_313_600 + turn * 3600))
        directory = f"cluster-{cluster:03}/{stamp}"
        if is_archive:
            return f"{directory}/static_kuberesources_{stamp}.tar.gz", lambda: self.packed(backup)
        return f"{directory}/snapshot_{stamp}.db", lambda: self.changed(cluster, backup)

    def packed(self, backup):
        """The four bytes at 4 are the time of the first member of a gzip file."""
        return self.archive[:4] + backup.to_bytes(4, "little") + self.archive[8:]

    def changed(self, cluster, backup):
        def uid(number):
            return f"{number:08x}-0000-4000-8000-000000000000".encode()
        data = self.snapshot.replace(self.uid, uid(cluster)).replace(self.object_uid, uid(backup))
        return data + hashlib.sha256(data).digest()


class Paced(http.server.ThreadingHTTPServer):
    """As much of S3 as reading asks for: one file under several keys, at so many bytes a second for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, file, keys):
        super().__init__(("127.0.0.1", 0), PacedConnection)
        self.file, self.size = open(file, "rb"), file.stat().st_size
        self.keys = {key: f"{number:032x}" for number, key in enumerate(keys, 1)}
        self.written = file.stat().st_mtime
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Clients leave when they like."""

    def listing(self, prefix):
        modified = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(self.written))
        contents = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><ETag>&quot;{tag}&quot;</ETag>"
            f"<Size>{self.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key, tag in self.keys.items() if key.startswith(prefix))
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()


class PacedConnection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        url = urlsplit(self.path)
        _, _, key = url.path.lstrip("/").partition("/")
        server, is_get = self.server, self.command == "GET"
        if not key and is_get:
            body = server.listing(parse_qs(url.query).get("prefix", [""])[0])
            self.answer(200, [("Content-Length", len(body))])
            self.wfile.write(body)
            return
        if key not in server.keys:
            self.answer(404, [("Content-Length", 0)])
            return
        range_asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, end = (int(range_asked[1]), min(int(range_asked[2]), server.size - 1)) if range_asked else (0, server.size - 1)
        headers = [("Content-Length", end + 1 - start), ("ETag", f'"{server.keys[key]}"'), ("Last-Modified", formatdate(server.written, usegmt=True))]
        if range_asked:
            headers.append(("Content-Range", f"bytes {start}-{end}/{server.size}"))
        self.answer(206 if range_asked else 200, headers)
        if is_get:
            self.send_paced(start, end + 1)

    def answer(self, status, headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, str(value))
        self.end_headers()

    def send_paced(self, at, end):
        self.wfile.flush()
        due = time.monotonic()
        while at < end:
            sent = os.sendfile(self.connection.fileno(), self.server.file.fileno(), at, min(PIECE, end - at))
            at += sent
            due += sent / PACE
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)


def list_all(endpoint, bucket, prefix):
    """The listing alone: asks for page after page, and looks for nothing in them but where the next one begins."""
    connection, token, count = http.client.HTTPConnection(urlsplit(endpoint).netloc), "", 0
    while True:
        connection.request("GET", f"/{bucket}?list-type=2&prefix={quote(prefix)}{token}")
        page = connection.getresponse().read()
        count += page.count(b"<Contents>")
        more = re.search(rb"<NextContinuationToken>([^<]+)</NextContinuationToken>", page)
        if not more:
            print(count)
            return
        token = f"&continuation-token={quote(more[1].decode(), safe='')}"


class Stores(Bench):
    def ours(self, server, *words):
        return [[self.program, *map(str, words), "--endpoint", server.endpoint, "--region", "us-east-1"]]

    def curl(self, server, *paths):
        """Signed, as ours are."""
        return [["sh", "-c", f"curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user {KEY}:{SECRET} {server.endpoint}/{path} | openssl dgst -sha256"] for path in paths]

    def downloads(self, server, bucket, keys):
        """All of them, as many at a time as ours are."""
        urls = self.directory / "urls"
        urls.write_text("".join(f'url = "{server.endpoint}/{bucket}/{key}"\noutput = "/dev/null"\n' for key in keys))
        return [["curl", "-sf", "--parallel", "--parallel-max", "16", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{KEY}:{SECRET}", "--config", str(urls)]]

    def listing(self, server, bucket, prefix):
        return [[sys.executable, __file__, "list", server.endpoint, bucket, prefix]]


def rows(bench, objects):
    """A name, what a server gives, and both commands."""
    def file():
        return bench.snapshot("kubernetes", "1G")

    def one_of_seaweed():
        with_server = bench.seaweed()
        path = with_server.keep_file("one/snapshot.db", file())
        return bench.ours(with_server, "verify", "--no-catalogue", f"s3://{path}"), ("curl, openssl dgst -sha256", bench.curl(with_server, path))

    def paced(copies):
        server = Paced(file(), [f"copy-{number}/snapshot.db" for number in range(copies)])
        ours = bench.ours(server, "verify", "--no-catalogue", "s3://bench")
        return ours, ("curl, openssl, one after the other", bench.curl(server, *(f"bench/{key}" for key in server.keys)))

    def unchanged():
        server = bench.seaweed()
        place = server.keep_many(objects)
        catalogue = bench.directory / "stores.redb"
        ours = bench.ours(server, "index", f"s3://{Seaweed.BUCKET}/{place}", "--catalogue", catalogue)
        # What the measured runs find unchanged, the first has read.
        first = subprocess.run(ours[0], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        again = subprocess.run(ours[0], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if f"{objects} files unchanged" not in re.sub(r"(?<=\d),(?=\d)", "", again.stderr):
            raise SystemExit(f"not all is unchanged:\n{first.stderr[-2000:]}\n{again.stderr[-2000:]}")
        return ours, ("the listing alone", bench.listing(server, Seaweed.BUCKET, place))

    def new(count):
        server = bench.seaweed()
        place = server.keep_many(count)
        pair = Pair()
        keys = [place + pair.object(number)[0] for number in range(count)]
        catalogue = bench.directory / "new.redb"
        ours = bench.ours(server, "index", f"s3://{Seaweed.BUCKET}/{place}", "--catalogue", catalogue)
        return [["rm", "-f", str(catalogue)], *ours], ("curl of each, 16 at a time", bench.downloads(server, Seaweed.BUCKET, keys))

    yield "1 GB, SeaweedFS", one_of_seaweed
    yield "1 GB, 100 MB/s a connection", lambda: paced(1)
    yield f"{COPIES} of 1 GB, 100 MB/s a connection", lambda: paced(COPIES)
    yield f"{objects} objects unchanged, SeaweedFS", unchanged
    yield f"{objects // 10} objects new, SeaweedFS", lambda: new(objects // 10)


def main():
    if sys.argv[1:2] == ["list"]:
        list_all(*sys.argv[2:])
        return
    arguments, options = parsed(sys.argv[1:], {"--runs": "5", "--only": "", "--objects": "100000"})
    bench = Stores(directory_of(arguments, __doc__), False, int(options["--runs"]))
    # A server is stopped however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    started = []

    def seaweed():
        if not started:
            started.append(Seaweed(bench.directory / "seaweed"))
            started[0].wait()
        return started[0]

    bench.seaweed = seaweed
    print(machine())
    print()
    print("| buckets | etcd-cat | resident | against | seconds | ratio |")
    print("|---|---|---|---|---|---|")
    try:
        for name, row in rows(bench, int(options["--objects"])):
            if name.startswith(options["--only"]):
                ours, other = row()
                bench.compare(name, ours, [other])
    finally:
        for server in started:
            server.stop()


if __name__ == "__main__":
    main()
