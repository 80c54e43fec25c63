//! The bytes of records, so that no change of a type goes by unnoticed: postcard does not say what its bytes mean.

use crate::catalogue::{TestResult, sample};
use etcd_cat::backup::{Provenance, Verdict, Verification, Version};
use etcd_cat::catalogue::{
    Access, Catalogue, CatalogueChange, CatalogueLocation, CatalogueStore as _, Content, Operation,
    ProofRecord, RedbStore, Run, SnapshotKey, Subject, Table,
};
use etcd_cat::discovery::{Foreign, ForeignKind};
use etcd_cat::finding::{Artifact, Code, Finding, Severity};
use etcd_cat::judgement::Calendar;
use etcd_cat::kuberesources::ConfiguredProvider;
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine, NamedValues};
use etcd_cat::openshift::Topology;
use etcd_cat::overview::{
    DirectoryStamp, Overview, OverviewDirectory, OverviewFile, OverviewGroup, OverviewHead,
    OverviewRow,
};
use etcd_cat::selection::KnownCluster;
use etcd_cat::snapshot::{Flavour, LiveDigest, MendHow, Mended};
use etcd_cat::source::{Custody, FileSystemId, ObjectId, ObjectLock};
use std::error::Error;
use std::path::{Path, PathBuf};

/// One file for each table and version: a line for each record, key and value in hex. None is ever edited.
const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/catalogue/records");

/// Every variant of every enum, and every field with a value.
fn changes() -> Vec<CatalogueChange> {
    let mut changes = Vec::new();
    let topologies = [
        Topology::HighlyAvailable,
        Topology::SingleReplica,
        Topology::HighlyAvailableArbiter,
        Topology::DualReplica,
        Topology::External,
        Topology::Other("New".to_owned()),
    ];
    // Those that came later are written by number as these are.
    let flavours = [Flavour::OpenShift, Flavour::Kubernetes, Flavour::Other];
    for (((topology, flavour), number), how) in topologies
        .into_iter()
        .zip(flavours.into_iter().cycle())
        .zip(0..)
        .zip(changes_of_files())
    {
        let mut facts = sample::snapshot(number);
        facts.cluster.topology = Some(topology);
        facts.flavour = flavour;
        facts.storage_version = Some("3.6.0".to_owned());
        facts.trailer = facts.trailer.filter(|_| number > 0);
        facts.findings = findings();
        facts.mended = Some(Mended {
            how,
            digest: sample::digest(3, 1),
            size_bytes: 4128,
        });
        facts.live_digest = Some(LiveDigest(u128::MAX / 7));
        facts.certificates.truncate(3);
        changes.push(CatalogueChange::Snapshot(Box::new(facts)));
    }
    let mut archive = sample::kuberesources(1);
    archive.openshift_version = Some("4.19.0".to_owned());
    archive.encryption = Some(vec![ConfiguredProvider {
        resource: "secrets".to_owned(),
        provider: "aescbc".to_owned(),
        key_name: "7".to_owned(),
    }]);
    archive.certificates.truncate(3);
    archive.findings = findings();
    changes.push(CatalogueChange::Kuberesources(Box::new(archive)));
    changes.push(proof());
    changes.push(provenance());
    changes.extend(verifications());
    changes.extend(files());
    changes
}

fn changes_of_files() -> [MendHow; 6] {
    let (head_bytes, txid, by, page) = (8192, 7, 2, 1);
    [
        MendHow::Opened {
            head_bytes,
            txid,
            by,
        },
        MendHow::MetaPage { head_bytes, page },
        MendHow::Cut { start: 73 },
        MendHow::LineEnds,
        MendHow::Trailer,
        MendHow::LineEnds,
    ]
}

fn findings() -> Vec<Finding> {
    let artifacts = [
        Artifact::Snapshot,
        Artifact::Kuberesources,
        Artifact::Pair,
        Artifact::Catalogue,
        Artifact::Location,
    ];
    let severities = [Severity::Info, Severity::Warning, Severity::Error];
    let kinds = artifacts.into_iter().zip(severities.into_iter().cycle());
    let finding = |(artifact, severity)| {
        Finding::new(Code::StructurePage, "page 7 is malformed")
            .artifact(artifact)
            .severity(severity)
            .remedy("use another one")
            .with("text", "a")
            .with("number", 7u64)
            .with("list", vec!["a".to_owned()])
    };
    kinds.map(finding).collect()
}

fn key() -> SnapshotKey {
    sample::key(1)
}

