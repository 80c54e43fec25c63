//! One worker: reads its share of the plan, and writes down what it has learnt every few minutes.

use super::error::FleetError;
use super::fragment;
use super::plan::{Plan, PlannedGroup, PlannedObject};
use super::plan_text;
use super::planning::is_as_it_was;
use super::results::FleetRun;
use crate::catalogue::{CarriedRecord, Catalogue, CatalogueLocation, Content};
use crate::instant::compact;
use crate::monitor::Monitor;
use crate::source::{ObjectId, ObjectIdentity, Store as _};
use crate::survey::{Depth, SurveyError, SurveyOptions, examine_planned};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// How much is read before the next look at the clock.
const STEP_GROUPS: usize = 64;
const STEP_BYTES: u64 = 1 << 30;

/// How a share is worked on.
#[derive(Clone, Debug)]
pub struct WorkOptions {
    /// Which share, counted from 0.
    pub shard: u32,
    /// How many there are, where the caller thinks that it knows.
    pub shards: Option<u32>,
    /// A fragment is written at least this often.
    pub flush: Duration,
    /// How it is read.
    pub survey: SurveyOptions,
}

/// What came of a share; kept beside its fragments.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Which share.
    pub shard: u32,
    /// Of how many.
    pub shards: u32,
    /// Objects that were read, now or by an earlier worker of this share.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, objects that an earlier worker had read.
    pub resumed: u64,
    /// Objects that are gone since they were planned.
    pub gone: u64,
    /// Objects that others have taken the place of since: they are for the next plan.
    pub replaced: u64,
    /// The fragments that hold all of it.
    pub fragments: Vec<String>,
}

/// Works on one share of a plan until all of it is in fragments. What a worker before had finished is not read again.
///
/// # Errors
///
/// There is no such plan or share, the results cannot be read or written, a store is out of reach, or `monitor` asked to
/// stop.
pub fn work(
    run: &FleetRun,
    options: &WorkOptions,
    monitor: &dyn Monitor,
) -> Result<Done, FleetError> {
    let shard = options.shard;
    let plan = plan_of(run, |one| one == shard)?;
    let shards = plan.head.shards;
    if let Some(expected) = options.shards.filter(|expected| *expected != shards) {
        return Err(FleetError::OtherShards { shards, expected });
    }
    if shard >= shards {
        return Err(FleetError::NoSuchShard { shard, shards });
    }
    if run.is_done(shard)? {
        return read_done(run, shard);
    }
    let mut worker = Worker {
        run,
        options,
        monitor,
        waiting: Vec::new(),
        flushed_at: Instant::now(),
        done: Done {
            shard,
            shards: plan.head.shards,
            ..Done::default()
        },
    };
    let pending = worker.resume(plan)?;
    let worked = worker.read(&pending);
    worker.flush()?;
    worked?;
    let done = serde_json::to_vec_pretty(&worker.done).unwrap_or_default();
    run.finish(shard, &done)?;
    Ok(worker.done)
}

/// The plan of a run, with the groups of the shards that are `wanted`.
pub(super) fn plan_of(
    run: &FleetRun,
    wanted: impl Fn(u32) -> bool + Sync,
) -> Result<Plan, FleetError> {
    let path = run.plan();
    let text = run.read(&path)?;
    plan_text::read(&text, wanted).map_err(|reason| FleetError::NotAPlan { path, reason })
}

/// What a worker has said of its share.
pub(super) fn read_done(run: &FleetRun, shard: u32) -> Result<Done, FleetError> {
    let path = run.done(shard);
    let bytes = run.read(&path)?;
    serde_json::from_slice(&bytes).map_err(|error| FleetError::Fragment {
        path,
        reason: error.to_string(),
    })
}

struct Worker<'w> {
    run: &'w FleetRun,
    options: &'w WorkOptions,
    monitor: &'w dyn Monitor,
    /// What was learnt since the last fragment.
    waiting: Vec<CarriedRecord>,
    flushed_at: Instant,
    done: Done,
}

