//! Pairing as it is defined: every half is held against every other one, and all that is possible is weighed.

use super::assign::{Assignment, sort_best_first};
use super::rank::{NEAR_SECONDS, PlaceStamps, PossiblePair, nearest, stamps, weigh};
use super::{Paired, candidates, pair};
use crate::backup::Located;
use crate::finding::{Code, Finding};
use crate::fixture::{at, digest, kuberesources, located, proven, snapshot};
use crate::inventory::{Inventory, KuberesourcesIndex, SnapshotIndex};
use crate::kuberesources::Kuberesources;
use crate::kubernetes::encryption::KeyOutcome;
use crate::snapshot::Snapshot;
use crate::source::ObjectId;
use chrono::TimeDelta;
use proptest::prelude::*;

/// All possible pairs by snapshot, then kuberesources.
fn every_edge(inventory: &Inventory) -> Vec<PossiblePair> {
    let names = PlaceStamps::new(inventory);
    let mut edges = Vec::new();
    for (index, snapshot) in (0..).map(SnapshotIndex).zip(&inventory.snapshots) {
        let archives = (0..).map(KuberesourcesIndex).zip(&inventory.kuberesources);
        let has_own = archives.clone().any(|(_, archive)| {
            have_same_stamp(snapshot, archive) && is_same_cluster(snapshot, archive)
        });
        for (archive_index, archive) in archives {
            let is_near =
                !has_own && are_near(snapshot, archive) && is_same_cluster(snapshot, archive);
            if is_near || have_same_stamp(snapshot, archive) || belong_by_place(snapshot, archive) {
                edges.extend(weigh((index, archive_index), (inventory, &names)));
            }
        }
    }
    edges
}

fn have_same_stamp(snapshot: &Located<Snapshot>, archive: &Located<Kuberesources>) -> bool {
    stamps(snapshot).any(|stamp| stamps(archive).any(|other| other.at == stamp.at))
}

fn are_near(snapshot: &Located<Snapshot>, archive: &Located<Kuberesources>) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (stamps(snapshot).collect(), stamps(archive).collect());
    nearest(&one, &other).is_some_and(|seconds| seconds <= NEAR_SECONDS)
}

fn is_same_cluster(snapshot: &Located<Snapshot>, archive: &Located<Kuberesources>) -> bool {
    let name = &snapshot.facts.cluster.infrastructure_name;
    name.is_some() && *name == archive.facts.infrastructure_name
}

/// Without a stamp, cluster and directory count.
fn belong_by_place(snapshot: &Located<Snapshot>, archive: &Located<Kuberesources>) -> bool {
    let is_unstamped = |count| count == 0;
    if !is_unstamped(stamps(snapshot).count()) && !is_unstamped(stamps(archive).count()) {
        return false;
    }
    let is_beside = snapshot.places().any(|place| {
        let mut places = archive.places();
        places.any(|other| other.directory() == place.directory())
    });
    is_beside || is_same_cluster(snapshot, archive)
}

/// What fits is given first, the best before the others, and then what contradicts.
fn pair_by_definition(inventory: &Inventory) -> Vec<Paired> {
    let edges = every_edge(inventory);
    let (mut contradicting, mut fitting): (Vec<_>, Vec<_>) =
        edges.into_iter().partition(|edge| edge.contradicts);
    sort_best_first(inventory, &mut fitting);
    sort_best_first(inventory, &mut contradicting);
    let mut assignment = Assignment::new(inventory);
    for edge in &fitting {
        assignment.give(inventory, edge);
    }
    for edge in &contradicting {
        assignment.give_leftover(edge);
    }
    assignment.into_pairs(&fitting)
}

/// What a half may be like; few values, so that halves meet.
#[derive(Clone, Debug)]
struct Traits {
    cluster: Option<usize>,
    revision: i64,
    names: Vec<(usize, usize)>,
    is_present: bool,
    is_sound: bool,
}

const CLUSTERS: [&str; 3] = ["prod", "dev", "edge"];
const DIRECTORIES: [&str; 3] = ["/b", "/b/far/away", "/c"];
/// Seconds after three, of which two are near; and none.
const STAMPS: [Option<u32>; 5] = [Some(0), Some(2), Some(60), Some(600), None];
const MARKS: [&str; 2] = ["", "__POSSIBLY_DIRTY__"];

