//! How each cluster stands, and how much is told at first contact.

use crate::cli::environment::{Ran, TestEnv};
use crate::support::samples;
use serde_json::Value;

const NOW: &str = "2024-11-09T06:00:00Z";

fn all() -> TestEnv {
    let env = TestEnv::new();
    run(&env, &["index", "-o", "name", &backups()]);
    env
}

fn backups() -> String {
    let backups = samples::testdata().join("backups");
    backups.to_str().expect("a plain name").to_owned()
}

fn run(env: &TestEnv, arguments: &[&str]) -> Ran {
    env.run(&[arguments, &["--as-of", NOW]].concat())
}

fn item(env: &TestEnv, arguments: &[&str], name: &str) -> Value {
    let all = [&["clusters", "-o", "json"], arguments].concat();
    let document: Value = run(env, &all).json();
    assert_eq!(document["kind"], "ClusterList");
    let items = document["items"].as_array().expect("a list");
    let mut items = items.iter();
    let found = items.find(|one| {
        one["name"]
            .as_str()
            .is_some_and(|found| found.starts_with(name))
    });
    found
        .unwrap_or_else(|| panic!("{name} in {document:#}"))
        .clone()
}

#[test]
fn each_cluster_has_one_row_with_its_newest_usable_backup() {
    let env = all();
    let prod = item(&env, &[], "prod-");
    assert_eq!(prod["version"], "4.17.3");
    assert_eq!(prod["newestUsable"]["id"], "f4af6a0b6d5a");
    assert!(
        prod["newestUsable"]["ageSeconds"]
            .as_i64()
            .is_some_and(|age| age > 3600),
        "{prod}"
    );
    assert!(prod["certificatesUntil"].is_string(), "{prod}");
    let page = run(&env, &["clusters"]).stdout;
    let rows = page.lines().filter(|line| line.starts_with("prod-"));
    assert_eq!(rows.count(), 1, "{page}");
    // The worst first.
    let states: Vec<&str> = page.lines().skip(1).collect();
    let first_ok = states.iter().position(|line| line.contains("  ok  "));
    let last_bad = states.iter().rposition(|line| line.contains("no usable"));
    assert!(first_ok.is_none() || last_bad < first_ok, "{page}");
}

#[test]
fn the_age_that_is_asked_for_decides_what_is_overdue() {
    let env = all();
    let young = run(&env, &["clusters", "--cluster", "prod", "--max-age", "26h"]).ends_with(0);
    assert!(young.stdout.contains("  ok  "), "{}", young.stdout);
    let old = run(&env, &["clusters", "--cluster", "prod", "--max-age", "1h"]).ends_with(1);
    assert!(old.stdout.contains("overdue"), "{}", old.stdout);
    let ran = run(&env, &["clusters", "--cluster", "nowhere"]).ends_with(1);
    assert!(
        ran.stderr.contains("no backup is of cluster"),
        "{}",
        ran.stderr
    );
    let ran = run(&TestEnv::new(), &["clusters"]).ends_with(1);
    assert!(
        ran.stderr.contains("the catalogue is empty"),
        "{}",
        ran.stderr
    );
}

#[test]
fn first_contact_with_many_backups_does_not_drown() {
    let env = TestEnv::new();
    let ran = run(&env, &["verify", "--no-catalogue", &backups()]).ends_with(1);
    let page = &ran.stdout;
    assert!(page.starts_with("CLUSTER"), "{page}");
    let of_prod = page.lines().find(|line| line.starts_with("prod-7xk2p"));
    assert!(
        of_prod.is_some_and(|line| line.contains("f4af6a0b6d5a")),
        "{page}"
    );
    // Each remedy once, and the usable ones only by their findings.
    let remedies: Vec<&str> = page
        .lines()
        .filter(|line| line.contains("to do: "))
        .collect();
    let mut distinct = remedies.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(remedies.len(), distinct.len(), "{page}");
    assert!(
        !page.lines().any(|line| line.starts_with("valid ")),
        "{page}"
    );
    let last = page.lines().last().unwrap_or_default();
    assert!(last.contains(" backups: "), "{last}");
    let verbose = run(&env, &["verify", "--no-catalogue", "-v", &backups()]).stdout;
    assert!(
        verbose.lines().any(|line| line.starts_with("valid ")),
        "{verbose}"
    );
}
