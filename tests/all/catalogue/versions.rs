//! A catalogue outlives the program that wrote it: earlier ones are read forward, later ones are left alone.

use crate::catalogue::{TestResult, sample};
use etcd_cat::backup::Verdict;
use etcd_cat::catalogue::{
    Access, Catalogue, CatalogueChange, CatalogueContents, CatalogueError, CatalogueLocation,
    CatalogueStore as _, Content, Operation, RedbStore, Subject, Table,
};
use etcd_cat::overview::Overview;
use etcd_cat::source::{ObjectId, Stores};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Made by the program before tables had versions: all samples in `/backups` indexed, three directories of them
/// verified twice more, and three snapshots with a provenance.
const FIRST: &[u8] = include_bytes!("../../../testdata/catalogue/v1.redb.gz");

fn at(path: &Path) -> Catalogue {
    Catalogue::new(CatalogueLocation::Redb(path.to_owned()))
}

fn first(directory: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let path = directory.join("catalogue.redb");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(FIRST).read_to_end(&mut bytes)?;
    std::fs::write(&path, bytes)?;
    Ok(path)
}

/// What no file can give back.
fn memory(contents: &CatalogueContents) -> impl PartialEq + std::fmt::Debug + use<> {
    let first_seen: BTreeMap<_, _> = contents
        .files
        .iter()
        .map(|(path, file)| (path.clone(), file.first_seen_at))
        .collect();
    let verifications: BTreeMap<_, _> = contents.verifications.clone().into_iter().collect();
    let provenance: BTreeMap<_, _> = contents.provenance.clone().into_iter().collect();
    (
        first_seen,
        verifications,
        provenance,
        contents.locations.clone(),
    )
}

#[test]
fn a_catalogue_from_before_versions_keeps_history_and_provenance() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = first(directory.path())?;
    let contents = at(&path).load()?;
    assert_eq!(contents.skipped, []);
    assert_eq!(contents.files.len(), 43);
    assert_eq!(
        (contents.snapshots.len(), contents.kuberesources.len()),
        (15, 13)
    );
    assert_eq!(contents.proofs.len(), 10);
    let locations: Vec<_> = contents.locations.keys().collect();
    assert_eq!(locations, [&ObjectId::from("/backups")]);

    let history: Vec<_> = contents.verifications.values().collect();
    let of_several = history.iter().filter(|one| one.len() == 3);
    assert_eq!(history.iter().map(|one| one.len()).sum::<usize>(), 31);
    assert_eq!(of_several.count(), 8);
    for verifications in history {
        assert!(verifications.is_sorted_by_key(|one| one.at));
    }
    let prod = contents
        .snapshots
        .keys()
        .find(|key| key.computed.to_string().starts_with("0584dd7fdd65"))
        .expect("a sample");
    let verdicts: Vec<_> = contents
        .verifications(&Subject::Snapshot(*prod))
        .iter()
        .map(|one| (one.verdict, one.accepted.len()))
        .collect();
    let plain = (Verdict::Warning, 0);
    assert_eq!(verdicts, [plain, plain, (Verdict::Warning, 1)]);

    let mut nodes: Vec<_> = contents
        .provenance
        .values()
        .map(|provenance| provenance.node.as_str())
        .collect();
    nodes.sort_unstable();
    assert_eq!(nodes, ["master-1", "master-2", "master-3"]);
    assert_eq!(
        contents.provenance.get(prod).map(|one| one.node.as_str()),
        Some("master-1")
    );
    Ok(())
}

#[test]
fn writing_to_it_loses_nothing_and_says_which_versions_are_in_it() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = first(directory.path())?;
    let before = memory(&at(&path).load()?);
    at(&path).remember_location(PathBuf::from("/other"), sample::instant(1))?;
    let mut after = at(&path).load()?;
    assert_eq!(
        after
            .locations
            .remove(&ObjectId::from("/other"))
            .map(|one| one.first_seen_at),
        Some(sample::instant(1))
    );
    assert!(
        memory(&after) == before,
        "{:?} before {before:?}",
        memory(&after)
    );
    let about = about(&path)?;
    let version = |table: &str| about.get(&format!("version/{table}")).map(String::as_str);
    assert_eq!(about.get("layout").map(String::as_str), Some("2"));
    assert_eq!((version("locations"), version("files")), (Some("2"), None));
    etcd_cat::survey::refresh(&at(&path), &Stores::default())?;
    assert!(Overview::load(&at(&path).reader()?)?.is_some());
    let expected = Table::Overview.version().to_string();
    assert_eq!(self::about(&path)?.get("version/overview"), Some(&expected));
    Ok(())
}

/// Text in the table that the catalogue says of itself, but for the generation.
fn about(path: &Path) -> Result<BTreeMap<String, String>, Box<dyn std::error::Error>> {
    let store = RedbStore::open(path, Access::Read)?.expect("is there");
    let mut about = BTreeMap::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    store.scan(Table::About, &[], &mut |key, value| {
        about.insert(text(key), text(value));
    })?;
    Ok(about)
}

fn put(path: &Path, table: Table, key: &[u8], value: &[u8]) -> TestResult {
    let mut store = RedbStore::open(path, Access::Write)?.expect("created when missing");
    let (key, value) = (key.to_vec(), value.to_vec());
    store.apply(vec![Operation::Put { table, key, value }])?;
    Ok(())
}

