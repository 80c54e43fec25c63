//! Damage to the catalogue is named, with what to do about it, and takes nothing else along.

use crate::catalogue::{TestResult, sample};
use etcd_cat::catalogue::{
    Access, Catalogue, CatalogueDamage, CatalogueError, CatalogueLocation, CatalogueStore,
    Operation, RedbStore, Table,
};
use std::path::{Path, PathBuf};

fn at(path: &Path) -> Catalogue {
    Catalogue::new(CatalogueLocation::Redb(path.to_owned()))
}

fn recorded(directory: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let path = directory.join("catalogue.redb");
    for number in 0..20 {
        at(&path).record(sample::backup(number))?;
    }
    Ok(path)
}

fn put(path: &Path, table: Table, key: &[u8], value: &[u8]) -> TestResult {
    let mut store = RedbStore::open(path, Access::Write)?.expect("created when missing");
    let (key, value) = (key.to_vec(), value.to_vec());
    store.apply(vec![Operation::Put { table, key, value }])?;
    Ok(())
}

#[test]
fn a_file_that_is_no_catalogue_is_named_with_what_to_do() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    let rows: [(&str, &[u8]); 3] = [
        ("text", b"this is no catalogue"),
        ("magic alone", b"redb\x1a\x0a\xa9\x0d\x0a"),
        ("zeros", &[0; 100_000]),
    ];
    for (name, bytes) in rows {
        std::fs::write(&path, bytes)?;
        for error in [
            at(&path).load().map(|_| ()),
            at(&path).record(sample::backup(1)),
        ] {
            let text = error.expect_err(name).to_string();
            assert!(text.contains("damaged"), "{name}: {text}");
            assert!(
                text.contains("make it anew from the files with `etcd-cat index --rebuild`"),
                "{name}: {text}"
            );
        }
        assert_eq!(std::fs::read(&path)?, bytes, "{name}: left as it was");
    }
    Ok(())
}

#[test]
fn flipped_bytes_and_cuts_are_damage_or_skipped_records_and_never_a_panic() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = recorded(directory.path())?;
    let sound = std::fs::read(&path)?;
    let whole = at(&path).load()?;
    let (mut refused, mut partial) = (0, 0);
    let mut try_one = |bytes: &[u8], name: &str| -> TestResult {
        std::fs::write(&path, bytes)?;
        match at(&path).load() {
            Ok(contents) => {
                for (key, facts) in &contents.snapshots {
                    assert_eq!(
                        whole.snapshots.get(key),
                        Some(facts),
                        "{name}: facts of its own making"
                    );
                }
                partial += usize::from(!contents.skipped.is_empty());
            }
            Err(CatalogueError::Damaged { .. }) => refused += 1,
            Err(error) => return Err(format!("{name}: {error:?}").into()),
        }
        // The result may be damage; the process goes on.
        let _ = at(&path).record(sample::backup(30));
        Ok(())
    };
    for step in 0..300 {
        let offset = step * sound.len() / 300 + step % 61;
        let mut damaged = sound.clone();
        if let Some(byte) = damaged.get_mut(offset) {
            *byte ^= 0x41;
        }
        try_one(&damaged, &format!("byte {offset}"))?;
    }
    for length in (1..sound.len()).step_by(sound.len() / 30) {
        let cut = sound.get(..length).expect("shorter than the file");
        try_one(cut, &format!("cut to {length}"))?;
    }
    assert!(
        refused > 0 && partial > 0,
        "{refused} refused, {partial} partial"
    );
    Ok(())
}

/// The header says which commit is the last: served otherwise, a catalogue is whole and not up to date.
#[test]
fn no_bit_of_the_header_serves_an_earlier_state_silently() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    for number in 0..2 {
        at(&path).record(sample::backup(number))?;
    }
    let whole = at(&path).load()?;
    let sound = std::fs::read(&path)?;
    let mut told = 0;
    for bit in 0..320 * 8 {
        let mut flipped = sound.clone();
        if let Some(byte) = flipped.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
        std::fs::write(&path, &flipped)?;
        let damage = CatalogueDamage::default();
        let loaded = at(&path).telling(damage.clone()).load();
        let is_told = loaded.is_err() || !damage.told().is_empty();
        let is_right = loaded.is_ok_and(|contents| contents == whole);
        assert!(is_told || is_right, "bit {bit}");
        told += usize::from(is_told);
        assert_eq!(std::fs::read(&path)?, flipped, "a reader changes nothing");
    }
    assert!(told > 100, "{told}");
    Ok(())
}

