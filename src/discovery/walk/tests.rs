use super::*;
use crate::monitor::Silent;
use crate::source::FileSystem;
use rustix::fs::{CWD, FileType, Mode};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const SNAPSHOT: &str = "snapshot_2024-11-02_030000.db";

/// The files of this machine under a path.
fn walk(path: &Path, monitor: &dyn Monitor) -> Walk {
    super::walk(&path.into(), &FileSystem, monitor)
}

fn names(walk: &Walk, root: &Path) -> Vec<String> {
    let relative = |object: &FoundObject| {
        let path = object.id.as_path().expect("a file");
        let path = path.strip_prefix(root).unwrap_or(path);
        path.to_string_lossy().into_owned()
    };
    walk.objects.iter().map(relative).collect()
}

#[test]
fn files_are_found_at_every_depth_and_sorted_by_bytes() -> Outcome {
    let root = tempfile::tempdir()?;
    let root = root.path();
    for directory in ["a", "a-b", "a/c/d"] {
        std::fs::create_dir_all(root.join(directory))?;
        std::fs::write(root.join(directory).join(SNAPSHOT), b"x")?;
    }
    std::fs::write(root.join("notes.txt"), b"")?;
    let walk = walk(root, &Silent);
    let expected = [
        format!("a-b/{SNAPSHOT}"),
        format!("a/c/d/{SNAPSHOT}"),
        format!("a/{SNAPSHOT}"),
        "notes.txt".to_owned(),
    ];
    assert_eq!(names(&walk, root), expected);
    assert!(walk.skipped.is_empty());
    Ok(())
}

#[test]
fn a_file_as_location_is_the_one_object() -> Outcome {
    let root = tempfile::tempdir()?;
    let path = root.path().join(SNAPSHOT);
    std::fs::write(&path, b"12345")?;
    let walk = walk(&path, &Silent);
    let [object] = walk.objects.as_slice() else {
        return Err("one object expected".into());
    };
    assert_eq!(object.id, path);
    assert_eq!(object.identity.size_bytes(), 5);
    assert!(object.name.is_some_and(|name| name.is_canonical));
    Ok(())
}

#[test]
fn a_location_that_is_not_there_is_an_error_in_the_systems_words() {
    let walk = walk(Path::new("/nonexistent"), &Silent);
    let [skipped] = walk.skipped.as_slice() else {
        panic_free_fail(&walk);
        return;
    };
    assert!(skipped.is_error);
    assert_eq!(
        skipped.reason,
        "cannot read: No such file or directory (os error 2)"
    );
}

fn panic_free_fail(walk: &Walk) {
    assert_eq!(walk.skipped.len(), 1, "{walk:?}");
}

#[test]
fn links_in_circles_end_and_double_nothing() -> Outcome {
    let root = tempfile::tempdir()?;
    let root = root.path();
    std::fs::create_dir_all(root.join("real/deep"))?;
    std::fs::write(root.join("real").join(SNAPSHOT), b"x")?;
    symlink("..", root.join("real/deep/up"))?;
    symlink(root, root.join("real/deep/root"))?;
    symlink("real", root.join("alias"))?;
    symlink(format!("real/{SNAPSHOT}"), root.join("latest.db"))?;
    symlink("self", root.join("self"))?;
    symlink("gone.db", root.join("snapshot.db"))?;
    let walk = walk(root, &Silent);
    assert_eq!(names(&walk, root), [format!("real/{SNAPSHOT}")]);
    let skipped: Vec<_> = walk
        .skipped
        .iter()
        .map(|skipped| skipped.is_error)
        .collect();
    assert_eq!(skipped, [false, true], "{:?}", walk.skipped);
    Ok(())
}

#[test]
fn a_linked_file_from_elsewhere_is_a_object_under_the_link() -> Outcome {
    let (root, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    std::fs::write(other.path().join(SNAPSHOT), b"123")?;
    symlink(other.path().join(SNAPSHOT), root.path().join("latest"))?;
    symlink(other.path(), root.path().join("zz"))?;
    let walk = walk(root.path(), &Silent);
    let [object] = walk.objects.as_slice() else {
        return Err(format!("one object expected: {walk:?}").into());
    };
    assert_eq!(object.id, root.path().join("latest"));
    assert_eq!(object.identity.size_bytes(), 3);
    assert!(object.name.is_some_and(|name| name.stamp.is_some()));
    Ok(())
}

#[test]
fn hard_links_are_two_files() -> Outcome {
    let root = tempfile::tempdir()?;
    std::fs::write(root.path().join("a.db"), b"x")?;
    std::fs::hard_link(root.path().join("a.db"), root.path().join("b.db"))?;
    assert_eq!(
        names(&walk(root.path(), &Silent), root.path()),
        ["a.db", "b.db"]
    );
    Ok(())
}

#[test]
fn what_is_no_file_is_skipped_and_never_opened() -> Outcome {
    let root = tempfile::tempdir()?;
    let fifo = root.path().join(SNAPSHOT);
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0)?;
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket.db"))?;
    symlink("/dev/zero", root.path().join("zero.db"))?;
    let started = Instant::now();
    let walk = walk(root.path(), &Silent);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(walk.objects.is_empty());
    let reasons: Vec<_> = walk
        .skipped
        .iter()
        .map(|skipped| skipped.reason.as_str())
        .collect();
    let expected = [
        "a FIFO, not a regular file",
        "a socket, not a regular file",
        "a character device, not a regular file",
    ];
    assert_eq!(reasons, expected);
    assert!(!walk.skipped.iter().any(|skipped| skipped.is_error));
    Ok(())
}

#[test]
fn kernel_file_systems_are_not_entered() {
    let walk = walk(Path::new("/proc"), &Silent);
    assert!(walk.objects.is_empty());
    let reasons: Vec<_> = walk
        .skipped
        .iter()
        .map(|skipped| skipped.reason.as_str())
        .collect();
    assert_eq!(reasons, ["kernel file system proc"]);
}

#[test]
fn names_with_line_breaks_and_names_that_are_no_text_survive() -> Outcome {
    let root = tempfile::tempdir()?;
    for name in [
        &b"snapshot_\n2024-11-02_030000.db"[..],
        b"\xff\xfe.db",
        b"-rf",
        b"\x1b[31m.db",
    ] {
        std::fs::write(root.path().join(OsStr::from_bytes(name)), b"x")?;
    }
    let walk = walk(root.path(), &Silent);
    assert_eq!(walk.objects.len(), 4);
    assert!(
        walk.objects
            .iter()
            .all(|object| object.id.as_path().is_some_and(Path::exists))
    );
    Ok(())
}

struct Stop;

impl Monitor for Stop {
    fn is_interrupted(&self) -> bool {
        true
    }
}

#[test]
fn an_interrupt_ends_it() -> Outcome {
    let root = tempfile::tempdir()?;
    std::fs::write(root.path().join("a.db"), b"x")?;
    let walk = walk(root.path(), &Stop);
    assert!(walk.is_interrupted && walk.objects.is_empty());
    Ok(())
}
