//! What is remembered, and for how long.

use crate::catalogue::{TestResult, sample};
use etcd_cat::backup::{Provenance, Verdict, Verification};
use etcd_cat::catalogue::{
    Catalogue, CatalogueChange, CatalogueLocation, Content, Forget, ProofRecord, Subject,
};
use etcd_cat::finding::{Code, Finding};
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
use etcd_cat::source::ObjectId;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn in_file(directory: &Path) -> Catalogue {
    let path = directory.join("new/directory/catalogue.redb");
    Catalogue::new(CatalogueLocation::Redb(path))
}

/// One on disk, one in memory, and sled's where it was built.
fn catalogues(directory: &Path) -> Vec<Catalogue> {
    let mut catalogues = vec![
        in_file(directory),
        Catalogue::new(CatalogueLocation::Memory),
    ];
    if cfg!(feature = "store-sled") {
        let path = directory.join("sled");
        catalogues.push(Catalogue::new(CatalogueLocation::Sled(path)));
    }
    catalogues
}

fn proof() -> ProofRecord {
    let line = KeyProofLine {
        resource: "secrets".to_owned(),
        provider: "aescbc".to_owned(),
        key_name: "7".to_owned(),
        tried: 3,
        outcome: KeyOutcome::Decrypted,
        damaged: NamedValues::default(),
        mismatched: NamedValues::default(),
    };
    ProofRecord {
        key_proof: KeyProof { lines: vec![line] },
        certificates: sample::snapshot(3).certificates,
    }
}

fn provenance() -> Provenance {
    Provenance {
        node: "master-0".to_owned(),
        oc_version: Some("4.17.3".to_owned()),
        cluster_version: None,
        script_output: "snapshot db and kube resources are successfully saved\n".to_owned(),
        forced: vec!["upgrade-in-progress".to_owned()],
        taken_at: sample::instant(1),
        pod: Some("master-0-debug-x7k2p".to_owned()),
        image: None,
        policy: None,
    }
}

/// Whoever merges twice, or looks again at what he knows, has nothing judged anew for it.
#[test]
fn what_is_there_already_is_not_written_again() -> TestResult {
    let directory = tempfile::tempdir()?;
    for catalogue in catalogues(directory.path()) {
        catalogue.record([sample::backup(1), sample::backup(2)].concat())?;
        let once = catalogue.load()?;
        catalogue.record(sample::backup(2))?;
        assert_eq!(catalogue.load()?, once);
        let twice = [sample::backup(2), sample::backup(3), sample::backup(3)];
        catalogue.record(twice.concat())?;
        let more = catalogue.load()?;
        assert_eq!(more.snapshots.len(), 3);
        assert_eq!(more.generation, once.generation + 1);
        // The sums, too, are those of what is there.
        let forget = Forget {
            snapshots: vec![sample::key(3)],
            kuberesources: vec![sample::digest(2, 3)],
            ..Forget::default()
        };
        catalogue.forget(&forget)?;
        let fewer = catalogue.load()?;
        assert_eq!(fewer.files, once.files);
        assert!(catalogue.damage().told().is_empty());
    }
    Ok(())
}

