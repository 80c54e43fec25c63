//! One page of the whole catalogue, for a browser: nothing is loaded, nothing is needed but the file.
//!
//! Without scripts everything can be read; with them backups can be filtered and sorted. Whatever stands in names and
//! findings goes through [`Html::text`]; the policy in the head lets nothing run but the script of this page.

mod axis;
mod backups;
mod clusters;
mod html;
mod timeline;
mod trend;
mod words;

use self::html::Html;
use self::words::counted;
use super::units::minute;
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use etcd_cat::backup::Backup;
use etcd_cat::clusters::ClusterStanding;
use etcd_cat::selection::KnownCluster;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;

/// What every page begins with.
pub(crate) const FIRST_LINE: &str = "<!doctype html><!-- etcd-cat report -->";

const STYLE: &str = include_str!("report/style.css");
const SCRIPT: &str = include_str!("report/script.js");

/// What is told.
#[derive(Debug)]
pub(crate) struct Report<'r> {
    /// The clusters, the worst first.
    pub(crate) standings: &'r [ClusterStanding<'r>],
    /// Their backups, newest first.
    pub(crate) backups: &'r [Backup],
    /// Ages are as of this instant.
    pub(crate) now: DateTime<Utc>,
}

impl Report<'_> {
    /// The whole page.
    pub(crate) fn page(&self) -> String {
        let mut html = Html::default();
        html.raw(FIRST_LINE);
        html.raw("\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.raw("<meta name=\"referrer\" content=\"no-referrer\">\n");
        html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n");
        html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"");
        html.text(&policy());
        html.raw("\">\n<title>etcd backups as of ");
        html.text(&minute(self.now));
        html.raw("</title>\n<style>");
        html.raw(STYLE);
        html.raw("</style>\n</head>\n<body>\n");
        self.body(&mut html);
        html.raw("<script>");
        html.raw(SCRIPT);
        html.raw("</script>\n</body>\n</html>\n");
        html.into_text()
    }

    fn body(&self, html: &mut Html) {
        html.raw("<a class=\"skip\" href=\"#backups\">Skip to the backups</a>\n<header>\n<h1>etcd backups</h1>\n<p>As of ");
        html.text(&minute(self.now));
        html.raw(" UTC: ");
        html.text(&counted(self.backups));
        html.raw(".</p>\n</header>\n<main>\n");
        let own = self.by_cluster();
        clusters::table(html, self.standings, self.now);
        timeline::section(html, self.standings, &own, self.now);
        backups::section(html, self.backups, self.now);
        html.raw("</main>\n<footer><p>Made by etcd-cat ");
        html.raw(env!("CARGO_PKG_VERSION"));
        html.raw(" from its catalogue. This page loads nothing and tells nobody that it is read.</p></footer>\n");
    }

    /// The backups of each standing, in the order of both.
    fn by_cluster(&self) -> Vec<Vec<&Backup>> {
        let mut own = vec![Vec::new(); self.standings.len()];
        let mut meant: HashMap<Option<KnownCluster>, Option<usize>> = HashMap::new();
        for backup in self.backups.iter().filter(|one| one.snapshot.is_some()) {
            let cluster = KnownCluster::of(backup);
            let find = |named: &Option<KnownCluster>| {
                let is_meant = |one: &ClusterStanding<'_>| match (&one.cluster, named) {
                    (Some(known), Some(named)) => known.agrees_with(named),
                    (None, None) => true,
                    _ => false,
                };
                self.standings.iter().position(is_meant)
            };
            let place = *meant.entry(cluster).or_insert_with_key(find);
            if let Some(list) = place.and_then(|place| own.get_mut(place)) {
                list.push(backup);
            }
        }
        own
    }
}

/// Only this style and this script, and nothing from anywhere.
fn policy() -> String {
    let hash = |text: &str| BASE64.encode(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[cfg(test)]
mod tests;
