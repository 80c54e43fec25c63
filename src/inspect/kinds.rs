//! What there is of each kind.

use super::contents::{Contents, Trust, is_definition};
use super::error::InspectError;
use super::subject::Subject;
use crate::monitor::Monitor;
use crate::objects::{Place, Resource};
use crate::snapshot::{EntryRequest, KeyFilter};
use crate::survey::SurveyOptions;
use chrono::{DateTime, Utc};

/// What there is of one kind.
#[derive(Clone, Debug)]
pub struct KindRow {
    /// Its resource.
    pub resource: Resource,
    /// How many objects.
    pub objects: u64,
    /// Bytes of their values as they are stored.
    pub value_bytes: u64,
    /// Main revision of the newest change.
    pub newest_revision: i64,
    /// About when that was.
    pub changed_at: Option<DateTime<Utc>>,
}

/// Reads a snapshot for what there is of each kind, the largest first.
///
/// # Errors
///
/// See [`InspectError`].
pub fn read_kinds(
    subject: &Subject,
    trust: Trust,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<(Contents, Vec<KindRow>), InspectError> {
    let request = EntryRequest {
        keys: KeyFilter::matching(is_definition),
        values: KeyFilter::All,
        ..EntryRequest::default()
    };
    let contents = Contents::read(subject, &request, trust, options, monitor)?;
    let kinds = contents.snapshot.kinds.iter().filter_map(|kind| {
        let place = Place {
            group: kind.group.clone(),
            plural: kind.plural.clone(),
            namespace: None,
            name: String::new(),
        };
        Some(KindRow {
            resource: contents.resources.of(&place)?.clone(),
            objects: kind.objects,
            value_bytes: kind.value_bytes,
            newest_revision: kind.newest_revision,
            changed_at: contents.timeline.at(kind.newest_revision),
        })
    });
    let mut kinds: Vec<KindRow> = kinds.collect();
    kinds.sort_by(|left, right| {
        let sizes = right.value_bytes.cmp(&left.value_bytes);
        sizes.then_with(|| left.resource.to_string().cmp(&right.resource.to_string()))
    });
    Ok((contents, kinds))
}
