//! A list from what was judged last is the list that judging again would give, or it is not made from it.

use crate::catalogue::{TestResult, sample};
use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::{Catalogue, CatalogueChange, CatalogueLocation, Content, SnapshotKey};
use etcd_cat::finding::{Code, Finding};
use etcd_cat::overview::{Glance, Overview};
use etcd_cat::selection::{Scope, Selection, Summary, sort_newest_first};
use etcd_cat::snapshot::Snapshot;
use etcd_cat::source::Stores;
use etcd_cat::survey::{self, Decrypt, Depth, SurveyOptions};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Backups of every kind: pairs, halves alone, copies, twins, damage, downgrades, encryption without proof.
pub(crate) struct Shelf {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) catalogue: Catalogue,
}

/// The hour in which half of a backup came to a bucket.
const ARRIVING: u64 = 1000;

impl Shelf {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let shelf = Self::empty()?;
        for number in (0..60).chain(500..530) {
            shelf.put(number)?;
        }
        shelf.put_half_into_a_bucket()?;
        Ok(shelf)
    }

    pub(crate) fn empty() -> Result<Self, Box<dyn std::error::Error>> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("catalogue/catalogue.redb");
        Ok(Self {
            catalogue: Catalogue::new(CatalogueLocation::Redb(path)),
            directory,
        })
    }

    /// In a bucket its other half may be a matter of minutes.
    fn put_half_into_a_bucket(&self) -> TestResult {
        let facts = snapshot(ARRIVING);
        let content = Content::Snapshot(SnapshotKey::of(&facts));
        let url = "s3://backups/prod/snapshot.db";
        Ok(self.catalogue.record(vec![
            CatalogueChange::Snapshot(Box::new(facts)),
            sample::object(url, content, ARRIVING),
        ])?)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("backups").join(name)
    }

    fn snapshot_path(&self, number: u64) -> PathBuf {
        let stamp = sample::instant(number).format("%Y-%m-%d_%H%M%S");
        let directory = number / 20;
        self.path(&format!("{directory}/snapshot_{stamp}.db"))
    }

    fn kuberesources_path(&self, number: u64) -> PathBuf {
        let stamp = sample::instant(number).format("%Y-%m-%d_%H%M%S");
        let directory = number / 20;
        self.path(&format!("{directory}/static_kuberesources_{stamp}.tar.gz"))
    }

    fn put(&self, number: u64) -> TestResult {
        let mut changes = Vec::new();
        let facts = snapshot(number);
        let mut kuberesources = sample::kuberesources(number);
        kuberesources.certificates.truncate(20);
        kuberesources.node = Some(format!("master-{}", number % 2));
        let key = SnapshotKey::of(&facts);
        let digest = kuberesources.sha256;
        if number % 13 != 4 {
            changes.push(CatalogueChange::Snapshot(Box::new(facts)));
            let mut paths = vec![self.snapshot_path(number)];
            if number % 11 == 5 {
                paths.push(self.path(&format!("copies/{number}.db")));
            }
            for path in paths {
                changes.push(self.file(path, Content::Snapshot(key), number)?);
            }
        }
        if number % 17 != 6 {
            changes.push(CatalogueChange::Kuberesources(Box::new(kuberesources)));
            let path = self.kuberesources_path(number);
            changes.push(self.file(path, Content::Kuberesources(digest), number)?);
        }
        if number % 19 == 3 {
            let reason = "Input/output error".to_owned();
            let offset = Some(4096);
            let content = Content::Unreadable { reason, offset };
            changes.push(self.file(self.path(&format!("{number}.db")), content, number)?);
            let other = self.path(&format!("{number}.txt"));
            changes.push(self.file(other, Content::NotABackup, number)?);
        }
        Ok(self.catalogue.record(changes)?)
    }

    pub(crate) fn file(
        &self,
        path: PathBuf,
        content: Content,
        number: u64,
    ) -> Result<CatalogueChange, Box<dyn std::error::Error>> {
        std::fs::create_dir_all(path.parent().expect("in a directory"))?;
        std::fs::write(&path, number.to_string())?;
        if let Content::Snapshot(key) = &content {
            // As long as the snapshot is: else it would count as packed.
            let file = std::fs::File::options().write(true).open(&path)?;
            file.set_len(key.size_bytes)?;
        }
        let file = std::fs::File::options().write(true).open(&path)?;
        file.set_modified(sample::instant(number).into())?;
        Ok(CatalogueChange::File {
            identity: (&std::fs::metadata(&path)?).into(),
            path: path.into(),
            content,
            read_at: sample::instant(number),
            custody: None,
        })
    }

    /// Compares both ways for many questions; returns the codes that were met.
    fn agrees(&self, when: &str) -> Result<BTreeSet<Code>, Box<dyn std::error::Error>> {
        let mut met = BTreeSet::new();
        for as_of in [0, 24, ARRIVING, 17_519 - 3 * 24, 17_520, 17_521, 30_000].map(sample::instant)
        {
            for accept in [
                vec![],
                vec![Code::CertificateExpired, Code::RestorePicksOther],
                vec![
                    Code::FileMissing,
                    Code::FileChanged,
                    Code::KuberesourcesMissing,
                ],
            ] {
                met.extend(self.agrees_at(when, as_of, &accept)?);
            }
        }
        Ok(met)
    }

    fn agrees_at(
        &self,
        when: &str,
        as_of: DateTime<Utc>,
        accept: &[Code],
    ) -> Result<BTreeSet<Code>, Box<dyn std::error::Error>> {
        let options = options(as_of, accept);
        let recalled = survey::recall(&self.catalogue, &options)?;
        let mut slow: Vec<Summary> = recalled.iter().map(Summary::from).collect();
        sort_newest_first(&mut slow);
        for selection in selections() {
            let glance = survey::glance(&self.catalogue, &selection, &options)?;
            let what = format!("{when}, as of {as_of}, {accept:?}, {selection:?}");
            let mut fast = selection.apply(glance.summaries, as_of);
            fast.left_out = glance.left_out;
            let slow = selection.apply(slow.clone(), as_of);
            assert_eq!(fast.shown, slow.shown, "{what}");
            assert_eq!(fast.not_shown(), slow.not_shown(), "{what}");
            assert_eq!(fast.notes, slow.notes, "{what}");
        }
        self.each_alone(when, recalled.iter().step_by(29), &options)?;
        let findings = recalled.iter().flat_map(|backup| &backup.findings);
        Ok(findings.map(|finding| finding.code).collect())
    }

    /// One backup with its neighbours is what it is among all, or nothing is said; returns of how many something was.
    pub(crate) fn each_alone<'b>(
        &self,
        when: &str,
        recalled: impl Iterator<Item = &'b Backup>,
        options: &SurveyOptions,
    ) -> Result<usize, Box<dyn std::error::Error>> {
        let mut told = 0;
        for whole in recalled {
            let summary = Summary::from(whole);
            if let Some(alone) = survey::recall_one(&self.catalogue, &summary, options)? {
                assert_eq!(&alone, whole, "{when}, as of {}", options.as_of);
                told += 1;
            }
        }
        Ok(told)
    }

    fn has_overview(&self) -> Result<bool, Box<dyn std::error::Error>> {
        Ok(Overview::load(&self.catalogue.reader()?)?.is_some())
    }
}

