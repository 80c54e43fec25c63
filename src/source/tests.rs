//! What every store promises, asked of each.

use super::memory::{MemoryBucket, SCHEME};
use super::*;
use crate::bytes::to_u64;
use crate::monitor::{Monitor, Silent};
use std::ffi::OsStr;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A store with a place to put objects in.
trait Sample {
    fn store(&self) -> &dyn Store;
    /// The location that everything is put below.
    fn root(&self) -> ObjectId;
    fn put(&self, id: &ObjectId, bytes: &[u8]) -> std::io::Result<()>;
    fn remove(&self, id: &ObjectId) -> std::io::Result<()>;

    fn id(&self, name: &str) -> ObjectId {
        let parts = name.split('/').map(OsStr::new);
        parts.fold(self.root(), |directory, part| directory.join(part))
    }
}

struct Files(tempfile::TempDir);

impl Sample for Files {
    fn store(&self) -> &dyn Store {
        &FileSystem
    }

    fn root(&self) -> ObjectId {
        self.0.path().into()
    }

    fn put(&self, id: &ObjectId, bytes: &[u8]) -> std::io::Result<()> {
        let path = id.as_path().expect("a file");
        std::fs::create_dir_all(path.parent().expect("in a directory"))?;
        // As every tool replaces a file: under another name first.
        let unfinished = path.with_extension("unfinished");
        std::fs::write(&unfinished, bytes)?;
        std::fs::rename(unfinished, path)
    }

    fn remove(&self, id: &ObjectId) -> std::io::Result<()> {
        std::fs::remove_file(id.as_path().expect("a file"))
    }
}

impl Sample for MemoryBucket {
    fn store(&self) -> &dyn Store {
        self
    }

    fn root(&self) -> ObjectId {
        ObjectId::from("mem://bucket/prefix")
    }

    fn put(&self, id: &ObjectId, bytes: &[u8]) -> std::io::Result<()> {
        Self::put(self, id, bytes);
        Ok(())
    }

    fn remove(&self, id: &ObjectId) -> std::io::Result<()> {
        Self::remove(self, id);
        Ok(())
    }
}

#[cfg(feature = "object-stores")]
impl Sample for bucket::testing::Served {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn root(&self) -> ObjectId {
        ObjectId::from("s3://backups/prefix")
    }

    fn put(&self, id: &ObjectId, bytes: &[u8]) -> std::io::Result<()> {
        self.server.put(self.key(id), bytes);
        Ok(())
    }

    fn remove(&self, id: &ObjectId) -> std::io::Result<()> {
        self.server.remove(self.key(id));
        Ok(())
    }
}

/// One of each.
fn samples() -> std::io::Result<Vec<Box<dyn Sample>>> {
    Ok(vec![
        Box::new(Files(tempfile::tempdir()?)),
        Box::new(MemoryBucket::default()),
        Box::new(MemoryBucket::slow(Duration::from_millis(1), 7)),
        #[cfg(feature = "object-stores")]
        Box::new(bucket::testing::Served::plain()),
        #[cfg(feature = "object-stores")]
        Box::new(bucket::testing::Served::with_versions()),
    ])
}

fn ids(listing: &Listing) -> Vec<ObjectId> {
    let mut ids: Vec<_> = listing.objects.iter().map(|one| one.id.clone()).collect();
    ids.sort();
    ids
}

