//! Whole surveys of a store that is no file system.

use super::recall::glance_at;
use super::{
    Decrypt, Depth, Survey, SurveyOptions, examine, glance, recall, recall_one, refresh, within,
};
use crate::catalogue::{Catalogue, CatalogueLocation};
use crate::finding::Code;
use crate::monitor::{Monitor, Silent};
use crate::overview::{Glance, Looks};
use crate::pairing::evidence;
use crate::restore::stage_backup;
use crate::selection::{Candidate as _, Selection, Summary, sort_newest_first};
use crate::source::memory::{MemoryBucket, SCHEME};
use crate::source::{
    FileSystem, Listing, Object, ObjectId, ObjectIdentity, OpenError, PageCache, Store, Stores,
};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const ROOT: &str = "mem://bucket/backups";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/backups")
}

/// The samples as they lie on disk, put into a store.
fn filled(store: &MemoryBucket) -> Outcome {
    let samples = samples();
    for file in FileSystem.list(&(&samples).into(), &Silent).objects {
        let path = file.id.as_path().ok_or("a file")?;
        let parts = path.strip_prefix(&samples)?.iter();
        let id = parts.fold(ObjectId::from(ROOT), |id, part| id.join(part));
        store.put(&id, &std::fs::read(path)?);
    }
    Ok(())
}

fn options(depth: Depth, store: &MemoryBucket) -> SurveyOptions {
    SurveyOptions {
        depth,
        decrypt: Decrypt::Sample,
        jobs: 3,
        as_of: "2024-11-10T00:00:00Z".parse().expect("RFC 3339"),
        accept: Vec::new(),
        page_cache: PageCache::Keep,
        stores: Stores::default().with(SCHEME, Arc::new(store.clone())),
        shard: None,
    }
}

fn memory() -> Catalogue {
    Catalogue::new(CatalogueLocation::Memory)
}

