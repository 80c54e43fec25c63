//! Every reason not to begin: told by its name, exit code 2, overridden only by its own name.

use super::Night;
use crate::oc::cluster::{Cluster, TestResult};
use std::fs;

type Change = fn(&Cluster) -> TestResult;

fn operator(cluster: &Cluster, condition: &str, from: &str, to: &str) -> TestResult {
    let text = |status| {
        format!("\"status\": \"{status}\",\n                        \"type\": \"{condition}\"")
    };
    cluster.edit("clusteroperators", &text(from), &text(to))
}

/// An hour before the instant that `--as-of` names.
fn installed_an_hour_ago(cluster: &Cluster) -> TestResult {
    cluster.edit(
        "clusterversion",
        "2024-09-01T08:00:00Z",
        "2024-11-02T03:00:00Z",
    )
}

const REFUSALS: [(&str, Change, &str, bool); 12] = [
    (
        "not-logged-in",
        |c| Ok(c.scenario("logged_in=no")?),
        "must be logged in to the server",
        false,
    ),
    (
        "not-logged-in",
        |c| Ok(c.scenario("configured=no")?),
        "oc login",
        false,
    ),
    (
        "forbidden",
        |c| Ok(c.scenario("denied='|create pods|'")?),
        "not allowed to create pods",
        false,
    ),
    (
        "hosted-control-plane",
        |c| c.edit("infrastructure", "\"HighlyAvailable\"", "\"External\""),
        "topology External",
        false,
    ),
    (
        "upgrade-in-progress",
        |c| c.edit("clusterversion", "\"Completed\"", "\"Partial\""),
        "is Partial",
        true,
    ),
    (
        "rollout-in-progress",
        |c| operator(c, "Progressing", "False", "True"),
        "Progressing is True",
        true,
    ),
    (
        "operator-degraded",
        |c| operator(c, "Degraded", "False", "True"),
        "Degraded is True",
        true,
    ),
    (
        "operator-unknown",
        |c| Ok(c.scenario("sick_at='get clusteroperators*'")?),
        "etcdserver: request timed out",
        true,
    ),
    (
        "too-young",
        installed_an_hour_ago,
        "expected 24 hours ago or earlier",
        true,
    ),
    (
        "no-space-node",
        |c| Ok(c.scenario("df=full")?),
        "on the host has 1024 bytes free",
        false,
    ),
    (
        "no-space-local",
        huge_database,
        "bytes free, expected",
        true,
    ),
    (
        "no-healthy-node",
        |c| {
            c.edit(
                "etcd-pods",
                "\"nodeName\": \"master-1\"",
                "\"nodeName\": \"x\"",
            )
            .and_then(|()| {
                c.edit(
                    "etcd-pods",
                    "\"nodeName\": \"master-2\"",
                    "\"nodeName\": \"x\"",
                )
            })
        },
        "the etcd pod on master-1 is not Ready",
        false,
    ),
];

fn huge_database(cluster: &Cluster) -> TestResult {
    let file = fs::File::create(cluster.path("host/var/lib/etcd/member/snap/db"))?;
    Ok(file.set_len(1 << 43)?)
}

#[test]
fn each_reason_ends_with_2_and_says_its_name() -> TestResult {
    for (code, change, says, is_forceable) in REFUSALS {
        let night = Night::new()?;
        change(&night.cluster)?;
        let ended = night.back_up(&[])?;
        ended.assert(code, 2, says);
        assert!(
            ended
                .stderr
                .contains(&format!("error: no backup is taken: {code}: ")),
            "{ended:#?}"
        );
        assert_eq!(ended.stdout, "", "{code}");
        let offers = ended.stderr.contains(&format!("--force {code}"));
        let is_alone = !ended.stderr.contains("; no-space");
        assert_eq!(offers, is_forceable && is_alone, "{ended:#?}");
        night.assert_nothing_happened(code)?;
        let ended = night.back_up(&["-o", "json"])?;
        let last = ended.stderr.lines().last().ok_or("an error object")?;
        let error: serde_json::Value = serde_json::from_str(last)?;
        assert_eq!(error["code"], "refused", "{last}");
    }
    Ok(())
}

#[test]
fn hours_to_be_spared_refuse_and_can_be_overridden() -> TestResult {
    let night = Night::new()?;
    // By the clock of `--as-of`, as everything that is judged.
    let always = ["--not-during", "03:30-04:30"];
    let ended = night.back_up(&always)?;
    let says = "no backup is taken: not-during: it is 2024-11-02T04:00:00Z, expected outside 03:30-04:30 UTC";
    ended.assert("not during", 2, says);
    night.assert_nothing_happened("not during")?;
    let ended = night.back_up(&[&always[..], &["--force", "not-during"]].concat())?;
    ended.assert("forced", 0, "overridden: not-during");
    assert!(
        ended.stdout.contains("  overridden: not-during: it is "),
        "{ended:#?}"
    );
    let shown = night.run(&["show", "latest", "-o", "json"])?.json()?;
    assert!(
        shown["provenance"]["forced"]
            .to_string()
            .contains("not-during"),
        "{shown}"
    );
    Ok(())
}