impl Worker<'_> {
    /// The groups that no worker before has finished.
    fn resume(&mut self, plan: Plan) -> Result<Vec<PlannedGroup>, FleetError> {
        let mut read: HashMap<ObjectId, ObjectIdentity> = HashMap::new();
        for name in self.run.fragments(self.options.shard)? {
            let path = self.run.fragment(self.options.shard, &name);
            // A damaged one is as good as none: what was in it is read again.
            let Ok(records) = fragment::read(&self.run.read(&path)?) else {
                continue;
            };
            self.done.fragments.push(name);
            let contents = Catalogue::of_carried(records).load()?;
            let files = contents.files.into_iter();
            let whole = files.filter(|(_, file)| !is_unreadable(&file.content));
            read.extend(whole.map(|(id, file)| (id, file.identity)));
        }
        let is_read = |object: &PlannedObject| {
            let identity = read.get(&object.id);
            identity.is_some_and(|identity| is_as_it_was(identity, &object.identity))
        };
        let (finished, pending): (Vec<_>, Vec<_>) = plan
            .groups
            .into_iter()
            .partition(|group| group.objects.iter().all(is_read));
        for group in &finished {
            for object in &group.objects {
                self.count(object);
                self.done.resumed += 1;
            }
        }
        Ok(pending)
    }

    fn read(&mut self, pending: &[PlannedGroup]) -> Result<(), FleetError> {
        let mut step: Vec<ObjectId> = Vec::new();
        let (mut groups, mut bytes) = (0, 0);
        for group in pending {
            for object in self.present(group)? {
                bytes += object.identity.size_bytes();
                step.push(object.id.clone());
            }
            groups += 1;
            if groups >= STEP_GROUPS || bytes >= STEP_BYTES {
                self.examine(&std::mem::take(&mut step))?;
                (groups, bytes) = (0, 0);
            }
        }
        self.examine(&step)
    }

    /// Those of a group that are as they were planned; what is not, is counted.
    fn present<'g>(
        &mut self,
        group: &'g PlannedGroup,
    ) -> Result<Vec<&'g PlannedObject>, FleetError> {
        let mut present = Vec::new();
        for object in &group.objects {
            match self.options.survey.stores.stat(&object.id) {
                Ok(identity) if is_as_it_was(&object.identity, &identity) => {
                    self.count(object);
                    present.push(object);
                }
                Ok(_) => self.done.replaced += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => self.done.gone += 1,
                // A file that may not be looked at is a result; a store out of reach is none.
                Err(_) if object.id.as_path().is_some() => present.push(object),
                Err(error) => {
                    return Err(FleetError::Unreachable {
                        object: object.id.to_string(),
                        reason: error.to_string(),
                        kind: error.kind(),
                    });
                }
            }
        }
        Ok(present)
    }

    fn count(&mut self, object: &PlannedObject) {
        self.done.objects += 1;
        self.done.bytes += object.identity.size_bytes();
    }

    /// Reads one step's objects in a catalogue of its own, and keeps what that has learnt.
    fn examine(&mut self, objects: &[ObjectId]) -> Result<(), FleetError> {
        if objects.is_empty() {
            return Ok(());
        }
        let catalogue = Catalogue::new(CatalogueLocation::Memory);
        let options = SurveyOptions {
            depth: Depth::Everything,
            ..self.options.survey.clone()
        };
        let examined = examine_planned(objects, &catalogue, &options, self.monitor);
        self.waiting.extend(catalogue.carried()?);
        match examined {
            Err(SurveyError::Interrupted) => return Err(FleetError::Interrupted),
            examined => examined?,
        };
        if self.flushed_at.elapsed() >= self.options.flush {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FleetError> {
        let records = std::mem::take(&mut self.waiting);
        self.flushed_at = Instant::now();
        if records.is_empty() {
            return Ok(());
        }
        let bytes = fragment::write(&records);
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
        let digest = digest.get(..12).unwrap_or_default();
        let time = compact(crate::instant::now());
        let shard = self.options.shard;
        let name = self.run.add_fragment(shard, &time, digest, &bytes)?;
        self.done.fragments.push(name);
        Ok(())
    }
}

fn is_unreadable(content: &Content) -> bool {
    matches!(content, Content::Unreadable { .. })
}