fn proof() -> CatalogueChange {
    let line = |outcome| KeyProofLine {
        resource: "secrets".to_owned(),
        provider: "aescbc".to_owned(),
        key_name: "7".to_owned(),
        tried: 3,
        outcome,
        damaged: NamedValues {
            count: 1,
            keys: vec!["/kubernetes.io/secrets/ns/n".to_owned()],
        },
        mismatched: NamedValues {
            count: 2,
            keys: vec!["/kubernetes.io/secrets/ns/o".to_owned()],
        },
    };
    let outcomes = [
        KeyOutcome::Decrypted,
        KeyOutcome::ConfigMissing,
        KeyOutcome::KeyMissing,
        KeyOutcome::KeyWrong,
        KeyOutcome::External,
        KeyOutcome::Unproven,
    ];
    let mut certificates = sample::snapshot(3).certificates;
    certificates.truncate(2);
    let proof = ProofRecord {
        key_proof: KeyProof {
            lines: outcomes.map(line).to_vec(),
        },
        certificates,
    };
    CatalogueChange::Proof {
        snapshot: key(),
        kuberesources: sample::digest(2, 1),
        proof: Box::new(proof),
    }
}

fn provenance() -> CatalogueChange {
    let provenance = Provenance {
        node: "master-0".to_owned(),
        oc_version: Some("4.17.3".to_owned()),
        cluster_version: Some("4.17.3".to_owned()),
        script_output: "saved".to_owned(),
        forced: vec!["upgrade-in-progress".to_owned()],
        taken_at: sample::instant(1),
        pod: Some("master-0-debug-x7k2p".to_owned()),
        image: Some("registry.example.com/ocp/tools@sha256:1f".to_owned()),
        policy: Some("/var/lib/etcd-auto-backup/2024-11-02_030000".to_owned()),
    };
    CatalogueChange::Provenance {
        snapshot: key(),
        provenance: Box::new(provenance),
    }
}

fn verifications() -> Vec<CatalogueChange> {
    let verdicts = [
        Verdict::Valid,
        Verdict::Warning,
        Verdict::Invalid,
        Verdict::Unknown,
    ];
    let change = |(verdict, hours)| CatalogueChange::Verification {
        subject: Subject::Snapshot(key()),
        verification: Verification {
            at: sample::instant(hours),
            verdict,
            accepted: first_codes(),
        },
    };
    verdicts.into_iter().zip(0..).map(change).collect()
}

fn files() -> Vec<CatalogueChange> {
    let reason = "Input/output error".to_owned();
    let offset = Some(4096);
    let contents = [
        Content::Snapshot(key()),
        Content::Kuberesources(sample::digest(2, 1)),
        Content::NotABackup,
        Content::Unreadable { reason, offset },
        Content::Foreign(Foreign {
            kind: ForeignKind::Text,
            what: "text, and no database".to_owned(),
            remedy: "find out what wrote it".to_owned(),
        }),
        Content::Archive,
    ];
    let change =
        |(content, number)| sample::file(PathBuf::from(format!("/b/{number}")), content, number);
    let mut files: Vec<CatalogueChange> = contents.into_iter().zip(0..).map(change).collect();
    files.push(sample::file(packed(), Content::Snapshot(key()), 6));
    for file in &mut files {
        if let CatalogueChange::File { custody, .. } = file {
            *custody = Some(Box::new(custody_of_all()));
        }
    }
    files
}

fn custody_of_all() -> Custody {
    Custody {
        version: Some("v7".into()),
        lock: Some(ObjectLock {
            mode: "COMPLIANCE".into(),
            until: sample::instant(7),
        }),
        has_legal_hold: true,
        clock_ahead_seconds: Some(-7),
    }
}

/// A member of an archive.
fn packed() -> ObjectId {
    archive().member("etcd-backup/snapshot.db".as_ref())
}

fn archive() -> ObjectId {
    PathBuf::from("/b/5").into()
}

