//! What comes of many backups, so that no change of a judgement goes by without another number of the rules.

use crate::catalogue::overview::Shelf;
use crate::catalogue::sample;
use chrono::{DateTime, TimeDelta, Utc};
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::catalogue::{
    Catalogue, CatalogueChange, CatalogueLocation, Content, ProofRecord, SnapshotKey,
};
use etcd_cat::finding::{Code, Finding};
use etcd_cat::judgement::RULES;
use etcd_cat::kuberesources::{ConfiguredProvider, Kuberesources};
use etcd_cat::kubernetes::certificate::Certificates;
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
use etcd_cat::monitor::Silent;
use etcd_cat::openshift::{HistoryEntry, Topology};
use etcd_cat::selection::{KnownCluster, Place, Summary};
use etcd_cat::snapshot::{Flavour, LiveDigest, Snapshot};
use etcd_cat::survey::{self, Decrypt, Depth, SurveyOptions};
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The backup that holds a damaged value.
const DAMAGED: &str = "value damaged";
/// The backup that holds an encrypted value which is another object than its key says.
const MISMATCHED: &str = "value mismatched";

/// Codes that judgement gives to no backup: they come of the bytes alone, or of the run that took them.
const NOT_JUDGED: [Code; 21] = [
    Code::NotASnapshot,
    Code::TrailingData,
    Code::DigestMismatch,
    Code::MetaInvalid,
    Code::StructureOrder,
    Code::StructureReference,
    Code::StructureFreelist,
    Code::BucketMissing,
    Code::RecordUndecodable,
    Code::RecordInconsistent,
    Code::RecordMissing,
    Code::ObjectUndecodable,
    Code::DowngradeInProgress,
    Code::KuberesourcesCorrupt,
    Code::KuberesourcesUnsafe,
    Code::KuberesourcesIncomplete,
    Code::ProvenanceMismatch,
    Code::ChangedWhileReading,
    Code::ChecksumDiffers,
    Code::OpenedSince,
    Code::Mended,
];

/// One pair, spoilt. It lies in a directory of its own and is of a cluster of its own.
struct Spoilt {
    name: &'static str,
    snapshot: Box<dyn Fn(&mut Snapshot)>,
    kuberesources: Box<dyn Fn(&mut Kuberesources)>,
    proof: Option<KeyOutcome>,
    /// Put in the place of `snapshot_STAMP.db`.
    snapshot_name: Option<&'static str>,
    is_apart: bool,
    files: Files,
}

/// What lies on disk of a pair.
#[derive(Clone, Copy, PartialEq)]
enum Files {
    Both,
    /// The archive was never there.
    SnapshotOnly,
    /// Both were read, and the snapshot is gone.
    SnapshotGone,
    /// Another snapshot lay there before.
    SnapshotReplaced,
    /// A second archive of the same moment.
    TwoArchives,
    /// The snapshot came to a bucket at that moment, and the archive did not.
    Arriving,
    /// Both, and a mark that they are.
    Complete,
}

fn spoilt(name: &'static str) -> Spoilt {
    Spoilt {
        name,
        snapshot: Box::new(|_| ()),
        kuberesources: Box::new(|_| ()),
        proof: None,
        snapshot_name: None,
        is_apart: false,
        files: Files::Both,
    }
}

fn of_snapshot(name: &'static str, spoil: impl Fn(&mut Snapshot) + 'static) -> Spoilt {
    Spoilt {
        snapshot: Box::new(spoil),
        ..spoilt(name)
    }
}

fn alone_of(name: &'static str, flavour: Flavour) -> Spoilt {
    Spoilt {
        files: Files::SnapshotOnly,
        ..of_snapshot(name, move |facts| {
            facts.flavour = flavour;
            facts.trailer = None;
            facts
                .findings
                .push(Finding::new(Code::DigestMissing, "found in the bytes"));
        })
    }
}

fn of_kuberesources(name: &'static str, spoil: impl Fn(&mut Kuberesources) + 'static) -> Spoilt {
    Spoilt {
        kuberesources: Box::new(spoil),
        ..spoilt(name)
    }
}

