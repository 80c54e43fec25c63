//! Which backups are meant: versions, filters, references.

use crate::cli::contract::{BackupList, RestoreCheck};
use crate::cli::environment::{Ran, TestEnv};
use crate::support::samples;

const NOW: &str = "2024-11-09T06:00:00Z";

/// Everything of `testdata/` in the catalogue.
fn filled() -> TestEnv {
    let env = TestEnv::new();
    let backups = samples::testdata().join("backups");
    let backups = backups.to_str().expect("a plain name");
    let ran = env.run(&["index", "--as-of", NOW, "-o", "name", backups]);
    assert_eq!(ran.stdout.lines().count(), 15, "{ran:#?}");
    env
}

fn list(env: &TestEnv, arguments: &[&str]) -> Ran {
    let mut all = vec!["list", "--as-of", NOW, "-o", "json"];
    all.extend(arguments);
    env.run(&all)
}

fn versions(ran: &Ran) -> Vec<String> {
    let list: BackupList = ran.json();
    assert_eq!(
        (list.api_version.as_str(), list.kind.as_str()),
        ("etcd-cat/v1", "BackupList")
    );
    let versions = list.items.into_iter().map(|one| one.version.openshift);
    versions.map(Option::unwrap_or_default).collect()
}

#[test]
fn a_version_is_matched_as_a_whole() {
    let env = filled();
    for (version, count) in [
        ("4.17.3", 5),
        ("4.17.30", 1),
        ("4.17.3-rc.1", 1),
        ("4.8.14", 0),
        ("4.17.2", 0),
    ] {
        let ran = list(&env, &["--valid-for", version]);
        let found = versions(&ran);
        assert!(
            found.iter().all(|one| one == version),
            "{version}: {found:?}"
        );
        assert!(
            ran.code == Some(i32::from(found.is_empty())),
            "{version}: {ran:#?}"
        );
        assert!(
            count == 0 || found.len() <= count && !found.is_empty(),
            "{version}: {found:?}"
        );
    }
    let ran = list(&env, &["--valid-for", "4.17.4"]).ends_with(1);
    assert!(versions(&ran).is_empty());
    assert!(ran.stderr.contains("--all shows why"), "{}", ran.stderr);
}

#[test]
fn half_a_version_is_refused_with_the_remedy() {
    let env = TestEnv::new();
    for version in ["4.17", "4", "v4.17.3 ", "latest", "", "4.17.03"] {
        let ran = list(&env, &["--valid-for", version]);
        if version.trim() == "v4.17.3" {
            continue;
        }
        let ran = ran.ends_with(2);
        assert!(ran.stdout.is_empty());
        assert_eq!(ran.error()["code"], "usage", "{version}");
    }
    let ran = list(&env, &["--valid-for", "4.17"]).ends_with(2);
    assert!(
        ran.stderr.contains("give the whole version, e.g. 4.17.3"),
        "{}",
        ran.stderr
    );
}

#[test]
fn all_shows_the_others_with_the_reason_against_each() {
    let env = filled();
    let ran = list(&env, &["--valid-for", "4.17.3", "--all"]).ends_with(0);
    let list: BackupList = ran.json();
    assert_eq!(list.items.len(), 15);
    for backup in &list.items {
        let reasons = backup.reasons_against.as_ref().expect("there is a target");
        let qualifies = backup.version.openshift.as_deref() == Some("4.17.3")
            && matches!(backup.verdict.as_str(), "valid" | "warning");
        assert_eq!(
            reasons.is_empty(),
            qualifies,
            "{}: {reasons:?}",
            backup.path()
        );
    }
    let table = env
        .run(&["list", "--valid-for", "4.17.3", "--all", "--as-of", NOW])
        .ends_with(0);
    assert!(
        table.stdout.contains("upgrade-in-progress"),
        "{}",
        table.stdout
    );
}

