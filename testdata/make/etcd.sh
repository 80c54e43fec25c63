#!/bin/sh
# Usage: etcd.sh VERSION      (3.4, 3.5, 3.6 or a full one such as 3.5.30)
#
# Prints the directory that holds etcd, etcdctl and, from 3.5 on, etcdutl of that
# version. Exits 1 when no suite of Debian has it. The programs come from Debian's
# packages: the mirror and its key ring are those that this machine's apt already
# uses, the packages are unpacked into a cache, and nothing is installed.
set -eu

version=${1:?usage: etcd.sh VERSION}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/etcd-cat-testdata
home=$cache/etcd-$version

if [ -x "$home/etcd" ] && [ -x "$home/etcdctl" ]; then
    echo "$home"
    exit 0
fi

. "$(dirname "$0")/apt.sh"

# madison prints "package | version | source", one line for each suite. The first
# suite that has the version wins: the older a suite, the less it changes.
found=
for suite in $suites; do
    found=$(apt_here apt-cache madison etcd-server | awk -F' *[|] *' -v want="$version" -v suite="$suite/" '
        index($3, suite) && (index($2, want ".") == 1 || index($2, want "-") == 1 ||
                             index($2, want "+") == 1 || $2 == want) { print $2; exit }')
    [ -z "$found" ] || break
done
if [ -z "$found" ]; then
    echo "etcd.sh: no suite of Debian ($suites) has etcd $version" >&2
    exit 1
fi

work=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
apt_here apt-get download "etcd-server=$found" "etcd-client=$found" >&2
for package in ./*.deb; do
    dpkg-deb -x "$package" tree
done
mkdir -p "$home"
for program in etcdutl etcdctl etcd; do
    if [ -e "tree/usr/bin/$program" ]; then
        mv "tree/usr/bin/$program" "$home/$program"
    fi
done
echo "$home"
