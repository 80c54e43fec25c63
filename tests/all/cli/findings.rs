//! Every code of the contract, provoked from a real file through the command; and exactly that code.

mod catalogue;
mod pair;
mod snapshot;

use crate::cli::environment::{SOON, TestEnv};
use etcd_cat::finding::Code;

/// How a finding is provoked: what is put where.
pub(crate) struct Row {
    /// The findings that this comes to, all of them, in their order.
    pub(crate) codes: &'static [&'static str],
    /// What it is, for the message of a failure.
    pub(crate) story: &'static str,
    /// Judged as of then.
    pub(crate) as_of: &'static str,
    /// A part of the path of the backup that is looked at.
    pub(crate) of: &'static str,
    /// Puts the files in place.
    pub(crate) put: fn(&TestEnv),
}

impl Row {
    const fn new(story: &'static str, codes: &'static [&'static str], put: fn(&TestEnv)) -> Self {
        Self {
            codes,
            story,
            as_of: SOON,
            of: "/data/",
            put,
        }
    }

    const fn of(self, of: &'static str) -> Self {
        Self { of, ..self }
    }

    const fn seen_at(self, as_of: &'static str) -> Self {
        Self { as_of, ..self }
    }

    /// What is wrong with the answer.
    fn complaint(&self) -> Option<String> {
        let env = TestEnv::new();
        (self.put)(&env);
        let root = env.text("");
        let ran = env.run(&[
            "verify", "-o", "json", "--as-of", self.as_of, "--all", &root,
        ]);
        let report: crate::cli::contract::VerifyReport = ran.json();
        let backup = report.of(self.of);
        let told = backup
            .findings
            .iter()
            .map(|one| format!("\n    {} {}: {}", one.severity, one.code, one.message));
        let told: String = told.collect();
        let has_error = backup.findings.iter().any(|one| one.severity == "error");
        let has_warning = backup.findings.iter().any(|one| one.severity == "warning");
        let verdict = match (has_error, has_warning) {
            (true, _) => "invalid",
            (false, true) => "warning",
            (false, false) => "valid",
        };
        let vague = backup.findings.iter().find(|one| {
            one.remedy.is_empty() || one.message.len() < 15 || one.message.ends_with('.')
        });
        let is_as_told = backup.codes() == self.codes && vague.is_none();
        let is_judged = backup.verdict == verdict || backup.verdict == "unknown";
        let is_complete = is_as_told && is_judged && matches!(ran.code, Some(0 | 1));
        (!is_complete).then(|| {
            let codes = backup.codes();
            format!(
                "\n  {}: {} {codes:?}, expected {:?}, ends with {:?}{told}\n    {}",
                self.story, backup.verdict, self.codes, ran.code, ran.stderr
            )
        })
    }
}

#[track_caller]
fn all_are_told(rows: &[Row]) {
    let complaints: String = rows.iter().filter_map(Row::complaint).collect();
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn findings_of_a_snapshot_are_told() {
    all_are_told(snapshot::ROWS);
}

#[test]
fn findings_of_its_content_are_told() {
    all_are_told(snapshot::CONTENT);
}

#[test]
fn findings_of_a_pair_are_told() {
    all_are_told(pair::ROWS);
}

#[test]
fn findings_of_keys_are_told() {
    all_are_told(pair::KEYS);
}

#[test]
fn findings_of_several_backups_are_told() {
    all_are_told(pair::SEVERAL);
}

#[test]
fn a_healthy_backup_has_none_of_them() {
    let env = TestEnv::healthy();
    let report = env.verify(&[]);
    assert_eq!(report.only().verdict, "valid");
    for code in Code::ALL {
        assert!(!report.only().codes().contains(&code.as_str()), "{code}");
    }
    assert_eq!(report.skipped.len(), 0);
}

#[test]
fn every_code_is_provoked_somewhere() {
    let tables = [
        snapshot::ROWS,
        snapshot::CONTENT,
        pair::ROWS,
        pair::KEYS,
        pair::SEVERAL,
    ];
    let rows = tables.into_iter().flatten().flat_map(|row| row.codes);
    // These need a cluster to take a backup from: tests/oc provokes them.
    let through_oc = ["provenance-mismatch", "put-aside"];
    // A bucket: tests/all/cli/arriving.rs provokes it.
    let in_a_bucket = ["still-arriving"];
    let provoked: Vec<&str> = rows
        .chain(catalogue::CODES)
        .chain(&in_a_bucket)
        .chain(&through_oc)
        .copied()
        .collect();
    for code in Code::ALL {
        assert!(provoked.contains(&code.as_str()), "nothing provokes {code}");
    }
}