#[test]
fn everything_comes_back_as_it_was_recorded() -> TestResult {
    let directory = tempfile::tempdir()?;
    for catalogue in catalogues(directory.path()) {
        let (key, digest) = (sample::key(9), sample::digest(2, 9));
        catalogue.record(sample::backup(9))?;
        catalogue.record(vec![
            CatalogueChange::Proof {
                snapshot: key,
                kuberesources: digest,
                proof: Box::new(proof()),
            },
            CatalogueChange::Provenance {
                snapshot: key,
                provenance: Box::new(provenance()),
            },
        ])?;
        let odd = ObjectId::from(Path::new(OsStr::from_bytes(b"/not/utf-8/\xff\n")));
        catalogue.remember_location(odd.clone(), sample::instant(5))?;
        catalogue.remember_location(odd.clone(), sample::instant(6))?;

        let contents = catalogue.load()?;
        assert_eq!(contents.snapshot(&key), Some(sample::snapshot(9)));
        assert_eq!(
            contents.kuberesources(&digest),
            Some(sample::kuberesources(9))
        );
        assert_eq!(contents.proof(key, digest), Some(proof()));
        assert_eq!(contents.provenance.get(&key), Some(&provenance()));
        assert_eq!(contents.verifications(&Subject::Snapshot(key)).len(), 1);
        assert_eq!(
            contents.locations.get(&odd).map(|one| one.first_seen_at),
            Some(sample::instant(5)),
            "the first time counts"
        );
        assert_eq!(contents.files.len(), 2);
        assert_eq!(contents.skipped, []);

        let reader = catalogue.reader()?;
        assert_eq!(reader.snapshot(key)?, contents.snapshot(&key));
        assert_eq!(
            reader.kuberesources(digest)?,
            contents.kuberesources(&digest)
        );
        assert_eq!(reader.proof(key, digest)?, contents.proof(key, digest));
        assert_eq!(reader.provenance(key)?, Some(provenance()));
    }
    Ok(())
}

#[test]
fn reading_creates_nothing() -> TestResult {
    let directory = tempfile::tempdir()?;
    let catalogue = in_file(directory.path());
    assert!(catalogue.load()?.files.is_empty());
    assert_eq!(catalogue.locations()?, []);
    assert_eq!(catalogue.reader()?.snapshot(sample::key(1))?, None);
    assert_eq!(std::fs::read_dir(directory.path())?.count(), 0);
    Ok(())
}

#[test]
fn only_the_owner_can_read_it() -> TestResult {
    let directory = tempfile::tempdir()?;
    let catalogue = in_file(directory.path());
    catalogue.record(sample::backup(1))?;
    let path = catalogue.location().path().expect("in a file");
    let mode = |path: &Path| std::fs::metadata(path).map(|data| data.permissions().mode() & 0o777);
    assert_eq!(mode(path)?, 0o600);
    assert_eq!(mode(&path.with_extension("redb.lock"))?, 0o600);
    for parent in path.ancestors().skip(1).take(2) {
        assert_eq!(mode(parent)?, 0o700, "{}", parent.display());
    }
    let names = std::fs::read_dir(path.parent().expect("in a directory"))?.count();
    assert_eq!(names, 2, "the catalogue and its lock");
    Ok(())
}

#[test]
fn verifications_add_up() -> TestResult {
    let directory = tempfile::tempdir()?;
    for catalogue in catalogues(directory.path()) {
        let subject = Subject::Snapshot(sample::key(1));
        for hours in [30, 10, 20] {
            let verification = Verification {
                at: sample::instant(hours),
                verdict: Verdict::Warning,
                accepted: vec![Code::TimeSkew],
            };
            catalogue.record(vec![CatalogueChange::Verification {
                subject,
                verification,
            }])?;
        }
        catalogue.record(sample::backup(1))?; // indexed again
        let contents = catalogue.load()?;
        let instants = contents
            .verifications(&subject)
            .iter()
            .map(|verification| verification.at);
        let expected = [1, 10, 20, 30].map(sample::instant);
        assert_eq!(instants.collect::<Vec<_>>(), expected, "oldest first");
        assert_eq!(catalogue.reader()?.verifications_of(subject)?.len(), 4);
    }
    Ok(())
}

/// What lies at one path, one content after the other; then which content is remembered beside the last.
#[test]
fn sound_content_is_remembered_until_it_is_back() -> TestResult {
    let (a, b, half) = (0, 1, 2);
    let rows: [(&str, &[u64], Option<u64>); 6] = [
        ("new", &[a], None),
        ("read again", &[a, a], None),
        ("changed", &[a, b], Some(a)),
        ("changed and read again", &[a, b, b], Some(a)),
        ("put back", &[a, b, a], Some(b)),
        ("damaged twice", &[a, half, half], Some(a)),
    ];
    for (name, contents, expected) in rows {
        let catalogue = Catalogue::new(CatalogueLocation::Memory);
        let path = &ObjectId::from("/b/snapshot.db");
        for (number, hours) in contents.iter().zip(0..) {
            catalogue.record(vec![
                CatalogueChange::Snapshot(Box::new(half_when(*number, half))),
                CatalogueChange::File {
                    path: path.clone(),
                    identity: sample::identity(*number),
                    content: Content::Snapshot(sample::key(*number)),
                    read_at: sample::instant(hours),
                    custody: None,
                },
            ])?;
        }
        let file = catalogue.reader()?.file(path)?.expect(name);
        assert_eq!(file.first_seen_at, sample::instant(0), "{name}");
        let previous = file.previous.map(|previous| previous.content);
        assert_eq!(
            previous,
            expected.map(|number| Content::Snapshot(sample::key(number))),
            "{name}"
        );
    }
    Ok(())
}