type KeptRecord = (Table, Vec<u8>, Vec<u8>);

/// Every record.
fn records(path: &Path) -> Result<Vec<KeptRecord>, Box<dyn std::error::Error>> {
    let store = RedbStore::open(path, Access::Read)?.expect("is there");
    let mut records = Vec::new();
    for table in Table::ALL {
        store.scan(table, &[], &mut |key, value| {
            records.push((table, key.to_vec(), value.to_vec()));
        })?;
    }
    Ok(records)
}

/// Neither read nor written.
fn is_refused(path: &Path, name: &str, expected: &str) -> TestResult {
    let before = records(path)?;
    for error in [
        at(path).load().map(|_| ()),
        at(path).locations().map(|_| ()),
        at(path).record(sample::backup(2)),
        at(path)
            .forget(&etcd_cat::catalogue::Forget::default())
            .map(|_| ()),
    ] {
        let text = error.expect_err(name).to_string();
        assert!(text.contains(expected), "{name}: {text}");
        let remedy = "use the newer etcd-cat that wrote it, or another --catalogue";
        assert!(text.ends_with(remedy), "{name}: {text}");
    }
    assert!(records(path)? == before, "{name}: left as it was");
    Ok(())
}

#[test]
fn records_of_a_later_version_are_left_alone() -> TestResult {
    let rows: [(&str, &[u8], &str); 3] = [
        (
            "files",
            b"7",
            "records of version 7 in table files, expected at most 6",
        ),
        (
            "holds",
            b"1",
            "records of version 1 in table holds, expected at most 0",
        ),
        ("proofs", b"\xffx", "in table proofs, expected at most 2"),
    ];
    for (table, version, expected) in rows {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("catalogue.redb");
        at(&path).record(sample::backup(1))?;
        let key = format!("version/{table}");
        put(&path, Table::About, key.as_bytes(), version)?;
        is_refused(&path, table, expected)?;
    }
    Ok(())
}

/// A code that a later program added, in a record that is otherwise of this version.
#[test]
fn a_sound_record_that_means_nothing_here_is_an_error_and_stays() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    at(&path).record(sample::backup(9))?;
    let store = RedbStore::open(&path, Access::Read)?.expect("was written");
    let mut found = Vec::new();
    store.scan(Table::Snapshots, &[], &mut |key, value| {
        found.push((key.to_vec(), value.to_vec()));
    })?;
    drop(store);
    let (key, value) = found.pop().expect("one snapshot");
    let text = String::from_utf8_lossy(&value).into_owned();
    assert!(text.contains("certificate-expired"), "{text}");
    let known = b"certificate-expired";
    let position = value.windows(known.len()).position(|part| part == known);
    let mut later = value.get(5..).expect("behind the checksum").to_vec();
    let position = position.expect("just seen") - 5;
    later.splice(position..position + known.len(), *b"certificate-extinct");
    let mut checked = key.clone();
    checked.extend_from_slice(&later);
    let checksum = etcd_cat::digest::Crc32c::of(&checked).value;
    let record = [&[1], checksum.to_le_bytes().as_slice(), &later].concat();
    put(&path, Table::Snapshots, &key, &record)?;
    let loaded = at(&path).load();
    let error = loaded.expect_err("an unknown code");
    assert!(matches!(error, CatalogueError::Foreign { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("a record in table snapshots that this etcd-cat cannot read"),
        "{text}"
    );
    assert!(
        text.ends_with("use the newer etcd-cat that wrote it, or another --catalogue"),
        "{text}"
    );
    Ok(())
}

/// Facts can be read anew; what is known of the file itself stays.
#[test]
fn a_file_whose_facts_are_gone_keeps_its_first_sight_and_what_lay_there() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    at(&path).record(sample::backup(1))?;
    put(
        &path,
        Table::Snapshots,
        &key_bytes(&path)?,
        b"\x00unreadable",
    )?;
    let contents = at(&path).load()?;
    assert_eq!(contents.snapshots.len(), 0);
    assert_eq!(contents.files.get(&sample::snapshot_path(1)), None);
    let (key, other) = (sample::key(1), sample::key(2));
    assert_eq!(contents.verifications(&Subject::Snapshot(key)).len(), 1);
    at(&path).record(vec![
        CatalogueChange::Snapshot(Box::new(sample::snapshot(2))),
        sample::file(sample::snapshot_path(1), Content::Snapshot(other), 9),
    ])?;
    let file = at(&path).reader()?.file(&sample::snapshot_path(1))?;
    let file = file.expect("just recorded");
    assert_eq!(file.first_seen_at, sample::instant(2));
    let previous = file.previous.map(|previous| previous.content);
    assert_eq!(
        previous,
        Some(Content::Snapshot(key)),
        "it was verified valid"
    );
    Ok(())
}

fn key_bytes(path: &Path) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let store = RedbStore::open(path, Access::Read)?.expect("was written");
    let mut key = Vec::new();
    store.scan(Table::Snapshots, &[], &mut |found, _| key = found.to_vec())?;
    Ok(key)
}
