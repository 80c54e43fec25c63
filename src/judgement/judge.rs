//! The whole way from facts to judged backups.

use super::notes::{PairNotes, notes};
use super::restore_choice::restore_choices;
use super::succession::Successions;
use super::verdict::{accepted, sort, verdict};
use super::{
    arrival, catalogue, certificates, divergence, encryption, host, kuberesources, location, names,
    pair, raw_copy, rollout, rotation, time, trend, upgrade, version,
};
use crate::backup::{Backup, Located, PairingBasis, Verdict, Version};
use crate::finding::{Artifact, Code, Finding, has_error};
use crate::inventory::{Inventory, UnreadableFile};
use crate::kubernetes::certificate::Certificates;
use crate::names::Picks;
use crate::pairing::{Paired, pair as pair_halves};
use crate::parallel::{self, PIECE};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::path::PathBuf;

/// From where and with what tolerance a judgement is made.
#[derive(Clone, Copy, Debug)]
pub struct Standpoint<'a> {
    /// The instant that counts as now.
    pub as_of: DateTime<Utc>,
    /// Codes that do not count this time.
    pub accept: &'a [Code],
    /// What `cluster-restore.sh` would take, by directory. Directories not listed are not judged for it.
    pub picks: &'a HashMap<PathBuf, Picks>,
}

/// Pairs the halves and judges each backup: one for each snapshot in the order of the inventory, then
/// kuberesources alone, then files that could not be read.
///
/// History (`first_seen_at`, `verified_at`, `verifications`) is left empty: only the catalogue knows it.
pub fn judge(inventory: Inventory, standpoint: &Standpoint<'_>) -> Vec<Backup> {
    let pairs = pair_halves(&inventory);
    let notes = notes(&inventory, &pairs);
    let Inventory {
        snapshots,
        kuberesources,
        unreadable,
        ..
    } = inventory;
    let mut halves = UnjoinedFacts::new(snapshots, kuberesources, &pairs);
    let mut backups: Vec<Backup> = pairs.iter().map(|paired| halves.join(paired)).collect();
    drop(halves);
    examine(&mut backups, notes, standpoint);
    backups.extend(unreadable.iter().map(unread));
    for (index, finding) in wider(&backups) {
        if let Some(backup) = backups.get_mut(index) {
            backup.findings.push(finding);
        }
    }
    parallel::for_each(&mut backups, |backup| conclude(backup, standpoint.accept));
    advise(&mut backups, standpoint);
    backups
}

/// Fills in what follows from the halves of each, and runs every check that needs no other backup.
fn examine(backups: &mut [Backup], mut notes: Vec<PairNotes>, standpoint: &Standpoint<'_>) {
    let notes = notes.chunks_mut(PIECE);
    parallel::share(
        backups.chunks_mut(PIECE).zip(notes),
        |successions: &mut Successions, (backups, notes)| {
            for (backup, notes) in backups.iter_mut().zip(notes) {
                examined(backup, std::mem::take(notes), standpoint, successions);
            }
        },
    );
}

type WiderCheck = fn(&[Backup]) -> Vec<(usize, Finding)>;

/// What shows only where the backups of a cluster are held against each other: each finding with the backup it is on.
fn wider(backups: &[Backup]) -> Vec<(usize, Finding)> {
    let checks: [WiderCheck; 3] = [host::duplicates, trend::trends, divergence::divergences];
    let found = parallel::share(checks.into_iter(), |(), check| check(backups));
    found.into_iter().flatten().collect()
}

/// Adds what can be said of a place only when all that lies there is judged.
fn advise(backups: &mut [Backup], standpoint: &Standpoint<'_>) {
    let choices = restore_choices(backups, standpoint.picks);
    parallel::for_each(backups, |backup| {
        if let Some(finding) = location::picks_other(backup, &choices) {
            backup.findings.push(finding);
            conclude(backup, standpoint.accept);
        }
    });
}

/// The halves on their way into backups.
struct UnjoinedFacts {
    snapshots: Vec<Option<Located<crate::snapshot::Snapshot>>>,
    kuberesources: Vec<Option<Located<crate::kuberesources::Kuberesources>>>,
    /// Backups that still want each kuberesources: only a shared one is copied.
    wanted: Vec<usize>,
}

impl UnjoinedFacts {
    fn new(
        snapshots: Vec<Located<crate::snapshot::Snapshot>>,
        kuberesources: Vec<Located<crate::kuberesources::Kuberesources>>,
        pairs: &[Paired],
    ) -> Self {
        let mut wanted = vec![0; kuberesources.len()];
        for index in pairs.iter().filter_map(|paired| paired.kuberesources) {
            if let Some(count) = index.of_mut(&mut wanted) {
                *count += 1;
            }
        }
        Self {
            snapshots: snapshots.into_iter().map(Some).collect(),
            kuberesources: kuberesources.into_iter().map(Some).collect(),
            wanted,
        }
    }

    fn join(&mut self, paired: &Paired) -> Backup {
        let snapshot = paired
            .snapshot
            .and_then(|index| index.of_mut(&mut self.snapshots)?.take());
        let kuberesources = paired.kuberesources.and_then(|index| {
            let wanted = index.of_mut(&mut self.wanted)?;
            *wanted = wanted.saturating_sub(1);
            let half = index.of_mut(&mut self.kuberesources)?;
            if *wanted == 0 {
                half.take()
            } else {
                half.clone()
            }
        });
        let digest = snapshot.as_ref().map(|half| half.facts.computed);
        Backup {
            digest: digest.or(kuberesources.as_ref().map(|half| half.facts.sha256)),
            snapshot,
            kuberesources,
            ..empty()
        }
    }
}

