//! What a person who does not know the program by heart is met with.

use crate::cli::contract::BackupList;
use crate::cli::environment::{SOON, TestEnv};
use crate::support::samples;

/// The samples of two clusters in the catalogue.
fn two_clusters() -> TestEnv {
    let env = TestEnv::new();
    for place in ["prod", "edge"] {
        let place = samples::testdata().join("backups").join(place);
        let ran = env.run(&["index", "-o", "name", place.to_str().expect("a plain name")]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
    }
    env
}

#[test]
fn a_cluster_is_meant_by_the_beginning_of_its_id_and_in_any_case() {
    let env = two_clusters();
    let count = |wanted: &str| {
        let ran = env.run(&["list", "-o", "json", "--cluster", wanted]);
        ran.json::<BackupList>().items.len()
    };
    let expected = count("prod-7xk2p");
    assert!(expected > 1);
    for wanted in ["PROD", "Prod-7XK2P", "3a5f1c9e", "3A5F"] {
        assert_eq!(count(wanted), expected, "{wanted}");
    }
    for wanted in ["3a5", "pro", "prod-"] {
        assert_eq!(count(wanted), 0, "{wanted}");
    }
    let ran = env.run(&["list", "--cluster", "pord"]).ends_with(1);
    assert!(
        ran.stderr.contains("did you mean prod-7xk2p"),
        "{}",
        ran.stderr
    );
}

#[test]
fn everything_with_a_code_is_explained() {
    let env = TestEnv::new();
    let explained = |code: &str| env.run(&["explain", code]).ends_with(0).stdout;
    for (code, part) in [
        ("digest-mismatch", "(error)"),
        ("too-young", "backup refuses"),
        ("not-logged-in", "oc login"),
        ("other-version", "does not qualify"),
        ("too-old", "--max-age"),
    ] {
        assert!(
            explained(code).contains(part),
            "{code}: {}",
            explained(code)
        );
    }
    let both = explained("rollout-in-progress");
    assert!(both.contains("As a reason of etcd-cat backup"), "{both}");
    let ran = env.run(&["explain", "to-young"]).ends_with(2);
    assert!(
        ran.stderr.contains("did you mean too-young"),
        "{}",
        ran.stderr
    );
    let all = env.run(&["explain"]).ends_with(0).stdout;
    for code in ["truncated", "no-space-node", "not-verified"] {
        assert!(all.contains(code), "{code}");
    }
}

#[test]
fn help_takes_a_command() {
    let env = TestEnv::new();
    let asked = env.run(&["help", "verify"]).ends_with(0).stdout;
    assert_eq!(asked, env.run(&["verify", "--help"]).ends_with(0).stdout);
    env.run(&["help"]).ends_with(0);
}

#[test]
fn moments_have_whole_seconds() {
    let env = TestEnv::healthy();
    env.run(&["index", "--as-of", SOON, "data", "keys"])
        .ends_with(0);
    let ran = env.run(&["list", "-o", "json"]);
    let moments: Vec<&str> = ran
        .stdout
        .split('"')
        .filter(|text| text.len() > 18 && text.ends_with('Z') && text.starts_with("20"))
        .collect();
    assert!(moments.len() > 4, "{}", ran.stdout);
    for moment in moments {
        assert_eq!(moment.len(), "2024-11-02T03:00:00Z".len(), "{moment}");
    }
}

#[test]
fn the_same_data_without_its_trailer_is_another_record() {
    let env = TestEnv::healthy();
    let path = env.path("data/snapshot_2024-11-02_030000.db");
    let whole = std::fs::read(path).expect("put there");
    env.put(
        "raw/snapshot_2024-11-02_030000.db",
        &whole[..whole.len() - 32],
    );
    env.run(&[
        "index", "--as-of", SOON, "-o", "name", "data", "keys", "raw",
    ]);
    let records = env.list();
    assert_eq!(records.len(), 2, "{records:#?}");
    assert_eq!(records[0].id, records[1].id);
    // Only one of them can be restored from: it is meant.
    let ran = env
        .run(&["show", "27be558ad3a9", "--as-of", SOON])
        .ends_with(0);
    assert!(
        ran.stdout.contains("data/snapshot_2024-11-02_030000.db"),
        "{}",
        ran.stdout
    );
    // Neither is any more.
    env.run(&[
        "verify", "-o", "name", "--as-of", SOON, "data", "keys", "raw",
    ]);
    let expired = "2044-11-02T06:00:00Z";
    let ran = env
        .run(&["show", "27be558ad3a9", "--as-of", expired])
        .ends_with(2);
    for place in ["data/snapshot_", "raw/snapshot_"] {
        assert!(ran.stderr.contains(place), "{}", ran.stderr);
    }
}

#[test]
fn a_lone_snapshot_from_a_pipe_is_judged_alone() {
    use std::io::Write as _;
    let env = TestEnv::healthy();
    let bytes = std::fs::read(env.path("data/snapshot_2024-11-02_030000.db")).expect("there");
    let mut child = env
        .command(&["verify", "-", "--as-of", SOON])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(&bytes).expect("it reads");
    drop(pipe);
    let ran = crate::cli::environment::Ran::of(child.wait_with_output().expect("it ends"));
    let ran = ran.ends_with(0);
    assert!(
        !ran.stdout.contains("kuberesources-missing"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("was not looked for"), "{}", ran.stderr);
}

#[test]
fn what_is_new_in_the_catalogue_can_be_listed() {
    let env = TestEnv::healthy();
    env.run(&["index", "--as-of", SOON, "data", "keys"])
        .ends_with(0);
    let ran = env
        .run(&["list", "--first-seen", "1d", "-o", "name", "--as-of", SOON])
        .ends_with(0);
    assert_eq!(ran.stdout, "backup/27be558ad3a9\n");
    let ran = env
        .run(&["list", "--first-seen", "2099-01-01", "--as-of", SOON])
        .ends_with(1);
    assert!(
        ran.stderr.contains("no backup was first seen"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_manual_page_has_the_sections_that_people_look_for() {
    let env = TestEnv::new();
    for arguments in [&["man"][..], &["man", "verify"]] {
        let page = env.run(arguments).ends_with(0).stdout;
        for section in ["\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "EXAMPLES"] {
            assert!(
                page.contains(&format!(".SH {section}")),
                "{section}: {page}"
            );
        }
        assert!(page.contains("ETCD_CAT_"), "{page}");
    }
}

#[test]
fn a_backup_shows_when_its_certificates_end() {
    let env = TestEnv::healthy();
    env.run(&["index", "--as-of", SOON, "data", "keys"])
        .ends_with(0);
    let page = env
        .run(&["show", "27be", "--as-of", SOON])
        .ends_with(0)
        .stdout;
    let section = page.split("\nCERTIFICATES\n").nth(1).unwrap_or_default();
    assert!(section.starts_with("  needed"), "{page}");
}
