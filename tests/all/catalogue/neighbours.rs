//! One backup is told by those around it as it is told by all, or not at all.

use crate::catalogue::overview::{Shelf, options};
use crate::catalogue::{TestResult, sample};
use chrono::TimeDelta;
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::{CatalogueChange, Content, SnapshotKey};
use etcd_cat::finding::{Code, Finding};
use etcd_cat::kuberesources::Kuberesources;
use etcd_cat::snapshot::{Flavour, LiveDigest, Snapshot};
use etcd_cat::source::Stores;
use etcd_cat::survey;
use std::collections::BTreeSet;
use std::path::Path;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Three hosts back up one after the other, the last two at the same moment, and much goes wrong.
const OF_THREE_HOSTS: std::ops::Range<u64> = 0..45;
/// The newest of its directory is damaged.
const OF_A_BAD_END: std::ops::Range<u64> = 500..520;
/// Two clusters in one directory, of which the script would take halves of two backups.
const IN_ONE_DIRECTORY: [std::ops::Range<u64>; 2] = [1000..1012, 1500..1512];
/// One directory for each run; not all are complete.
const OF_RUNS: std::ops::Range<u64> = 2000..2020;
/// In a bucket, where no directory can be read.
const IN_A_BUCKET: std::ops::Range<u64> = 2500..2530;

/// The halves of one backup, and where they lie below the shelf, or in the bucket.
struct Halves {
    number: u64,
    snapshot: Snapshot,
    kuberesources: Kuberesources,
    snapshots: Vec<String>,
    archives: Vec<String>,
}

impl Halves {
    fn in_directory(number: u64, directory: &str) -> Self {
        let mut snapshot = sample::snapshot(number);
        snapshot.certificates.truncate(20);
        snapshot.live_digest = Some(LiveDigest(number.into()));
        if !number.is_multiple_of(7) {
            snapshot.encryption.clear();
        }
        let mut kuberesources = sample::kuberesources(number);
        kuberesources.certificates.truncate(10);
        let url = snapshot.cluster.api_server_internal_url.clone();
        kuberesources.api_server_internal_url = url;
        let members = snapshot.members.iter();
        let members = members.map(|member| (format!("{:x}", member.id), "10.0.0.1".to_owned()));
        kuberesources.etcd_endpoints = members.collect();
        let stamp = sample::instant(number).format("%Y-%m-%d_%H%M%S");
        Self {
            number,
            snapshot,
            kuberesources,
            snapshots: vec![format!("{directory}/snapshot_{stamp}.db")],
            archives: vec![format!("{directory}/static_kuberesources_{stamp}.tar.gz")],
        }
    }

    fn changes(self, shelf: &Shelf) -> Fallible<Vec<CatalogueChange>> {
        let Self {
            number,
            snapshot,
            kuberesources,
            ..
        } = self;
        let key = SnapshotKey::of(&snapshot);
        let digest = kuberesources.sha256;
        let mut changes = vec![
            CatalogueChange::Snapshot(Box::new(snapshot)),
            CatalogueChange::Kuberesources(Box::new(kuberesources)),
        ];
        let snapshots = self
            .snapshots
            .iter()
            .map(|name| (name, Content::Snapshot(key)));
        let archives = self.archives.iter();
        let archives = archives.map(|name| (name, Content::Kuberesources(digest)));
        for (name, content) in snapshots.chain(archives) {
            changes.push(if name.starts_with("s3://") {
                sample::object(name, content, number)
            } else {
                shelf.file(shelf.path(name), content, number)?
            });
        }
        Ok(changes)
    }
}

