//! A directory that cluster-restore.sh can be pointed at.

use crate::restore::Tree;
use crate::restore::tree::text;
use crate::support::samples::bytes;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn listed(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn renamed_files_get_their_names_back_and_modes_are_private() {
    let tree = Tree::new();
    tree.copy(
        "prod/snapshot_2024-11-02_030000.db",
        "a/prod snapshot_2024-11-02_030000 (1).db",
    );
    tree.copy(
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "b/old-static_kuberesources_2024-11-02_030000.tar.gz",
    );
    tree.index();
    let to = tree.beside("new/pair");
    let run = tree.run(&["stage", "latest-valid", "--to", text(&to), "-o", "json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let names = [
        "snapshot_2024-11-02_030000.db",
        "static_kuberesources_2024-11-02_030000.tar.gz",
    ];
    assert_eq!(listed(&to), names);
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&to), 0o700);
    for (name, sample) in names.iter().zip([
        "backups/prod/snapshot_2024-11-02_030000.db",
        "backups/keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
    ]) {
        assert_eq!(mode(&to.join(name)), 0o600, "{name}");
        assert_eq!(
            std::fs::read(to.join(name)).expect("it is there"),
            bytes(sample),
            "{name}"
        );
    }
    assert_eq!(run.json()["kind"], "StageRun");
    // What the script would pick is a pair now.
    let run = tree.run(&["verify", text(&to), "-o", "json"]);
    assert!(
        !run.stdout.contains("restore-picks-other"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_file_that_no_catalogue_knows_is_verified_and_staged() {
    let tree = Tree::new();
    tree.pair(
        "alarm/snapshot_2024-11-06_030000.db",
        "alarm/static_kuberesources_2024-11-06_030000.tar.gz",
        "x",
    );
    let to = tree.beside("pair");
    let snapshot = tree.root().join("x/snapshot_2024-11-06_030000.db");
    let run = tree.run(&[
        "--no-catalogue",
        "stage",
        text(&snapshot),
        "--to",
        text(&to),
    ]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(listed(&to).len(), 2);
}

#[test]
fn a_directory_that_holds_anything_is_refused() {
    let tree = Tree::samples();
    tree.index();
    let to = tree.beside("full");
    std::fs::create_dir(&to).expect("a fresh directory");
    std::fs::write(to.join("snapshot_2099-01-01_000000.db"), b"").expect("it can be written");
    let newest = tree.root().join("prod/snapshot_2024-11-09_030000.db");
    let run = tree.run(&["stage", text(&newest), "--to", text(&to)]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(
        run.stderr.contains("expected an empty or a new directory"),
        "{run:?}"
    );
    assert_eq!(listed(&to), ["snapshot_2099-01-01_000000.db"]);
}

#[test]
fn a_source_that_rotted_since_leaves_nothing_behind() {
    let tree = Tree::samples();
    tree.index();
    let newest = tree.root().join("prod/snapshot_2024-11-09_030000.db");
    let modified = newest
        .metadata()
        .and_then(|metadata| metadata.modified())
        .expect("a time");
    let mut content = std::fs::read(&newest).expect("it is there");
    content[500_000] ^= 1;
    std::fs::write(&newest, &content).expect("it can be written");
    let file = std::fs::File::options()
        .write(true)
        .open(&newest)
        .expect("it is there");
    file.set_modified(modified).expect("times can be set");
    let to = tree.beside("pair");
    let run = tree.run(&["stage", text(&newest), "--to", text(&to)]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("expected the verified"), "{run:?}");
    assert!(!to.exists());
}

/// A real pair behind a gigabyte of zeros: wrong, but slow to copy.
#[test]
fn an_interrupt_in_the_middle_leaves_nothing() {
    let tree = Tree::new();
    let snapshot = tree.copy(
        "alarm/snapshot_2024-11-06_030000.db",
        "snapshot_2024-11-06_030000.db",
    );
    tree.copy(
        "alarm/static_kuberesources_2024-11-06_030000.tar.gz",
        "static_kuberesources_2024-11-06_030000.tar.gz",
    );
    let file = std::fs::File::options()
        .write(true)
        .open(&snapshot)
        .expect("it is there");
    // Its digest is cut off with them: nothing proves what was saved.
    let whole = file.metadata().expect("it is there").len();
    file.set_len(whole - 16).expect("shorter");
    file.set_len(1 << 30).expect("a sparse file");
    let codes = [
        "trailing-data",
        "digest-missing",
        "digest-mismatch",
        "file-changed",
    ];
    let accept = codes.join(",");
    let indexed = tree.run(&["index", text(&tree.root()), "--accept", &accept]);
    assert_eq!(indexed.code, Some(0), "{indexed:?}");
    for signal in ["INT", "TERM"] {
        let to = tree.beside("pair");
        let mut child = tree
            .command()
            .args([
                "--as-of",
                crate::restore::tree::NOW,
                "stage",
                text(&snapshot),
                "--to",
                text(&to),
                "--accept",
                &accept,
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let began = Instant::now();
        // The snapshot's copy is begun after the archive's was finished.
        let is_copying = || {
            let entries = std::fs::read_dir(&to).into_iter().flatten().flatten();
            entries
                .filter(|entry| entry.metadata().is_ok_and(|data| data.len() > 4 << 20))
                .count()
                > 0
        };
        while !is_copying() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the copy never began"
            );
            assert!(
                child.try_wait().expect("a child").is_none(),
                "it ended before it was interrupted"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = child.id().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status();
        assert!(killed.expect("kill runs").success());
        let status = child.wait().expect("a child");
        let expected = if signal == "INT" { 130 } else { 143 };
        assert_eq!(status.code(), Some(expected), "{signal}");
        assert!(!to.exists(), "{signal}: {:?}", listed(&to));
    }
}