fn half_when(number: u64, half: u64) -> etcd_cat::snapshot::Snapshot {
    let mut snapshot = sample::snapshot(number);
    if number == half {
        snapshot
            .findings
            .push(Finding::new(Code::Truncated, "half of it is there"));
    }
    snapshot
}

#[test]
fn a_download_that_went_on_is_no_change() -> TestResult {
    let catalogue = Catalogue::new(CatalogueLocation::Memory);
    let path = &ObjectId::from("/b/snapshot.db");
    for number in [2, 1] {
        let content = Content::Snapshot(sample::key(number));
        catalogue.record(vec![
            CatalogueChange::Snapshot(Box::new(half_when(number, 2))),
            sample::file(path, content, number),
        ])?;
    }
    assert_eq!(
        catalogue
            .reader()?
            .file(path)?
            .and_then(|file| file.previous),
        None
    );
    Ok(())
}

#[test]
fn forgetting_drops_one_backup_and_nothing_else() -> TestResult {
    let directory = tempfile::tempdir()?;
    for catalogue in catalogues(directory.path()) {
        let (key, digest) = (sample::key(1), sample::digest(2, 1));
        for number in [1, 2] {
            catalogue.record(sample::backup(number))?;
            catalogue.record(vec![CatalogueChange::Proof {
                snapshot: sample::key(number),
                kuberesources: digest,
                proof: Box::new(proof()),
            }])?;
        }
        let others = Forget {
            snapshots: vec![key],
            kuberesources: vec![digest],
            ..Forget::default()
        };
        assert!(catalogue.forget(&others)? > 0);
        let contents = catalogue.load()?;
        assert_eq!(contents.snapshot(&key), None);
        assert_eq!(contents.kuberesources(&digest), None);
        assert_eq!(contents.verifications(&Subject::Snapshot(key)), []);
        assert_eq!(
            contents.snapshot(&sample::key(2)),
            Some(sample::snapshot(2))
        );
        assert_eq!(
            contents
                .verifications(&Subject::Snapshot(sample::key(2)))
                .len(),
            1
        );
        assert!(
            contents.proofs.is_empty(),
            "each had the forgotten kuberesources"
        );
        assert_eq!(contents.files.len(), 2);
        assert_eq!(contents.skipped, []);

        let path = Forget {
            paths: vec![sample::snapshot_path(2)],
            ..Forget::default()
        };
        catalogue.forget(&path)?;
        assert_eq!(catalogue.load()?.files.len(), 1);
        assert_eq!(catalogue.forget(&path)?, 0);
    }
    Ok(())
}

#[test]
fn certificates_no_longer_held_go_with_the_last_backup() -> TestResult {
    let catalogue = Catalogue::new(CatalogueLocation::Memory);
    catalogue.record(sample::backup(1))?;
    catalogue.record(sample::backup(2))?;
    let forget = |number| Forget {
        snapshots: vec![sample::key(number)],
        kuberesources: vec![sample::digest(2, number)],
        ..Forget::default()
    };
    catalogue.forget(&forget(1))?;
    assert_eq!(
        catalogue.load()?.certificate_sets.len(),
        2,
        "the other backup has the same"
    );
    catalogue.forget(&forget(2))?;
    assert_eq!(catalogue.load()?.certificate_sets.len(), 0);
    Ok(())
}