/// A directory of a cluster as it grows in years.
fn of_three_hosts(number: u64) -> Halves {
    let mut halves = Halves::in_directory(number, "a");
    let (snapshot, kuberesources) = (&mut halves.snapshot, &mut halves.kuberesources);
    let minutes_after =
        |hour: u64, minutes| Some(sample::instant(hour) + TimeDelta::minutes(minutes));
    match number % 10 {
        1 => snapshot.newest_lease_at = minutes_after(number - 1, 3),
        2 => snapshot.newest_lease_at = minutes_after(number - 2, 3),
        _ => {}
    }
    if let host @ (1 | 2) = number % 10 {
        kuberesources.node = Some(format!("master-{host}"));
    }
    let also = |name: &str| {
        vec![
            halves.snapshots.first().cloned().unwrap_or_default(),
            name.to_owned(),
        ]
    };
    match number {
        13 => snapshot.status.revision = Some(1),
        14 => snapshot.live_keys = Some(1),
        16 => snapshot.members.truncate(2),
        17 => snapshot.status.revision = Some(5_000_000),
        18 => {
            snapshot.status.revision = Some(5_000_000);
            snapshot.newest_lease_at = minutes_after(17, 5);
        }
        19 => halves.archives.push(archive_named("keys", number)),
        21 => halves.snapshots = also("0/gone_copy.db"),
        23 => halves.archives = vec![archive_named("keys", number)],
        24 => {
            halves.snapshots = also("copies/snapshot.db");
            halves
                .archives
                .push("copies/static_kuberesources.tar.gz".to_owned());
        }
        25 => {
            snapshot.flavour = Flavour::Kubernetes;
            halves.snapshots = also("copies/25.db");
            halves.archives.clear();
        }
        26 => snapshot
            .findings
            .push(Finding::new(Code::StructurePage, "page 7 is malformed")),
        27 => {
            halves.snapshots = vec!["renamed/before the upgrade.db".to_owned()];
            halves.archives = vec!["renamed/before the upgrade.tar.gz".to_owned()];
        }
        28 => snapshot.trailer = None,
        34 => kuberesources.infrastructure_name = Some("other-abcde".to_owned()),
        35 => halves.archives.clear(),
        36 => {
            snapshot.newest_lease_at = None;
            snapshot.newest_content_at = None;
        }
        37 => halves.archives = vec![archive_named("k1", number), archive_named("k2", number)],
        // Seen at a place that sorts before all others.
        32 => halves.snapshots = also("0/32.db"),
        _ => {}
    }
    halves
}

fn archive_named(directory: &str, number: u64) -> String {
    let halves = Halves::in_directory(number, directory);
    halves.archives.into_iter().next().unwrap_or_default()
}

fn filled() -> Fallible<Shelf> {
    let shelf = Shelf::empty()?;
    let mut all: Vec<Halves> = OF_THREE_HOSTS.map(of_three_hosts).collect();
    // Something else lay there before.
    let mut before = Halves::in_directory(400, "a");
    before.snapshots = of_three_hosts(33).snapshots;
    shelf.catalogue.record(before.changes(&shelf)?)?;
    // It fits as well, and lies elsewhere.
    let mut rival = of_three_hosts(38);
    rival.snapshots.clear();
    rival.archives = vec![archive_named("rivals", 38)];
    rival.kuberesources.sha256 = sample::digest(9, 38);
    all.push(rival);
    // It is of the cluster, and nearer to what has the wrong one than any that has a snapshot.
    let mut substitute = Halves::in_directory(34, "a");
    let stamp = sample::instant(34) + TimeDelta::minutes(30);
    let stamp = stamp.format("%Y-%m-%d_%H%M%S");
    substitute.snapshots.clear();
    substitute.archives = vec![format!("found/static_kuberesources_{stamp}.tar.gz")];
    substitute.kuberesources.sha256 = sample::digest(9, 34);
    all.push(substitute);
    // Of another cluster, and beside one of two copies.
    let mut beside = Halves::in_directory(3000, "k2");
    beside.snapshots = Halves::in_directory(37, "k2").snapshots;
    beside.archives.clear();
    all.push(beside);
    all.extend(OF_A_BAD_END.map(|number| Halves::in_directory(number, "b")));
    if let Some(newest) = all.last_mut() {
        let damage = Finding::new(Code::StructurePage, "page 7 is malformed");
        newest.snapshot.findings.push(damage);
    }
    for numbers in IN_ONE_DIRECTORY {
        all.extend(numbers.map(|number| Halves::in_directory(number, "shared")));
    }
    if let Some(newest) = all.last_mut() {
        newest.archives.clear();
    }
    for number in OF_RUNS {
        all.push(Halves::in_directory(number, &format!("runs/{number}")));
        if number < 2010 {
            let mark = shelf.path(&format!("runs/{number}/COMPLETE"));
            let mark = shelf.file(mark, Content::NotABackup, number)?;
            shelf.catalogue.record(vec![mark])?;
        }
    }
    all.extend(IN_A_BUCKET.map(|number| Halves::in_directory(number, "s3://backups/prod")));
    for halves in all {
        shelf.catalogue.record(halves.changes(&shelf)?)?;
    }
    std::fs::remove_dir_all(shelf.path("0"))?;
    for name in of_three_hosts(29).snapshots {
        std::fs::remove_file(shelf.path(&name))?;
    }
    Ok(shelf)
}