fn read(object: &dyn Object, pace: Pace) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    object.reader(pace)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[test]
fn a_listing_has_all_that_is_below_and_nothing_else() -> Outcome {
    for sample in samples()? {
        let names = [
            "a/b/one.db",
            "a/two.db",
            "a-b/three.db",
            "four.db",
            "a/ \u{e9}%#?+:.db",
        ];
        for name in names {
            sample.put(&sample.id(name), name.as_bytes())?;
        }
        let listed = |location: &ObjectId| ids(&sample.store().list(location, &Silent));
        let expected = |names: &[&str]| {
            let mut ids: Vec<_> = names.iter().map(|name| sample.id(name)).collect();
            ids.sort();
            ids
        };
        assert_eq!(listed(&sample.root()), expected(&names));
        let below = ["a/b/one.db", "a/two.db", "a/ \u{e9}%#?+:.db"];
        assert_eq!(listed(&sample.id("a")), expected(&below));
        assert_eq!(listed(&sample.id("a/two.db")), expected(&["a/two.db"]));
        let beside = sample.store().list_beside(&sample.id("a/two.db"), &Silent);
        assert_eq!(ids(&beside), expected(&["a/two.db", "a/ \u{e9}%#?+:.db"]));
        for id in listed(&sample.root()) {
            assert_eq!(ObjectId::from_bytes(&id.to_bytes()), id);
            assert!(sample.root().contains(&id));
        }
    }
    Ok(())
}

#[test]
fn what_is_not_there_is_told_and_no_panic() -> Outcome {
    for sample in samples()? {
        sample.put(&sample.id("here.db"), b"x")?;
        let (id, store) = (sample.id("gone.db"), sample.store());
        let listing = store.list(&id, &Silent);
        let [left_out] = listing.left_out.as_slice() else {
            return Err(format!("{listing:?}").into());
        };
        let refused = Cause::Refused(std::io::ErrorKind::NotFound);
        assert_eq!((&left_out.id, left_out.cause), (&id, refused));
        assert!(store.stat(&id).is_err());
        let error = store.open(&id, None).expect_err("is gone");
        assert_eq!(error.to_string(), format!("cannot open {id}"));
        let here = sample.id("here.db");
        assert!(store.stat(&here).is_ok());
        sample.remove(&here)?;
        assert!(store.stat(&here).is_err());
    }
    Ok(())
}

#[test]
fn an_interrupted_listing_says_so() -> Outcome {
    struct Stop;
    impl Monitor for Stop {
        fn is_interrupted(&self) -> bool {
            true
        }
    }
    for sample in samples()? {
        sample.put(&sample.id("a.db"), b"x")?;
        let listing = sample.store().list(&sample.root(), &Stop);
        assert!(listing.is_interrupted && listing.objects.is_empty());
    }
    Ok(())
}

#[test]
fn every_way_of_reading_gives_the_same_bytes() -> Outcome {
    let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
    for sample in samples()? {
        let id = sample.id("a.db");
        sample.put(&id, &bytes)?;
        sample.put(&sample.id("empty.db"), b"")?;
        let object = sample.store().open(&id, None)?;
        for pace in [
            Pace::OneByOne,
            Pace::Ahead(PageCache::Keep),
            Pace::Ahead(PageCache::Drop),
        ] {
            assert_eq!(read(&*object, pace)?, bytes, "{pace:?}");
            let empty = sample.store().open(&sample.id("empty.db"), None)?;
            assert_eq!(read(&*empty, pace)?, b"", "{pace:?}");
        }
        for (offset, length) in [(0, 16), (990, 10), (990, 4), (1000, 0), (5000, 0)] {
            let mut found = vec![0; 16.min(length)];
            let read = read_full_at(&*object, &mut found, to_u64(offset))?;
            let expected = bytes.get(offset..).unwrap_or_default();
            assert_eq!(Some(&*found), expected.get(..read), "{offset}");
        }
        let mut beyond = [0; 16];
        assert_eq!(read_full_at(&*object, &mut beyond, 995)?, 5);
        assert_eq!(object.read_at(&mut beyond, 1000)?, 0);
    }
    Ok(())
}

