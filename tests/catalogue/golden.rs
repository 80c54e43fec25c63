//! The bytes of records, so that no change of a type goes by unnoticed: postcard does not say what its bytes mean.

use crate::{TestResult, sample};
use etcd_cat::backup::{Provenance, Verdict, Verification, Version};
use etcd_cat::catalogue::{
    Access, Catalogue, CatalogueLocation, CatalogueStore as _, Change, Content, Directory, Head,
    KnownFile, Overview, Proof, RedbStore, Row, SnapshotKey, Subject, Table,
};
use etcd_cat::finding::{Artifact, Code, Finding, Severity};
use etcd_cat::judgement::Calendar;
use etcd_cat::kubernetes::encryption::{KeyOutcome, KeyProof, KeyProofLine};
use etcd_cat::openshift::Topology;
use etcd_cat::selection::KnownCluster;
use etcd_cat::snapshot::Flavour;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// Record version and digest of all records below. A line is never edited: whoever changes the shape of a record
/// raises `RECORD_VERSION` in `src/catalogue/seal.rs` and adds a line.
const GOLDEN: [(u8, &str); 1] = [(
    1,
    "181c57be317d38157dd7280c2a4319786048a6ab69b62c66b27f1904f59cee9a",
)];

/// Every variant of every enum, and every field with a value.
fn changes() -> Vec<Change> {
    let mut changes = Vec::new();
    let topologies = [
        Topology::HighlyAvailable,
        Topology::SingleReplica,
        Topology::HighlyAvailableArbiter,
        Topology::DualReplica,
        Topology::External,
        Topology::Other("New".to_owned()),
    ];
    let flavours = [Flavour::OpenShift, Flavour::Kubernetes, Flavour::Other];
    for ((topology, flavour), number) in topologies
        .into_iter()
        .zip(flavours.into_iter().cycle())
        .zip(0..)
    {
        let mut facts = sample::snapshot(number);
        facts.cluster.topology = Some(topology);
        facts.flavour = flavour;
        facts.storage_version = Some("3.6.0".to_owned());
        facts.trailer = facts.trailer.filter(|_| number > 0);
        facts.findings = findings();
        changes.push(Change::Snapshot(Box::new(facts)));
    }
    let mut archive = sample::kuberesources(1);
    archive.openshift_version = Some("4.19.0".to_owned());
    changes.push(Change::Kuberesources(Box::new(archive)));
    changes.push(proof());
    changes.push(provenance());
    changes.extend(verifications());
    changes.extend(files());
    changes
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

fn proof() -> Change {
    let line = |outcome| KeyProofLine {
        resource: "secrets".to_owned(),
        provider: "aescbc".to_owned(),
        key_name: "7".to_owned(),
        tried: 3,
        outcome,
    };
    let outcomes = [
        KeyOutcome::Decrypted,
        KeyOutcome::ConfigMissing,
        KeyOutcome::KeyMissing,
        KeyOutcome::KeyWrong,
        KeyOutcome::External,
        KeyOutcome::Unproven,
    ];
    let proof = Proof {
        key_proof: KeyProof {
            lines: outcomes.map(line).to_vec(),
        },
        certificates: sample::snapshot(3).certificates,
    };
    Change::Proof {
        snapshot: key(),
        kuberesources: sample::digest(2, 1),
        proof: Box::new(proof),
    }
}

fn provenance() -> Change {
    let provenance = Provenance {
        node: "master-0".to_owned(),
        oc_version: Some("4.17.3".to_owned()),
        cluster_version: Some("4.17.3".to_owned()),
        script_output: "saved".to_owned(),
        forced: vec!["upgrade-in-progress".to_owned()],
        taken_at: sample::instant(1),
    };
    Change::Provenance {
        snapshot: key(),
        provenance: Box::new(provenance),
    }
}

fn verifications() -> Vec<Change> {
    let verdicts = [
        Verdict::Valid,
        Verdict::Warning,
        Verdict::Invalid,
        Verdict::Unknown,
    ];
    let change = |(verdict, hours)| Change::Verification {
        subject: Subject::Snapshot(key()),
        verification: Verification {
            at: sample::instant(hours),
            verdict,
            accepted: vec![Code::TimeSkew],
        },
    };
    verdicts.into_iter().zip(0..).map(change).collect()
}

fn files() -> Vec<Change> {
    let reason = "Input/output error".to_owned();
    let offset = Some(4096);
    let contents = [
        Content::Snapshot(key()),
        Content::Kuberesources(sample::digest(2, 1)),
        Content::NotABackup,
        Content::Unreadable { reason, offset },
    ];
    let change =
        |(content, number)| sample::file(PathBuf::from(format!("/b/{number}")), content, number);
    contents.into_iter().zip(0..).map(change).collect()
}

/// As if judged after the three batches that the test writes.
fn overview() -> Overview {
    let head = Head {
        judged_by: "this".to_owned(),
        generation: 3,
        rows: 1,
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
        calendars: vec![Calendar::default()],
    };
    let file = KnownFile {
        name: b"snapshot.db".to_vec(),
        is_present: true,
        identity: sample::identity(1),
    };
    let row = Row {
        digest: Some(sample::digest(1, 1)),
        snapshot: Some(true),
        kuberesources: Some(false),
        cluster: Some(0),
        version: 0,
        marks: 0,
        calendar: 0,
        taken_at: Some(sample::instant(1)),
        size_bytes: Some(7),
        places: vec![(0, 0)],
    };
    Overview {
        head,
        directories: vec![Directory {
            path: b"/b".to_vec(),
            files: vec![file],
        }],
        rows: vec![row],
    }
}

#[test]
fn records_of_one_version_never_change_their_shape() -> TestResult {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("catalogue.redb");
    let catalogue = Catalogue::new(CatalogueLocation::Redb(path.clone()));
    catalogue.record(changes())?;
    // Other content in the place of the first, so that what lay there is remembered.
    let other = Content::Snapshot(sample::key(2));
    catalogue.record(vec![sample::file(PathBuf::from("/b/1"), other, 9)])?;
    catalogue.remember_location(PathBuf::from("/b"), sample::instant(1))?;
    catalogue.keep_overview(overview())?;
    let store = RedbStore::open(&path, Access::Read)?.expect("was written");
    let mut hash = Sha256::new();
    let mut versions: Vec<u8> = Vec::new();
    for table in Table::ALL {
        if table == Table::About {
            continue;
        }
        store.scan(table, &[], &mut |key, value| {
            hash.update(table.name());
            hash.update(key);
            hash.update(value);
            versions.extend(value.first());
        })?;
    }
    versions.dedup();
    let found = data_encoding::HEXLOWER.encode(&hash.finalize());
    let (version, expected) = GOLDEN.last().expect("there is a first version");
    assert_eq!(
        versions,
        [*version],
        "add a line for the new version: {found}"
    );
    assert_eq!(
        found, *expected,
        "the shape of a record has changed: raise RECORD_VERSION and add a line"
    );
    Ok(())
}
