#!/usr/bin/env python3
"""Usage: inside.py [--runs N] [DIRECTORY]

Measures what looks inside a snapshot against `etcd-cat verify` of the same, warm, and prints a Markdown table.

A snapshot of 1 GB and the same cluster a twentieth later are made in DIRECTORY (by default etcd-cat-bench below TMPDIR)
by generate.py, and kept. The commands of a row take turns, as in verify.py, which also says what ETCD_CAT and ETCD_HOME are.
"""

import subprocess
import sys
from pathlib import Path

from verify import HERE, Bench, directory_of, machine, parsed


class Inside(Bench):
    def look(self, *words):
        return [[self.program, *map(str, words), "--no-catalogue"]]

    def pair(self):
        """A snapshot, and a later one of the same cluster."""
        files = [self.directory / name for name in ("kubernetes-1G.db", "kubernetes-1G-later.db")]
        if not all(file.exists() for file in files):
            command = [sys.executable, str(HERE / "generate.py"), "kubernetes", "1G", *map(str, files)]
            subprocess.run(command, check=True, stdout=sys.stderr)
        return files


def main():
    arguments, options = parsed(sys.argv[1:], {"--runs": "5"})
    bench = Inside(directory_of(arguments, __doc__), False, int(options["--runs"]))
    file, later = bench.pair()
    print(machine())
    print()
    print("| warm, 1 GB | etcd-cat | resident | against | seconds | ratio |")
    print("|---|---|---|---|---|---|")
    verify = [("etcd-cat verify", bench.verify(file))]
    for name, words in (
        ("ls", ["ls", file]),
        ("ls pods -n namespace-7", ["ls", file, "pods", "-n", "namespace-7"]),
        ("ls --size", ["ls", file, "--size"]),
        ("get pods -n namespace-7", ["get", file, "pods", "-n", "namespace-7"]),
        ("history of one", ["history", file, "pod", "-n", "namespace-7", "pods-00000007"]),
        ("diff with one of 1 GB", ["diff", file, later]),
        ("diff -n namespace-7", ["diff", file, later, "-n", "namespace-7"]),
    ):
        bench.compare(name, bench.look(*words), verify)


if __name__ == "__main__":
    main()
