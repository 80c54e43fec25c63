//! The words of every command that is run on the host. No shell reads them but where it is named.

/// Where etcd keeps its database on every control-plane host.
const DATABASE: &str = "/var/lib/etcd/member/snap/db";
const SCRIPT: &str = "/usr/local/bin/cluster-backup.sh";

/// What one debug pod carries through its log: a third more as text stays below the 50 MiB at which logs rotate.
pub(super) const LOG_PART_BYTES: u64 = 16 << 20;

pub(super) fn database_size() -> [&'static str; 4] {
    ["stat", "-c", "%s", DATABASE]
}

pub(super) fn free_space(directory: &str) -> [&str; 4] {
    ["df", "-P", "-k", directory]
}

/// Fails when the directory exists: it must be a fresh one.
pub(super) fn make_directory(directory: &str) -> [&str; 4] {
    ["mkdir", "-m", "0700", directory]
}

/// `--force` makes the script skip its own look at the operators and mark the files `__POSSIBLY_DIRTY__`.
pub(super) fn script(directory: &str, is_forced: bool) -> Vec<&str> {
    let mut words = vec![SCRIPT];
    words.extend(is_forced.then_some("--force"));
    words.push(directory);
    words
}

/// Processes that have the directory among their arguments. Written so that the command does not find itself; none is an
/// answer as well.
pub(super) fn running(directory: &str) -> [String; 3] {
    let name = directory.trim_start_matches('/');
    let pipeline = format!("pgrep -f '[/]{name}' || true");
    ["sh".to_owned(), "-c".to_owned(), pipeline]
}

/// Makes a directory of ours a fresh one again.
pub(super) fn make_directory_again(directory: &str) -> [String; 3] {
    let pipeline = format!("rm -rf -- {directory} && mkdir -m 0700 {directory}");
    ["sh".to_owned(), "-c".to_owned(), pipeline]
}

pub(super) fn sizes<'p>(snapshot: &'p str, kuberesources: &'p str) -> [&'p str; 5] {
    ["stat", "-c", "%s %n", kuberesources, snapshot]
}

pub(super) fn digests<'p>(snapshot: &'p str, kuberesources: &'p str) -> [&'p str; 3] {
    ["sha256sum", kuberesources, snapshot]
}

/// The bytes of a file from an offset on.
pub(super) fn content(path: &str, offset: u64) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    match offset {
        0 => own(&["cat", path]),
        // tail counts bytes from 1.
        offset => own(&[
            "tail",
            "-c",
            &format!("+{}", offset.saturating_add(1)),
            path,
        ]),
    }
}

/// Part of a file as text lines short enough for a container log (16 KiB splits a line).
///
/// The path is our own directory and a checked name: plain words for the shell on the host.
pub(super) fn content_as_text(path: &str, offset: u64, length: u64) -> Vec<String> {
    let first = offset.saturating_add(1);
    let pipeline = format!("tail -c +{first} {path} | head -c {length} | base64 -w 1000");
    ["sh".to_owned(), "-c".to_owned(), pipeline].into()
}

/// What stands before a directory whose last heartbeat is over an hour ago, by the clock of the host.
pub(super) const OVER: &str = "over";

/// Directories of runs: each behind the time of its last heartbeat, and once more where that is over an hour ago.
pub(super) fn earlier(place: &str) -> [&str; 14] {
    [
        "find",
        place,
        "-maxdepth",
        "1",
        "-type",
        "d",
        "-name",
        "etcd-cat-?????",
        "-printf",
        "%T@ %p\\n",
        "-mmin",
        "+60",
        "-printf",
        "over %p\\n",
    ]
}

pub(super) fn names(directory: &str) -> [&str; 3] {
    ["ls", "-1", directory]
}

/// Files of the cluster's own backups, one or no directory down, that nobody is writing any more; a place that is not
/// there is empty. The places are plain words.
pub(super) fn policy_files(places: &[String]) -> [String; 3] {
    let places = places.join(" ");
    let pipeline = format!(
        "find {places} -maxdepth 2 -type f -mmin +1 -printf '%T@ %p\\n' 2>/dev/null || true"
    );
    ["sh".to_owned(), "-c".to_owned(), pipeline]
}

/// The heartbeat: that a run is at work in its directory.
pub(super) fn heartbeat(directory: &str) -> [&str; 2] {
    ["touch", directory]
}

pub(super) fn remove(directory: &str) -> [&str; 4] {
    ["rm", "-rf", "--", directory]
}