fn encrypted(name: &'static str, proof: Option<KeyOutcome>, is_apart: bool) -> Spoilt {
    Spoilt {
        snapshot: Box::new(|facts| {
            facts.encryption = sample::snapshot(1).encryption;
        }),
        kuberesources: Box::new(|facts| {
            facts.encryption_expected = true;
            facts.encryption = Some(vec![ConfiguredProvider {
                resource: "secrets".to_owned(),
                provider: "aescbc".to_owned(),
                key_name: "7".to_owned(),
            }]);
        }),
        proof,
        is_apart,
        ..spoilt(name)
    }
}

fn named(name: &'static str, snapshot_name: &'static str) -> Spoilt {
    Spoilt {
        snapshot_name: Some(snapshot_name),
        ..spoilt(name)
    }
}

fn with_files(name: &'static str, files: Files) -> Spoilt {
    Spoilt {
        files,
        ..spoilt(name)
    }
}

fn entry(version: &str, state: &str) -> HistoryEntry {
    HistoryEntry {
        version: version.to_owned(),
        state: state.to_owned(),
        started_at: None,
        completed_at: None,
    }
}

fn state() -> Vec<Spoilt> {
    vec![
        spoilt("healthy"),
        of_snapshot("no version", |facts| {
            facts.cluster.history.clear();
            facts.cluster.desired_version = None;
        }),
        of_snapshot("upgrade begun", |facts| {
            facts.cluster.history.insert(0, entry("4.18.1", "Partial"));
            facts.cluster.desired_version = Some("4.18.1".to_owned());
        }),
        of_snapshot("upgrade wanted", |facts| {
            facts.cluster.desired_version = Some("4.18.1".to_owned());
        }),
        of_snapshot("target revision", |facts| {
            let operators = facts.cluster.operators.iter_mut();
            let node = operators.flat_map(|one| &mut one.nodes).next();
            node.expect("has nodes").target_revision = 9;
        }),
        of_snapshot("progressing", |facts| {
            let operator = facts.cluster.operators.first_mut();
            operator.expect("has operators").progressing = Some(true);
        }),
        of_snapshot("operator behind", |facts| {
            let operator = facts.cluster.operators.first_mut();
            operator.expect("has operators").operator_version = Some("4.16.9".to_owned());
        }),
        of_snapshot("day one", |facts| {
            facts.cluster.installed_at = facts.newest_lease_at.map(|at| at - TimeDelta::hours(20));
        }),
        of_snapshot("bootstrap", |facts| {
            let member = facts.members.first_mut();
            member.expect("has members").name = "etcd-bootstrap".to_owned();
        }),
        of_snapshot("plain Kubernetes", |facts| {
            facts.flavour = Flavour::Kubernetes;
        }),
        alone_of("MicroShift", Flavour::MicroShift),
        alone_of("OpenShift 3", Flavour::OpenShift3),
        alone_of("another store", Flavour::KubernetesIo),
        of_snapshot("empty", |facts| {
            facts.flavour = Flavour::Other;
            facts.live_keys = Some(0);
        }),
        of_snapshot("one member", |facts| of_member(facts, 1)),
        of_snapshot("another member", |facts| of_member(facts, 2)),
        of_snapshot("nothing wanted", |facts| {
            facts.cluster.desired_version = None;
        }),
        of_snapshot("hosted on day one", |facts| {
            facts.cluster.topology = Some(Topology::External);
            facts.cluster.installed_at = facts.newest_lease_at.map(|at| at - TimeDelta::hours(3));
        }),
        of_snapshot("no database", |facts| facts.page_size = None),
        of_snapshot("raw", |facts| facts.trailer = None),
        of_snapshot("one node", |facts| {
            facts.cluster.topology = Some(Topology::SingleReplica);
        }),
        of_snapshot("hosted", |facts| {
            facts.cluster.topology = Some(Topology::External);
        }),
        of_snapshot("two nodes", |facts| {
            facts.cluster.topology = Some(Topology::DualReplica);
        }),
        of_snapshot("expired soon", |facts| {
            ends_after(&mut facts.certificates, 30);
        }),
        of_snapshot("expired", |facts| ends_after(&mut facts.certificates, 1)),
    ]
}

