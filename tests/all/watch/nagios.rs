//! `--nagios`: one line, and the four ends of a plugin.

use crate::cli::environment::{Ran, SOON, TestEnv};

/// One line on stdout, nothing on stderr.
#[track_caller]
fn line(ran: Ran, code: i32, beginning: &str) -> String {
    let ran = ran.ends_with(code);
    assert_eq!(ran.stdout.lines().count(), 1, "{ran:#?}");
    assert_eq!(
        ran.stderr
            .lines()
            .filter(|one| one.contains("note"))
            .count(),
        0
    );
    assert!(ran.stdout.starts_with(beginning), "{ran:#?}");
    ran.stdout
}

#[test]
fn check_tells_age_size_and_number() {
    let env = TestEnv::indexed();
    let check = |as_of: &str, more: &[&str]| {
        let all = [
            "check",
            "--nagios",
            "--valid-for",
            "4.17.3",
            "--as-of",
            as_of,
        ];
        env.run(&[&all, more].concat())
    };
    let ok = line(
        check(SOON, &[]),
        0,
        "ETCD-CAT OK - newest usable 179m of 4.17.3, 27be558ad3a9",
    );
    let numbers = ok.trim_end().split_once(" | ").expect("numbers").1;
    assert_eq!(
        numbers,
        "age=10793s;93600;180000;0 size=688160B;;;0 backups=1;;1:;0"
    );
    let late = "2024-11-03T06:00:00Z";
    line(check(late, &[]), 1, "ETCD-CAT WARNING - newest usable 26h");
    line(check(late, &["--warning", "48h"]), 0, "ETCD-CAT OK");
    line(check(late, &["--critical", "26h"]), 2, "ETCD-CAT CRITICAL");
    line(
        check(late, &["--max-age", "1h"]),
        2,
        "ETCD-CAT CRITICAL - none of ",
    );
    let all = [
        "check",
        "--nagios",
        "--valid-for",
        "4.17.30",
        "--as-of",
        SOON,
    ];
    let none = line(
        env.run(&all),
        2,
        "ETCD-CAT CRITICAL - none of 1 backups restores 4.17.30",
    );
    assert!(none.contains("age=U;"), "{none}");
}

#[test]
fn clusters_tells_how_many_are_in_trouble() {
    let env = TestEnv::indexed();
    let clusters = |as_of: &str| env.run(&["clusters", "--nagios", "--as-of", as_of]);
    let ok = line(
        clusters(SOON),
        0,
        "ETCD-CAT OK - the cluster has a usable backup, 179m old",
    );
    assert!(
        ok.contains("clusters=1;;1:;0 critical=0;;0;0 warning=0;0;;0"),
        "{ok}"
    );
    line(
        clusters("2024-11-03T06:00:00Z"),
        1,
        "ETCD-CAT WARNING - 1 of 1 clusters: prod-7xk2p 26h old",
    );
    line(
        clusters("2024-11-05T06:00:00Z"),
        2,
        "ETCD-CAT CRITICAL - 1 of 1 clusters: prod-7xk2p 3d",
    );
    line(
        TestEnv::new().run(&["clusters", "--nagios"]),
        2,
        "ETCD-CAT CRITICAL - no backup is known",
    );
}

#[test]
fn what_could_not_be_asked_is_unknown() {
    let env = TestEnv::indexed();
    let damaged = TestEnv::new();
    damaged.put("catalogue.redb", "this is no catalogue");
    for ran in [
        env.run(&["check", "--nagios"]),
        env.run(&["check", "--nagios", "--valid-for", "4.17"]),
        env.run(&["clusters", "--nagios", "--no-such-option"]),
        env.run(&["clusters", "--nagios", "--from-cluster", "--offline"]),
        env.run(&["check", "--nagios", "--valid-for", "4.17.3", "/nowhere"]),
        damaged.run(&["clusters", "--nagios"]),
    ] {
        let what = format!("{ran:#?}");
        let said = ran.ends_with(3).stdout;
        assert_eq!(said.lines().count(), 1, "{what}");
        assert!(said.starts_with("ETCD-CAT UNKNOWN - "), "{what}");
    }
}
