//! What is written of hand-made backups.

use super::{Family, Measurement};
use crate::backup::Backup;
use crate::catalogue::RunRecord;
use crate::clusters::RunningCluster;
use crate::fixture::{at, healthy, judged, kuberesources, located, only, snapshot};
use crate::inventory::Inventory;
use std::collections::{BTreeMap, BTreeSet};

fn text(backups: &[Backup], running: Option<&RunningCluster>) -> String {
    let run = RunRecord {
        ended_at: at("2024-11-03T01:00:00Z"),
        milliseconds: 61_007,
        bytes: 7,
        exit_code: 2,
        succeeded_at: Some(at("2024-11-02T01:00:00Z")),
        passed_over: vec![("dead-link".to_owned(), 3)],
    };
    let measurement = Measurement {
        program: "0.1.0",
        backups,
        runs: &BTreeMap::from([("verify".to_owned(), run)]),
        damaged_records: 0,
        running,
    };
    measurement.exposition()
}

/// The value of a series, whose name and labels are given as they stand.
fn value<'t>(text: &'t str, series: &str) -> Option<&'t str> {
    let found = text.lines().find_map(|line| line.strip_prefix(series))?;
    found.strip_prefix(' ')
}

const PROD: &str = r#"cluster="prod-7xk2p",cluster_id="id-of-prod""#;

#[test]
fn a_healthy_pair_is_one_usable_backup_of_its_cluster_and_version() {
    let mut backup = only(healthy());
    backup.verified_at = Some(at("2024-11-03T02:00:00Z"));
    let text = text(&[backup], None);
    for (series, expected) in [
        (
            format!("etcdcat_catalogue_backups{{{PROD},verdict=\"valid\"}}"),
            "1",
        ),
        (
            format!("etcdcat_catalogue_backups{{{PROD},verdict=\"invalid\"}}"),
            "0",
        ),
        (
            format!("etcdcat_cluster_version_info{{{PROD},version=\"4.17.3\"}}"),
            "1",
        ),
        (
            format!("etcdcat_newest_backup_timestamp_seconds{{{PROD}}}"),
            "1730516407",
        ),
        (
            format!("etcdcat_newest_usable_backup_timestamp_seconds{{{PROD},version=\"4.17.3\"}}"),
            "1730516407",
        ),
        (
            format!("etcdcat_newest_usable_backup_size_bytes{{{PROD},version=\"4.17.3\"}}"),
            "114446368",
        ),
        (
            format!("etcdcat_oldest_proof_timestamp_seconds{{{PROD}}}"),
            "1730599200",
        ),
        (
            format!("etcdcat_unpaired_files{{{PROD},kind=\"snapshot\"}}"),
            "0",
        ),
    ] {
        assert_eq!(value(&text, &series), Some(expected), "{series} in\n{text}");
    }
}

#[test]
fn of_a_run_that_failed_the_last_success_is_told_too() {
    let text = text(&[], None);
    for (series, expected) in [
        (
            "etcdcat_run_timestamp_seconds{run=\"verify\"}",
            "1730595600",
        ),
        (
            "etcdcat_run_success_timestamp_seconds{run=\"verify\"}",
            "1730509200",
        ),
        ("etcdcat_run_duration_seconds{run=\"verify\"}", "61.007"),
        ("etcdcat_run_exit_code{run=\"verify\"}", "2"),
        ("etcdcat_run_read_bytes{run=\"verify\"}", "7"),
        (
            "etcdcat_run_passed_over_files{run=\"verify\",kind=\"dead-link\"}",
            "3",
        ),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in\n{text}");
    }
}

