//! Remembers what all workers have learnt in one catalogue.

use super::error::FleetError;
use super::fragment;
use super::plan::PlanHead;
use super::results::FleetRun;
use super::work::{Done, plan_of, read_done};
use crate::catalogue::{CarriedRecord, CarryProblem, Catalogue, CatalogueChange};
use crate::monitor::Silent;
use crate::source::{ObjectId, ObjectIdentity, Stores};
use crate::survey::{self, AT_A_TIME, abreast};
use std::collections::HashMap;

/// Fragments of so many bytes are remembered at once: each time waits for the disk, and writes in all places of the
/// catalogue.
const AT_ONCE: usize = 256 << 20;

/// What was merged.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The plan of the run.
    pub plan: PlanHead,
    /// What each worker has said.
    pub done: Vec<Done>,
    /// Files of which the catalogue has learnt something.
    pub files: u64,
}

/// Remembers the results of a whole run in `catalogue`. Of each object the newest reading counts, so the order of runs does
/// not matter, nor how often one is merged.
///
/// # Errors
///
/// A share is not done, a fragment is damaged, or the catalogue cannot be written.
pub fn merge(run: &FleetRun, catalogue: &Catalogue, stores: &Stores) -> Result<Merged, FleetError> {
    let plan = plan_of(run, |_| true)?;
    let identities: HashMap<ObjectId, ObjectIdentity> = plan
        .groups
        .into_iter()
        .flat_map(|group| group.objects)
        .map(|object| (object.id, object.identity))
        .collect();
    let mut merged = Merged {
        done: all_done(run, plan.head.shards)?,
        plan: plan.head,
        files: 0,
    };
    let mut changes: Vec<CatalogueChange> = located(&merged.plan).collect();
    let names = merged.done.iter().flat_map(|done| {
        let names = done.fragments.iter();
        names.map(|name| (done.shard, name.as_str()))
    });
    let mut names = names.peekable();
    loop {
        let (mut learnt, mut bytes) = (Vec::new(), 0);
        while bytes < AT_ONCE && names.peek().is_some() {
            let next: Vec<_> = names.by_ref().take(AT_A_TIME).collect();
            for fragment in read_all(run, &next)? {
                bytes += fragment.bytes;
                learnt.extend(fragment.records);
            }
        }
        let changes = std::mem::take(&mut changes);
        if names.peek().is_some() {
            merged.files += catalogue.take_over(learnt, &identities, changes)?;
            continue;
        }
        merged.files += conclude(catalogue, learnt, &identities, changes, stores)?;
        return Ok(merged);
    }
}

/// Takes over what is left, and judges everything meanwhile.
fn conclude(
    catalogue: &Catalogue,
    learnt: Vec<CarriedRecord>,
    identities: &HashMap<ObjectId, ObjectIdentity>,
    changes: Vec<CatalogueChange>,
    stores: &Stores,
) -> Result<u64, FleetError> {
    let judge = |contents| survey::drawn(contents, stores);
    let (files, overview) = catalogue.take_over_and(learnt, identities, changes, judge)?;
    match overview {
        Some(overview) => overview?.keep(catalogue)?,
        None => survey::refresh(catalogue, stores)?,
    }
    Ok(files)
}

fn located(plan: &PlanHead) -> impl Iterator<Item = CatalogueChange> {
    let locations = plan.locations.iter();
    locations.map(|location| CatalogueChange::Location {
        path: location.clone(),
        first_seen_at: plan.created_at,
        file_system: None,
    })
}

/// A fragment as it was read.
#[derive(Debug)]
struct Fragment {
    records: Vec<CarriedRecord>,
    bytes: usize,
}

/// Several at a time: they may lie far away, and to check them is work.
fn read_all(run: &FleetRun, names: &[(u32, &str)]) -> Result<Vec<Fragment>, FleetError> {
    let read = abreast(names, AT_A_TIME, &Silent, |(shard, name)| {
        read_fragment(run, *shard, name)
    });
    read.unwrap_or_default().into_iter().collect()
}

fn read_fragment(run: &FleetRun, shard: u32, name: &str) -> Result<Fragment, FleetError> {
    let path = fragment_path(run, shard, name)?;
    let bytes = run.read(&path)?;
    let records = match fragment::read(&bytes) {
        Ok(records) => records,
        Err(reason) => return Err(FleetError::Fragment { path, reason }),
    };
    let problem = records.iter().find_map(CarriedRecord::problem);
    match problem {
        None => Ok(Fragment {
            records,
            bytes: bytes.len(),
        }),
        Some(CarryProblem::Later) => Err(FleetError::Later { path }),
        Some(CarryProblem::Damaged) => {
            let reason = "a record in it is not as it was written".to_owned();
            Err(FleetError::Fragment { path, reason })
        }
    }
}

/// A name that leads out of the share's directory is none.
fn fragment_path(run: &FleetRun, shard: u32, name: &str) -> Result<ObjectId, FleetError> {
    if name.contains('/') || name.contains('\0') {
        return Err(FleetError::Fragment {
            path: run.done(shard),
            reason: format!("it names a fragment {name:?}"),
        });
    }
    Ok(run.fragment(shard, name))
}

/// How many shares a run has.
///
/// # Errors
///
/// The plan cannot be read.
pub fn shards(run: &FleetRun) -> Result<u32, FleetError> {
    Ok(plan_of(run, |_| false)?.head.shards)
}

/// Those of so many shares that are not done.
///
/// # Errors
///
/// The results cannot be read.
pub fn not_done(run: &FleetRun, shards: u32) -> Result<Vec<u32>, FleetError> {
    let mut missing = Vec::new();
    for shard in 0..shards {
        if !run.is_done(shard)? {
            missing.push(shard);
        }
    }
    Ok(missing)
}

fn all_done(run: &FleetRun, shards: u32) -> Result<Vec<Done>, FleetError> {
    let missing = not_done(run, shards)?;
    if !missing.is_empty() {
        return Err(FleetError::NotDone { shards: missing });
    }
    (0..shards).map(|shard| read_done(run, shard)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn record(value: &[u8]) -> CarriedRecord {
        CarriedRecord {
            table: "files".into(),
            key: b"/b/x.db".to_vec(),
            value: value.to_vec(),
        }
    }

    /// What becomes of a fragment that is whole and holds this.
    fn read(directory: &Path, name: &str, record: CarriedRecord) -> FleetError {
        let run = FleetRun::new(&directory.into(), "night", &Stores::default());
        let bytes = fragment::write(&[record]);
        let name = run.add_fragment(0, "now", name, &bytes).expect("written");
        read_fragment(&run, 0, &name).expect_err("no fragment of ours")
    }

    #[test]
    fn what_a_later_program_has_learnt_is_not_lost_in_silence() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let later = read(directory.path(), "later", record(&[u8::MAX, 0, 0, 0, 0]));
        assert!(matches!(later, FleetError::Later { .. }), "{later}");
        let unknown = CarriedRecord {
            table: "tomorrow".into(),
            ..record(&[1, 0, 0, 0, 0])
        };
        let later = read(directory.path(), "unknown", unknown);
        assert!(matches!(later, FleetError::Later { .. }), "{later}");
        let damaged = read(directory.path(), "damaged", record(&[1, 0, 0, 0, 0]));
        assert!(matches!(damaged, FleetError::Fragment { .. }), "{damaged}");
    }
}