/// Of one cluster and revision, whatever the pair is called.
fn of_member(facts: &mut Snapshot, live: u128) {
    facts.cluster.id = Some("id-of-both".to_owned());
    facts.live_digest = Some(LiveDigest(live));
}

fn ends_after(certificates: &mut Certificates, hours: i64) {
    for (certificate, number) in certificates.iter_mut().zip(0..) {
        certificate.subject = match number % 3 {
            0 => "CN=openshift-etcd_etcd-signer@1700000000".to_owned(),
            1 => "CN=kube-apiserver-lb-signer".to_owned(),
            _ => format!("CN=service-{number}"),
        };
        certificate.not_after = taken_at() + TimeDelta::hours(hours + number);
    }
}

fn pairs() -> Vec<Spoilt> {
    let other = |facts: &mut Kuberesources| {
        facts.infrastructure_name = Some("other-abcde".to_owned());
        facts.api_server_internal_url = Some("https://api-int.other.example.com:6443".to_owned());
        facts.etcd_endpoints.clear();
    };
    vec![
        of_kuberesources("other cluster", other),
        of_kuberesources("other revision", |facts| {
            facts.revisions.insert("etcd".to_owned(), 1);
        }),
        of_kuberesources("no revision", |facts| facts.revisions.clear()),
        of_kuberesources("incomplete", |facts| {
            facts.revisions.remove("kube-scheduler");
        }),
        of_kuberesources("encryption without a file", |facts| {
            facts.encryption_expected = true;
        }),
        encrypted("keys beside", Some(KeyOutcome::Decrypted), false),
        encrypted("keys apart", Some(KeyOutcome::Decrypted), true),
        encrypted("config missing", Some(KeyOutcome::ConfigMissing), true),
        encrypted("key missing", Some(KeyOutcome::KeyMissing), true),
        encrypted("key wrong", Some(KeyOutcome::KeyWrong), true),
        encrypted(DAMAGED, Some(KeyOutcome::Decrypted), true),
        encrypted(MISMATCHED, Some(KeyOutcome::Decrypted), true),
        encrypted("key external", Some(KeyOutcome::External), true),
        encrypted("key unproven", Some(KeyOutcome::Unproven), true),
        encrypted("key untried", None, true),
        Spoilt {
            snapshot: Box::new(|facts| {
                facts.encryption = sample::snapshot(1).encryption;
                let mut plain = facts.encryption.first().expect("has uses").clone();
                plain.provider = "identity".to_owned();
                plain.key_name.clear();
                facts.encryption.push(plain);
            }),
            ..encrypted("partly encrypted", Some(KeyOutcome::Decrypted), true)
        },
        with_files("alone", Files::SnapshotOnly),
        with_files("gone", Files::SnapshotGone),
        with_files("replaced", Files::SnapshotReplaced),
        with_files("two archives", Files::TwoArchives),
        Spoilt {
            snapshot: Box::new(|facts| {
                facts.cluster.topology = Some(Topology::External);
            }),
            ..with_files("hosted alone", Files::SnapshotOnly)
        },
        named("dirty", "snapshot_2023-11-14_221315__POSSIBLY_DIRTY__.db"),
        named("part", "snapshot_2023-11-14_221315.db.part"),
        named(
            "put aside",
            "snapshot_2023-11-14_221315.db.failed-verification",
        ),
        named("time zone", "snapshot_2023-11-15_034315.db"),
        named("three hours and a bit", "snapshot_2023-11-15_012803.db"),
        named("no stamp", "etcd.db"),
        named("packed", "snapshot_2023-11-14_221315.db.gz"),
        named("packed and hidden", "snapshot_hidden.db"),
        Spoilt {
            snapshot: Box::new(|facts| facts.cluster.operators.clear()),
            ..named(
                "dirty and unproven",
                "snapshot_2023-11-14_221315__POSSIBLY_DIRTY__.db",
            )
        },
        Spoilt {
            snapshot: Box::new(|facts| {
                facts.findings.push(Finding::new(Code::Truncated, "cut"));
            }),
            ..named("part and cut", "snapshot_2023-11-14_221315.db.part")
        },
        with_files("arriving", Files::Arriving),
        with_files("runs/complete", Files::Complete),
        with_files("runs/begun", Files::Both),
    ]
}