#[test]
fn a_header_that_names_the_commit_before_is_read_as_if_it_named_the_last() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = recorded(directory.path())?;
    let whole = at(&path).load()?;
    let mut bytes = std::fs::read(&path)?;
    let flags = bytes.get_mut(9).ok_or("there is a header")?;
    *flags ^= 1;
    std::fs::write(&path, bytes)?;
    assert_eq!(at(&path).load()?, whole);
    let error = at(&path).record(sample::backup(99));
    let text = error.expect_err("nothing is built on it").to_string();
    assert!(text.contains("does not name its last commit"), "{text}");
    Ok(())
}

#[test]
fn an_unusable_record_is_passed_over_and_its_file_counts_as_unread() -> TestResult {
    let rows: [(&str, &[u8], &str); 3] = [
        ("empty", b"", "record version is None, expected 1"),
        (
            "later",
            b"\x02anything",
            "record version is Some(2), expected 1",
        ),
        ("damaged", b"\x01\0\0\0\0anything", "record checksum is 0x"),
    ];
    for (name, value, expected) in rows {
        let directory = tempfile::tempdir()?;
        let path = recorded(directory.path())?;
        let digest = sample::digest(2, 7);
        put(&path, Table::Kuberesources, &digest.0, value)?;
        let contents = at(&path).load()?;
        let [file, record] = contents.skipped.as_slice() else {
            return Err(format!("{name}: {:?}", contents.skipped).into());
        };
        assert_eq!(record.key, digest.to_string(), "{name}");
        assert!(
            record.reason.contains(expected),
            "{name}: {}",
            record.reason
        );
        assert_eq!(
            file.key,
            sample::kuberesources_path(7).to_string(),
            "{name}"
        );
        assert_eq!(contents.files.len(), 39, "{name}");
        assert_eq!(contents.snapshots.len(), 20, "{name}");
        at(&path).record(sample::backup(7))?;
        assert_eq!(
            at(&path).load()?.skipped,
            [],
            "{name}: mended by reading the file again"
        );
    }
    Ok(())
}

#[test]
fn a_damaged_certificate_set_is_written_anew() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = recorded(directory.path())?;
    let id = *at(&path)
        .load()?
        .certificate_sets
        .keys()
        .next()
        .expect("two sets");
    put(
        &path,
        Table::CertificateSets,
        &id.0,
        b"\x01\0\0\0\0anything",
    )?;
    assert!(at(&path).load()?.files.len() < 40);
    for number in 0..20 {
        at(&path).record(sample::backup(number))?;
    }
    let contents = at(&path).load()?;
    assert_eq!((contents.files.len(), contents.skipped.len()), (40, 0));
    Ok(())
}

#[test]
fn a_later_layout_is_left_alone() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = recorded(directory.path())?;
    put(&path, Table::About, b"layout", b"3")?;
    for error in [
        at(&path).load().map(|_| ()),
        at(&path).record(sample::backup(1)),
    ] {
        let text = error.expect_err("layout 3 is not ours").to_string();
        assert!(text.contains("has layout 3, expected 2"), "{text}");
    }
    Ok(())
}

#[test]
fn a_directory_in_its_place_is_an_error_with_the_path() -> TestResult {
    let directory = tempfile::tempdir()?;
    let text = at(directory.path())
        .load()
        .expect_err("a directory")
        .to_string();
    assert!(
        text.contains(&directory.path().display().to_string()),
        "{text}"
    );
    Ok(())
}

#[test]
#[cfg(not(feature = "store-sled"))]
fn a_store_that_was_not_built_is_named() {
    let location = CatalogueLocation::Sled(PathBuf::from("/nowhere/c"));
    let text = Catalogue::new(location)
        .load()
        .expect_err("not built")
        .to_string();
    assert!(text.contains("without the feature `store-sled`"), "{text}");
}