pub(crate) fn options(as_of: DateTime<Utc>, accept: &[Code]) -> SurveyOptions {
    SurveyOptions {
        page_cache: etcd_cat::source::PageCache::Keep,
        stores: Stores::default(),
        shard: None,
        depth: Depth::New,
        decrypt: Decrypt::Sample,
        jobs: 1,
        as_of,
        accept: accept.to_vec(),
    }
}

fn snapshot(number: u64) -> Snapshot {
    let mut facts = sample::snapshot(number);
    facts.certificates.truncate(20);
    if number.is_multiple_of(3) {
        facts.encryption.clear();
    }
    match number % 23 {
        1 => facts.trailer = None,
        2 => facts.cluster.desired_version = Some("4.18.0".to_owned()),
        3 => facts.status.revision = Some(1),
        4 => {
            // Minutes after the one before, from another node.
            facts.newest_lease_at = Some(sample::instant(number - 1) + TimeDelta::minutes(3));
        }
        5 => facts
            .findings
            .push(Finding::new(Code::StructurePage, "page 7 is malformed")),
        6 => facts.members.truncate(2),
        7 => facts.cluster.infrastructure_name = Some("other-abcde".to_owned()),
        8 => facts.live_keys = Some(1),
        9 => {
            facts.newest_lease_at = None;
            facts.newest_content_at = None;
        }
        _ => {}
    }
    for certificate in facts.certificates.iter_mut().step_by(7) {
        certificate.not_after += TimeDelta::hours(i64::try_from(number % 5).unwrap_or_default());
        certificate.is_ca = true;
        if number % 4 == 1 {
            certificate.subject = "CN=openshift-etcd_etcd-signer@1700000000".to_owned();
        }
    }
    facts
}