/// As if judged after the three batches that the test writes.
fn overview() -> Overview {
    let head = OverviewHead {
        // Whatever the rules are now, the shape of the record is the same.
        rules: 1,
        generation: 3,
        is_settled: true,
        calendars: 1,
        directories: 1,
        clusters: vec![KnownCluster {
            name: Some("prod-x7k2p".to_owned()),
            id: Some("id".to_owned()),
        }],
        versions: vec![Version {
            openshift: Some("4.17.3".to_owned()),
            upgrading_from: Some("4.17.2".to_owned()),
            upgrading_to: Some("4.17.4".to_owned()),
        }],
        marks: vec![vec![(Code::TimeSkew, Severity::Warning)]],
        groups: vec![OverviewGroup {
            cluster: Some(0),
            version: 0,
            rows: 1,
        }],
    };
    let file = OverviewFile {
        name: b"snapshot.db".to_vec(),
        is_present: true,
        identity: sample::identity(1),
    };
    let row = OverviewRow {
        digest: Some(sample::digest(1, 1)),
        snapshot: Some(true),
        kuberesources: Some(false),
        marks: 0,
        calendar: 0,
        taken_at: Some(sample::instant(1)),
        size_bytes: Some(7),
        places: vec![(0, 0)],
        revision: Some(31_407),
        verified_as: Some(Verdict::Valid),
    };
    let stamp = DirectoryStamp {
        device: 64_513,
        inode: 7,
        changed_seconds: 1_700_000_000,
        changed_nanoseconds: 7,
    };
    Overview {
        head,
        calendars: vec![Calendar::default()],
        directories: vec![OverviewDirectory {
            path: b"/b".to_vec(),
            files: 1,
            stamp: Some(stamp),
        }],
        files: vec![vec![file]],
        rows: vec![vec![row]],
    }
}

fn run() -> Run {
    Run {
        ended_at: sample::instant(9),
        milliseconds: 61_007,
        bytes: 1 << 40,
        exit_code: 1,
        is_success: true,
        passed_over: vec![("dead-link".to_owned(), 3)],
    }
}

/// A catalogue with all of it.
fn recorded(path: &Path) -> TestResult {
    let catalogue = Catalogue::new(CatalogueLocation::Redb(path.to_owned()));
    catalogue.record(changes())?;
    // Other content in the place of the first, so that what lay there is remembered.
    let other = Content::Snapshot(sample::key(2));
    catalogue.record(vec![sample::file(PathBuf::from("/b/1"), other, 9)])?;
    let file_system = Some(FileSystemId {
        kind: 0xef53,
        number: 7,
    });
    catalogue.record(vec![
        CatalogueChange::Location {
            path: PathBuf::from("/b").into(),
            first_seen_at: sample::instant(1),
            file_system,
        },
        CatalogueChange::Gone {
            path: PathBuf::from("/b/2").into(),
            at: Some(sample::instant(9)),
        },
    ])?;
    overview().keep(&catalogue)?;
    catalogue.record_run("verify", &run())?;
    Ok(())
}

/// Tables whose records have versions.
fn tables() -> impl Iterator<Item = Table> {
    Table::ALL
        .into_iter()
        .filter(|table| *table != Table::About)
}

fn golden_file(table: Table, version: u8) -> PathBuf {
    Path::new(RECORDS).join(format!("{}.{version}.txt", table.name()))
}

/// The records of a golden file as operations that write them.
fn golden_records(table: Table, version: u8) -> Result<Vec<Operation>, Box<dyn Error>> {
    let path = golden_file(table, version);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let operation = |line: &str| {
        let (key, value) = line.split_once(' ').ok_or("no space in a line")?;
        let key = data_encoding::HEXLOWER.decode(key.as_bytes())?;
        let value = data_encoding::HEXLOWER.decode(value.as_bytes())?;
        Ok(Operation::Put { table, key, value })
    };
    text.lines().map(operation).collect()
}

#[test]
fn what_is_written_are_the_golden_bytes_of_the_present_version() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    recorded(&path)?;
    let store = RedbStore::open(&path, Access::Read)?.expect("was written");
    for table in tables() {
        let mut found = String::new();
        store.scan(table, &[], &mut |key, value| {
            let hex = |bytes| data_encoding::HEXLOWER.encode(bytes);
            found += &format!("{} {}\n", hex(key), hex(value));
        })?;
        let golden = golden_file(table, table.version());
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if found != expected {
            let name = golden.file_name().expect("has a name");
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            std::fs::write(&kept, &found)?;
            return Err(format!(
                "records of {} have another shape: raise its version in src/catalogue/version.rs, say how earlier ones \
                 are read, and add {} as it now lies in {}",
                table.name(),
                golden.display(),
                kept.display()
            )
            .into());
        }
    }
    Ok(())
}