fn empty() -> Backup {
    Backup {
        digest: None,
        snapshot: None,
        kuberesources: None,
        unreadable_path: None,
        pairing: PairingBasis::None,
        key_proof: None,
        sealed_certificates: Certificates::default(),
        version: Version::default(),
        taken_at: None,
        taken_at_source: None,
        named_at: None,
        findings: Vec::new(),
        accepted: Vec::new(),
        verdict: Verdict::Unknown,
        first_seen_at: None,
        verified_at: None,
        verifications: Vec::new(),
        provenance: None,
    }
}

fn unread(file: &UnreadableFile) -> Backup {
    let mut backup = Backup {
        unreadable_path: Some(file.path.clone()),
        findings: vec![catalogue::unreadable(file)],
        ..empty()
    };
    backup.named_at = time::named_at(&backup);
    (backup.taken_at, backup.taken_at_source) = time::taken_at(&backup).unzip();
    backup
}

fn examined(
    backup: &mut Backup,
    mut notes: PairNotes,
    standpoint: &Standpoint<'_>,
    successions: &mut Successions,
) {
    backup.pairing = notes.pairing;
    if let Some(proven) = notes.proven.take() {
        backup.key_proof = Some(proven.key_proof);
        backup.sealed_certificates = proven.certificates;
    }
    backup.named_at = time::named_at(backup);
    (backup.taken_at, backup.taken_at_source) = time::taken_at(backup).unzip();
    backup.version = backup
        .snapshot
        .as_ref()
        .map(|half| version::version_of(&half.facts))
        .unwrap_or_default();
    let mut findings = own_findings(backup);
    findings.extend(of_snapshot(backup));
    findings.extend(of_pair(backup, &notes));
    findings.extend(of_places(backup, &notes));
    let counted = successions.counted(backup);
    findings.extend(certificates::calendar(
        counted,
        standpoint.as_of,
        backup.taken_at,
    ));
    // A hundred thousand files have a few findings each.
    findings.shrink_to_fit();
    backup.findings = findings;
    arrival::be_patient(backup, standpoint.as_of);
}

/// What the bytes of each half alone have proven.
fn own_findings(backup: &Backup) -> Vec<Finding> {
    let snapshot = backup.snapshot.iter().flat_map(|half| {
        let of_snapshot = half.facts.findings.iter().cloned();
        of_snapshot.map(|finding| raw_copy::weigh(finding, &half.facts, &backup.version))
    });
    let kuberesources = backup
        .kuberesources
        .iter()
        .flat_map(|half| &half.facts.findings);
    snapshot.chain(kuberesources.cloned()).collect()
}

fn of_snapshot(backup: &Backup) -> Vec<Finding> {
    let Some(half) = &backup.snapshot else {
        return Vec::new();
    };
    let facts = &half.facts;
    let mut findings = encryption::partial(facts);
    findings.extend(version::empty(facts));
    findings.extend(version::unknown(facts));
    findings.extend(upgrade::in_progress(facts, &backup.version));
    findings.extend(rollout::in_progress(facts, &backup.version));
    findings.extend(rotation::before_first(
        facts,
        &backup.sealed_certificates,
        backup.taken_at,
    ));
    findings.extend(rotation::bootstrap(facts));
    findings.extend(time::skew(backup));
    findings
}

fn of_pair(backup: &Backup, notes: &PairNotes) -> Vec<Finding> {
    let mut findings = encryption::keys(backup);
    findings.extend(encryption::odd_values(backup));
    findings.extend(kuberesources::missing(backup, notes));
    findings.extend(kuberesources::snapshot_missing(backup, notes));
    findings.extend(pair::mismatch(backup, notes));
    findings.extend(pair::ambiguous(backup, notes));
    let both = backup.snapshot.as_ref().zip(backup.kuberesources.as_ref());
    findings.extend(
        both.and_then(|(snapshot, kuberesources)| location::keys_beside(snapshot, kuberesources)),
    );
    findings
}

fn of_places(backup: &Backup, notes: &PairNotes) -> Vec<Finding> {
    let (snapshot, kuberesources) = (backup.snapshot.as_ref(), backup.kuberesources.as_ref());
    let mut findings: Vec<Finding> = notes.replaced.iter().map(catalogue::file_changed).collect();
    findings.extend(names::possibly_dirty(snapshot, kuberesources));
    findings.extend(snapshot.and_then(names::put_aside));
    findings.extend(snapshot.and_then(|half| {
        let is_whole = half.facts.digest_matches() && !has_error(&half.facts.findings);
        names::incomplete_download(half, Artifact::Snapshot, is_whole)
    }));
    findings.extend(kuberesources.and_then(|half| {
        let is_whole = !has_error(&half.facts.findings);
        names::incomplete_download(half, Artifact::Kuberesources, is_whole)
    }));
    findings.extend(snapshot.and_then(location::compressed));
    findings.extend(location::unmarked(backup, notes));
    findings.extend(snapshot.and_then(catalogue::file_missing));
    findings.extend(kuberesources.and_then(catalogue::file_missing));
    findings
}

fn conclude(backup: &mut Backup, accept: &[Code]) {
    sort(&mut backup.findings);
    backup.accepted = accepted(&backup.findings, accept);
    backup.verdict = verdict(&backup.findings, &backup.accepted);
}
