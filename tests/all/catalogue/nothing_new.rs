//! An index that finds nothing new is answered in short: with what an index says that goes through everything.

use crate::catalogue::TestResult;
use etcd_cat::catalogue::{Catalogue, CatalogueLocation};
use etcd_cat::finding::Code;
use etcd_cat::monitor::Silent;
use etcd_cat::selection::{Place, Summary};
use etcd_cat::source::{ObjectId, PageCache, Stores};
use etcd_cat::survey::{self, Decrypt, Depth, Indexed, News, Survey, SurveyOptions, Unchanged};
use std::path::{Path, PathBuf};

/// Copies of the samples, and what is remembered of them.
pub(crate) struct Shelf {
    directory: tempfile::TempDir,
    pub(crate) catalogue: Catalogue,
}

impl Shelf {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/backups");
        for entry in walkdir::WalkDir::new(&samples) {
            let entry = entry?;
            let to = directory
                .path()
                .join("b")
                .join(entry.path().strip_prefix(&samples)?);
            if entry.file_type().is_dir() {
                std::fs::create_dir(to)?;
            } else {
                std::fs::copy(entry.path(), to)?;
            }
        }
        let place = directory.path().join("catalogue.redb");
        let catalogue = Catalogue::new(CatalogueLocation::Redb(place));
        Ok(Self {
            directory,
            catalogue,
        })
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.directory.path().join("b")
    }

    fn snapshot(&self) -> Result<PathBuf, Box<dyn std::error::Error>> {
        let files = std::fs::read_dir(self.backups().join("prod"))?;
        let paths = files.map(|file| Ok(file?.path()));
        let mut paths = paths.collect::<Result<Vec<PathBuf>, std::io::Error>>()?;
        paths.sort();
        let is_snapshot = |path: &PathBuf| path.extension().is_some_and(|end| end == "db");
        Ok(paths.into_iter().find(is_snapshot).ok_or("no snapshot")?)
    }

    fn locations(&self) -> [ObjectId; 1] {
        [self.backups().into()]
    }

    pub(crate) fn index(&self, as_of: &str) -> Result<Survey, Box<dyn std::error::Error>> {
        let locations = self.locations();
        Ok(survey::index(
            &locations,
            &self.catalogue,
            &options(as_of)?,
            &Silent,
        )?)
    }

    fn in_short(&self, as_of: &str) -> Result<Option<Unchanged>, Box<dyn std::error::Error>> {
        let (locations, options) = (self.locations(), options(as_of)?);
        let indexed =
            survey::index_in_short(&locations, &self.catalogue, &options, |_| true, &Silent)?;
        Ok(match indexed {
            Indexed::Whole(_) => None,
            Indexed::Unchanged(unchanged) => Some(unchanged),
        })
    }

    /// There is an answer in short, and it is that of an index that goes through everything.
    fn holds(&self, what: &str) -> TestResult {
        for as_of in [NOW, "2024-11-03T00:00:00Z", "2060-01-01T00:00:00Z"] {
            let short = self.in_short(as_of)?;
            let short = short.ok_or(format!("{what}, as of {as_of}: no answer in short"))?;
            let whole = self.index(as_of)?;
            let mut expected: Vec<Summary> = whole.backups.iter().map(Summary::from).collect();
            let mut found = short.backups.clone();
            expected.sort_by_key(by_place);
            found.sort_by_key(by_place);
            let other = found
                .iter()
                .zip(&expected)
                .find(|(found, expected)| found != expected);
            assert_eq!(
                (found.len(), other),
                (expected.len(), None),
                "{what}, as of {as_of}"
            );
            assert_eq!(short.files, whole.unchanged, "{what}");
            assert_eq!(short.skipped, whole.skipped, "{what}");
            assert!(whole.gone.is_empty(), "{what}");
            let of = whole.backups.iter();
            let news = of.filter(|backup| whole.news.of(backup) == Some(News::Changed));
            let mut news: Vec<Summary> = news.map(Summary::from).collect();
            let mut changed: Vec<Summary> = short.changed().cloned().collect();
            news.sort_by_key(by_place);
            changed.sort_by_key(by_place);
            assert_eq!(changed, news, "{what}, as of {as_of}");
        }
        Ok(())
    }
}

pub(crate) const NOW: &str = "2024-11-10T00:00:00Z";

fn by_place(summary: &Summary) -> Option<ObjectId> {
    summary.place.as_ref().and_then(Place::path)
}

pub(crate) fn options(as_of: &str) -> Result<SurveyOptions, chrono::ParseError> {
    Ok(SurveyOptions {
        depth: Depth::New,
        decrypt: Decrypt::Sample,
        jobs: 2,
        as_of: as_of.parse()?,
        accept: vec![Code::TimeSkew],
        page_cache: PageCache::Keep,
        stores: Stores::default(),
        shard: None,
    })
}

#[test]
fn what_was_judged_last_is_the_answer_while_nothing_is_new() -> TestResult {
    let shelf = Shelf::new()?;
    assert!(shelf.in_short(NOW)?.is_none(), "nothing is known yet");
    shelf.holds("after the first index")?;
    let snapshot = shelf.snapshot()?;
    let bytes = std::fs::read(&snapshot)?;

    let other = snapshot.with_file_name("snapshot_2031-01-01_000000.db");
    std::fs::write(&other, &bytes)?;
    assert!(shelf.in_short(NOW)?.is_none(), "a new file");
    shelf.holds("after a new file")?;

    std::fs::write(&other, bytes.get(..bytes.len() / 2).ok_or("a half")?)?;
    assert!(shelf.in_short(NOW)?.is_none(), "a file was rewritten");
    shelf.holds("after a file was rewritten")?;

    std::fs::remove_file(&snapshot)?;
    assert!(shelf.in_short(NOW)?.is_none(), "a file is gone");
    shelf.holds("after that was told")?;

    std::fs::write(&snapshot, &bytes)?;
    assert!(shelf.in_short(NOW)?.is_none(), "it came back");
    shelf.holds("after that was seen")?;

    std::fs::write(shelf.backups().join("snapshot_readme.db"), "no database")?;
    assert!(shelf.in_short(NOW)?.is_none(), "something foreign");
    shelf.holds("after it was looked at")?;

    let link = shelf.backups().join("snapshot_2031-01-02_000000.db");
    std::os::unix::fs::symlink("nowhere", link)?;
    shelf.holds("what is skipped by the listing alone is told again")?;
    Ok(())
}

#[test]
fn whoever_asks_for_less_than_all_or_in_doubt_is_answered_from_everything() -> TestResult {
    let shelf = Shelf::new()?;
    shelf.index(NOW)?;
    shelf.holds("all of it")?;
    // What lies elsewhere was not looked at.
    let one = [shelf.backups().join("prod").into()];
    let of_one = survey::index_in_short(&one, &shelf.catalogue, &options(NOW)?, |_| true, &Silent)?;
    assert!(matches!(of_one, Indexed::Whole(_)), "{of_one:?}");
    // One file that is named is asked for with what lies beside it.
    let file = [shelf.snapshot()?.into()];
    let of_file =
        survey::index_in_short(&file, &shelf.catalogue, &options(NOW)?, |_| true, &Silent)?;
    assert!(matches!(of_file, Indexed::Whole(_)), "{of_file:?}");
    shelf.index(NOW)?;
    let (all, enough) = (shelf.locations(), options(NOW)?);
    let not_enough = survey::index_in_short(&all, &shelf.catalogue, &enough, |_| false, &Silent)?;
    assert!(matches!(not_enough, Indexed::Whole(_)), "it was not enough");
    Ok(())
}