fn traits() -> impl Strategy<Value = Traits> {
    let name = (0..DIRECTORIES.len(), 0..STAMPS.len() * MARKS.len() + 2);
    (
        prop::option::weighted(0.8, 0..CLUSTERS.len()),
        prop_oneof![4 => Just(3_i64), 1 => Just(9)],
        prop::collection::vec(name, 1..3),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(cluster, revision, names, is_present, is_sound)| Traits {
            cluster,
            revision,
            names,
            is_present,
            is_sound,
        })
}

impl Traits {
    /// Each half has names of its own, whatever it has in common with others.
    fn place<T>(&self, half: &mut Located<T>, number: usize, endings: [&str; 2]) {
        let [word, ending] = endings;
        let ids = self.names.iter().map(|(directory, name)| {
            let directory = DIRECTORIES.get(*directory).expect("one of them");
            let stamp = STAMPS.get(name % STAMPS.len()).copied().flatten();
            let mark = MARKS.get(name / STAMPS.len()).copied().unwrap_or_default();
            let stamp = stamp.map_or_else(String::new, |seconds| {
                format!("_2024-11-02_03{:02}{:02}{mark}", seconds / 60, seconds % 60)
            });
            ObjectId::from(format!("{directory}/{number}-{word}{stamp}{ending}").as_str())
        });
        let mut ids: Vec<ObjectId> = ids.collect();
        ids.sort();
        ids.dedup();
        half.path = ids.remove(0);
        half.copies = ids;
        half.is_present = self.is_present;
    }

    fn cluster(&self) -> &'static str {
        let cluster = self.cluster.unwrap_or_default();
        CLUSTERS.get(cluster).expect("one of them")
    }

    fn damage(&self, code: Code) -> Vec<Finding> {
        let damage = || Finding::new(code, "flipped");
        (!self.is_sound).then(damage).into_iter().collect()
    }

    fn snapshot(&self, number: usize) -> Located<Snapshot> {
        let mut facts = snapshot(self.cluster(), u64::try_from(number).expect("few"));
        facts.status.revision = Some(self.revision);
        facts.findings = self.damage(Code::DigestMismatch);
        if self.cluster.is_none() {
            facts.cluster.infrastructure_name = None;
        }
        if self.revision == 9 {
            facts.newest_lease_at = Some(at("2024-11-02T03:00:07Z") + TimeDelta::hours(20));
        }
        let mut half = located(facts, "/");
        self.place(&mut half, number, ["snapshot", ".db"]);
        half
    }

    fn kuberesources(&self, number: usize) -> Located<Kuberesources> {
        let mut facts = kuberesources(self.cluster(), 1000 + u64::try_from(number).expect("few"));
        facts.revisions.insert("etcd".to_owned(), self.revision);
        facts.findings = self.damage(Code::KuberesourcesCorrupt);
        if self.cluster.is_none() {
            facts.infrastructure_name = None;
            facts.api_server_internal_url = None;
            facts.etcd_endpoints.clear();
        }
        let mut half = located(facts, "/");
        self.place(&mut half, number, ["static_kuberesources", ".tar.gz"]);
        half
    }
}

fn inventory() -> impl Strategy<Value = Inventory> {
    let halves = || prop::collection::vec(traits(), 0..8);
    let opened = prop::collection::vec((0..8_u64, 0..8_u64, any::<bool>()), 0..4);
    (halves(), halves(), opened).prop_map(|(snapshots, archives, opened)| {
        let mut made = Inventory::default();
        for (number, traits) in snapshots.iter().enumerate() {
            made.snapshots.push(traits.snapshot(number));
        }
        for (number, traits) in archives.iter().enumerate() {
            made.kuberesources.push(traits.kuberesources(number));
        }
        for (snapshot, archive, does_open) in opened {
            let outcome = match does_open {
                true => KeyOutcome::Decrypted,
                false => KeyOutcome::KeyWrong,
            };
            let (one, other) = (digest(snapshot), digest(1000 + archive));
            made.proofs.insert(one, other, proven("7", outcome));
        }
        made
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn pairs_are_those_of_the_definition(inventory in inventory()) {
        prop_assert_eq!(pair(&inventory), pair_by_definition(&inventory));
        let edges = every_edge(&inventory);
        let edges: Vec<_> = edges.iter().map(|edge| (edge.snapshot, edge.kuberesources)).collect();
        prop_assert_eq!(candidates(&inventory), edges);
    }
}
