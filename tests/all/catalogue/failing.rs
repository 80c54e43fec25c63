//! A catalogue that fails while files are read.

use crate::catalogue::TestResult;
use etcd_cat::catalogue::{Catalogue, CatalogueLocation};
use etcd_cat::monitor::Monitor;
use etcd_cat::source::{PageCache, Stores};
use etcd_cat::survey::{Decrypt, Depth, SurveyError, SurveyOptions, examine};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Every reading of a file.
#[derive(Default)]
struct Readings(Mutex<Vec<OsString>>);

impl Monitor for Readings {
    fn begin(&self, path: &OsStr, _bytes: u64) {
        let mut readings = self.0.lock().expect("no reader panics");
        readings.push(path.to_owned());
    }
}

fn options(depth: Depth) -> SurveyOptions {
    SurveyOptions {
        depth,
        decrypt: Decrypt::Sample,
        jobs: 2,
        as_of: crate::catalogue::sample::instant(0),
        accept: Vec::new(),
        page_cache: PageCache::Keep,
        stores: Stores::default(),
        shard: None,
    }
}

#[test]
fn what_is_verified_is_read_once_whatever_becomes_of_the_catalogue() -> TestResult {
    let directory = tempfile::tempdir()?;
    let damaged = directory.path().join("damaged.redb");
    std::fs::write(&damaged, [7; 8192])?;
    // It is not there, so it is empty; and it can be made by nobody.
    let unwritable = PathBuf::from("/proc/etcd-cat/catalogue.redb");
    let files = [Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/backups/fresh")
        .into()];
    for place in [damaged, unwritable] {
        let name = place.display().to_string();
        let catalogue = Catalogue::new(CatalogueLocation::Redb(place));
        let readings = Readings::default();
        let survey = examine(&files, &catalogue, &options(Depth::Everything), &readings)?;
        assert!(survey.catalogue.is_some(), "{name}");
        assert_eq!(survey.backups.len(), 1, "{name}");
        let mut readings = readings.0.into_inner()?;
        assert_eq!(readings.len(), 2, "{name}: {readings:?}");
        readings.dedup();
        assert_eq!(readings.len(), 2, "{name}: {readings:?}");
        // To index is to remember.
        let readings = Readings::default();
        let indexed = examine(&files, &catalogue, &options(Depth::New), &readings);
        assert!(
            matches!(indexed, Err(SurveyError::Catalogue(_))),
            "{name}: {indexed:?}"
        );
    }
    Ok(())
}
