"""The answers of the real tools: `snapshot status -w json` of every etcd that was found."""

import json
import os
import shutil
import subprocess
import tempfile


def status(homes, path):
    """{"3.4": {...}, "3.5": {...}}; a version that refuses the file is left out."""
    answers = {}
    with tempfile.TemporaryDirectory(prefix="etcd-cat-testdata-") as directory:
        for version, home in sorted(homes.items()):
            copy = os.path.join(directory, "snapshot.db")
            shutil.copyfile(path, copy)
            tool = os.path.join(home, "etcdutl")
            if not os.path.exists(tool):
                tool = os.path.join(home, "etcdctl")
            run = subprocess.run([tool, "snapshot", "status", copy, "-w", "json"], env={**os.environ, "ETCDCTL_API": "3"},
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            if run.returncode == 0:
                answers[version] = json.loads(run.stdout)
    return answers


def write(homes, path):
    """Writes one answer for each minor version, next to the file; patch releases of it must agree."""
    answers = status(homes, path)
    minors = {version: answer for version, answer in answers.items() if version.count(".") == 1}
    for version, answer in answers.items():
        minor = ".".join(version.split(".")[:2])
        if answer != minors.get(minor, answer):
            raise SystemExit(f"{path}: etcd {version} and {minor} disagree: {answer}, {minors[minor]}")
    with open(f"{path}.status.json", "w", encoding="ascii") as file:
        json.dump(minors, file, indent=2)
        file.write("\n")
    return minors