#[test]
fn the_running_cluster_has_the_version_that_it_runs_even_without_a_backup() {
    let running = |id: &str| RunningCluster {
        id: id.to_owned(),
        version: "4.18.0".to_owned(),
    };
    let backups = [only(healthy())];
    let known = text(&backups, Some(&running("id-of-prod")));
    let series = format!("etcdcat_cluster_version_info{{{PROD},version=\"4.18.0\"}}");
    assert_eq!(value(&known, &series), Some("1"), "{known}");
    let unknown = text(&backups, Some(&running("another")));
    let labels = r#"cluster="another",cluster_id="another""#;
    let series = format!("etcdcat_catalogue_backups{{{labels},verdict=\"valid\"}}");
    assert_eq!(value(&unknown, &series), Some("0"), "{unknown}");
}

/// Names as an attacker would choose them, halves alone, many at one moment.
fn hostile() -> Vec<Backup> {
    let names = [
        "a\"} 7\netcdcat_build_info{x=\"",
        "b\\",
        "c\u{1}",
        "c\u{2}",
        "unknown",
        "\u{1b}[31mred",
        "",
    ];
    let mut inventory = Inventory::default();
    for (name, number) in names.into_iter().zip(10..) {
        let mut facts = snapshot("prod", number);
        facts.cluster.infrastructure_name = Some(name.to_owned());
        facts.cluster.id = (number % 2 == 0).then(|| format!("{name}{number}"));
        let path = format!("/b/{number}.db");
        inventory.snapshots.push(located(facts, &path));
    }
    let mut nameless = snapshot("prod", 30);
    nameless.cluster.infrastructure_name = None;
    nameless.cluster.id = None;
    inventory.snapshots.push(located(nameless, "/b/30.db"));
    let mut long = kuberesources("prod", 31);
    long.infrastructure_name = Some("x".repeat(100_000));
    inventory.kuberesources.push(located(long, "/b/31.tar.gz"));
    judged(inventory)
}

#[test]
fn hostile_names_stay_within_their_quotes_and_no_series_is_there_twice() {
    let text = text(&hostile(), None);
    assert!(text.ends_with('\n'));
    assert!(text.len() < 100_000, "{} bytes", text.len());
    let names: BTreeSet<&str> = Family::ALL.iter().map(|family| family.name()).collect();
    let mut series = BTreeSet::new();
    for line in text.lines() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        if line.starts_with("# HELP ") || line.starts_with("# TYPE ") {
            continue;
        }
        let (left, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = left.split_once('{').unwrap_or((left, "}"));
        assert!(names.contains(name) && labels.ends_with('}'), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert_eq!(quotes(labels) % 2, 0, "{line}");
        assert!(series.insert((name, labels)), "twice: {line}");
    }
}

/// Quotes that no backslash stands before.
fn quotes(labels: &str) -> usize {
    let mut count = 0;
    let mut is_escaped = false;
    for character in labels.chars() {
        match character {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => count += 1,
            _ => is_escaped = false,
        }
    }
    count
}

#[test]
fn many_backups_make_no_more_series() {
    let series = |count: u64| {
        let mut inventory = Inventory::default();
        for number in 0..count {
            let mut facts = snapshot("prod", number);
            facts.newest_lease_at = None;
            inventory
                .snapshots
                .push(located(facts, &format!("/b/{number}.db")));
        }
        text(&judged(inventory), None).lines().count()
    };
    assert_eq!(series(40), series(80));
}

#[test]
fn each_family_is_written_under_its_own_name_once() {
    let names: BTreeSet<&str> = Family::ALL.iter().map(|family| family.name()).collect();
    assert_eq!(names.len(), Family::ALL.len());
    let mut backup = only(healthy());
    backup.verified_at = Some(at("2024-11-03T02:00:00Z"));
    let text = text(&[backup], None);
    for family in Family::ALL {
        let name = family.name();
        let heads = text.lines().filter(|line| {
            let mut words = line.split(' ');
            words.next() == Some("#") && words.next() == Some("TYPE") && words.next() == Some(name)
        });
        // A healthy backup has no finding; one without certificates no horizon.
        let is_empty = matches!(family, Family::Findings | Family::NewestUsableCertificates);
        assert_eq!(heads.count(), usize::from(!is_empty), "{name}");
        assert!(family.help().ends_with('.'), "{name}");
    }
}
