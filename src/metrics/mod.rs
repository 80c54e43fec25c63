//! What a monitor is told: validity and age by cluster, and what came of the last runs, in the text format of Prometheus.
//!
//! No number is of a single backup: a fleet of a hundred thousand makes a few series for each cluster. Every name is in
//! [`Family::ALL`], where alerts and dashboards find it.

mod clusters;
mod exposition;
mod family;

pub use family::Family;

use crate::backup::{Backup, Verdict};
use crate::catalogue::RunRecord;
use crate::clusters::RunningCluster;
use crate::judgement::RULES;
use crate::selection::Candidate as _;
use chrono::{DateTime, Utc};
use clusters::{MeasuredCluster, measured};
use exposition::Exposition;
use std::collections::BTreeMap;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Measurement<'m> {
    /// Version of the program.
    pub program: &'m str,
    /// Everything that the catalogue knows, judged.
    pub backups: &'m [Backup],
    /// What came of the last run of each kind, by its name.
    pub runs: &'m BTreeMap<String, RunRecord>,
    /// How many records of the catalogue cannot be read.
    pub damaged_records: usize,
    /// The running cluster, if it was asked.
    pub running: Option<&'m RunningCluster>,
}

/// The content type of what [`Measurement::exposition`] returns.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What every exposition begins with.
pub const FIRST_LINE: &str = "# HELP etcdcat_build_info ";

impl Measurement<'_> {
    /// All of it in the text format 0.0.4, with its final newline.
    pub fn exposition(&self) -> String {
        let mut text = Exposition::default();
        let rules = RULES.to_string();
        let labels = [("version", self.program), ("rules", rules.as_str())];
        text.family(Family::BuildInfo).sample(&labels, 1);
        let damaged = i128::try_from(self.damaged_records).unwrap_or(i128::MAX);
        text.family(Family::CatalogueDamage).sample(&[], damaged);
        clusters(&mut text, &measured(self.backups, self.running));
        runs(&mut text, self.runs);
        text.into_text()
    }
}

/// By cluster.
fn clusters(text: &mut Exposition, clusters: &[MeasuredCluster<'_>]) {
    use Family as F;
    let verdicts = [
        Verdict::Valid,
        Verdict::Warning,
        Verdict::Invalid,
        Verdict::Unknown,
    ];
    each(text, F::CatalogueBackups, clusters, |cluster, samples| {
        for verdict in verdicts {
            let count = cluster.verdicts.get(&verdict).copied().unwrap_or(0);
            samples.push((vec![("verdict", verdict.as_str())], count.into()));
        }
    });
    let version = |text: &mut Exposition, family, value: fn(&Backup) -> Option<i128>| {
        each(text, family, clusters, |cluster, samples| {
            for (version, backup) in &cluster.newest_usable {
                if let Some(value) = value(backup) {
                    samples.push((vec![("version", version.as_str())], value));
                }
            }
        });
    };
    each(text, F::ClusterVersionInfo, clusters, |cluster, samples| {
        if let Some(version) = &cluster.version {
            samples.push((vec![("version", version.as_str())], 1));
        }
    });
    each(text, F::NewestBackup, clusters, |cluster, samples| {
        samples.extend(cluster.newest_at.map(|at| (Vec::new(), seconds(at))));
    });
    version(text, F::NewestUsableBackup, |one| one.taken_at.map(seconds));
    version(text, F::NewestUsableSize, |one| {
        let snapshot = one.snapshot.as_ref();
        snapshot.map(|half| half.facts.size_bytes.into())
    });
    version(text, F::NewestUsableCertificates, |one| {
        one.certificates_until().map(seconds)
    });
    each(text, F::OldestProof, clusters, |cluster, samples| {
        samples.extend(cluster.oldest_proof_at.map(|at| (Vec::new(), seconds(at))));
    });
    each(text, F::Findings, clusters, |cluster, samples| {
        for ((code, severity), count) in &cluster.findings {
            let labels = vec![("code", code.as_str()), ("severity", severity.as_str())];
            samples.push((labels, (*count).into()));
        }
    });
    each(text, F::UnpairedFiles, clusters, |cluster, samples| {
        for (kind, count) in [
            ("snapshot", cluster.unpaired_snapshots),
            ("kuberesources", cluster.unpaired_kuberesources),
        ] {
            samples.push((vec![("kind", kind)], count.into()));
        }
    });
}

type Samples<'c> = Vec<(Vec<(&'static str, &'c str)>, i128)>;

/// One family: what each cluster has to say of it, under the labels of the cluster.
fn each<'c>(
    text: &mut Exposition,
    family: Family,
    clusters: &'c [MeasuredCluster<'_>],
    told: impl Fn(&'c MeasuredCluster<'_>, &mut Samples<'c>),
) {
    let mut family = text.family(family);
    for cluster in clusters {
        let mut samples = Vec::new();
        told(cluster, &mut samples);
        for (more, value) in samples {
            let mut labels = vec![
                ("cluster", cluster.name.as_str()),
                ("cluster_id", cluster.id.as_str()),
            ];
            labels.extend(more);
            family.sample(&labels, value);
        }
    }
}

/// By kind of run.
fn runs(text: &mut Exposition, runs: &BTreeMap<String, RunRecord>) {
    let mut family = |family, value: fn(&RunRecord) -> Option<i128>| {
        let mut family = text.family(family);
        for (name, run) in runs {
            if let Some(value) = value(run) {
                family.sample(&[("run", name)], value);
            }
        }
    };
    family(Family::RunTime, |run| Some(seconds(run.ended_at)));
    family(Family::RunSuccess, |run| run.succeeded_at.map(seconds));
    family(Family::RunExitCode, |run| Some(run.exit_code.into()));
    family(Family::RunReadBytes, |run| Some(run.bytes.into()));
    let mut family = text.family(Family::RunDuration);
    for (name, run) in runs {
        family.thousandths(&[("run", name)], run.milliseconds);
    }
    let mut family = text.family(Family::RunPassedOver);
    for (name, run) in runs {
        for (kind, count) in &run.passed_over {
            family.sample(&[("run", name), ("kind", kind)], (*count).into());
        }
    }
}

fn seconds(at: DateTime<Utc>) -> i128 {
    at.timestamp().into()
}

#[cfg(test)]
mod tests;
