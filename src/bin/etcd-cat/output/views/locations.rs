//! The remembered locations as a document.

use super::API_VERSION;
use crate::output::text;
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::survey::RememberedLocation;
use serde::Serialize;

/// `kind: LocationList`, of `locations`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocationListView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `LocationList`.
    kind: &'static str,
    /// The locations, ascending.
    items: Vec<RememberedLocationView>,
}

/// A place that is searched for backups.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RememberedLocationView {
    /// Where.
    path: String,
    /// `ok`, `nothing-known`, `nothing-left`, `other-file-system` or `missing`.
    state: &'static str,
    /// Backups of which a file is there.
    backups: usize,
    /// Backups that were there and of which no file is.
    gone: usize,
    /// When it was first named.
    first_seen_at: String,
}

impl LocationListView {
    /// All of them.
    pub(crate) fn new(locations: &[RememberedLocation]) -> Self {
        let view = |one: &RememberedLocation| RememberedLocationView {
            path: text::path(&one.id),
            state: one.state.as_str(),
            backups: one.backups,
            gone: one.gone,
            first_seen_at: rfc3339_seconds(one.first_seen_at),
        };
        Self {
            api_version: API_VERSION,
            kind: "LocationList",
            items: locations.iter().map(view).collect(),
        }
    }
}