/// Every finding that the bytes alone give, with the severity of its code.
fn own_findings() -> Vec<Spoilt> {
    let of_code = |code: &'static Code| {
        of_snapshot(code.as_str(), |facts| {
            facts
                .findings
                .push(Finding::new(*code, "found in the bytes"));
        })
    };
    Code::ALL.iter().map(of_code).collect()
}

fn taken_at() -> DateTime<Utc> {
    sample::instant(0)
}

fn odd_in(is_there: bool) -> NamedValues {
    let keys = ["/kubernetes.io/secrets/ns/n".to_owned()].into_iter();
    NamedValues {
        count: u64::from(is_there),
        keys: keys.filter(|_| is_there).collect(),
    }
}

fn write(
    catalogue: &Catalogue,
    directory: &Path,
    spoilt: &Spoilt,
    number: u64,
) -> Result<(), Box<dyn Error>> {
    let mut snapshot = sample::snapshot(0);
    let mut kuberesources = sample::kuberesources(0);
    let name = spoilt.name.replace(' ', "-");
    let cluster = Some(format!("{name}-x7k2p"));
    snapshot.cluster.infrastructure_name.clone_from(&cluster);
    snapshot.cluster.id = Some(format!("id-of-{name}"));
    snapshot.cluster.installed_at = Some(taken_at() - TimeDelta::days(100));
    snapshot.cluster.desired_version = Some("4.17.3".to_owned());
    snapshot.cluster.history = vec![entry("4.17.3", "Completed")];
    let url = Some(format!("https://api-int.{name}.example.com:6443"));
    snapshot.cluster.api_server_internal_url.clone_from(&url);
    snapshot.computed = sample::digest(1, 1000 + number);
    snapshot.trailer = Some(snapshot.computed);
    snapshot.encryption.clear();
    snapshot.certificates.truncate(6);
    kuberesources.sha256 = sample::digest(2, 1000 + number);
    kuberesources.infrastructure_name = cluster;
    kuberesources.api_server_internal_url = url;
    kuberesources.etcd_endpoints = snapshot
        .members
        .iter()
        .map(|member| (format!("{:x}", member.id), member.name.clone()))
        .collect();
    kuberesources.encryption_expected = false;
    kuberesources.encryption = None;
    kuberesources.certificates.truncate(6);
    (spoilt.snapshot)(&mut snapshot);
    (spoilt.kuberesources)(&mut kuberesources);

    let directory = directory.join(name);
    let keys = if spoilt.is_apart {
        directory.join("keys")
    } else {
        directory.clone()
    };
    let name = spoilt
        .snapshot_name
        .unwrap_or("snapshot_2023-11-14_221315.db");
    let (key, digest) = (SnapshotKey::of(&snapshot), kuberesources.sha256);
    let archive = keys.join("static_kuberesources_2023-11-14_221315.tar.gz");
    let mut changes = Vec::new();
    if spoilt.files == Files::SnapshotReplaced {
        let mut before = snapshot.clone();
        before.computed = sample::digest(1, 2000 + number);
        before.trailer = Some(before.computed);
        let content = Content::Snapshot(SnapshotKey::of(&before));
        changes.push(CatalogueChange::Snapshot(Box::new(before)));
        changes.push(file(directory.join(name), content)?);
        catalogue.record(std::mem::take(&mut changes))?;
    }
    changes.push(CatalogueChange::Snapshot(Box::new(snapshot.clone())));
    changes.push(match spoilt.files {
        Files::Arriving => {
            sample::object(&format!("s3://backups/{name}"), Content::Snapshot(key), 0)
        }
        _ => file(directory.join(name), Content::Snapshot(key))?,
    });
    if spoilt.files == Files::Complete {
        changes.push(file(directory.join("COMPLETE"), Content::NotABackup)?);
    }
    if spoilt.files == Files::SnapshotGone {
        std::fs::remove_file(directory.join(name))?;
    }
    if spoilt.files == Files::TwoArchives {
        let mut second = kuberesources.clone();
        second.sha256 = sample::digest(2, 2000 + number);
        changes.push(file(
            directory.join("other/static_kuberesources_2023-11-14_221315.tar.gz"),
            Content::Kuberesources(second.sha256),
        )?);
        changes.push(CatalogueChange::Kuberesources(Box::new(second)));
    }
    if !matches!(spoilt.files, Files::SnapshotOnly | Files::Arriving) {
        changes.push(CatalogueChange::Kuberesources(Box::new(kuberesources)));
        changes.push(file(archive, Content::Kuberesources(digest))?);
    }
    if let Some(outcome) = spoilt.proof {
        let line = |usage: &etcd_cat::kubernetes::encryption::EncryptionUse| KeyProofLine {
            resource: usage.resource.clone(),
            provider: usage.provider.clone(),
            key_name: usage.key_name.clone(),
            tried: 3,
            outcome,
            damaged: odd_in(spoilt.name == DAMAGED),
            mismatched: odd_in(spoilt.name == MISMATCHED),
        };
        changes.push(CatalogueChange::Proof {
            snapshot: key,
            kuberesources: digest,
            proof: Box::new(ProofRecord {
                key_proof: KeyProof {
                    lines: snapshot.encryption.iter().map(line).collect(),
                },
                certificates: Certificates::default(),
            }),
        });
    }
    Ok(catalogue.record(changes)?)
}

