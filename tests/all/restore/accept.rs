//! A finding that was accepted leaves its trace.

use crate::restore::Tree;
use crate::restore::tree::{NOW, findings, text};

/// Invalid for one reason alone: the first rotation had not happened.
fn young() -> Tree {
    let tree = Tree::new();
    tree.pair(
        "fresh/snapshot_2024-11-05_090000.db",
        "fresh/static_kuberesources_2024-11-05_090000.tar.gz",
        "x",
    );
    tree
}

const ACCEPT: [&str; 2] = ["--accept", "taken-before-rotation"];

#[test]
fn an_accepted_finding_counts_no_more_and_is_remembered() {
    let tree = young();
    let root = tree.root();
    let verify = ["verify", text(&root), "-o", "json"];
    assert_eq!(tree.run(&verify).code, Some(1));
    let run = tree.run(&[&verify[..], &ACCEPT].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let backup = &run.json()["items"][0];
    assert_eq!(backup["verdict"], "warning");
    assert_eq!(
        findings(backup, "taken-before-rotation").len(),
        1,
        "it is still listed"
    );
    let verifications = backup["verifications"].as_array().expect("a list");
    let accepted: Vec<String> = verifications
        .iter()
        .map(|one| one["accepted"].to_string())
        .collect();
    assert_eq!(accepted, ["[]", "[\"taken-before-rotation\"]"]);
    let verdicts: Vec<&str> = verifications
        .iter()
        .filter_map(|one| one["verdict"].as_str())
        .collect();
    assert_eq!(verdicts, ["invalid", "warning"]);
}

#[test]
fn every_command_that_uses_a_verdict_takes_it() {
    let tree = young();
    tree.index();
    let root = tree.root();
    let rows: [(&[&str], Option<i32>, Option<i32>); 5] = [
        (&["list"], Some(1), Some(0)),
        (&["list", "--valid-for", "4.17.3"], Some(1), Some(0)),
        (&["show", "latest"], Some(1), Some(0)),
        (&["check", "--valid-for", "4.17.3"], Some(1), Some(0)),
        (&["index", text(&root)], Some(1), Some(0)),
    ];
    for (arguments, without, with) in rows {
        assert_eq!(tree.run(arguments).code, without, "{arguments:?}");
        let run = tree.run(&[arguments, &ACCEPT].concat());
        assert_eq!(run.code, with, "{arguments:?} {run:?}");
    }
    let run = tree.run(&[&["check", "--valid-for", "4.17.3"], &ACCEPT[..]].concat());
    assert!(
        run.stdout.contains("accepted taken-before-rotation: "),
        "{}",
        run.stdout
    );
}

#[test]
fn stage_needs_the_acceptance_and_says_so() {
    let tree = young();
    tree.index();
    let to = tree.beside("pair");
    let run = tree.run(&["stage", "latest", "--to", text(&to)]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stderr.contains("--accept taken-before-rotation"),
        "{run:?}"
    );
    assert!(!to.exists());
    let run = tree.run(&[&["stage", "latest", "--to", text(&to)], &ACCEPT[..]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr
            .contains("taken-before-rotation was found, as accepted"),
        "{run:?}"
    );
    assert_eq!(std::fs::read_dir(&to).expect("it was made").count(), 2);
}

#[test]
fn a_name_that_every_run_overwrites_is_no_damage() {
    let tree = Tree::new();
    tree.copy("prod/snapshot_2024-10-20_030000.db", "latest.db");
    tree.copy(
        "prod/static_kuberesources_2024-10-20_030000.tar.gz",
        "static_kuberesources_latest.tar.gz",
    );
    tree.index();
    tree.copy("prod/snapshot_2024-11-02_030000.db", "latest.db");
    tree.copy(
        "keys/prod/static_kuberesources_2024-11-02_030000.tar.gz",
        "static_kuberesources_latest.tar.gz",
    );
    let backup = tree.only(NOW);
    let told = findings(&backup, "file-changed");
    assert!(!told.is_empty(), "{backup:#}");
    assert!(
        told.iter().all(|(severity, _)| severity == "info"),
        "{told:?}"
    );
    // The other way round an old file has taken the place of a newer one.
    let tree = Tree::new();
    tree.copy("prod/snapshot_2024-11-02_030000.db", "latest.db");
    tree.index();
    tree.copy("prod/snapshot_2024-10-20_030000.db", "latest.db");
    let told = findings(&tree.only(NOW), "file-changed");
    assert!(
        told.iter().any(|(severity, _)| severity == "error"),
        "{told:?}"
    );
}