/// What is the same wherever backups lie.
fn lines(survey: &Survey, root: &str) -> Vec<String> {
    let place = |id: Option<&ObjectId>| id.map(|id| id.to_string().replace(root, ""));
    let mut lines: Vec<String> = survey
        .backups
        .iter()
        .map(|backup| {
            // What the restore script would take is asked of directories alone.
            let codes = backup.findings.iter().map(|finding| finding.code);
            let codes: Vec<Code> = codes
                .filter(|code| *code != Code::RestorePicksOther)
                .collect();
            let kuberesources = backup.kuberesources.as_ref().map(|one| &one.path);
            format!(
                "{:?} {:?} {:?} {:?} {:?} {:?} {codes:?}",
                place(backup.path()),
                place(kuberesources),
                backup.id(),
                backup.verdict.is_usable(),
                backup.pairing,
                evidence(backup),
            )
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_store_is_surveyed_as_a_directory_is() -> Outcome {
    let store = MemoryBucket::slow(Duration::from_micros(10), 100_000);
    filled(&store)?;
    let options = options(Depth::Everything, &store);
    let found = examine(&[ROOT.into()], &memory(), &options, &Silent)?;
    let expected = examine(&[samples().into()], &memory(), &options, &Silent)?;
    let on_disk = samples().display().to_string();
    assert!(found.backups.len() > 10);
    assert_eq!(lines(&found, ROOT), lines(&expected, &on_disk));
    assert_eq!((found.files, found.bytes), (expected.files, expected.bytes));
    Ok(())
}

#[test]
fn what_is_known_is_not_opened_again_and_a_refused_listing_forgets_nothing() -> Outcome {
    let store = MemoryBucket::default();
    filled(&store)?;
    let (catalogue, options) = (memory(), options(Depth::New, &store));
    let locations = [ObjectId::from(ROOT)];
    let first = examine(&locations, &catalogue, &options, &Silent)?;
    let opened = store.times_opened();
    let second = examine(&locations, &catalogue, &options, &Silent)?;
    assert_eq!((second.files, store.times_opened()), (0, opened));
    assert_eq!(lines(&second, ROOT), lines(&first, ROOT));
    assert_eq!(recall(&catalogue, &options)?.len(), first.backups.len());
    let glanced = glance(&catalogue, &Selection::default(), &options)?;
    assert_eq!(glanced.summaries.len(), first.backups.len());

    store.refuse_listings(true);
    let refused = examine(&locations, &catalogue, &options, &Silent)?;
    let told = refused.skipped.first().ok_or("the listing is told of")?;
    assert!(told.is_error && told.id == locations[0]);
    assert_eq!(lines(&refused, ROOT), lines(&first, ROOT));
    store.refuse_listings(false);

    let replaced = first.backups.iter().find_map(|backup| backup.path());
    let replaced = replaced.ok_or("a backup has a place")?;
    store.put(replaced, b"other bytes");
    let third = examine(&locations, &catalogue, &options, &Silent)?;
    assert_eq!(third.files, 1);
    store.remove(replaced);
    let fourth = examine(&locations, &catalogue, &options, &Silent)?;
    assert_eq!(fourth.gone.len(), 1, "it is told of");
    let codes = fourth.gone.iter().flat_map(|backup| &backup.findings);
    assert!(
        codes
            .map(|finding| finding.code)
            .any(|code| code == Code::FileMissing)
    );
    let fifth = examine(&locations, &catalogue, &options, &Silent)?;
    assert_eq!((fifth.gone.len(), fifth.gone_before.len()), (0, 1), "once");
    Ok(())
}

/// Replaces an object as soon as its reading begins.
struct Meddler {
    store: MemoryBucket,
    id: ObjectId,
}

impl Monitor for Meddler {
    fn begin(&self, name: &OsStr, _: u64) {
        if name == self.id.as_os_str() {
            self.store.put(&self.id, b"other bytes");
        }
    }

    fn advance(&self, _: u64) {
        self.store.put(&self.id, b"other bytes again");
    }
}

#[test]
fn an_object_replaced_while_it_is_read_is_never_taken_for_sound() -> Outcome {
    let store = MemoryBucket::slow(Duration::ZERO, 1 << 20);
    let id = ObjectId::from(ROOT).join(OsStr::new("snapshot_2024-11-02_030000.db"));
    store.put(&id, &vec![7; 3 << 20]);
    let meddler = Meddler {
        store: store.clone(),
        id,
    };
    let options = options(Depth::Everything, &store);
    let survey = examine(&[ROOT.into()], &memory(), &options, &meddler)?;
    let [backup] = survey.backups.as_slice() else {
        return Err(format!("{survey:?}").into());
    };
    assert!(!backup.verdict.is_usable());
    let codes: Vec<Code> = backup.findings.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::ChangedWhileReading]);
    Ok(())
}

/// Gives its objects, and says nothing of them afterwards.
#[derive(Debug)]
struct Reticent(MemoryBucket);

impl Store for Reticent {
    fn list(&self, location: &ObjectId, monitor: &dyn Monitor) -> Listing {
        self.0.list(location, monitor)
    }

    fn list_beside(&self, id: &ObjectId, monitor: &dyn Monitor) -> Listing {
        self.0.list_beside(id, monitor)
    }

    fn stat(&self, _: &ObjectId) -> io::Result<ObjectIdentity> {
        Err(io::Error::other("the disk is gone"))
    }

    fn open(
        &self,
        id: &ObjectId,
        listed: Option<&ObjectIdentity>,
    ) -> Result<Box<dyn Object>, OpenError> {
        self.0.open(id, listed)
    }
}

#[test]
fn what_cannot_be_compared_after_it_was_read_is_not_learnt() -> Outcome {
    let store = MemoryBucket::default();
    filled(&store)?;
    let (catalogue, sound) = (memory(), options(Depth::New, &store));
    let reticent = Stores::default().with(SCHEME, Arc::new(Reticent(store.clone())));
    let reticent = SurveyOptions {
        stores: reticent,
        ..sound.clone()
    };
    let locations = [ObjectId::from(ROOT)];
    let survey = examine(&locations, &catalogue, &reticent, &Silent)?;
    let told = survey.skipped.iter().filter(|one| one.is_error);
    let told: Vec<&str> = told.map(|one| one.reason.as_str()).collect();
    assert!(
        told.len() > 10
            && told
                .iter()
                .all(|reason| reason.contains("the disk is gone"))
    );
    let learnt = survey.backups.iter();
    assert_eq!(learnt.filter(|one| one.id().is_some()).count(), 0);
    let again = examine(&locations, &catalogue, &sound, &Silent)?;
    let expected = examine(&locations, &memory(), &sound, &Silent)?;
    assert_eq!(lines(&again, ROOT), lines(&expected, ROOT));
    Ok(())
}

#[test]
fn a_pair_is_staged_from_a_store() -> Outcome {
    let store = MemoryBucket::slow(Duration::ZERO, 100_000);
    filled(&store)?;
    let options = options(Depth::Everything, &store);
    let survey = examine(&[ROOT.into()], &memory(), &options, &Silent)?;
    let mut usable = survey.backups.iter();
    let usable = usable.find(|one| one.verdict.is_usable() && one.kuberesources.is_some());
    let target = tempfile::tempdir()?;
    let to = target.path().join("staged");
    let staged = stage_backup(usable.ok_or("a usable one")?, &to, &options.stores, &Silent)?;
    assert!(staged.snapshot.exists() && staged.kuberesources.is_some_and(|path| path.exists()));
    Ok(())
}

/// The samples, judged, in a directory of their own.
struct Judged {
    directory: tempfile::TempDir,
    catalogue: Catalogue,
    options: SurveyOptions,
}

impl Judged {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let root = directory.path().join("backups");
        for file in FileSystem.list(&samples().into(), &Silent).objects {
            let path = file.id.as_path().ok_or("a file")?;
            let copy = root.join(path.strip_prefix(samples())?);
            std::fs::create_dir_all(copy.parent().ok_or("in a directory")?)?;
            std::fs::copy(path, copy)?;
        }
        let path = directory.path().join("catalogue.redb");
        let judged = Self {
            directory,
            catalogue: Catalogue::new(CatalogueLocation::Redb(path)),
            options: options(Depth::New, &MemoryBucket::default()),
        };
        let root = [ObjectId::from(root)];
        examine(&root, &judged.catalogue, &judged.options, &Silent)?;
        refresh(&judged.catalogue, &judged.options.stores)?;
        Ok(judged)
    }

    fn glance(&self, looks: Looks) -> Result<Glance, Box<dyn std::error::Error>> {
        let shown = Selection::default();
        let glance = glance_at(&self.catalogue, &shown, &self.options, looks)?;
        Ok(glance.ok_or("what was judged is believed")?)
    }

    /// Which are told to be rewritten, and how many were not looked at.
    fn rewritten(&self, looks: Looks) -> Result<(Vec<String>, usize), Box<dyn std::error::Error>> {
        let glance = self.glance(looks)?;
        let told = glance.summaries.iter().filter(|one| is_rewritten(one));
        Ok((ids(&told.collect::<Vec<_>>()), glance.not_looked_at))
    }

    /// Newest first.
    fn usable_of(
        &self,
        cluster: &str,
        version: &str,
    ) -> Result<Vec<Summary>, Box<dyn std::error::Error>> {
        let mut usable = self.glance(Looks::All)?.summaries;
        usable.retain(|one| {
            let known = one.cluster.as_deref();
            known.is_some_and(|known| known.answers_to(cluster))
                && one.version.openshift.as_deref() == Some(version)
                && one.is_restorable()
        });
        sort_newest_first(&mut usable);
        Ok(usable)
    }
}