fn codes(backups: &[Backup]) -> BTreeSet<Code> {
    let findings = backups.iter().flat_map(|backup| &backup.findings);
    findings.map(|finding| finding.code).collect()
}

#[test]
fn each_backup_is_told_by_its_neighbours_as_by_all() -> TestResult {
    let shelf = filled()?;
    let now = options(sample::instant(40), &[]);
    let recalled = survey::recall(&shelf.catalogue, &now)?;
    let told = shelf.each_alone("never judged", recalled.iter(), &now)?;
    assert_eq!(told, 0);
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    for as_of in [40, 2600, 17_535].map(sample::instant) {
        let options = options(as_of, &[]);
        let recalled = survey::recall(&shelf.catalogue, &options)?;
        let told = shelf.each_alone("as judged", recalled.iter(), &options)?;
        assert!(
            told * 4 > recalled.len() * 3,
            "{told} of {}",
            recalled.len()
        );
        let met = codes(&recalled);
        for code in [
            Code::CompletionMarkMissing,
            Code::DuplicateHost,
            Code::FileChanged,
            Code::FileMissing,
            Code::KuberesourcesMissing,
            Code::KuberesourcesNotUsed,
            Code::MembersChanged,
            Code::MembersDiverge,
            Code::PairAmbiguous,
            Code::PairMismatch,
            Code::RestorePicksOther,
            Code::RevisionWentBack,
            Code::SizeFell,
            Code::StructurePage,
        ] {
            assert!(met.contains(&code), "no backup has {code}, only {met:?}");
        }
    }
    Ok(())
}

/// The backups of which a place is at one of these.
fn below<'b>(backups: &'b [Backup], place: &str) -> Vec<&'b Backup> {
    let is_below = |backup: &&Backup| {
        let path = backup.path().map(ToString::to_string);
        path.is_some_and(|path| path.contains(place))
    };
    backups.iter().filter(is_below).collect()
}

#[test]
fn what_is_told_needs_no_directory_but_its_own() -> TestResult {
    let shelf = filled()?;
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    let options = options(sample::instant(2600), &[]);
    let recalled = survey::recall(&shelf.catalogue, &options)?;
    // Nobody lists a bucket for it; and what the script would take in `shared` is of another cluster.
    for place in ["s3://backups/prod/", "/b/snapshot", "/shared/"] {
        let asked = below(&recalled, place);
        let told = shelf.each_alone(place, asked.iter().copied(), &options)?;
        assert!(
            told + 2 > asked.len() && told > 18,
            "{place}: {told} of {}",
            asked.len()
        );
    }
    Ok(())
}

#[test]
fn neighbours_that_change_are_noticed() -> TestResult {
    let shelf = filled()?;
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    let options = options(sample::instant(2600), &[]);
    let before = survey::recall(&shelf.catalogue, &options)?;
    let names = |number| of_three_hosts(number).snapshots.into_iter().next();
    for name in [1, 12, 41].into_iter().filter_map(names) {
        std::fs::remove_file(shelf.path(&name))?;
    }
    let newer = Path::new("b/snapshot_2099-01-01_000000.db");
    std::fs::write(
        shelf.path("b").join(newer.file_name().unwrap_or_default()),
        "new",
    )?;
    let recalled = survey::recall(&shelf.catalogue, &options)?;
    assert_ne!(before, recalled);
    let told = shelf.each_alone("gone and come", recalled.iter(), &options)?;
    assert!(told > 50, "{told} of {}", recalled.len());
    Ok(())
}