/// One table at a time in an earlier version, the others as they are written now.
#[test]
fn records_of_every_version_are_read_forward() -> TestResult {
    let directory = tempfile::tempdir()?;
    let newest = directory.path().join("newest.redb");
    recorded(&newest)?;
    let newest = Catalogue::new(CatalogueLocation::Redb(newest)).load()?;
    assert_eq!(newest.skipped, []);
    assert!(newest.files.values().any(|file| file.gone_at.is_some()));
    // The overview is drawn anew.
    for table in tables().filter(|table| *table != Table::Overview) {
        for version in 1..=table.version() {
            let what = format!("{}-{version}", table.name());
            let path = directory.path().join(format!("{what}.redb"));
            let mut operations = Vec::new();
            for other in tables().filter(|other| *other != table) {
                operations.extend(golden_records(other, other.version())?);
            }
            operations.extend(golden_records(table, version)?);
            RedbStore::open(&path, Access::Write)?
                .expect("created when missing")
                .apply(operations)?;
            let mut found = Catalogue::new(CatalogueLocation::Redb(path)).load()?;
            assert_eq!(found.skipped, [], "{what}");
            found.generation = newest.generation;
            // A field that came later has its default here: whoever adds one takes it out of `newest` for this.
            let mut expected = newest.clone();
            if table == Table::Files && version < 4 {
                // What a file is that no backup can be read from was not kept.
                let file = expected.files.remove(&PathBuf::from("/b/4").into());
                assert!(file.is_some());
            }
            if table == Table::Provenance && version < 2 {
                for provenance in expected.provenance.values_mut() {
                    (provenance.pod, provenance.image, provenance.policy) = (None, None, None);
                }
            }
            if table == Table::Files && version < 3 {
                expected
                    .files
                    .values_mut()
                    .for_each(|file| file.gone_at = None);
            }
            if table == Table::Files && version < 6 {
                let files = expected.files.values_mut();
                files.for_each(|file| file.custody = None);
            }
            if table == Table::Files && version < 5 {
                expected.files.remove(&packed());
                expected.files.remove(&archive());
            }
            if table == Table::Snapshots && version < 4 {
                let snapshots = expected.snapshots.values_mut();
                snapshots.for_each(|stored| stored.facts.mended = None);
            }
            if table == Table::Snapshots && version < 3 {
                let snapshots = expected.snapshots.values_mut();
                snapshots.for_each(|stored| stored.facts.live_digest = None);
            }
            if table == Table::Snapshots && version < 2 {
                for stored in expected.snapshots.values_mut() {
                    stored.facts.cluster.control_plane = Vec::new();
                    stored.facts.cluster.blocking_webhooks = Vec::new();
                }
            }
            if table == Table::Snapshots && version < 5 {
                let snapshots = expected.snapshots.values_mut();
                snapshots.for_each(|stored| stored.facts.kinds = Vec::new());
            }
            if table == Table::Proofs && version < 2 {
                let proofs = expected.proofs.values_mut();
                for line in proofs.flat_map(|stored| &mut stored.facts.key_proof.lines) {
                    line.damaged = NamedValues::default();
                    line.mismatched = NamedValues::default();
                }
            }
            if table == Table::Locations && version < 2 {
                let locations = expected.locations.values_mut();
                locations.for_each(|location| location.file_system = None);
            }
            assert_eq!(found, expected, "{what}");
        }
    }
    Ok(())
}

/// The codes that there were when the first records were written: golden bytes do not change with a new code.
fn first_codes() -> Vec<Code> {
    let codes = FIRST_CODES.iter().map(|name| name.parse());
    codes.collect::<Result<_, _>>().expect("codes are stable")
}

const FIRST_CODES: [&str; 50] = [
    "not-a-snapshot",
    "truncated",
    "trailing-data",
    "digest-mismatch",
    "digest-missing",
    "meta-invalid",
    "structure-page",
    "structure-order",
    "structure-reference",
    "structure-freelist",
    "bucket-missing",
    "record-undecodable",
    "record-inconsistent",
    "record-missing",
    "alarm-raised",
    "possibly-dirty",
    "incomplete-download",
    "version-unknown",
    "upgrade-in-progress",
    "rollout-in-progress",
    "taken-before-rotation",
    "bootstrap-incomplete",
    "certificate-expired",
    "certificate-expiring",
    "time-skew",
    "kuberesources-missing",
    "kuberesources-not-used",
    "snapshot-missing",
    "kuberesources-corrupt",
    "kuberesources-unsafe",
    "kuberesources-incomplete",
    "pair-mismatch",
    "pair-ambiguous",
    "encryption-config-missing",
    "encryption-key-missing",
    "encryption-key-wrong",
    "encryption-partial",
    "encryption-external",
    "keys-beside-snapshot",
    "duplicate-host",
    "restore-picks-other",
    "revision-went-back",
    "size-fell",
    "members-changed",
    "provenance-mismatch",
    "put-aside",
    "file-missing",
    "file-changed",
    "changed-while-reading",
    "unreadable",
];