#[test]
fn of_very_many_backups_the_newest_are_looked_at_and_what_a_choice_falls_on() -> Outcome {
    let judged = Judged::new()?;
    let prod = judged.usable_of("prod", "4.17.3")?;
    let [newest, next, oldest] = prod.as_slice() else {
        return Err(format!("{prod:?}").into());
    };
    let few = Looks::NewestAndChoices(1);
    assert_eq!(judged.rewritten(Looks::All)?, (ids(&[]), 0));
    assert_eq!(judged.rewritten(few)?, (ids(&[]), 9));

    // Behind others that a choice falls on first.
    rewrite(oldest)?;
    assert_eq!(judged.rewritten(few)?, (ids(&[]), 9));
    for looks in [
        Looks::All,
        Looks::Newest(15),
        Looks::OF_LIST,
        Looks::OF_CHOICE,
    ] {
        assert_eq!(judged.rewritten(looks)?, (ids(&[oldest]), 0), "{looks:?}");
    }
    let places = [ObjectId::from(judged.directory.path())];
    let within = within(&judged.catalogue, &places, &judged.options)?;
    assert_eq!(within.iter().filter(|one| is_rewritten(one)).count(), 1);

    // Where nobody chooses, so many are looked at and no more.
    for (limit, not_looked_at) in [(1, 14), (3, 12), (14, 1)] {
        let (told, left) = judged.rewritten(Looks::Newest(limit))?;
        assert_eq!(left, not_looked_at, "{limit} of 15");
        assert_eq!(told == ids(&[oldest]), limit == 14, "{told:?}");
    }

    // A choice falls on the next one, and then on one of another version, as when all are looked at.
    rewrite(newest)?;
    assert_eq!(judged.rewritten(few)?, (ids(&[newest]), 8));
    rewrite(next)?;
    let all = [newest, next, oldest];
    assert_eq!(judged.rewritten(few)?, (ids(&all), 6));
    assert_eq!(judged.rewritten(Looks::All)?, (ids(&all), 0));

    // One without a risk is preferred, and one with a risk chosen where there is no other.
    let edge = judged.usable_of("edge", "4.17.3")?;
    let [clean, risky] = edge.as_slice() else {
        return Err(format!("{edge:?}").into());
    };
    for one in [clean, risky] {
        rewrite(one)?;
    }
    assert_eq!(
        judged.rewritten(few)?,
        (ids(&[newest, next, oldest, clean, risky]), 5)
    );
    Ok(())
}

