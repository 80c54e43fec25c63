#!/usr/bin/env python3
"""Damaged snapshots as `etcdutl snapshot status`, `etcdutl snapshot restore` and etcd-cat see them, with etcd as the oracle.

    compare.py SNAPSHOT ETCDUTL ORACLE ETCD_CAT FILES

The digest is made to match after each damage, as if a member's disk had been damaged before the snapshot was saved. docs/damage.md has its table.
"""
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

PAGE = 4096


def bit(data, dice):
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def sector(data, dice):
    start = 512 * dice.randrange(len(data) // 512)
    data[start:start + 512] = bytes(512)


def page(data, dice):
    start = PAGE * dice.randrange(len(data) // PAGE)
    data[start:start + PAGE] = bytes(PAGE)


def exchanged(data, dice):
    one, other = (PAGE * dice.randrange(2, len(data) // PAGE) for _ in range(2))
    data[one:one + PAGE], data[other:other + PAGE] = data[other:other + PAGE], data[one:one + PAGE]


def cut(data, dice):
    del data[-512 * dice.randrange(1, len(data) // 512):]


CLASSES = [("a bit, anywhere", bit), ("a sector of zeros", sector), ("a page of zeros", page),
           ("two pages exchanged", exchanged), ("the end cut off", cut)]


class Oracle:
    def __init__(self, program):
        self.program, self.run = program, None

    def ask(self, path):
        if self.run is None:
            self.run = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.run.stdin.write(path + "\n")
        self.run.stdin.flush()
        line = self.run.stdout.readline()
        answer = json.loads(line) if line else {"step": "died"}
        if answer["step"] in ("died", "hang"):
            self.run.kill()
            self.run = None
        return tuple(answer.get(field) for field in ("step", "keys", "served", "revision"))


def succeeds(*command):
    quiet = subprocess.DEVNULL
    try:
        return subprocess.run(command, stdout=quiet, stderr=quiet, timeout=30).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main():
    sample, etcdutl, oracle, etcd_cat, files = sys.argv[1:]
    with open(sample, "rb") as file:
        sound = file.read()[:-32]
    oracle = Oracle(oracle)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "snapshot_2026-01-10_030000.db")

        def put(data):
            with open(path, "wb") as file:
                file.write(data + hashlib.sha256(data).digest())
        put(sound)
        truth = oracle.ask(path)
        print("| damage | files | harmful | `status` fails | `restore` fails | etcd-cat: error | warning | valid |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        for name, damage in CLASSES:
            dice = random.Random(name)
            row = [0] * 6
            for _ in range(int(files)):
                data = bytearray(sound)
                damage(data, dice)
                put(bytes(data))
                if oracle.ask(path) == truth:
                    continue
                row[0] += 1
                row[1] += not succeeds(etcdutl, "snapshot", "status", path)
                to = os.path.join(directory, "restored")
                row[2] += not succeeds(etcdutl, "snapshot", "restore", path, "--data-dir", to)
                succeeds("rm", "-rf", to)
                told = subprocess.run([etcd_cat, "verify", "--no-catalogue", "-o", "json", path], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
                found = [one for backup in json.loads(told)["items"] for one in backup["findings"]
                         if one["artifact"] == "snapshot" and one["code"] != "snapshot-old"]
                worst = {one["severity"] for one in found} & {"error", "warning"}
                row[3 if "error" in worst else 4 if "warning" in worst else 5] += 1
            print(f"| {name} | {files} | " + " | ".join(map(str, row)) + " |", flush=True)


main()
