#!/bin/sh
# Prints the path of promtool, from Debian's package `prometheus`. It is unpacked into a cache,
# and nothing is installed.
set -eu

promtool=${XDG_CACHE_HOME:-$HOME/.cache}/etcd-cat-testdata/promtool
if [ -x "$promtool" ]; then
    echo "$promtool"
    exit 0
fi

. "$(dirname "$0")/apt.sh"

work=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
# The oldest suite: it changes least, and later ones have promtool in a package of its own.
found=$(apt_here apt-cache madison prometheus | awk -F' *[|] *' -v suite="${suites%% *}/" '
    index($3, suite) { print $2; exit }')
if [ -z "$found" ]; then
    echo "promtool.sh: Debian ${suites%% *} has no prometheus" >&2
    exit 1
fi
apt_here apt-get download "prometheus=$found" >&2
dpkg-deb -x ./prometheus_*.deb tree
mv tree/usr/bin/promtool "$promtool"
echo "$promtool"
