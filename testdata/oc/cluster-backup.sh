#!/bin/sh
# Prints what cluster-backup.sh of OpenShift prints, and makes the two files. For tests only.
#
# It lies on the fake host as ROOT/usr/local/bin/cluster-backup.sh. What it makes a backup of:
#   ROOT/etcd            `ETCDCTL=...` and `ENDPOINT=...`: a real etcd, saved by the real etcdctl; or, without it,
#   ROOT/prepared.db, ROOT/prepared.tar.gz   files to copy
#   ROOT/script          shell variables that make it fail (see below)

root=$(cd "$(dirname "$0")/../../.." && pwd)
: >"$root/../counters/script"

fail_line=              # a line of its own that it ends with, status 1
slow=0                  # seconds that it takes
silent_success=no       # yes: the final line is there, the files are not
operators=settled       # unknown, progressing: what it finds unless it is forced
endpoint=https://192.0.2.11:2379   # the member that etcdctl asks
etcd_revision=          # what it says of etcd's static pod, whatever it packs
cut=no                  # yes: it ends before its final line, with status 0
stamp=2024-11-02_030005
status_line='{"hash":3866667823,"revision":31407,"totalKey":12828,"totalSize":114446336}'
[ -f "$root/script" ] && . "$root/script"

is_forced=no
suffix=
if [ "$1" = --force ]; then
    is_forced=yes
    suffix=__POSSIBLY_DIRTY__
    shift
fi
directory=$1
if [ -z "$directory" ] || [ -f "$directory" ]; then
    echo 'Path to backup dir required: ./cluster-backup.sh [--force] <path-to-backup-dir>'
    exit 1
fi
[ -n "${HTTP_PROXY-}${HTTPS_PROXY-}${NO_PROXY-}" ] &&
    printf '%s\n' "HTTP_PROXY=${HTTP_PROXY-}" "HTTPS_PROXY=${HTTPS_PROXY-}" "NO_PROXY=${NO_PROXY-}" >"$root/seen-proxy"

case $is_forced-$operators in
no-unknown)
    echo 'Could not find the status of the etcd. Check if the API server is running. Pass the --force flag to skip checks.'
    exit 1 ;;
no-progressing)
    echo 'Currently the etcd operator is progressing. A reliable backup requires that a rollout is not in progress.  Aborting!'
    exit 1 ;;
esac
snapshot=$directory/snapshot_$stamp$suffix.db
archive=$directory/static_kuberesources_$stamp$suffix.tar.gz
certificate=configmaps/etcd-serving-ca/ca-bundle.crt
echo "Certificate /etc/kubernetes/static-pod-certs/$certificate is missing. Checking in different directory"
echo "Certificate /etc/kubernetes/static-pod-resources/etcd-certs/$certificate found!"
if [ -n "$fail_line" ]; then
    echo "$fail_line"
    exit 1
fi
# What will be packed; where that is no archive, some number.
packed=$(tar -tzf "$root/prepared.tar.gz" 2>/dev/null)
[ ! -d "$root/kubernetes" ] || packed=$(cd "$root/kubernetes" && ls -d static-pod-resources/*)
number=5
for component in kube-apiserver kube-controller-manager kube-scheduler etcd; do
    number=$((number + 1))
    revision=$(printf '%s\n' "$packed" | sed -n "s#^static-pod-resources/$component-pod-\([0-9]*\).*#\1#p" | head -n 1)
    revision=${revision:-$number}
    if [ $component = etcd ]; then revision=${etcd_revision:-$revision}; fi
    echo "found latest $component: /etc/kubernetes/static-pod-resources/$component-pod-$revision"
done
echo a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447
printf 'etcdctl version: 3.5.18\nAPI version: 3.5\n'
echo '{"level":"info","ts":"2024-11-02T03:00:06.001Z","caller":"snapshot/v3_snapshot.go:65","msg":"created temporary db file","path":"'"$snapshot"'.part"}' >&2
echo '{"level":"info","ts":"2024-11-02T03:00:06.002Z","caller":"snapshot/v3_snapshot.go:73","msg":"fetching snapshot","endpoint":"'"$endpoint"'"}' >&2
: >"$snapshot.part"
sleep "$slow"
if [ -f "$root/etcd" ]; then
    . "$root/etcd"
    tar -czf "$archive" -C "$root/kubernetes" static-pod-resources || exit $?
    "$ETCDCTL" --endpoints "$ENDPOINT" snapshot save "$snapshot" || exit $?
    status_line=$("$ETCDCTL" snapshot status "$snapshot" -w json) || exit $?
elif [ "$silent_success" = no ]; then
    cp "$root/prepared.tar.gz" "$archive" || exit $?
    cp "$root/prepared.db" "$snapshot" || exit $?
    echo "Snapshot saved at $snapshot"
else
    echo "Snapshot saved at $snapshot"
fi
rm -f "$snapshot.part"
echo '{"level":"info","ts":1730516410.1,"caller":"snapshot/v3_snapshot.go:88","msg":"saved","path":"'"$snapshot"'"}' >&2
[ "$cut" = no ] || exit 0
[ -z "$status_line" ] || echo "$status_line"
echo "snapshot db and kube resources are successfully saved to $directory"
