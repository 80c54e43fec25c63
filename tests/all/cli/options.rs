//! Options, their environment variables, and the forms of the answer.

use crate::cli::contract::{BackupList, VerifyReport};
use crate::cli::environment::{Ran, SOON, TestEnv};

fn with(env: &TestEnv, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = env.command(arguments);
    command
        .env("ETCD_CAT_AS_OF", SOON)
        .envs(variables.iter().copied());
    Ran::of(command.output().expect("it starts"))
}

#[test]
fn every_option_has_a_variable_and_the_command_line_wins() {
    let env = TestEnv::indexed();
    let missing = env.text("none.redb");
    type Proof = fn(&Ran) -> bool;
    type Given = &'static [(&'static str, &'static str)];
    let rows: [(Given, &[&str], Proof); 12] = [
        (&[("ETCD_CAT_OUTPUT", "name")], &["list"], |ran| {
            ran.stdout == "backup/27be558ad3a9\n"
        }),
        (
            &[("ETCD_CAT_OUTPUT", "name")],
            &["list", "-o", "json"],
            |ran| ran.stdout.starts_with('{'),
        ),
        (&[("ETCD_CAT_VALID_FOR", "4.17.4")], &["list"], |ran| {
            ran.code == Some(1)
        }),
        (
            &[("ETCD_CAT_VALID_FOR", "4.17.4")],
            &["list", "--valid-for", "4.17.3"],
            |ran| ran.code == Some(0),
        ),
        (&[("ETCD_CAT_CLUSTER", "nowhere")], &["list"], |ran| {
            ran.code == Some(1)
        }),
        (&[("ETCD_CAT_MAX_AGE", "1h")], &["list"], |ran| {
            ran.code == Some(1)
        }),
        (&[("ETCD_CAT_SINCE", "2024-11-03")], &["list"], |ran| {
            ran.code == Some(1)
        }),
        (
            &[("ETCD_CAT_NO_CATALOGUE", "true")],
            &["list", "-o", "json"],
            |ran| ran.json::<BackupList>().items.is_empty(),
        ),
        (
            &[("ETCD_CAT_QUIET", "1"), ("ETCD_CAT_NO_CATALOGUE", "1")],
            &["list"],
            |ran| ran.stderr.is_empty(),
        ),
        (&[("ETCD_CAT_COLOR", "always")], &["list"], |ran| {
            ran.stdout.contains('\u{1b}')
        }),
        (&[("ETCD_CAT_JOBS", "0")], &["list"], |ran| {
            ran.code == Some(2)
        }),
        (
            &[("ETCD_CAT_ACCEPT", "truncated,digest-mismatch")],
            &["list"],
            |ran| ran.code == Some(0),
        ),
    ];
    for (variables, arguments, proof) in rows {
        let ran = with(&env, variables, arguments);
        assert!(proof(&ran), "{variables:?} {arguments:?}: {ran:#?}");
    }
    let ran = with(
        &env,
        &[("ETCD_CAT_CATALOGUE", &missing)],
        &["list", "-o", "json"],
    );
    assert!(ran.json::<BackupList>().items.is_empty());
    let ran = with(
        &env,
        &[("ETCD_CAT_ALL", "1"), ("ETCD_CAT_VALID_FOR", "4.17.4")],
        &["list", "-o", "json"],
    );
    assert_eq!(ran.json::<BackupList>().items.len(), 1);
    let to = env.text("staged");
    with(&env, &[("ETCD_CAT_TO", &to)], &["stage", "latest"]).ends_with(0);
    assert!(env.path("staged/snapshot_2024-11-02_030000.db").exists());
}

#[test]
fn the_same_answer_comes_in_every_form() {
    let env = TestEnv::indexed();
    for command in [
        &["list"][..],
        &["verify"],
        &["show", "latest"],
        &["check", "--valid-for", "4.17.3"],
    ] {
        let run = |form: &str| {
            let mut all = command.to_vec();
            all.extend(["-o", form]);
            with(&env, &[], &all).ends_with(0)
        };
        assert_eq!(run("name").stdout, "backup/27be558ad3a9\n", "{command:?}");
        for form in ["table", "wide"] {
            let text = run(form).stdout;
            for part in ["27be558ad3a9", "valid", "4.17.3"] {
                assert!(
                    text.contains(part),
                    "{command:?} {form} lacks {part}: {text}"
                );
            }
            assert!(!text.contains('\u{1b}'), "{command:?} {form}");
        }
        let mut json: serde_json::Value = run("json").json();
        let mut yaml: serde_json::Value = yaml_serde::from_str(&run("yaml").stdout).expect("YAML");
        for document in [&mut json, &mut yaml] {
            forget_the_clock(document);
        }
        assert_eq!(json, yaml, "{command:?}");
        assert!(run("json").stdout.ends_with("}\n"), "{command:?}");
    }
}

/// `verify` and `check` read again, so that each run has moments of its own.
fn forget_the_clock(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for field in ["verifiedAt", "verifications"] {
                fields.remove(field);
            }
            fields.values_mut().for_each(forget_the_clock);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_the_clock),
        _ => {}
    }
}

#[test]
fn a_narrow_window_or_no_colour_loses_nothing() {
    let env = TestEnv::indexed();
    for columns in ["20", "80", "300"] {
        let ran = with(
            &env,
            &[
                ("COLUMNS", columns),
                ("NO_COLOR", "1"),
                ("TERM", "xterm-256color"),
            ],
            &["list"],
        );
        assert!(ran.stdout.contains("27be558ad3a9"), "{}", ran.stdout);
        assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    }
}

