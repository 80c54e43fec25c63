//! The clusters and how they stand.

use super::html::Html;
use crate::output::clusters::name;
use crate::output::units::{age, minute};
use crate::output::words::or_absent;
use chrono::{DateTime, Utc};
use etcd_cat::clusters::{ClusterStanding, ClusterState};

/// A row each, the worst first.
pub(super) fn table(html: &mut Html, standings: &[ClusterStanding<'_>], now: DateTime<Utc>) {
    html.raw("<section aria-labelledby=\"h-clusters\">\n<h2 id=\"h-clusters\">Clusters</h2>\n");
    if standings.is_empty() {
        html.raw("<p>No cluster is known.</p>\n</section>\n");
        return;
    }
    html.raw("<table>\n<thead><tr><th scope=\"col\">Cluster</th><th scope=\"col\">State</th><th scope=\"col\">Version</th>");
    html.raw("<th scope=\"col\">Newest usable</th><th scope=\"col\">Certificates end</th><th scope=\"col\">Missing</th>");
    html.raw("<th scope=\"col\">Valid / warning / invalid / unknown</th></tr></thead>\n<tbody>\n");
    for one in standings {
        html.raw("<tr><th scope=\"row\">");
        html.text(&name(one));
        html.raw("</th><td>");
        html.raw(match one.state {
            ClusterState::Ok => "<b class=\"valid\">",
            ClusterState::Overdue => "<b class=\"warning\">",
            ClusterState::NoneForVersion | ClusterState::NoUsable => "<b class=\"invalid\">",
        });
        html.text(one.state.as_str());
        html.raw("</b></td><td data-l=\"version\">");
        html.text(&or_absent(one.version.as_deref()));
        html.raw("</td><td data-l=\"newest usable\">");
        match one.newest_usable.and_then(|backup| backup.taken_at) {
            Some(at) => {
                html.text(&age(now - at));
                html.raw(" ago, ");
                html.text(&minute(at));
            }
            None => html.raw("-"),
        }
        html.raw("</td><td data-l=\"certificates end\">");
        let until = one.certificates_until.map(minute);
        html.text(&or_absent(until.as_deref()));
        html.raw("</td><td data-l=\"missing\">");
        let missing = one.gaps.iter().map(|gap| gap.missing);
        html.number(missing.fold(0, usize::saturating_add));
        html.raw("</td><td data-l=\"valid / warning / invalid / unknown\">");
        let counts = one.counts;
        html.number(counts.valid);
        for count in [counts.warning, counts.invalid, counts.unknown] {
            html.raw(" / ");
            html.number(count);
        }
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody>\n</table>\n</section>\n");
}
