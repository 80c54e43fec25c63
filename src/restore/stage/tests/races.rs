//! Others at work while a pair is staged.

use super::{Outcome, Pair, SNAPSHOT, names};
use crate::monitor::Monitor;
use crate::restore::stage::StageError;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Does something once this many bytes have gone by.
struct After<F: Fn()> {
    bytes: u64,
    seen: AtomicU64,
    act: F,
    stops: bool,
}

impl<F: Fn() + Send + Sync> Monitor for After<F> {
    fn advance(&self, bytes: u64) {
        let before = self.seen.fetch_add(bytes, Ordering::SeqCst);
        if before < self.bytes && before.saturating_add(bytes) >= self.bytes {
            (self.act)();
        }
    }

    fn is_interrupted(&self) -> bool {
        self.stops && self.seen.load(Ordering::SeqCst) >= self.bytes
    }
}

fn after<F: Fn() + Send + Sync>(bytes: u64, act: F, stops: bool) -> After<F> {
    After {
        bytes,
        seen: AtomicU64::new(0),
        act,
        stops,
    }
}

#[test]
fn an_interrupt_at_any_moment_leaves_nothing() -> Outcome {
    let total = 2 * (3 * 1024 * 1024 + 32 + 7);
    for bytes in [
        0,
        1,
        7,
        8,
        14,
        15,
        1024 * 1024,
        3 * 1024 * 1024,
        3 * 1024 * 1024 + 46,
        total - 40,
        total,
    ] {
        let pair = Pair::new()?;
        let target = pair.root.path().join("new/target");
        let error = pair
            .stage_to(&target, &after(bytes, || {}, true))
            .expect_err("was interrupted");
        assert!(matches!(error, StageError::Interrupted), "{bytes}: {error}");
        assert_eq!(names(pair.root.path())?, ["source"], "{bytes}");
    }
    Ok(())
}

#[test]
fn a_source_written_to_meanwhile_is_told() -> Outcome {
    let pair = Pair::new()?;
    let path = pair.snapshot.clone();
    let grow = move || {
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        let _written = file.and_then(|mut file| file.write_all(b"more"));
    };
    let error = pair
        .stage_to(&pair.target(), &after(1024 * 1024, grow, false))
        .expect_err("it grew");
    assert!(matches!(error, StageError::SourceChanged { .. }), "{error}");
    assert!(!pair.target().exists());
    Ok(())
}

#[test]
fn a_stranger_in_the_target_meanwhile_is_told_and_left() -> Outcome {
    let pair = Pair::new()?;
    let stranger = pair.target().join("snapshot_9999-01-01_000000.db");
    let path = stranger.clone();
    let intrude = move || {
        let _written = std::fs::write(&path, b"mine");
    };
    let error = pair
        .stage_to(&pair.target(), &after(1024 * 1024, intrude, false))
        .expect_err("is not alone");
    assert!(error.to_string().contains("might take instead"), "{error}");
    assert_eq!(names(&pair.target())?, ["snapshot_9999-01-01_000000.db"]);
    Ok(())
}

#[test]
fn a_final_name_that_appears_meanwhile_is_never_replaced() -> Outcome {
    let pair = Pair::new()?;
    let taken = pair.target().join(SNAPSHOT);
    let path = taken.clone();
    let intrude = move || {
        let _linked = symlink("/etc/passwd", &path);
    };
    pair.stage_to(&pair.target(), &after(1024 * 1024, intrude, false))
        .expect_err("the name is taken");
    assert_eq!(std::fs::read_link(&taken)?, Path::new("/etc/passwd"));
    assert_eq!(names(&pair.target())?, [SNAPSHOT]);
    Ok(())
}

#[test]
fn a_target_swapped_for_a_link_is_not_written_through() -> Outcome {
    let pair = Pair::new()?;
    let victim = pair.root.path().join("victim");
    std::fs::create_dir(&victim)?;
    let (target, moved, behind) = (
        pair.target(),
        pair.root.path().join("moved"),
        victim.clone(),
    );
    let swap = move || {
        let _moved = std::fs::rename(&target, &moved).and_then(|()| symlink(&behind, &target));
    };
    pair.stage_to(&pair.target(), &after(1024 * 1024, swap, false))
        .expect_err("the target is gone");
    assert!(names(&victim)?.is_empty());
    Ok(())
}
