//! What the live cluster has instead: names and resourceVersions alone, through `oc`.

use super::change::{Change, ChangeRow, Differences, LiveCluster, NotCompared, Other, Version};
use super::contents::{Contents, Trust, is_definition};
use super::error::InspectError;
use super::object::ObjectRow;
use super::query::{keys_of, retain_namespace};
use super::stake::{is_plain_token, is_secret, stake};
use super::subject::Subject;
use crate::monitor::Monitor;
use crate::objects::{Place, Resource, Scope};
use crate::oc::{LiveObject, LiveTarget, Oc, RunError, list, live_target, served};
use crate::snapshot::{EntryRequest, KeyFilter, StoredEntry, ValueMark};
use crate::survey::SurveyOptions;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// Kinds that are listed by one call of `oc`, which holds all their objects in memory at once.
const MOST_KINDS: usize = 40;
/// Bytes of the backup's values of these kinds; a kind of more is listed by itself.
const MOST_BYTES: u64 = 16 << 20;

/// Of a kind that is no API, whose definition is gone, or whose API server is away.
const NOT_SERVED: &str = "the live cluster does not list them";

/// Reads a backup once and compares every object with the live cluster's, for the kinds that the backup has.
///
/// The resourceVersion of an object is the revision of etcd that changed it last: two that are equal are the same object.
///
/// # Errors
///
/// See [`InspectError`]; `oc` failed, or it is another cluster.
pub fn compare_live(
    from: &Subject,
    oc: &Oc,
    namespace: Option<&str>,
    trust: Trust,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Differences, InspectError> {
    // Who may not ask is told before a large file is read.
    let target = who(oc, monitor)?;
    let served = served(oc, monitor)?;
    let request = EntryRequest {
        keys: keys_of(namespace),
        values: KeyFilter::matching(is_definition),
        sealed_values: KeyFilter::matching(is_secret),
        marked: ValueMark::new(is_plain_token),
        ..EntryRequest::default()
    };
    let mut from = Contents::read(from, &request, trust, options, monitor)?;
    let is_same_cluster = same_cluster(&from, target.as_ref())?;
    let mut entries = std::mem::take(&mut from.entries);
    retain_namespace(&mut entries, namespace);
    let mut live = Live::new(oc, namespace, monitor);
    for kinds in batches(&mut live, &served, &from) {
        live.list(&kinds)?;
    }
    if live.kinds.is_empty()
        && let Some(first) = live.refused.pop()
    {
        return Err(InspectError::NothingListed {
            resource: first.resource.to_string(),
            reason: first.reason,
        });
    }
    let newest_revision = live.objects.values().copied().max();
    let newest_in_backup = newest(&entries, &live);
    let not_compared = counted(std::mem::take(&mut live.refused), &entries);
    let changes = merge(&entries, live, &from);
    Ok(Differences {
        from,
        to: Other::Live(LiveCluster {
            target,
            newest_revision,
            newest_in_backup,
        }),
        is_same_cluster,
        changes,
        not_compared,
    })
}

/// Which cluster answers; `None` when it is no OpenShift, or does not tell this user.
fn who(oc: &Oc, monitor: &dyn Monitor) -> Result<Option<LiveTarget>, RunError> {
    match live_target(oc, monitor) {
        Ok(target) => Ok(Some(target)),
        Err(error) if error.is_no_answer() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Revisions of two clusters have nothing to do with one another.
fn same_cluster(
    from: &Contents,
    target: Option<&LiveTarget>,
) -> Result<Option<bool>, InspectError> {
    let own = from.snapshot.cluster.id.as_ref();
    match own.zip(target.map(|target| &target.cluster_id)) {
        Some((own, live)) if own != live => Err(InspectError::OtherCluster {
            backup: own.clone(),
            live: live.clone(),
        }),
        both => Ok(both.map(|_| true)),
    }
}

/// The kinds of a backup in calls that are bounded, the largest first; what is not served is noted.
fn batches(live: &mut Live<'_>, served: &BTreeSet<String>, from: &Contents) -> Vec<Vec<Resource>> {
    let mut kinds = Vec::new();
    for kind in &from.snapshot.kinds {
        let place = Place {
            group: kind.group.clone(),
            plural: kind.plural.clone(),
            namespace: None,
            name: String::new(),
        };
        let Some(resource) = from.resources.of(&place) else {
            continue;
        };
        if live.namespace.is_some() && resource.scope == Scope::Cluster {
            continue;
        }
        if served.contains(&resource.to_string()) {
            kinds.push((kind.value_bytes, resource.clone()));
        } else {
            live.refuse(resource, NOT_SERVED);
        }
    }
    kinds.sort_by_key(|(bytes, _)| Reverse(*bytes));
    let mut batches: Vec<Vec<Resource>> = Vec::new();
    let mut held = MOST_BYTES;
    for (bytes, resource) in kinds {
        held = held.saturating_add(bytes);
        match batches.last_mut() {
            // What a kind without a name gives could not be told from what others give.
            Some(last)
                if held <= MOST_BYTES && last.len() < MOST_KINDS && !resource.kind.is_empty() =>
            {
                last.push(resource);
            }
            _ => {
                held = if resource.kind.is_empty() {
                    MOST_BYTES
                } else {
                    bytes
                };
                batches.push(vec![resource]);
            }
        }
    }
    batches
}

/// What the live cluster has given so far.
struct Live<'c> {
    oc: &'c Oc,
    namespace: Option<&'c str>,
    monitor: &'c dyn Monitor,
    /// By group and plural.
    kinds: HashMap<[String; 2], Resource>,
    /// The revision of each object.
    objects: HashMap<Place, i64>,
    refused: Vec<NotCompared>,
}

impl<'c> Live<'c> {
    fn new(oc: &'c Oc, namespace: Option<&'c str>, monitor: &'c dyn Monitor) -> Self {
        Self {
            oc,
            namespace,
            monitor,
            kinds: HashMap::new(),
            objects: HashMap::new(),
            refused: Vec::new(),
        }
    }

    fn refuse(&mut self, resource: &Resource, reason: &str) {
        self.refused.push(NotCompared {
            resource: resource.clone(),
            objects: 0,
            reason: reason.to_owned(),
        });
    }

    /// Lists some kinds at once.
    fn list(&mut self, kinds: &[Resource]) -> Result<(), RunError> {
        let names: Vec<String> = kinds.iter().map(Resource::to_string).collect();
        let listing = list(self.oc, &names, self.namespace, self.monitor)?;
        let is_refused = |resource: &Resource| {
            let name = resource.to_string();
            let refused = listing.refused.iter().find(|(own, _)| *own == name);
            refused.map(|(_, reason)| reason.clone())
        };
        let kind_of = |object: &LiveObject| match kinds {
            [only] => Some(only),
            _ => kinds
                .iter()
                .find(|own| own.kind == object.kind && own.group == object.group),
        };
        if !listing
            .objects
            .iter()
            .all(|object| kind_of(object).is_some())
        {
            // It calls a kind otherwise than the backup does: one call for each tells which.
            return kinds
                .iter()
                .try_for_each(|kind| self.list(std::slice::from_ref(kind)));
        }
        for object in &listing.objects {
            if let Some(resource) = kind_of(object)
                && self
                    .namespace
                    .is_none_or(|own| object.namespace.as_deref() == Some(own))
            {
                self.objects
                    .insert(place(resource, object), object.revision);
            }
        }
        for resource in kinds {
            match is_refused(resource) {
                Some(reason) => self.refuse(resource, &reason),
                None => {
                    let key = [resource.group.clone(), resource.plural.clone()];
                    self.kinds.insert(key, resource.clone());
                }
            }
        }
        Ok(())
    }

    fn kind(&self, place: &Place) -> Option<&Resource> {
        self.kinds.get(&[place.group.clone(), place.plural.clone()])
    }
}

fn place(resource: &Resource, object: &LiveObject) -> Place {
    Place {
        group: resource.group.clone(),
        plural: resource.plural.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    }
}

/// Counts the backup's objects of kinds that were not compared; what is not served and not there is no loss.
fn counted(mut refused: Vec<NotCompared>, entries: &[StoredEntry]) -> Vec<NotCompared> {
    let places = entries.iter().filter_map(|entry| Place::of(&entry.key));
    for place in places {
        let is_of = |one: &&mut NotCompared| {
            one.resource.plural == place.plural && one.resource.group == place.group
        };
        if let Some(one) = refused.iter_mut().find(is_of) {
            one.objects += 1;
        }
    }
    refused.retain(|one| one.objects > 0 || one.reason != NOT_SERVED);
    refused.sort_by_key(|one| one.resource.to_string());
    refused
}

fn newest(entries: &[StoredEntry], live: &Live<'_>) -> Option<i64> {
    let compared = entries
        .iter()
        .filter(|entry| Place::of(&entry.key).is_some_and(|place| live.kind(&place).is_some()));
    compared.map(|entry| entry.revision).max()
}

fn merge(entries: &[StoredEntry], mut live: Live<'_>, from: &Contents) -> Vec<ChangeRow> {
    let mut changes = Vec::new();
    for entry in entries {
        let Some(place) = Place::of(&entry.key) else {
            continue;
        };
        let found = live.objects.remove(&place);
        let Some(resource) = live.kind(&place) else {
            continue;
        };
        let change = match found {
            Some(revision) if revision == entry.revision => continue,
            Some(_) => Change::Changed,
            None => Change::Removed,
        };
        let row = ObjectRow::of(entry, from);
        changes.push(ChangeRow {
            change,
            stake: stake(resource, [(Some(entry), from)]),
            resource: resource.clone(),
            place,
            from: row.as_ref().map(Version::from),
            to: found.map(Version::live),
        });
    }
    for (place, revision) in std::mem::take(&mut live.objects) {
        let Some(resource) = live.kind(&place) else {
            continue;
        };
        changes.push(ChangeRow {
            change: Change::Added,
            stake: stake(resource, []),
            resource: resource.clone(),
            place,
            from: None,
            to: Some(Version::live(revision)),
        });
    }
    changes.sort_by(|left, right| left.place.cmp(&right.place));
    changes
}
