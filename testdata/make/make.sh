#!/bin/sh
# Makes testdata/ anew: installs what it needs, starts real etcd servers on loopback
# addresses, takes snapshots, packs tarballs, asks the real tools about them.
# Needs root on Debian the first time; takes a few minutes.
set -eu
cd "$(dirname "$0")"

missing=
for package in python3-cryptography python3-nacl; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    apt-get update
    # shellcheck disable=SC2086  # a list of packages
    apt-get install --yes --no-install-recommends $missing
fi

homes=
for version in 3.4 3.5 3.5.30; do
    homes="$homes $version=$(./etcd.sh "$version")"
done
if home=$(./etcd.sh 3.6); then
    homes="$homes 3.6=$home"
fi

# shellcheck disable=SC2086  # a list of VERSION=HOME
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 samples.py .. $homes
