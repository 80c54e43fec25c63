//! How the database of a cluster grew: sizes and revisions over time.

use super::axis::Axis;
use super::html::Html;
use crate::output::units::size;
use etcd_cat::backup::Backup;

/// Points of a curve; of more backups each so-manieth is drawn.
const POINTS: usize = 120;

/// Two curves, where there is something to compare.
pub(super) fn figures(html: &mut Html, name: &str, backups: &[&Backup], axis: Axis) {
    let points = |value: fn(&Backup) -> Option<i64>| -> Vec<(i64, i64)> {
        let known = backups.iter().rev();
        known
            .filter_map(|one| Some((axis.place(one.taken_at?), value(one)?)))
            .collect()
    };
    let sizes = points(|one| {
        let half = one.snapshot.as_ref()?;
        i64::try_from(half.facts.size_bytes).ok()
    });
    let revisions = points(|one| one.snapshot.as_ref()?.facts.status.revision);
    let bytes = |value: i64| size(u64::try_from(value).unwrap_or(0));
    figure(html, name, "size", &sizes, &bytes);
    figure(html, name, "revision", &revisions, &|value| {
        value.to_string()
    });
}

fn figure(
    html: &mut Html,
    name: &str,
    what: &'static str,
    points: &[(i64, i64)],
    told: &dyn Fn(i64) -> String,
) {
    let values = points.iter().map(|(_, value)| *value);
    let (Some(least), Some(most)) = (values.clone().min(), values.max()) else {
        return;
    };
    if points.len() < 2 {
        return;
    }
    let words = if least == most {
        format!("{what} {}", told(least))
    } else {
        format!("{what} from {} to {}", told(least), told(most))
    };
    html.raw("<figure><svg class=\"curve\" viewBox=\"0 0 1000 40\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
    html.text(name);
    html.raw(": ");
    html.text(&words);
    html.raw("\"><polyline points=\"");
    let step = points.len().div_ceil(POINTS);
    let height = |value: i64| {
        let range = i128::from(most) - i128::from(least);
        let above = i128::from(value) - i128::from(least);
        let part = above * 36 / range.max(1);
        38_i64.saturating_sub(i64::try_from(part).unwrap_or(0))
    };
    let last = points.len().saturating_sub(1);
    for (number, (place, value)) in points.iter().enumerate() {
        if number % step == 0 || number == last {
            html.number(*place);
            html.raw(",");
            html.number(height(*value));
            html.raw(" ");
        }
    }
    html.raw("\"/></svg><figcaption>");
    html.text(&words);
    html.raw("</figcaption></figure>\n");
}