fn file(path: PathBuf, content: Content) -> Result<CatalogueChange, Box<dyn Error>> {
    std::fs::create_dir_all(path.parent().expect("in a directory"))?;
    let size_bytes = match &content {
        Content::Snapshot(key) if !path.ends_with("snapshot_hidden.db") => key.size_bytes,
        _ => 0,
    };
    // As long as the snapshot is, and nothing in it.
    std::fs::File::create(&path)?.set_len(size_bytes)?;
    modified(&path, taken_at())?;
    Ok(CatalogueChange::File {
        identity: (&std::fs::metadata(&path)?).into(),
        path: path.into(),
        content,
        read_at: taken_at(),
        custody: None,
    })
}

/// Times of files count where nothing else says when a backup was taken.
fn modified(path: &Path, at: DateTime<Utc>) -> Result<(), Box<dyn Error>> {
    let file = std::fs::File::options().write(true).open(path)?;
    Ok(file.set_modified(at.into())?)
}

fn options(as_of: DateTime<Utc>) -> SurveyOptions {
    SurveyOptions {
        page_cache: etcd_cat::source::PageCache::Keep,
        stores: etcd_cat::source::Stores::default(),
        shard: None,
        depth: Depth::New,
        decrypt: Decrypt::Sample,
        jobs: 1,
        as_of,
        accept: Vec::new(),
    }
}

/// The samples, copied to where their times can be set.
fn samples(directory: &Path) -> Result<Catalogue, Box<dyn Error>> {
    let mut pending = vec![PathBuf::from("backups")];
    while let Some(part) = pending.pop() {
        std::fs::create_dir_all(directory.join(&part))?;
        for entry in std::fs::read_dir(Path::new(ROOT).join("testdata").join(&part))? {
            let (entry, part) = (entry.as_ref().map_err(ToString::to_string)?, &part);
            let part = part.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                pending.push(part);
                continue;
            }
            std::fs::copy(entry.path(), directory.join(&part))?;
            modified(&directory.join(&part), taken_at())?;
        }
    }
    let catalogue = Catalogue::new(CatalogueLocation::Memory);
    let locations = [directory.join("backups").into()];
    survey::examine(&locations, &catalogue, &options(taken_at()), &Silent)?;
    Ok(catalogue)
}

