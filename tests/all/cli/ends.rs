//! How each command ends: 0, 1 or 2, and what is said then.

use crate::cli::environment::{Ran, SOON, TestEnv};
use std::process::Stdio;

/// The healthy pair, but the digest does not match.
fn broken() -> TestEnv {
    let env = TestEnv::healthy();
    let path = env.path("data/snapshot_2024-11-02_030000.db");
    let mut bytes = std::fs::read(&path).expect("put there");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(path, bytes).expect("our own");
    env.run(&[
        "index",
        "--as-of",
        SOON,
        &env.text("data"),
        &env.text("keys"),
    ])
    .ends_with(1);
    env
}

#[test]
fn a_good_answer_is_0() {
    let env = TestEnv::indexed();
    let (data, to) = (env.text("data"), env.text("staged"));
    for arguments in [
        &["verify", &data][..],
        &["verify"],
        &["verify", "latest"],
        &["verify", "27be558ad3a9"],
        &["index"],
        &["list"],
        &["show", "latest"],
        &["check", "--valid-for", "4.17.3"],
        &["check", "--valid-for", "4.17.3", &data],
        &["stage", "latest-valid", "--to", &to],
        &["ls", "latest"],
        &["ls", "latest", "pods", "-n", "nowhere"],
        &["get", "latest", "nodes"],
        &["explain", "truncated"],
        &["metrics"],
        &["completions", "bash"],
        &["man"],
        &["forget", "27be", "--dry-run"],
        &["forget", "27be"],
        &["--version"],
        &["--help"],
    ] {
        let mut all = vec!["--as-of", SOON];
        if arguments[0].starts_with('-') {
            all.clear();
        }
        all.extend(arguments);
        let ran = env.run(&all);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:#?}");
        assert!(
            !ran.stderr.contains("error:"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_bad_answer_is_1() {
    let env = broken();
    let (data, to) = (env.text("data"), env.text("staged"));
    for arguments in [
        &["verify", &data][..],
        &["verify"],
        &["index"],
        &["list"],
        &["list", "--valid-for", "4.17.3"],
        &["show", "latest"],
        &["check", "--valid-for", "4.17.3"],
        &["stage", "latest", "--to", &to],
        &["ls", "latest"],
        &["get", "latest", "nodes"],
        &["history", "latest", "node", "n"],
    ] {
        let mut all = vec!["--as-of", SOON];
        all.extend(arguments);
        let ran = env.run(&all);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:#?}");
    }
    assert!(
        !env.path("staged").exists(),
        "nothing is staged that will not restore"
    );
}

#[test]
fn what_was_not_done_is_2_with_its_reason_and_json_last() {
    let env = TestEnv::indexed();
    let nowhere = env.text("nowhere");
    let to = env.text("data");
    for (arguments, code, part) in [
        (&["verify", &nowhere][..], "io", "No such file"),
        (&["verify", "nonsense"], "reference", "neither a file"),
        (&["verify", "/dev/zero"], "io", "character device"),
        (&["index", &nowhere], "io", "No such file"),
        (
            &["check", "--valid-for", "4.17.3", &nowhere],
            "io",
            "No such file",
        ),
        (&["show", "ffff"], "reference", "ffff"),
        (&["verify", "ffff"], "reference", "ffff"),
        (&["forget", "ffff"], "reference", "ffff"),
        (&["stage", "ffff", "--to", &nowhere], "reference", "ffff"),
        (&["ls", "ffff"], "reference", "ffff"),
        (&["ls"], "usage", "list"),
        (&["ls", &nowhere], "io", "No such file"),
        (&["get", "latest", "no-such-kind"], "usage", "no-such-kind"),
        (&["history", "latest", "nodes"], "usage", "name"),
        (&["stage", "latest", "--to", &to], "io", "empty"),
        (&["list", "--valid-for", "4.17"], "usage", "4.17"),
        (&["check"], "usage", "--valid-for"),
        (&["show"], "usage", "BACKUP"),
        (&["no-such-command"], "usage", "no-such-command"),
        (&["list", "--no-such-flag"], "usage", "--no-such-flag"),
        (
            &["list", "--as-of", "yesterday"],
            "usage",
            "2026-11-02T03:00:00Z",
        ),
        (&["list", "--jobs", "0"], "usage", "0"),
        (&["metrics", "--listen", ":9464"], "usage", "127.0.0.1:9464"),
        (
            &["metrics", "--listen", "203.0.113.1:9464"],
            "io",
            "203.0.113.1",
        ),
        (&["metrics", "--to", &to], "io", "something else lies there"),
        (&["explain", "no-such-code"], "usage", "no-such-code"),
        (&["list", "--catalogue", &to], "catalogue", "Is a directory"),
    ] {
        let as_of = |arguments: &[&str]| {
            let mut command = env.command(arguments);
            command.env("ETCD_CAT_AS_OF", SOON);
            Ran::of(command.output().expect("it starts"))
        };
        let mut all = vec!["-o", "json"];
        all.extend(arguments);
        let ran = as_of(&all);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:#?}");
        let error = ran.error();
        let object = error.as_object().expect("an object");
        let mut fields: Vec<&str> = object.keys().map(String::as_str).collect();
        fields.sort_unstable();
        let expected = ["code", "kind", "message", "remains"];
        assert_eq!(fields, expected, "{arguments:?}");
        assert_eq!(error["kind"], "Error", "{arguments:?}");
        assert_eq!(error["code"], code, "{arguments:?}: {error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(
            message.contains(part) || ran.stderr.contains(part),
            "{arguments:?}: {}",
            ran.stderr
        );
        // Without JSON: words for people, and what to do.
        let ran = as_of(arguments).ends_with(2);
        assert!(
            ran.stderr.starts_with("error: "),
            "{arguments:?}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("\"kind\":\"Error\""), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let env = TestEnv::indexed();
    for arguments in [
        &["list"][..],
        &["list", "-o", "json"],
        &["verify"],
        &["show", "latest"],
        &["metrics"],
        &["explain"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = env.command(arguments);
        command
            .env("ETCD_CAT_AS_OF", SOON)
            .stdout(writer)
            .stderr(Stdio::piped());
        let ran = Ran::of(command.output().expect("it starts"));
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:#?}");
        assert!(
            !ran.stderr.contains("error"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_full_disk_under_the_answer_is_an_error() {
    let env = TestEnv::indexed();
    let full = std::fs::File::options().write(true).open("/dev/full");
    let Ok(full) = full else { return };
    let mut command = env.command(&["list"]);
    command.stdout(full).stderr(Stdio::piped());
    let ran = Ran::of(command.output().expect("it starts")).ends_with(2);
    assert!(
        ran.stderr.contains("cannot write the answer"),
        "{}",
        ran.stderr
    );
}

#[test]
fn one_lost_file_does_not_stop_the_rest() {
    let env = TestEnv::healthy();
    let ran = env.run(&[
        "verify",
        "-o",
        "json",
        "--as-of",
        SOON,
        &env.text("data"),
        &env.text("keys"),
        &env.text("nowhere"),
    ]);
    let report: crate::cli::contract::VerifyReport = ran.ends_with(2).json();
    assert_eq!(report.only().verdict, "valid");
    assert!(
        report.skipped[0].path.ends_with("nowhere"),
        "{:?}",
        report.skipped
    );
    assert!(
        report.skipped[0].reason.contains("No such file"),
        "{:?}",
        report.skipped
    );
}