#[test]
fn verify_needs_no_home_and_no_catalogue() {
    let env = TestEnv::healthy();
    let root = env.text("");
    let mut command = env.command(&[
        "verify",
        "-o",
        "json",
        "--as-of",
        SOON,
        "--no-catalogue",
        &root,
    ]);
    command.env_clear();
    let ran = Ran::of(command.output().expect("it starts")).ends_with(0);
    assert_eq!(ran.json::<VerifyReport>().only().verdict, "valid");
    assert!(!env.path("catalogue.redb").exists());
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
}

#[test]
fn verify_answers_where_the_default_catalogue_has_no_place() {
    let env = TestEnv::healthy();
    let root = env.text("");
    let arguments = ["verify", "-o", "json", "--as-of", SOON, &root];
    for home in [None, Some("/nonexistent"), Some("/proc")] {
        let Some(mut command) = env.command_of_nobody(&arguments) else {
            return;
        };
        command.envs(home.map(|home| ("HOME", home)));
        let ran = Ran::of(command.output().expect("it starts")).ends_with(0);
        assert_eq!(
            ran.json::<VerifyReport>().only().verdict,
            "valid",
            "{home:?}"
        );
        let is_told = home.is_none() || ran.stderr.contains("note: nothing is remembered");
        assert!(is_told, "{home:?}: {}", ran.stderr);
    }
}

#[test]
fn verify_answers_even_where_the_catalogue_cannot_be_written() {
    let env = TestEnv::healthy();
    let root = env.text("");
    for place in ["/proc/etcd-cat/catalogue.redb", "/dev/null/catalogue.redb"] {
        let ran = env.run(&[
            "verify",
            "-o",
            "json",
            "--as-of",
            SOON,
            "--catalogue",
            place,
            &root,
        ]);
        let report: VerifyReport = ran.json();
        assert_eq!(report.only().verdict, "valid", "{place}");
        // The question was answered; what was not done is said.
        assert!(
            ran.stderr.contains("--no-catalogue"),
            "{place}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_catalogue_of_garbage_is_told_and_left_alone() {
    let env = TestEnv::healthy();
    let path = env.put("catalogue.redb", vec![0x5a; 70_000]);
    let ran = env.run(&["list", "-o", "json"]).ends_with(2);
    let error = ran.error();
    assert_eq!(error["code"], "catalogue");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("damaged") && text.contains("index")),
        "{error}"
    );
    assert_eq!(
        std::fs::read(path).expect("still there"),
        vec![0x5a; 70_000]
    );
    let ran = env.run(&[
        "verify",
        "-o",
        "json",
        "--as-of",
        SOON,
        &env.text("data"),
        &env.text("keys"),
    ]);
    assert_eq!(ran.json::<VerifyReport>().only().verdict, "valid");
}

#[test]
fn offline_never_calls_oc() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::indexed();
    let called = env.path("called");
    let script = format!("#!/bin/sh\ntouch '{}'\nexit 1\n", called.display());
    let oc = env.put("oc", script);
    std::fs::set_permissions(&oc, std::fs::Permissions::from_mode(0o755)).expect("an executable");
    let (oc, to) = (env.text("oc"), env.text("taken"));
    for arguments in [
        ["backup", "--to", &to, "--offline"].as_slice(),
        &["--offline", "backup", "--to", &to, "--dry-run"],
        &["check", "--from-cluster", "--offline"],
    ] {
        let ran = with(&env, &[("ETCD_CAT_OC", &oc)], arguments).ends_with(2);
        assert!(ran.stderr.contains("--offline"), "{}", ran.stderr);
        assert!(!called.exists(), "{arguments:?}");
    }
    let offline = [("ETCD_CAT_OC", oc.as_str()), ("ETCD_CAT_OFFLINE", "1")];
    with(&env, &offline, &["check", "--valid-for", "4.17.3"]).ends_with(0);
    with(&env, &offline, &["check", "--from-cluster"]).ends_with(2);
    assert!(!called.exists());
    // The same without the option: it would have been called.
    with(&env, &[("ETCD_CAT_OC", &oc)], &["check", "--from-cluster"]).ends_with(2);
    assert!(called.exists());
}

#[test]
fn verbose_pages_tell_more_and_documents_the_same() {
    let env = TestEnv::indexed();
    for command in [["show", "latest"].as_slice(), &["explain"]] {
        let usual = with(&env, &[], command).stdout;
        let verbose = with(
            &env,
            &[("ETCD_CAT_OUTPUT", "table")],
            &[command, &["-v"]].concat(),
        );
        assert!(verbose.stdout.len() >= usual.len(), "{}", verbose.stdout);
        let json = |more: &[&str]| {
            with(
                &env,
                &[("ETCD_CAT_OUTPUT", "json")],
                &[command, more].concat(),
            )
        };
        assert_eq!(json(&[]).stdout, json(&["-v"]).stdout);
    }
    let data = env.text("data");
    let verified = |more: &[&str]| {
        with(
            &env,
            &[],
            &[&["verify", &data, "--no-catalogue"], more].concat(),
        )
    };
    let evidence = format!("\n           snapshot: {data}/");
    assert!(!verified(&[]).stdout.contains(&evidence));
    let verbose = verified(&["-v"]).stdout;
    assert!(verbose.contains(&evidence), "{verbose}");
}
