# To be sourced: apt_here runs a command of apt on private lists of Debian's suites, which
# are kept in a cache; the machine's own lists are not touched and nothing is installed.
# The mirror and its key ring are those that this machine's apt already uses.
#
# Sets cache and suites.
suites="bookworm trixie forky sid"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/etcd-cat-testdata

# The archive that apt reads the suite this machine runs from; "debian-security"
# and other vendors' sources are not it.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CREATED_BY)' |
    sed -n 's/ Packages$//p' | grep -E '/debian/?$' | sort -u | head -n 1)
if [ -z "$mirror" ]; then
    echo "testdata/make: apt names no Debian mirror" >&2
    exit 1
fi
keys=/usr/share/keyrings/debian-archive-keyring.gpg

apt=$cache/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/empty"
for suite in $suites; do
    echo "deb [signed-by=$keys] $mirror $suite main"
done >"$apt/sources.list"

# Each call sees only the private lists; the machine's own are not touched.
apt_here() {
    command=$1
    shift
    "$command" -qq \
        -o Dir::Etc::SourceList="$apt/sources.list" \
        -o Dir::Etc::SourceParts="$apt/empty" \
        -o Dir::Etc::Preferences=/dev/null \
        -o Dir::Etc::PreferencesParts="$apt/empty" \
        -o Dir::State::Lists="$apt/lists" \
        -o Dir::Cache="$apt" \
        -o Dir::Cache::Archives="$apt/archives" \
        -o APT::Sandbox::User=root \
        "$@"
}

if [ -z "$(find "$apt/lists" -name '*Packages*' -mmin -720 -print -quit)" ]; then
    apt_here apt-get update >&2
fi
