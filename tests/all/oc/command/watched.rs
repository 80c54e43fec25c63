//! `etcd-cat metrics --from-cluster`: the version that runs beside what was saved of it.

use super::{ANSWERED_CLUSTER, Night, PREPARED_CLUSTER};
use crate::oc::cluster::TestResult;
use std::collections::BTreeSet;
use std::fs;

/// The series of a name, without it.
fn series(text: &str, name: &str) -> Vec<String> {
    let of_name = text.lines().filter_map(|line| line.strip_prefix(name));
    let labelled = of_name.filter(|line| line.starts_with('{'));
    labelled.map(str::to_owned).collect()
}

/// `cluster`, its id and the version as labels.
fn labels(name: &str, id: &str, version: &str) -> String {
    format!("{{cluster=\"{name}\",cluster_id=\"{id}\",version=\"{version}\"}} ")
}

#[test]
fn a_monitor_is_told_which_version_runs_and_what_restores_it() -> TestResult {
    let night = Night::new()?;
    night.back_up(&[])?.assert("happy", 0, "");
    fs::remove_file(night.path("log"))?;
    let told = night.run(&["metrics", "--from-cluster"])?;
    told.assert("the same version", 0, "");
    let (running, usable) = (
        "etcdcat_cluster_version_info",
        "etcdcat_newest_usable_backup_timestamp_seconds",
    );
    let same = labels("prod-7xk2p", PREPARED_CLUSTER, "4.17.3");
    assert_eq!(series(&told.stdout, running), [format!("{same}1")]);
    assert!(series(&told.stdout, usable)[0].starts_with(&same));
    // What docs/deploy/metrics.yaml lets it ask for, and nothing else.
    let asked = fs::read_to_string(night.path("log"))?;
    let gets = asked.lines().map(|line| line.split('\u{1f}').collect());
    let gets: Vec<Vec<&str>> = gets
        .filter(|words: &Vec<&str>| words.contains(&"get"))
        .collect();
    let named = gets.iter().filter_map(|words| {
        let get = words.iter().position(|word| *word == "get")?;
        words.get(get + 1).copied()
    });
    let allowed = BTreeSet::from([
        "clusterversions.config.openshift.io",
        "infrastructures.config.openshift.io",
    ]);
    assert_eq!(named.collect::<BTreeSet<_>>(), allowed, "{gets:?}");

    // Upgraded since: what is desired, and what the history has completed.
    let (old, new) = ("\"version\": \"4.17.3\"", "\"version\": \"4.17.4\"");
    night.cluster.edit("clusterversion", old, new)?;
    night.cluster.edit("clusterversion", old, new)?;
    let told = night.run(&["metrics", "--from-cluster"])?;
    told.assert("another version", 0, "");
    let other = labels("prod-7xk2p", PREPARED_CLUSTER, "4.17.4");
    assert_eq!(series(&told.stdout, running), [format!("{other}1")]);
    assert!(series(&told.stdout, usable)[0].starts_with(&same));
    assert_eq!(series(&told.stdout, usable).len(), 1);
    Ok(())
}

#[test]
fn a_running_cluster_without_a_backup_is_told_too() -> TestResult {
    let night = Night::new()?;
    night
        .cluster
        .edit("clusterversion", PREPARED_CLUSTER, ANSWERED_CLUSTER)?;
    let told = night.run(&["metrics", "--from-cluster"])?;
    told.assert("no backup", 0, "the catalogue is empty");
    let own = labels(ANSWERED_CLUSTER, ANSWERED_CLUSTER, "4.17.3");
    let running = series(&told.stdout, "etcdcat_cluster_version_info");
    assert_eq!(running, [format!("{own}1")]);
    Ok(())
}

#[test]
fn a_cluster_that_does_not_answer_leaves_the_last_file_as_it_is() -> TestResult {
    let night = Night::new()?;
    let file = night.path("etcd-cat.prom");
    let to = file.to_str().expect("a plain path");
    let arguments = ["metrics", "--from-cluster", "--to", to];
    night.run(&arguments)?.assert("logged in", 0, "");
    let before = fs::read_to_string(&file)?;
    assert!(before.contains("etcdcat_cluster_version_info{"), "{before}");
    night.cluster.scenario("logged_in=no")?;
    night.run(&arguments)?.assert("logged out", 2, "oc login");
    assert_eq!(fs::read_to_string(&file)?, before);
    Ok(())
}