/// What a list and a selection know of a backup, on one line.
fn line(backup: &Backup, root: &Path) -> Result<String, std::fmt::Error> {
    let summary = Summary::from(backup);
    let place = summary.place.as_ref().and_then(Place::path);
    let place = place.as_ref().and_then(|place| place.as_path());
    let place = place.unwrap_or(Path::new(""));
    let place = place.strip_prefix(root).unwrap_or(place);
    let mut line = format!("{}: {}", place.display(), summary.outcome.verdict.as_str());
    for (code, severity) in &summary.outcome.marks {
        write!(line, " {code}={severity:?}")?;
    }
    let halves = summary.halves;
    let version = &summary.version;
    write!(line, " | {:?}/{:?}", halves.snapshot, halves.kuberesources)?;
    write!(line, " {:?} {:?}", backup.pairing, summary.size_bytes)?;
    write!(line, " {:?}->{:?}", version.openshift, version.upgrading_to)?;
    let cluster = summary.cluster.as_deref().map(KnownCluster::to_string);
    write!(line, " {}", cluster.unwrap_or_default())?;
    let taken_at = summary.taken_at.map(|at| at.timestamp());
    write!(line, " {taken_at:?} {:?}", backup.taken_at_source)?;
    Ok(line)
}

fn spoilt_catalogue(
    directory: &Path,
    all: impl Iterator<Item = Spoilt>,
) -> Result<Catalogue, Box<dyn Error>> {
    let catalogue = Catalogue::new(CatalogueLocation::Memory);
    for (one, number) in all.zip(0..) {
        write(&catalogue, directory, &one, number)?;
    }
    Ok(catalogue)
}

/// Everything that is judged, at three instants: all of it as of the first, then what has become different.
fn judged() -> Result<(String, BTreeSet<Code>), Box<dyn Error>> {
    let mut text = String::new();
    let mut met = BTreeSet::new();
    for code in Code::ALL {
        writeln!(text, "{code}: {:?} {:?}", code.severity(), code.artifact())?;
    }
    let directory = tempfile::tempdir()?;
    let spoilt = spoilt_catalogue(directory.path(), state().into_iter().chain(pairs()))?;
    let bytes = spoilt_catalogue(directory.path(), own_findings().into_iter())?;
    let shelf = Shelf::new()?;
    let samples = samples(directory.path())?;
    for (name, catalogue, root) in [
        ("spoilt", &spoilt, directory.path()),
        ("bytes", &bytes, directory.path()),
        ("shelf", &shelf.catalogue, shelf.directory.path()),
        ("samples", &samples, directory.path()),
    ] {
        let mut before = BTreeSet::new();
        for hours in [0, 24 * 400, 24 * 4000] {
            let as_of = sample::instant(hours);
            writeln!(text, "\n{name} as of {}", as_of.format("%Y-%m-%d"))?;
            let backups = survey::recall(catalogue, &options(as_of))?;
            let findings = backups.iter().flat_map(|one| &one.findings);
            met.extend(
                findings
                    .filter(|_| name != "bytes")
                    .map(|finding| finding.code),
            );
            let lines: Result<BTreeSet<String>, _> =
                backups.iter().map(|backup| line(backup, root)).collect();
            let lines = lines?;
            for line in lines.difference(&before) {
                writeln!(text, "{line}")?;
            }
            before = lines;
        }
    }
    Ok((text, met))
}

#[test]
fn what_is_judged_has_its_number_in_the_rules() -> Result<(), Box<dyn Error>> {
    let (found, met) = judged()?;
    let not_judged: BTreeSet<Code> = Code::ALL
        .iter()
        .copied()
        .filter(|code| !met.contains(code))
        .collect();
    assert_eq!(
        not_judged,
        NOT_JUDGED.into_iter().collect(),
        "add a backup that has them"
    );
    assert!(
        [
            Verdict::Valid,
            Verdict::Warning,
            Verdict::Invalid,
            Verdict::Unknown
        ]
        .iter()
        .any(|verdict| found.contains(verdict.as_str()))
    );
    let golden = Path::new(ROOT).join(format!("testdata/rules/{RULES}.txt"));
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    if found == expected {
        return Ok(());
    }
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rules.txt");
    std::fs::write(&kept, &found)?;
    let differing = found
        .lines()
        .zip(expected.lines())
        .find(|(found, expected)| found != expected);
    Err(format!(
        "backups are judged otherwise than under rules {RULES}: raise RULES in src/judgement/rules.rs and put {} in the \
         place of {}, under the new number; only where nothing but backups was added here the number stays. First: {differing:#?}",
        kept.display(),
        golden.display(),
    )
    .into())
}