#[test]
fn what_is_not_looked_at_is_told_as_it_was_judged() -> Outcome {
    let judged = Judged::new()?;
    let told = |looks| -> Result<_, Box<dyn std::error::Error>> {
        let mut summaries = judged.glance(looks)?.summaries;
        sort_newest_first(&mut summaries);
        let unread = summaries.iter().filter(|one| one.place().is_none()).count();
        for summary in &mut summaries {
            summary.place = None;
        }
        Ok((summaries, unread))
    };
    let (all, unread) = told(Looks::All)?;
    assert_eq!(unread, 0);
    assert_eq!(told(Looks::NewestAndChoices(1))?, (all, 9));
    // One of them is found all the same, with all that is known of it.
    let summaries = judged.glance(Looks::NewestAndChoices(1))?.summaries;
    let recalled = recall(&judged.catalogue, &judged.options)?;
    for unread in summaries.iter().filter(|one| one.place().is_none()) {
        if let Some(found) = recall_one(&judged.catalogue, unread, &judged.options)? {
            assert!(recalled.contains(&found), "{found:?}");
        }
    }
    Ok(())
}

fn ids(backups: &[&Summary]) -> Vec<String> {
    let mut ids: Vec<String> = backups.iter().filter_map(|one| one.id()).collect();
    ids.sort();
    ids
}

fn is_rewritten(summary: &Summary) -> bool {
    let mut marks = summary.outcome.marks.iter();
    marks.any(|(code, _)| *code == Code::FileChanged)
}

/// Other bytes under the same name.
fn rewrite(backup: &Summary) -> Outcome {
    let place = backup.place().ok_or("it lies somewhere")?;
    Ok(std::fs::write(
        place.as_path().ok_or("on disk")?,
        b"other bytes",
    )?)
}