#[test]
fn an_object_looks_the_same_from_everywhere_until_it_is_replaced() -> Outcome {
    for sample in samples()? {
        let (id, store) = (sample.id("a.db"), sample.store());
        sample.put(&id, b"old bytes")?;
        let listing = store.list(&id, &Silent);
        let listed = &listing.objects.first().ok_or("one object")?.identity;
        let object = store.open(&id, Some(listed))?;
        assert_eq!(listed.size_bytes(), 9);
        assert_eq!(*listed, store.stat(&id)?);
        assert_eq!(listed, object.identity());
        assert_eq!(*listed, object.identity_now()?);
        assert!(listed.modified_at().is_some());

        sample.put(&id, b"new bytes")?;
        assert_ne!(*listed, store.stat(&id)?);
        assert_eq!(listed, object.identity());
        // What was opened, or an error: never bytes of both.
        if let Ok(bytes) = read(&*object, Pace::OneByOne) {
            assert_eq!(bytes, b"old bytes");
        }
        let object = store.open(&id, None)?;
        assert_eq!(read(&*object, Pace::Ahead(PageCache::Keep))?, b"new bytes");
    }
    Ok(())
}

#[test]
fn each_name_goes_to_its_store() -> Outcome {
    let files = Files(tempfile::tempdir()?);
    let memory = MemoryBucket::default();
    let stores = Stores::default().with(SCHEME, Arc::new(memory.clone()));
    let ids = [files.id("a.db"), Sample::id(&memory, "a.db")];
    Sample::put(&files, &ids[0], b"file")?;
    memory.put(&ids[1], b"memory");
    for (id, bytes) in ids.iter().zip([&b"file"[..], b"memory"]) {
        assert!(stores.knows(id) && stores.is_near(id));
        assert_eq!(read(&*stores.open(id, None)?, Pace::OneByOne)?, bytes);
        assert_eq!(stores.list(id, &Silent).objects.len(), 1);
        assert_eq!(stores.list_beside(id, &Silent).objects.len(), 1);
        assert_eq!(stores.stat(id)?.size_bytes(), to_u64(bytes.len()));
    }
    let unknown = ObjectId::from("s3://bucket/a.db");
    let reason = "no store for s3:// in this build";
    assert!(!stores.knows(&unknown));
    assert_eq!(
        stores.stat(&unknown).expect_err("unknown").to_string(),
        reason
    );
    let listing = stores.list(&unknown, &Silent);
    assert_eq!(listing.left_out.first().ok_or("told")?.reason, reason);
    let error = stores.open(&unknown, None).expect_err("unknown");
    assert_eq!(error.to_string(), "cannot open s3://bucket/a.db");
    Ok(())
}

#[test]
fn a_file_is_created_whole_and_replaces_none() -> Outcome {
    let files = Files(tempfile::tempdir()?);
    let id = files.id("new/deep/x.db");
    let bytes = vec![7; (2 << 20) + 3];
    let create = |bytes: &[u8], size_bytes, monitor: &dyn Monitor| {
        let new = NewObject {
            bytes: &bytes,
            size_bytes,
            begun: &|_| Ok(()),
        };
        files.store().create(&id, &new, monitor)
    };
    let names = || -> std::io::Result<Vec<_>> {
        let entries = std::fs::read_dir(files.id("new/deep").as_path().expect("a path"))?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    };
    files.store().try_to_create(&id)?;
    // Shorter than it was said to be, and stopped before its end: nothing is left.
    create(&bytes, 3 << 20, &Silent).expect_err("is too short");
    create(&bytes, 2 << 20, &Impatient).expect_err("is stopped");
    assert!(names()?.is_empty());
    let created = create(&bytes, to_u64(bytes.len()), &Silent)?;
    assert_eq!(created.identity, files.store().stat(&id)?);
    let error = create(b"other", 5, &Silent).expect_err("is taken");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert!(std::fs::read(id.as_path().expect("a path"))? == bytes);
    assert_eq!(names()?, ["x.db"]);
    Ok(())
}

struct Impatient;

impl Monitor for Impatient {
    fn is_interrupted(&self) -> bool {
        true
    }
}