#[test]
fn filters_narrow_by_cluster_and_time() {
    let env = filled();
    let count = |arguments: &[&str], code: i32| {
        let ran = list(&env, arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        versions(&ran).len()
    };
    assert_eq!(count(&["--cluster", "prod-7xk2p", "--all"], 1), 6);
    assert_eq!(count(&["--cluster", "prod", "--all"], 1), 6);
    assert_eq!(
        count(
            &["--cluster", "3a5f1c9e-7d24-4b8e-9c61-52f0a7e4d301", "--all"],
            1
        ),
        6
    );
    assert_eq!(count(&["--cluster", "lab"], 1), 1);
    assert_eq!(count(&["--cluster", "nowhere"], 1), 0);
    assert_eq!(count(&["--since", "2024-11-08", "--cluster", "prod"], 0), 2);
    assert_eq!(count(&["--max-age", "26h", "--cluster", "edge"], 1), 0);
    assert_eq!(count(&["--max-age", "80h", "--cluster", "edge"], 0), 2);
    assert_eq!(
        count(
            &[
                "--max-age",
                "7d",
                "--valid-for",
                "4.17.3",
                "--cluster",
                "prod"
            ],
            0
        ),
        2
    );
    let ran = list(&env, &["--cluster", "nowhere"]);
    assert!(
        ran.stderr.contains("prod-7xk2p"),
        "names the known ones: {}",
        ran.stderr
    );
    let ran = list(&env, &["--max-age", "7"]).ends_with(2);
    assert!(
        ran.stderr.contains("such as 90m, 26h or 7d"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_accepted_finding_does_not_count_and_the_answer_says_so() {
    let env = filled();
    let accepted = ["--accept", "upgrade-in-progress", "--cluster", "prod"];
    let mut arguments = vec!["--since", "2024-10-26"];
    arguments.extend(accepted);
    let ran = list(&env, &arguments);
    let found: BackupList = ran.json();
    let backup = found
        .items
        .iter()
        .find(|one| one.path().contains("prod-upgrade"))
        .expect("shown");
    assert_eq!(backup.accepted, ["upgrade-in-progress"]);
    assert!(backup.codes().contains(&"upgrade-in-progress"));
    let table = env.run(&[
        "show",
        backup.id(),
        "--accept",
        "upgrade-in-progress",
        "--as-of",
        NOW,
    ]);
    assert!(table.stdout.contains("accepted"), "{}", table.stdout);
    let ran = list(&env, &["--accept", "no-such-code"]).ends_with(2);
    assert_eq!(ran.error()["code"], "usage");
}

#[test]
fn references_are_prefixes_latest_and_latest_valid() {
    let env = filled();
    let show = |reference: &str| env.run(&["show", reference, "-o", "name", "--as-of", NOW]);
    for reference in ["27be", "27be558ad3a9", "27BE558A", "backup/27be558ad3a9"] {
        let ran = show(reference);
        assert_eq!(
            ran.stdout, "backup/27be558ad3a9\n",
            "{reference}: {}",
            ran.stderr
        );
    }
    for reference in ["latest", "latest-valid"] {
        let ran = show(reference).ends_with(2);
        assert!(
            ran.stderr.contains(" clusters: ") && ran.stderr.contains("prod-7xk2p"),
            "{}",
            ran.stderr
        );
    }
    for (reference, part) in [
        ("27b", "4"),
        ("ffff", "ffff"),
        ("", ""),
        ("latest-best", "latest-best"),
    ] {
        let ran = show(reference).ends_with(2);
        assert!(
            ran.stderr.contains(part) && ran.stderr.contains("hint: "),
            "{}",
            ran.stderr
        );
    }
    let path = samples::testdata().join("backups/lab/snapshot_2022-03-01_020000.db");
    assert_eq!(
        show(path.to_str().expect("plain")).stdout,
        "backup/af62fdd7901e\n"
    );
}

#[test]
fn the_check_chooses_the_newest_that_qualifies_and_says_how() {
    let env = filled();
    let check = |arguments: &[&str]| {
        let mut all = vec![
            "check",
            "-o",
            "json",
            "--as-of",
            NOW,
            "--valid-for",
            "4.17.3",
        ];
        all.extend(arguments);
        env.run(&all)
    };
    let ran = check(&["--cluster", "prod"]).ends_with(0);
    let answer: RestoreCheck = ran.json();
    assert_eq!(
        (answer.api_version.as_str(), answer.kind.as_str()),
        ("etcd-cat/v1", "RestoreCheck")
    );
    assert!(answer.restorable && !answer.plan.is_empty());
    assert_eq!(answer.target["version"], "4.17.3");
    let chosen = answer.chosen.expect("restorable");
    assert_eq!(chosen.id(), "f4af6a0b6d5a");
    assert!(answer.why_chosen.is_some() && answer.lost_seconds > Some(0));
    assert!(!answer.alternatives.is_empty() && !answer.steps.is_empty());
    assert!(
        answer
            .candidates
            .iter()
            .any(|one| one.id.is_some() && !one.reasons_against.is_empty())
    );
    let ran = check(&["--cluster", "lab"]).ends_with(1);
    let answer: RestoreCheck = ran.json();
    assert!(!answer.restorable && answer.chosen.is_none() && answer.plan.is_empty());
    assert!(answer.why_chosen.is_none() && answer.alternatives.is_empty());
    // Two clusters qualify: only the user knows which one is dead.
    let ran = check(&[]).ends_with(2);
    assert!(
        ran.stderr.contains("--cluster ") && ran.stderr.contains("prod-7xk2p"),
        "{}",
        ran.stderr
    );
    // The answer to the whole question in one go.
    let backups = samples::testdata().join("backups");
    let ran = env.run(&[
        "verify",
        "-o",
        "json",
        "--as-of",
        NOW,
        "--valid-for",
        "4.17.30",
        backups.to_str().expect("plain"),
    ]);
    let report: crate::cli::contract::VerifyReport = ran.ends_with(0).json();
    assert_eq!(report.only().id(), "4fa3b0cf9d39");
}
