//! Where nothing is there is no success; what somebody pruned is told once; what was passed over is told.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{Ran, SOON, TestEnv};

fn run(env: &TestEnv, arguments: &[&str]) -> Ran {
    env.run(&[arguments, &["--as-of", SOON]].concat())
}

fn report(env: &TestEnv, arguments: &[&str], code: i32) -> VerifyReport {
    let ran = env.run(&[arguments, &["--as-of", SOON, "-o", "json"]].concat());
    ran.ends_with(code).json()
}

/// Two backups of one cluster, indexed.
fn two() -> TestEnv {
    let env = TestEnv::healthy();
    env.copy("backups/prod/snapshot_2024-11-09_030000.db", "data");
    env.copy(
        "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
        "keys",
    );
    run(&env, &["index", "data", "keys"]).ends_with(0);
    env
}

#[test]
fn a_place_without_a_backup_is_a_bad_answer() {
    let env = TestEnv::healthy();
    std::fs::create_dir(env.path("empty")).expect("made");
    env.put("foreign/notes.txt", "nothing of ours");
    env.put("foreign/other.db", "nothing of ours either");
    for command in ["verify", "index"] {
        for (place, sentence) in [
            ("empty", "there is no file at all; is it mounted?"),
            ("foreign", "2 files there, none of them part of a backup"),
        ] {
            let ran = run(&env, &[command, place]).ends_with(1);
            assert!(
                ran.stdout.contains(sentence),
                "{command} {place}: {}",
                ran.stdout
            );
            // A good place beside it does not make it good.
            run(&env, &[command, "data", "keys", place]).ends_with(1);
        }
    }
    let found = report(&env, &["verify", "foreign"], 1);
    assert_eq!(found.locations[0].problem.as_deref(), Some("no-backup"));
    assert_eq!(found.locations[0].backups, 0);
    assert!(found.locations[0].path.ends_with("/foreign"));
    let message = found.locations[0].message.as_deref().unwrap_or_default();
    assert!(message.contains("no backup was found"), "{message}");
    assert_eq!(found.skipped[0].kind, "not-a-backup");
    assert!(!found.skipped[0].remedy.is_empty());
    let ran = run(&env, &["verify", "foreign"]);
    assert!(
        ran.stdout.trim_end().ends_with("1 skipped"),
        "{}",
        ran.stdout
    );
    let ran = TestEnv::new().run(&["list"]).ends_with(1);
    assert!(
        ran.stderr.contains("the catalogue is empty"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_somebody_pruned_is_told_once() {
    let env = two();
    for command in ["index", "verify"] {
        std::fs::rename(
            env.path("data/snapshot_2024-11-02_030000.db"),
            env.path("away.db"),
        )
        .expect("moved");
        let first = report(&env, &[command], 0);
        assert_eq!(first.items.len(), 1, "{command}");
        assert_eq!(first.changes.gone[0].id.as_deref(), Some("27be558ad3a9"));
        let path = first.changes.gone[0].path.as_deref().unwrap_or_default();
        assert!(path.ends_with("snapshot_2024-11-02_030000.db"), "{path}");
        assert!(
            report(&env, &[command], 0).changes.gone.is_empty(),
            "{command}"
        );
        // Asked for by name it is missing.
        run(&env, &["show", "27be"]).ends_with(1);
        let all = report(&env, &[command, "--all"], 1);
        assert_eq!(all.items.len(), 2, "{command}");
        std::fs::rename(
            env.path("away.db"),
            env.path("data/snapshot_2024-11-02_030000.db"),
        )
        .expect("moved back");
        let back = report(&env, &[command], 0);
        assert_eq!(back.items.len(), 2, "{command}");
    }
    std::fs::remove_file(env.path("data/snapshot_2024-11-02_030000.db")).expect("there");
    let told = run(&env, &["index"]).ends_with(0).stdout;
    assert!(
        told.contains("gone     27be558ad3a9") && told.contains("forget --missing"),
        "{told}"
    );
}

#[test]
fn a_place_where_none_remains_is_a_bad_answer_every_time() {
    let env = two();
    std::fs::rename(env.path("data"), env.path("elsewhere")).expect("moved");
    for _ in 0..2 {
        let found = report(&env, &["index"], 1);
        let data = &found.locations[0];
        assert_eq!(data.problem.as_deref(), Some("missing"), "{data:?}");
        assert!(found.changes.gone.is_empty());
    }
    std::fs::create_dir(env.path("data")).expect("made");
    for command in ["verify", "index", "verify"] {
        let ran = run(&env, &[command]).ends_with(1);
        assert!(
            ran.stdout.contains("2 backups lay there before"),
            "{}",
            ran.stdout
        );
    }
    // Nothing is dropped where nothing at all is left.
    let ran = run(&env, &["forget", "--missing"]).ends_with(0);
    assert!(
        ran.stderr.contains("2 records left alone"),
        "{}",
        ran.stderr
    );
    let ran = run(&env, &["locations"]).ends_with(1);
    assert!(ran.stdout.contains("nothing-left"), "{}", ran.stdout);
    std::fs::remove_dir(env.path("data")).expect("empty");
    std::fs::rename(env.path("elsewhere"), env.path("data")).expect("moved back");
    assert_eq!(report(&env, &["index"], 0).items.len(), 2);
    run(&env, &["locations"]).ends_with(0);
}

#[test]
fn a_lost_mount_is_a_bad_answer_every_time() {
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let env = TestEnv::healthy();
    let mount = |to: &std::path::Path| {
        let _ = std::fs::remove_file(env.path("mount"));
        std::os::unix::fs::symlink(to, env.path("mount")).expect("a link");
    };
    let sample = env.path("data/snapshot_2024-11-02_030000.db");
    std::fs::copy(&sample, memory.path().join("snapshot.db")).expect("copied");
    mount(memory.path());
    run(&env, &["index", "mount", "keys"]).ends_with(0);
    // What lies below the mount: an old backup that nobody means.
    env.copy("backups/prod/snapshot_2024-11-09_030000.db", "below");
    mount(&env.path("below"));
    for _ in 0..2 {
        let found = report(&env, &["index"], 1);
        let problem = found
            .locations
            .iter()
            .find_map(|one| one.problem.as_deref());
        assert_eq!(problem, Some("other-file-system"), "{:?}", found.locations);
    }
    mount(memory.path());
    report(&env, &["index"], 0);
    // Who names the place means it.
    mount(&env.path("below"));
    env.copy(
        "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
        "below",
    );
    let found = report(&env, &["index", "mount"], 0);
    assert_eq!(found.changes.new.len() + found.changes.changed.len(), 1);
    report(&env, &["index"], 0);
}

#[test]
fn records_of_removed_files_are_dropped_together() {
    let env = two();
    env.put(
        "data/copy.db",
        std::fs::read(env.path("data/snapshot_2024-11-09_030000.db")).expect("there"),
    );
    run(&env, &["index"]).ends_with(0);
    std::fs::remove_file(env.path("data/snapshot_2024-11-02_030000.db")).expect("there");
    std::fs::remove_file(env.path("data/copy.db")).expect("there");
    let dry = run(&env, &["forget", "--missing", "--dry-run", "-o", "name"]).ends_with(0);
    assert_eq!(dry.stdout, "backup/27be558ad3a9\n");
    let ran = run(&env, &["forget", "--missing"]).ends_with(0);
    assert!(
        ran.stderr
            .contains("forgot 1 record and 1 copy of another backup"),
        "{}",
        ran.stderr
    );
    assert!(
        env.list()
            .iter()
            .all(|one| one.id.as_deref() != Some("27be558ad3a9"))
    );
    let ran = run(&env, &["forget", "--missing"]).ends_with(0);
    assert!(ran.stderr.contains("forgot 0 records"), "{}", ran.stderr);
}

#[test]
fn locations_are_shown_and_dropped() {
    let env = two();
    let names = run(&env, &["locations", "-o", "name"]).ends_with(0).stdout;
    assert_eq!(
        names,
        format!("{}\n{}\n", env.text("data"), env.text("keys"))
    );
    let document: serde_json::Value = run(&env, &["locations", "-o", "json"]).json();
    assert_eq!(document["kind"], "LocationList");
    assert_eq!(document["items"][0]["backups"], 2);
    run(&env, &["locations", "--drop", "keys"]).ends_with(0);
    let names = run(&env, &["locations", "-o", "name"]).ends_with(0).stdout;
    assert_eq!(names, format!("{}\n", env.text("data")));
    let ran = run(&env, &["locations", "--drop", "keys"]).ends_with(2);
    assert!(
        ran.stderr.contains("is no remembered location"),
        "{}",
        ran.stderr
    );
    assert_eq!(env.list().len(), 2, "what is known stays known");
}

#[test]
fn furniture_of_file_systems_is_passed_over() {
    let env = TestEnv::healthy();
    let sample = std::fs::read(env.path("data/snapshot_2024-11-02_030000.db")).expect("there");
    for place in [
        "data/lost+found/#1234",
        "data/System Volume Information/tracking.db",
        "data/.Trash-1000/files/snapshot_2024-11-02_030000.db",
        "data/@eaDir/snapshot_2024-11-02_030000.db",
        "data/._snapshot_2024-11-02_030000.db",
    ] {
        env.put(place, &sample[..100]);
    }
    let found = report(&env, &["verify", "data", "keys"], 0);
    assert_eq!(found.items.len(), 1);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
}

#[test]
fn an_index_tells_what_is_new_or_changed() {
    let env = two();
    let quiet = run(&env, &["index"]).ends_with(0);
    assert!(!quiet.stdout.contains("27be558ad3a9"), "{}", quiet.stdout);
    assert!(run(&env, &["index", "-v"]).stdout.contains("27be558ad3a9"));
    env.copy("backups/prod/snapshot_2024-10-20_030000.db", "data");
    env.copy(
        "backups/prod/static_kuberesources_2024-10-20_030000.tar.gz",
        "data",
    );
    let found: VerifyReport = run(&env, &["index", "-q", "-o", "json"]).json();
    assert_eq!(found.changes.new.len(), 1, "{:?}", found.changes);
    assert_eq!(found.items.len(), 3);
}

#[test]
fn an_untouched_copy_is_not_condemned_for_what_was_written_elsewhere() {
    let env = two();
    let bytes = |name: &str| std::fs::read(env.path(name)).expect("there");
    // Somebody copies one snapshot over the other: its own place is as it was.
    let old = bytes("data/snapshot_2024-11-02_030000.db");
    env.put("data/snapshot_2024-11-09_030000.db", &old);
    let listed = env.list();
    let kept = listed
        .iter()
        .find(|one| one.id() == "27be558ad3a9")
        .expect("listed");
    assert_eq!(kept.verdict, "valid", "not unknown: {:#?}", kept.findings);
    let found: VerifyReport = run(&env, &["index", "-o", "json"]).json();
    let kept = found
        .items
        .iter()
        .find(|one| one.id() == "27be558ad3a9")
        .expect("found");
    assert_eq!(
        kept.finding("file-changed").severity,
        "info",
        "{:#?}",
        kept.findings
    );
    assert!(
        matches!(kept.verdict.as_str(), "valid" | "warning"),
        "{:#?}",
        kept.findings
    );
}
