#!/usr/bin/env python3
"""Usage: verify.py [--cold] [--runs N] [--only NAME] [DIRECTORY]

Measures `etcd-cat verify` against public tools on snapshots that a real etcd wrote, and prints a Markdown table.

Snapshots are made in DIRECTORY (by default etcd-cat-bench below TMPDIR) by generate.py: some 20 minutes and 16 GB the
first time; they are kept for the next. The commands of a row take turns on the same file, so that a machine that slows
down slows all of them; seconds are the medians of N (5) turns, ratios the medians of each turn's ratio.

--cold  drops the page cache before each command, and waits a while: rented disks count what was asked of them; needs root
--only  rows whose name begins so

ETCD_CAT names the program (target/release/etcd-cat), ETCD_HOME the directory of etcd (testdata/make/etcd.sh 3.5).
"""

import functools
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
COPIES = 8
REST_SECONDS = 5


def parsed(arguments, options):
    """Takes the options that have a value out of the arguments."""
    arguments, options = list(arguments), dict(options)
    for name in options:
        if name in arguments:
            at = arguments.index(name)
            options[name] = arguments[at + 1]
            del arguments[at:at + 2]
    return arguments, options


def directory_of(arguments, usage):
    """The one argument that is left, or where files are kept otherwise; it is there afterwards."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        raise SystemExit(usage)
    directory = Path(arguments[0] if arguments else Path(tempfile.gettempdir()) / "etcd-cat-bench")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def main():
    arguments = sys.argv[1:]
    cold = "--cold" in arguments
    arguments = [argument for argument in arguments if argument != "--cold"]
    arguments, options = parsed(arguments, {"--runs": "5", "--only": ""})
    bench = Bench(directory_of(arguments, __doc__), cold, int(options["--runs"]))
    print(machine())
    print()
    print(f"| {'cold' if cold else 'warm'} | etcd-cat | resident | against | seconds | ratio |")
    print("|---|---|---|---|---|---|")
    rows = cold_rows if cold else warm_rows
    for name, ours, others in rows(bench):
        if name.startswith(options["--only"]):
            bench.row(name, ours, others)


def warm_rows(bench):
    for name, kind, size in (("1 GB", "kubernetes", "1G"), ("4 GB", "kubernetes", "4G"), ("tiny keys", "tiny", "850M")):
        yield name, (bench.verify, kind, size), [
            ("openssl dgst -sha256", bench.openssl), ("etcdutl snapshot status, then sha256sum", bench.status_and_digest)]
    yield f"{COPIES} of 1 GB", (bench.verify_copies, "kubernetes", "1G"), [("openssl, one after the other", bench.openssl_copies)]
    yield "1 GB .gz", (bench.verify_packed, "kubernetes", "1G"), [("gzip -dc", bench.gunzip)]
    yield "1 GB in a .tar.gz", (bench.verify_bundled, "kubernetes", "1G"), [("etcd-cat, the bare .gz", bench.verify_packed)]
    yield "1 GB, opened since", (bench.verify_opened, "kubernetes", "1G"), [("etcd-cat, as it was saved", bench.verify)]
    yield "1 GB, pipe", (bench.verify_pipe, "kubernetes", "1G"), [("openssl, pipe", bench.openssl_pipe)]
    yield "start", (bench.version, "", ""), []


def cold_rows(bench):
    reads = [("openssl dgst -sha256", bench.openssl), ("the disk alone: dd, direct, 4 MiB", bench.direct_reads)]
    yield "1 GB", (bench.verify, "kubernetes", "1G"), reads
    yield "4 GB", (bench.verify, "kubernetes", "4G"), reads
    yield "1 GB, page by page", (bench.verify, "kubernetes", "1G"), [("etcdutl snapshot status", bench.status)]


class Bench:
    def __init__(self, directory, cold, runs):
        self.directory, self.cold, self.runs = directory, cold, runs
        self.program = os.environ.get("ETCD_CAT") or str(HERE.parent / "target/release/etcd-cat")

    @functools.cached_property
    def etcdutl(self):
        etcd = os.environ.get("ETCD_HOME") or subprocess.check_output(["sh", str(HERE.parent / "testdata/make/etcd.sh"), "3.5"], text=True).strip()
        return f"{etcd}/etcdutl"

    # Commands, each for a file.

    def verify(self, *files):
        return [[self.program, "verify", "--no-catalogue", *map(str, files)]]

    def openssl(self, *files):
        return [["openssl", "dgst", "-sha256", str(file)] for file in files]

    def status(self, file):
        return [[self.etcdutl, "snapshot", "status", str(file)]]

    def status_and_digest(self, file):
        return [*self.status(file), ["sha256sum", str(file)]]

    def direct_reads(self, file):
        return [["dd", f"if={file}", "of=/dev/null", "bs=4M", "iflag=direct"]]

    def verify_copies(self, file):
        return self.verify(*self.copies(file))

    def openssl_copies(self, file):
        return self.openssl(*self.copies(file))

    def verify_packed(self, file):
        return self.verify(self.packed(file))

    def gunzip(self, file):
        return [["gzip", "-dc", str(self.packed(file))]]

    def verify_bundled(self, file):
        return self.verify(self.bundled(file))

    def verify_opened(self, file):
        return self.verify(self.opened(file))

    def verify_pipe(self, file):
        return [["sh", "-c", f"cat '{file}' | '{self.program}' verify --no-catalogue -"]]

    def openssl_pipe(self, file):
        return [["sh", "-c", f"cat '{file}' | openssl dgst -sha256"]]

    def version(self, _):
        return [[self.program, "--version"]]

    # Files.

    def snapshot(self, kind, size):
        file = self.directory / f"{kind}-{size}.db"
        if kind and not file.exists():
            subprocess.run([sys.executable, str(HERE / "generate.py"), kind, size, str(file)], check=True, stdout=sys.stderr)
        return file

    def copies(self, file):
        """Files of their own: two names for one file would be one file."""
        copies = [self.directory / f"copy-{number}" / f"copy{number}-{file.name}" for number in range(COPIES)]
        for copy in copies:
            copy.parent.mkdir(exist_ok=True)
            if not copy.exists():
                shutil.copyfile(file, copy)
        return copies

    def packed(self, file):
        packed = self.directory / "packed" / f"{file.name}.gz"
        packed.parent.mkdir(exist_ok=True)
        if not packed.exists():
            with open(packed, "wb") as out:
                subprocess.run(["gzip", "-c", str(file)], stdout=out, check=True)
        return packed

    def bundled(self, file):
        """A directory with the snapshot, packed by tar."""
        bundle = self.directory / "packed" / f"{file.name}.tar.gz"
        bundle.parent.mkdir(exist_ok=True)
        if not bundle.exists():
            subprocess.run(["tar", "-czf", str(bundle), "-C", str(file.parent), file.name], check=True)
        return bundle

    def opened(self, file):
        """As `etcdutl hashkv` of 3.7 leaves it: two transactions later."""
        opened = self.directory / "opened" / file.name
        opened.parent.mkdir(exist_ok=True)
        if not opened.exists():
            shutil.copyfile(file, opened)
            with open(opened, "r+b") as out:
                page_size = int.from_bytes(out.read(28)[24:], "little")
                for start in (0, page_size):
                    out.seek(start + 16)
                    meta = out.read(56)
                    later = int.from_bytes(meta[48:], "little") + 2
                    meta = meta[:48] + later.to_bytes(8, "little")
                    checksum = 0xCBF29CE484222325
                    for byte in meta:
                        checksum = (checksum ^ byte) * 0x100000001B3 % (1 << 64)
                    out.seek(start + 16)
                    out.write(meta + checksum.to_bytes(8, "little"))
        return opened

    # Measuring.

    def row(self, name, ours, others):
        command, *which = ours
        file = self.snapshot(*which)
        self.compare(name, command(file), [(against, other(file)) for against, other in others])

    def compare(self, name, ours, others):
        commands = [ours, *(other for _, other in others)]
        turns = [[self.measure(command) for command in commands] for _ in range(self.runs + 1)][1:]
        seconds = [statistics.median(turn[at][0] for turn in turns) for at in range(len(commands))]
        resident = max(turn[0][1] for turn in turns) / 1024
        own = f"{seconds[0]:.3f} s | {resident:.0f} MiB"
        for at, (against, _) in enumerate(others, 1):
            ratio = statistics.median(turn[0][0] / turn[at][0] for turn in turns)
            print(f"| {name} | {own} | {against} | {seconds[at]:.3f} s | {ratio:.3f} |", flush=True)
        if not others:
            print(f"| {name} | {own} | | | |", flush=True)

    def measure(self, commands):
        """Seconds, and KiB of the largest process. Exit codes do not matter: half a backup is no valid one."""
        if self.cold:
            os.sync()
            Path("/proc/sys/vm/drop_caches").write_text("3\n")
            time.sleep(REST_SECONDS)
        seconds, resident = 0, 0
        for command in commands:
            started = time.monotonic()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, _, usage = os.wait4(process.pid, 0)
            seconds += time.monotonic() - started
            resident = max(resident, usage.ru_maxrss)
        return seconds, resident


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{model}, {os.cpu_count()} processors, {memory:.0f} GB of memory, Linux {platform.release()}, {time.strftime('%Y-%m-%d')}"


if __name__ == "__main__":
    main()
