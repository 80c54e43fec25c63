//! A check that tries one backup after the other has what was judged drawn once, in the end.

use crate::catalogue::TestResult;
use crate::catalogue::nothing_new::{NOW, Shelf, options};
use etcd_cat::backup::Verdict;
use etcd_cat::catalogue::Catalogue;
use etcd_cat::monitor::Monitor;
use etcd_cat::overview::Overview;
use etcd_cat::selection::Selection;
use etcd_cat::survey;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Notes at each reading whether what was judged is kept.
struct Watcher<'c> {
    catalogue: &'c Catalogue,
    was_kept: Mutex<Vec<bool>>,
}

impl Watcher<'_> {
    fn new(catalogue: &Catalogue) -> Watcher<'_> {
        Watcher {
            catalogue,
            was_kept: Mutex::default(),
        }
    }

    fn was_kept(&self) -> Vec<bool> {
        let seen = self.was_kept.lock();
        seen.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Monitor for Watcher<'_> {
    fn expect(&self, _files: u64, _bytes: u64) {
        let is_kept = is_kept(self.catalogue);
        let mut seen = self.was_kept.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(is_kept);
    }
}

fn is_kept(catalogue: &Catalogue) -> bool {
    let reader = catalogue.reader().expect("it can be read");
    let overview = Overview::load(&reader).expect("it can be read");
    overview.is_some()
}

/// Bytes that no attribute tells of.
fn damage(path: &Path) -> TestResult {
    let mut file = std::fs::File::options().write(true).open(path)?;
    let modified = file.metadata()?.modified()?;
    file.seek(SeekFrom::Start(70_000))?;
    file.write_all(&[0xa5; 64])?;
    Ok(file.set_modified(modified)?)
}

#[test]
fn candidates_that_turn_out_bad_are_not_drawn_one_by_one() -> TestResult {
    let shelf = Shelf::new()?;
    shelf.index(NOW)?;
    let (catalogue, options) = (&shelf.catalogue, options(NOW)?);
    let watcher = Watcher::new(catalogue);
    let version = "4.17.3".parse()?;
    let check = || {
        let selection = Selection {
            cluster: Some("prod".to_owned()),
            ..Selection::default()
        };
        survey::check_remembered(&version, &selection, catalogue, &options, &watcher)
    };
    let sound = check()?.check.chosen.ok_or("none is sound")?;
    assert_eq!(watcher.was_kept(), [true], "nothing was new");
    assert!(is_kept(catalogue));

    let snapshot = sound.backup.snapshot.ok_or("half of one")?.path;
    damage(snapshot.as_path().ok_or("no file")?)?;
    let other = check()?.check.chosen.ok_or("none is left")?;
    assert_ne!(sound.backup.digest, other.backup.digest);
    assert_eq!(watcher.was_kept(), [true, true, false]);
    assert!(is_kept(catalogue));
    let recalled = survey::recall(catalogue, &options)?;
    let damaged = recalled.iter().filter(|backup| {
        let path = backup.snapshot.as_ref().map(|half| &half.path);
        path == Some(&snapshot)
    });
    let verdicts: Vec<Verdict> = damaged.map(|backup| backup.verdict).collect();
    assert_eq!(verdicts, [Verdict::Invalid]);
    Ok(())
}
