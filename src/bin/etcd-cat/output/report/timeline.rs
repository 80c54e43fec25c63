//! When backups were taken, cluster by cluster, on one axis of time.

use super::axis::Axis;
use super::html::Html;
use super::trend;
use super::words::{VERDICTS, to_u64};
use crate::output::clusters::name;
use crate::output::units::{count, minute};
use chrono::{DateTime, Utc};
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::clusters::ClusterStanding;
use std::collections::BTreeSet;

/// The lines of each cluster, and how its database grew.
pub(super) fn section(
    html: &mut Html,
    standings: &[ClusterStanding<'_>],
    own: &[Vec<&Backup>],
    now: DateTime<Utc>,
) {
    html.raw("<section aria-labelledby=\"h-timeline\">\n<h2 id=\"h-timeline\">Timeline</h2>\n");
    let Some(axis) = Axis::of(own, now) else {
        html.raw("<p>Of no backup it is known when it was taken.</p>\n</section>\n");
        return;
    };
    html.raw("<p class=\"legend\">Above the line what can be restored: <b class=\"valid\">valid</b>, <b class=\"warning\">warning</b>. ");
    html.raw("Below it what cannot: <b class=\"invalid\">invalid</b>, <b class=\"unknown\">unknown</b>.</p>\n<p class=\"axis\"><span>");
    html.text(&minute(axis.from));
    html.raw("</span><span>");
    html.text(&minute(axis.to));
    html.raw("</span></p>\n");
    for (one, backups) in standings.iter().zip(own) {
        html.raw("<article><h3>");
        html.text(&name(one));
        html.raw("</h3>\n<svg class=\"line\" viewBox=\"0 0 1000 40\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
        html.text(&told(&name(one), backups));
        html.raw("\"><path class=\"rule\" d=\"M0 20h1000\"/>");
        for verdict in VERDICTS {
            lines(html, backups, verdict, axis);
        }
        html.raw("</svg>\n");
        trend::figures(html, &name(one), backups, axis);
        html.raw("</article>\n");
    }
    html.raw("</section>\n");
}

/// The same in words.
fn told(name: &str, backups: &[&Backup]) -> String {
    let taken = backups.iter().filter_map(|backup| backup.taken_at);
    let span = match (taken.clone().min(), taken.max()) {
        (Some(from), Some(to)) => format!(" from {} to {}", minute(from), minute(to)),
        _ => String::new(),
    };
    let mut parts = vec![count(to_u64(backups.len()), "backup")];
    for verdict in VERDICTS {
        let number = backups.iter().filter(|one| one.verdict == verdict).count();
        if number > 0 {
            parts.push(format!("{number} {}", verdict.as_str()));
        }
    }
    format!("{name}{span}: {}", parts.join(", "))
}

/// One path for all lines of a verdict.
fn lines(html: &mut Html, backups: &[&Backup], verdict: Verdict, axis: Axis) {
    let own = backups.iter().filter(|backup| backup.verdict == verdict);
    let places = own.filter_map(|backup| backup.taken_at.map(|at| axis.place(at)));
    let places: BTreeSet<i64> = places.collect();
    if places.is_empty() {
        return;
    }
    html.raw(match verdict {
        Verdict::Valid => "<path class=\"valid\" d=\"",
        Verdict::Warning => "<path class=\"warning\" d=\"",
        Verdict::Invalid => "<path class=\"invalid\" d=\"",
        Verdict::Unknown => "<path class=\"unknown\" d=\"",
    });
    for place in places {
        html.raw("M");
        html.number(place);
        html.raw(match verdict {
            Verdict::Valid => " 1v18",
            Verdict::Warning => " 8v11",
            Verdict::Invalid => " 21v18",
            Verdict::Unknown => " 21v11",
        });
    }
    html.raw("\"/>");
}
