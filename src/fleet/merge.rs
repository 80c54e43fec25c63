//! Remembers what all workers have learnt in one catalogue.

use super::error::FleetError;
use super::fragment;
use super::plan::PlanHead;
use super::results::FleetRun;
use super::work::{Done, plan_of, read_done};
use crate::catalogue::{Catalogue, CatalogueContents};
use crate::source::{ObjectId, ObjectIdentity, Stores};
use crate::survey;
use std::collections::HashMap;

/// Fragments of so many bytes are remembered at once: each time waits for the disk.
const AT_ONCE: usize = 8 << 20;

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
    for location in &merged.plan.locations {
        catalogue.remember_location(location.clone(), merged.plan.created_at)?;
    }
    let (mut learnt, mut bytes) = (Vec::new(), 0);
    for done in &merged.done {
        for name in &done.fragments {
            let (contents, length) = read_fragment(run, done.shard, name)?;
            learnt.push(contents);
            bytes += length;
            if bytes >= AT_ONCE {
                merged.files += catalogue.take_over(std::mem::take(&mut learnt), &identities)?;
                bytes = 0;
            }
        }
    }
    merged.files += catalogue.take_over(learnt, &identities)?;
    survey::refresh(catalogue, stores)?;
    Ok(merged)
}

/// What a fragment says, and how many bytes it is.
fn read_fragment(
    run: &FleetRun,
    shard: u32,
    name: &str,
) -> Result<(CatalogueContents, usize), FleetError> {
    let path = fragment_path(run, shard, name)?;
    let bytes = run.read(&path)?;
    let records = fragment::read(&bytes);
    let records = records.map_err(|reason| FleetError::Fragment { path, reason })?;
    Ok((Catalogue::of_carried(records).load()?, bytes.len()))
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
