//! What the command prints and how it ends, without any backup: help, usage errors, explanations.

use assert_cmd::Command;
use std::process::Output;

/// The command in an empty environment.
fn etcd_cat(arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("etcd-cat"));
    command.env_clear().args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    etcd_cat(arguments).output().expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

const COMMANDS: [&str; 18] = [
    "index",
    "verify",
    "list",
    "show",
    "check",
    "stage",
    "ls",
    "get",
    "diff",
    "history",
    "backup",
    "forget",
    "fleet",
    "metrics",
    "report",
    "explain",
    "completions",
    "man",
];

#[test]
fn every_command_has_help_and_the_whole_lists_them() {
    let whole = text(&run(&["--help"]).stdout);
    for command in COMMANDS {
        assert!(whole.contains(&format!("\n  {command} ")), "{command}");
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(
            text(&output.stdout).contains("Examples:\n  etcd-cat ")
                || command == "stage"
                || command == "man",
            "{command}"
        );
        assert!(output.stderr.is_empty(), "{command}");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_prints_nothing_on_stdout() {
    for arguments in [
        &["list", "--valid-for", "4.17"][..],
        &["list", "--no-such-flag"],
        &["no-such-command"],
        &["check"],
        &[],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_incomplete_version_is_answered_with_an_example() {
    let stderr = text(&run(&["list", "--valid-for", "4.17"]).stderr);
    assert!(
        stderr.contains("give the whole version, e.g. 4.17.3"),
        "{stderr}"
    );
}

#[test]
fn with_json_the_last_line_of_stderr_is_an_error_object() {
    for arguments in [
        &["list", "--accept", "digest-mising", "-o", "json"][..],
        &["--output=json", "show"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = text(&output.stderr);
        let last = stderr.lines().last().expect("a line");
        let error: serde_json::Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(error.get("kind"), Some(&"Error".into()), "{last}");
        assert_eq!(error.get("code"), Some(&"usage".into()), "{last}");
        assert!(
            error
                .get("message")
                .is_some_and(serde_json::Value::is_string),
            "{last}"
        );
    }
}

#[test]
fn options_come_from_the_environment_and_the_command_line_wins() {
    let output = etcd_cat(&["explain", "truncated"])
        .env("ETCD_CAT_OUTPUT", "json")
        .env("ETCD_CAT_QUIET", "yes")
        .env("ETCD_CAT_NO_PROGRESS", "")
        .output()
        .expect("the command starts");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document.get("code"), Some(&"truncated".into()));
    let output = etcd_cat(&["explain", "truncated", "-o", "name"])
        .env("ETCD_CAT_OUTPUT", "json")
        .output()
        .expect("the command starts");
    assert_eq!(text(&output.stdout), "truncated\n");
    let output = etcd_cat(&["explain"])
        .env("ETCD_CAT_QUIET", "maybe")
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn explain_lists_all_codes_and_explains_each() {
    let list = text(&run(&["explain"]).stdout);
    let names = text(&run(&["explain", "-o", "name"]).stdout);
    assert!(names.lines().count() > 45, "{names}");
    for name in names.lines() {
        assert!(list.lines().any(|line| line.starts_with(name)), "{name}");
    }
    let page = text(&run(&["explain", "digest-mismatch"]).stdout);
    assert!(page.starts_with("digest-mismatch (error)\n"), "{page}");
    assert!(page.contains("\nWhat to do\n  - "), "{page}");
    let stderr = text(&run(&["explain", "digest-mismach"]).stderr);
    assert!(stderr.contains("did you mean digest-mismatch"), "{stderr}");
}

#[test]
fn answers_on_a_pipe_are_plain() {
    for arguments in [&["explain"][..], &["explain", "truncated"], &["--help"]] {
        let output = run(arguments);
        assert!(!output.stdout.contains(&0x1b), "{arguments:?}");
    }
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            text(&run(&["completions", shell]).stdout).contains("etcd-cat"),
            "{shell}"
        );
    }
    assert!(text(&run(&["man"]).stdout).contains(".TH etcd-cat 1"));
    assert!(text(&run(&["man", "verify"]).stdout).contains(".TH etcd-cat-verify 1"));
    let output = run(&["man", "nothing"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: there is no command \"nothing\"\n"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    use std::process::Stdio;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("etcd-cat"))
        .env_clear()
        .args(["explain", "-o", "json"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let status = child.wait().expect("the command ends");
    assert_eq!(status.code(), Some(0));
}
