//! Every backup with what was found.

use super::html::Html;
use super::words::to_u64;
use crate::output::list;
use crate::output::text;
use crate::output::units::{age, count, minute};
use chrono::{DateTime, Utc};
use etcd_cat::backup::{Backup, Verdict};
use etcd_cat::finding::{Finding, Severity};
use etcd_cat::selection::Candidate as _;

/// Codes named before anybody opens the rest.
const NAMED: usize = 3;

/// A row each, newest first.
pub(super) fn section(html: &mut Html, backups: &[Backup], now: DateTime<Utc>) {
    html.raw("<section aria-labelledby=\"backups\">\n<h2 id=\"backups\">Backups</h2>\n");
    html.raw("<form id=\"filter\" role=\"search\" hidden><label>Filter <input type=\"search\" id=\"words\" autocomplete=\"off\"></label> ");
    html.raw("<label>Verdict <select id=\"verdict\"><option value=\"\">all</option><option>valid</option><option>warning</option>");
    html.raw("<option>invalid</option><option>unknown</option></select></label> <output id=\"shown\" aria-live=\"polite\"></output></form>\n");
    html.raw("<table id=\"list\">\n<thead><tr><th scope=\"col\">Verdict</th><th scope=\"col\">Id</th><th scope=\"col\">Cluster</th>");
    html.raw("<th scope=\"col\">Version</th><th scope=\"col\">Taken</th><th scope=\"col\">Size</th><th scope=\"col\">Findings</th></tr></thead>\n<tbody>\n");
    for backup in backups {
        row(html, backup, now);
    }
    html.raw("</tbody>\n</table>\n</section>\n");
}

fn row(html: &mut Html, backup: &Backup, now: DateTime<Utc>) {
    html.raw(match backup.verdict {
        Verdict::Valid => "<tr><td><b class=\"valid\">valid</b></td><td>",
        Verdict::Warning => "<tr><td><b class=\"warning\">warning</b></td><td>",
        Verdict::Invalid => "<tr><td><b class=\"invalid\">invalid</b></td><td>",
        Verdict::Unknown => "<tr><td><b class=\"unknown\">unknown</b></td><td>",
    });
    html.text(&list::id(backup));
    html.raw("</td><td>");
    html.text(&list::cluster(backup));
    html.raw("</td><td>");
    html.text(&list::version(backup));
    html.raw("</td><td data-n=\"");
    html.number(backup.taken_at.map_or(0, |at| at.timestamp()));
    html.raw("\">");
    match backup.taken_at {
        Some(at) => {
            html.text(&minute(at));
            html.raw(" <small>");
            html.text(&age(now - at));
            html.raw("</small>");
        }
        None => html.raw("-"),
    }
    html.raw("</td><td data-n=\"");
    html.number(backup.size_bytes().unwrap_or(0));
    html.raw("\">");
    html.text(&list::size_of(backup));
    html.raw("</td><td><details><summary>");
    html.text(&summary(&backup.findings));
    // Of ten thousand backups few are opened: a browser with scripts makes elements of those alone.
    html.raw("</summary><noscript><ul>");
    for place in backup.places() {
        html.raw("<li><code>");
        html.text(&text::path(place));
        html.raw("</code></li>");
    }
    for finding in &backup.findings {
        self::finding(html, finding);
    }
    html.raw("</ul></noscript></details></td></tr>\n");
}

/// The worst codes, each once.
fn summary(findings: &[Finding]) -> String {
    let mut findings: Vec<&Finding> = findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut codes: Vec<&str> = Vec::new();
    for finding in findings {
        if !codes.contains(&finding.code.as_str()) {
            codes.push(finding.code.as_str());
        }
    }
    if codes.is_empty() {
        return "no finding".to_owned();
    }
    let named = codes.get(..NAMED).unwrap_or(&codes).join(", ");
    match codes.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {}", count(to_u64(more), "other")),
    }
}

fn finding(html: &mut Html, finding: &Finding) {
    html.raw(match finding.severity {
        Severity::Error => "<li><b class=\"invalid\">error</b> ",
        Severity::Warning => "<li><b class=\"warning\">warning</b> ",
        Severity::Info => "<li>note ",
    });
    html.text(finding.code.as_str());
    html.raw(": ");
    html.text(&finding.message);
    html.raw("<br><i>To do:</i> ");
    html.text(&finding.remedy);
    html.raw("</li>");
}