fn selections() -> Vec<Selection> {
    let valid_for = Some("4.17.1".parse().expect("a version"));
    let all = Selection {
        scope: Scope::All,
        ..Selection::default()
    };
    let of_version = Selection {
        valid_for,
        ..Selection::default()
    };
    let of_cluster = Selection {
        cluster: Some("cluster1".to_owned()),
        max_age: Some(TimeDelta::hours(17_000)),
        ..of_version.clone()
    };
    let against = Selection {
        scope: Scope::All,
        ..of_version.clone()
    };
    vec![Selection::default(), all, of_version, of_cluster, against]
}

#[test]
fn a_glance_shows_what_a_recall_would() -> TestResult {
    let shelf = Shelf::new()?;
    assert!(!shelf.has_overview()?);
    shelf.agrees("never judged")?;
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    assert!(shelf.has_overview()?);
    let met = shelf.agrees("as judged")?;
    for code in [
        Code::CertificateExpired,
        Code::CertificateExpiring,
        Code::DuplicateHost,
        Code::RestorePicksOther,
        Code::RevisionWentBack,
        Code::SizeFell,
        Code::MembersChanged,
        Code::SnapshotMissing,
        Code::KuberesourcesMissing,
        Code::StillArriving,
        Code::UpgradeInProgress,
        Code::Unreadable,
        Code::PairMismatch,
        Code::EncryptionExternal,
    ] {
        assert!(met.contains(&code), "no backup has {code}, only {met:?}");
    }
    Ok(())
}

#[test]
fn files_that_go_come_back_or_change_are_noticed() -> TestResult {
    let shelf = Shelf::new()?;
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    let gone = shelf.snapshot_path(10);
    let bytes = std::fs::metadata(&gone)?;
    let aside = shelf.path("aside");
    std::fs::rename(&gone, &aside)?;
    assert!(shelf.agrees("gone")?.contains(&Code::FileMissing));
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    shelf.agrees("judged without it")?;
    std::fs::rename(&aside, &gone)?;
    assert_eq!(std::fs::metadata(&gone)?.len(), bytes.len());
    assert!(!shelf.agrees("back")?.contains(&Code::FileMissing));
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    for number in [20, 25, 59, 510] {
        std::fs::write(shelf.snapshot_path(number), b"something else")?;
    }
    assert!(shelf.agrees("rewritten")?.contains(&Code::FileChanged));
    let link = shelf.snapshot_path(31);
    std::fs::remove_file(&link)?;
    std::os::unix::fs::symlink("/nonexistent", &link)?;
    assert!(
        shelf
            .agrees("a dangling link")?
            .contains(&Code::FileMissing)
    );
    std::fs::remove_dir_all(shelf.path("2"))?;
    shelf.agrees("a directory gone")?;
    Ok(())
}

#[test]
fn what_is_written_after_judging_ends_the_overview() -> TestResult {
    let shelf = Shelf::new()?;
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    shelf.put(61)?;
    assert!(!shelf.has_overview()?);
    shelf.agrees("one more")?;
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    assert!(shelf.has_overview()?);
    // Judged by what was true before somebody else wrote: not kept.
    let old = Overview::load(&shelf.catalogue.reader()?)?.expect("just made");
    shelf.put(62)?;
    old.keep(&shelf.catalogue)?;
    assert!(!shelf.has_overview()?);
    Ok(())
}

#[test]
fn an_overview_by_other_rules_or_with_records_lost_is_none() -> TestResult {
    let shelf = Shelf::new()?;
    survey::refresh(&shelf.catalogue, &Stores::default())?;
    let sound = Overview::load(&shelf.catalogue.reader()?)?.expect("just made");
    let mut other = sound.clone();
    other.head.rules += 1;
    let mut short = sound.clone();
    short.rows.first_mut().expect("a group").pop();
    for damaged in [other, short] {
        damaged.keep(&shelf.catalogue)?;
        assert!(!shelf.has_overview()?);
        shelf.agrees("without overview")?;
    }
    let mut nonsense = sound.clone();
    for group in &mut nonsense.head.groups {
        group.version = u32::MAX;
    }
    nonsense.keep(&shelf.catalogue)?;
    shelf.agrees("indexes that lead nowhere")?;
    sound.keep(&shelf.catalogue)?;
    assert!(shelf.has_overview()?);
    Ok(())
}

#[test]
fn an_empty_catalogue_has_nothing_to_show() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    let catalogue = Catalogue::new(CatalogueLocation::Redb(path.clone()));
    let options = options(sample::instant(0), &[]);
    let shown = survey::glance(&catalogue, &Selection::default(), &options)?;
    assert_eq!(shown, Glance::default());
    assert!(!Path::new(&path).exists(), "looking creates nothing");
    Ok(())
}