#[test]
fn what_was_forced_before_does_not_fail_verification_after() -> TestResult {
    let night = Night::new()?;
    operator(&night.cluster, "Progressing", "False", "True")?;
    let ended = night.back_up(&["--force", "rollout-in-progress"])?;
    ended.assert("rollout", 0, "overridden: rollout-in-progress");
    assert!(ended.stdout.contains("possibly-dirty"), "{ended:#?}");
    let log = night.cluster.log_lines();
    assert!(
        log.iter()
            .any(|line| line.contains("cluster-backup.sh --force "))
    );
    let night = Night::new()?;
    let upgrade = super::sample("prod-upgrade");
    fs::copy(
        upgrade.join("snapshot_2024-10-27_030000.db"),
        night.path("host/prepared.db"),
    )?;
    fs::copy(
        upgrade.join("static_kuberesources_2024-10-27_030000.tar.gz"),
        night.path("host/prepared.tar.gz"),
    )?;
    night.script("stamp=2024-10-27_030000\nstatus_line=\nendpoint=https://192.0.2.10:2379")?;
    night
        .cluster
        .edit("clusterversion", "\"Completed\"", "\"Partial\"")?;
    // The host whose static pods these are.
    night.cluster.edit("nodes", "\"Unknown\"", "\"True\"")?;
    night.cluster.edit("etcd-pods", "\"False\"", "\"True\"")?;
    let ended = night.back_up(&["--force", "upgrade-in-progress", "--node", "master-0"])?;
    ended.assert("upgrade", 0, "overridden: upgrade-in-progress");
    assert!(
        ended.stdout.contains("accepted        upgrade-in-progress"),
        "{ended:#?}"
    );
    let listed = night.list()?;
    assert_eq!(
        listed[0]["verdict"], "invalid",
        "accepted for this run only"
    );
    Ok(())
}

/// How the script runs when the API server does not tell how the operators are, and what is recorded of it.
#[test]
fn what_the_api_server_does_not_tell_is_overridden_in_the_script_too() -> TestResult {
    let runs = |night: &Night| -> Vec<bool> {
        let log = night.cluster.log_lines();
        log.iter()
            .filter_map(|line| line.split_once("cluster-backup.sh "))
            .map(|(_, arguments)| arguments.starts_with("--force "))
            .collect()
    };
    let unknown = "operator-unknown";
    let night = Night::new()?;
    night.cluster.scenario("sick_at='get clusteroperators*'")?;
    let ended = night.back_up(&["--force", unknown])?;
    ended.assert("asked by us", 0, "overridden: operator-unknown: ");
    assert_eq!(runs(&night), [true]);
    // Here it answers, and the script on its host is not answered.
    let night = Night::new()?;
    night.script("operators=unknown")?;
    let ended = night.back_up(&[])?;
    ended.assert("not forced", 2, "could not read the status of etcd");
    assert!(
        ended.stderr.contains("--force operator-unknown"),
        "{ended:#?}"
    );
    night.assert_nothing_happened("not forced")?;
    let ended = night.back_up(&["--force", unknown])?;
    ended.assert("asked by the script", 0, "overridden: operator-unknown: ");
    assert_eq!(runs(&night), [false, false, true]);
    let shown = night.run(&["show", "latest", "-o", "json"])?.json()?;
    let forced = &shown["provenance"]["forced"][0];
    assert_eq!(
        forced,
        "operator-unknown: cluster-backup.sh could not read the status of etcd"
    );
    // A rollout that began after the look beforehand; what is forced is that and nothing else.
    let night = Night::new()?;
    night.script("operators=progressing")?;
    let ended = night.back_up(&["--force", unknown])?;
    ended.assert("another reason", 2, "--force rollout-in-progress");
    let ended = night.back_up(&["--force", "rollout-in-progress"])?;
    ended.assert("rollout", 0, "overridden: rollout-in-progress: ");
    assert!(ended.stdout.contains("possibly-dirty"), "{ended:#?}");
    Ok(())
}

#[test]
fn an_unknown_or_stubborn_reason_cannot_be_forced() -> TestResult {
    let night = Night::new()?;
    for code in ["forbidden", "no-such-reason"] {
        night.back_up(&["--force", code])?.assert(code, 2, code);
    }
    assert!(night.cluster.log().is_empty());
    Ok(())
}

#[test]
fn oc_that_is_missing_or_answers_nonsense_is_told() -> TestResult {
    let night = Night::new()?;
    let ended = night.back_up(&["--oc", "/nowhere/oc"])?;
    ended.assert("missing", 2, "`/nowhere/oc` was not found");
    night.cluster.scenario("reachable=no")?;
    night
        .back_up(&[])?
        .assert("unreachable", 2, "no route to host");
    night.cluster.scenario("")?;
    fs::write(night.path("answers/nodes.json"), "<html>SECRET</html>")?;
    let ended = night.back_up(&[])?;
    ended.assert("garbage", 2, "expected the JSON of a Kubernetes object");
    assert!(!ended.stderr.contains("SECRET"));
    fs::write(night.path("answers/nodes.json"), "{}")?;
    night
        .back_up(&[])?
        .assert("no items", 2, "printed another shape");
    night.assert_nothing_happened("nonsense")
}
