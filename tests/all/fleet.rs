//! A proof by many workers comes to what one process says, whoever is killed on the way.

#![allow(
    clippy::indexing_slicing,
    reason = "a missing field of a document is a failed test"
)]

use crate::cli::environment::TestEnv;
use crate::support::samples;
use etcd_cat::catalogue::{Access, CatalogueStore as _, Operation, RedbStore, Table};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

const AS_OF: &str = "2024-11-10T00:00:00Z";

/// The samples, copied: other tests read them, too.
fn fleet() -> TestEnv {
    let env = TestEnv::new();
    let from = samples::testdata().join("backups");
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.expect("the samples can be listed");
        if entry.file_type().is_file() {
            let relative = entry.path().strip_prefix(&from).expect("below it");
            let to = env.path("backups").join(relative);
            std::fs::create_dir_all(to.parent().expect("a directory")).expect("made");
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
    env
}

fn plan(env: &TestEnv, run: &str, more: &[&str]) -> Value {
    let all = [
        &[
            "fleet", "plan", "backups", "--to", "results", "--run", run, "-o", "json",
        ],
        more,
    ];
    env.run(&all.concat()).ends_with(0).json()
}

fn work(env: &TestEnv, run: &str, shard: &str) -> Value {
    let plan = format!("results/{run}");
    let ran = env.run(&[
        "fleet", "work", "--plan", &plan, "--shard", shard, "-o", "json",
    ]);
    ran.ends_with(0).json()
}

fn merge(env: &TestEnv, run: &str, code: i32) -> Value {
    let plan = format!("results/{run}/plan.jsonl");
    let ran = env.run(&[
        "fleet", "merge", "--plan", &plan, "-o", "json", "--as-of", AS_OF,
    ]);
    ran.ends_with(code).json()
}

/// What is known of all backups, but for when it was learnt.
fn known(env: &TestEnv) -> Value {
    let mut list: Value = env
        .run(&["list", "--all", "-o", "json", "--as-of", AS_OF])
        .json();
    let items = list["items"].as_array_mut().expect("a list");
    assert!(items.len() >= 15, "{}", items.len());
    for item in items {
        for field in ["firstSeenAt", "verifiedAt", "verifications"] {
            assert!(
                item[field].is_string() || item[field].is_array(),
                "{item:#}"
            );
            item[field] = Value::Null;
        }
    }
    list
}

fn fragments(env: &TestEnv, run: &str, shard: u32) -> Vec<PathBuf> {
    let directory = env.path(&format!("results/{run}/shards/{shard}"));
    let entries = std::fs::read_dir(directory).expect("a worker was here");
    let paths = entries.map(|entry| entry.expect("listed").path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|one| one == "fragment"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn many_workers_come_to_what_one_process_says() {
    let env = fleet();
    let planned = plan(&env, "night", &["--shards", "4"]);
    assert_eq!(planned["shards"], 4);
    let mut objects = 0;
    for shard in ["2/4", "0", "3/4", "1"] {
        let done = work(&env, "night", shard);
        assert_eq!(done["resumed"], 0);
        objects += done["objects"].as_u64().expect("a number");
    }
    // An archive may be read by several.
    assert!(objects >= planned["objects"].as_u64().expect("a number"));
    let merged = merge(&env, "night", 1);
    assert_eq!(merged["objects"], objects);
    assert_eq!(merged["unknown"], 0, "{merged:#}");
    let by_many = known(&env);
    std::fs::remove_file(env.path("catalogue.redb")).expect("it is there");
    env.run(&["index", "backups", "-q", "--as-of", AS_OF]);
    assert_eq!(by_many, known(&env));
}

#[test]
fn a_worker_that_was_killed_goes_on_and_a_twin_does_no_harm() {
    let env = fleet();
    plan(&env, "night", &["--shards", "2"]);
    work(&env, "night", "0");
    let first = work(&env, "night", "1");
    // As if it had been killed before it could say that it was done, and a second fragment had been cut by the disk.
    std::fs::remove_file(env.path("results/night/shards/1/done.json")).expect("it is there");
    let again = work(&env, "night", "1");
    assert_eq!(again["objects"], first["objects"]);
    assert_eq!(again["resumed"], first["objects"]);
    assert_eq!(fragments(&env, "night", 1).len(), 1);
    std::fs::remove_file(env.path("results/night/shards/1/done.json")).expect("it is there");
    let fragment = fragments(&env, "night", 1).pop().expect("one");
    let mut bytes = std::fs::read(&fragment).expect("it is there");
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&fragment, bytes).expect("written");
    let third = work(&env, "night", "1");
    assert_eq!(
        (&third["objects"], &third["resumed"]),
        (&first["objects"], &0.into())
    );
    merge(&env, "night", 1);
    let once = known(&env);
    merge(&env, "night", 1);
    assert_eq!(once, known(&env));
}

#[cfg(feature = "object-stores")]
#[test]
fn results_lie_in_a_bucket_as_in_a_directory() {
    use crate::cli::environment::Ran;
    use crate::support::bucket_server::{BucketServer, What};
    let (env, server) = (fleet(), BucketServer::start());
    let run = |arguments: &[&str], code| {
        let mut command = env.command(&[arguments, &["-o", "json", "--as-of", AS_OF]].concat());
        command
            .env("ETCD_CAT_ENDPOINT", server.endpoint())
            .env("AWS_ACCESS_KEY_ID", "key-of-tests")
            .env("AWS_SECRET_ACCESS_KEY", "hunter2");
        Ran::of(command.output().expect("the command starts")).ends_with(code)
    };
    let results = "s3://backups/results/";
    let plan = ["fleet", "plan", "backups", "--to", results, "--shards", "2"];
    let night = [&plan[..], &["--run", "night"]].concat();
    let planned: Value = run(&night, 0).json();
    assert_eq!(planned["plan"], "s3://backups/results/night/plan.jsonl");
    let written = server.get("results/night/plan.jsonl").expect("a plan");
    let again = run(&night, 64);
    assert!(again.stderr.contains("is there already"), "{again:?}");
    assert!(server.get("results/night/plan.jsonl") == Some(written));
    let work = |shard| -> Value {
        let work = ["fleet", "work", "--plan", results, "--shard", shard];
        run(&work, 0).json()
    };
    work("0");
    let merge = ["fleet", "merge", "--plan", "s3://backups/results/night"];
    let early = run(&merge, 2);
    assert!(early.stderr.contains("not done yet: shard 1"), "{early:?}");
    let first = work("1");
    // As if it had been killed before it could say that it was done.
    server.remove("results/night/shards/1/done.json");
    assert_eq!(work("1")["resumed"], first["objects"]);
    run(&merge, 1);
    let by_many = known(&env);
    std::fs::remove_file(env.path("catalogue.redb")).expect("it is there");
    env.run(&["index", "backups", "-q", "--as-of", AS_OF]);
    assert_eq!(by_many, known(&env));
    // A store that refuses is worth another try, one that forbids is not.
    let work = [
        "fleet",
        "work",
        "--plan",
        "s3://backups/results/night",
        "--shard",
        "0",
    ];
    for (status, name, code) in [(503, "SlowDown", 75), (403, "AccessDenied", 64)] {
        server.fail("plan.jsonl", What::Status(status, name), 9);
        run(&work, code);
        server.mend();
    }
    // Nor is one where there is no such bucket; to list once more what is busy is.
    server.put("fleet/snapshot_2024-11-02_030000.db", b"x");
    let more = [
        ("s3://backups/nowhere", None, 64),
        ("s3://backups/fleet", Some((404, "NoSuchBucket")), 64),
        ("s3://backups/fleet", Some((403, "AccessDenied")), 64),
        ("s3://backups/fleet", Some((301, "PermanentRedirect")), 64),
        ("s3://backups/fleet", Some((503, "SlowDown")), 75),
    ];
    for (location, trouble, code) in more {
        if let Some((status, name)) = trouble {
            server.fail("list-type=2", What::Status(status, name), 9);
        }
        run(
            &["fleet", "plan", location, "--to", results, "--run", "x"],
            code,
        );
        server.mend();
    }
    // It is listed once, and what each object looked like is written down.
    server.take_asked();
    let listed = [
        "fleet",
        "plan",
        "s3://backups/fleet",
        "--to",
        results,
        "--run",
        "listed",
    ];
    run(&listed, 0);
    let asked = server.take_asked();
    let lists = asked.iter().filter(|line| line.contains("list-type=2"));
    assert_eq!(lists.count(), 1, "{asked:?}");
    let plan = server.get("results/listed/plan.jsonl").expect("a plan");
    assert!(
        String::from_utf8_lossy(&plan).contains("\"tag\":\""),
        "{plan:?}"
    );
    let inside = ["fleet", "plan", "s3://backups", "--to", results];
    let inside = run(&inside, 64);
    assert!(
        inside.stderr.contains("which is searched for backups"),
        "{inside:?}"
    );
}

#[test]
fn of_the_results_of_many_runs_the_last_by_name_is_meant() {
    let env = fleet();
    plan(&env, "2024-11-09", &["--shards", "1"]);
    plan(&env, "2024-11-10", &["--shards", "1"]);
    let work = ["fleet", "work", "--plan", "results", "--shard", "0"];
    env.run(&work).ends_with(0);
    assert!(env.path("results/2024-11-10/shards/0/done.json").exists());
    assert!(!env.path("results/2024-11-09/shards").exists());
    let nothing = ["fleet", "work", "--plan", "backups", "--shard", "0"];
    env.run(&nothing).ends_with(64);
}

#[test]
fn nothing_is_merged_before_every_share_is_done() {
    let env = fleet();
    plan(&env, "night", &["--shards", "3"]);
    work(&env, "night", "1");
    let other = ["fleet", "work", "--plan", "results/night", "--shard", "1/7"];
    let other = env.run(&other).ends_with(64);
    let expected = "the plan is for 3 workers, not for 7";
    assert!(other.stderr.contains(expected), "{}", other.stderr);
    let merge = ["fleet", "merge", "--plan", "results/night"];
    let ran = env.run(&merge).ends_with(2);
    assert!(
        ran.stderr.contains("not done yet: shard 0, 2"),
        "{}",
        ran.stderr
    );
    let waited = [merge.as_slice(), &["--wait", "1s"]].concat();
    env.run(&waited).ends_with(2);
    assert!(!env.path("catalogue.redb").exists());
}

#[test]
fn what_was_proven_recently_is_left_out_and_what_changed_is_not() {
    let env = fleet();
    plan(&env, "first", &["--shards", "1"]);
    work(&env, "first", "0");
    merge(&env, "first", 1);
    let again = plan(&env, "second", &["--proven-within", "30d"]);
    assert_eq!(again["objects"], 0, "{again:#}");
    assert!(again["recent"]["objects"].as_u64() > Some(20), "{again:#}");
    let changed = "backups/prod/snapshot_2024-11-02_030000.db";
    let bytes = std::fs::read(env.path(changed)).expect("there");
    std::fs::write(env.path(changed), &bytes[..bytes.len() - 1]).expect("written");
    let third = plan(&env, "third", &["--proven-within", "30d"]);
    // With its other half.
    assert_eq!(third["objects"], 2, "{third:#}");
    let small = plan(&env, "fourth", &["--budget", "1MB"]);
    assert!(small["bytes"].as_u64() <= Some(1_100_000), "{small:#}");
    assert!(
        small["overBudget"]["objects"].as_u64() > Some(10),
        "{small:#}"
    );
}

#[test]
fn what_the_catalogue_has_lost_is_no_proof() {
    let env = fleet();
    plan(&env, "first", &["--shards", "1"]);
    work(&env, "first", "0");
    merge(&env, "first", 1);
    let store = RedbStore::open(&env.path("catalogue.redb"), Access::Write);
    let mut store = store.expect("opened").expect("there");
    let mut records = Vec::new();
    let read = store.scan(Table::Snapshots, &[], &mut |key, value| {
        records.push((key.to_vec(), value.to_vec()));
    });
    read.expect("read");
    let (key, mut value) = records.pop().expect("a snapshot");
    *value.last_mut().expect("a record") ^= 1;
    let table = Table::Snapshots;
    let put = Operation::Put { table, key, value };
    store.apply(vec![put]).expect("written");
    drop(store);
    let again = "fleet plan backups --to results --run second -o json --proven-within 30d";
    let again: Vec<&str> = again.split(' ').collect();
    let again: Value = env.run(&again).ends_with(2).json();
    // With its other half.
    assert_eq!(again["objects"], 2, "{again:#}");
}

#[test]
fn what_went_or_was_replaced_since_the_plan_is_counted_and_not_read() {
    let env = fleet();
    plan(&env, "night", &["--shards", "1"]);
    std::fs::remove_file(env.path("backups/alarm/snapshot_2024-11-06_030000.db")).expect("there");
    env.put("backups/kms/snapshot_2024-11-08_030000.db", "another");
    let done = work(&env, "night", "0");
    assert_eq!(
        (&done["gone"], &done["replaced"]),
        (&1.into(), &1.into()),
        "{done:#}"
    );
    let plan = [
        "fleet",
        "merge",
        "--plan",
        "results/night",
        "--as-of",
        AS_OF,
    ];
    let ran = env.run(&plan);
    assert!(ran.stderr.contains("plan again"), "{}", ran.stderr);
}

#[test]
fn a_merge_is_told_in_the_metrics_and_the_report_that_it_writes() {
    let env = fleet();
    plan(&env, "night", &["--shards", "1"]);
    work(&env, "night", "0");
    let merge = [
        "fleet",
        "merge",
        "--plan",
        "results",
        "--metrics",
        "night.prom",
        "--report",
        "night.html",
        "--as-of",
        AS_OF,
    ];
    env.run(&merge).ends_with(1);
    let written = |name: &str| std::fs::read_to_string(env.path(name)).expect(name);
    let metrics = written("night.prom");
    for line in [
        "etcdcat_run_exit_code{run=\"fleet\"} 1",
        "etcdcat_run_success_timestamp_seconds{run=\"fleet\"} ",
        "etcdcat_newest_usable_backup_timestamp_seconds{cluster=\"prod-7xk2p\"",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let told = env.run(&["metrics", "--as-of", AS_OF]).ends_with(0);
    assert_eq!(told.stdout, metrics);
    assert!(written("night.html").contains("prod-7xk2p"));
    // Neither takes the place of what is not its own.
    env.put("mine", "mine");
    let other = [&merge[..4], &["--metrics", "mine"]].concat();
    env.run(&other).ends_with(2);
    assert_eq!(written("mine"), "mine");
}

#[test]
fn exit_codes_say_whether_a_job_should_try_again() {
    let env = fleet();
    plan(&env, "night", &["--shards", "2"]);
    let hopeless: [&[&str]; 8] = [
        &["fleet", "work", "--plan", "results/night", "--shard", "2"],
        &["fleet", "work", "--plan", "results/night", "--shard", "0/3"],
        &["fleet", "work", "--plan", "results/night"],
        &["fleet", "work", "--plan", "results/nowhere", "--shard", "0"],
        &["fleet", "work", "--shard", "0"],
        &[
            "fleet", "plan", "backups", "--to", "results", "--run", "night",
        ],
        &["fleet", "plan", "backups", "--to", "backups/results"],
        &["fleet", "plan", "backups/prod", "--to", "backups"],
    ];
    for arguments in hopeless {
        let ran = env.run(arguments);
        assert_eq!(ran.code, Some(64), "{arguments:?}: {}", ran.stderr);
    }
    // Cut by a disk that was full: the next look may find it whole.
    let plan = env.path("results/night/plan.jsonl");
    let text = std::fs::read_to_string(&plan).expect("a plan");
    let cut = text.replacen("sizeBytes", "sizeByte", 1);
    std::fs::write(&plan, cut).expect("written");
    let ran = env.run(&["fleet", "work", "--plan", "results/night", "--shard", "0"]);
    assert_eq!(ran.code, Some(64), "{}", ran.stderr);
    assert!(ran.stderr.contains("is no plan"), "{}", ran.stderr);
    std::fs::write(&plan, text).expect("written");
    env.put("results/night/shards", "a file where a directory should be");
    let ran = env.run(&["fleet", "work", "--plan", "results/night", "--shard", "0"]);
    assert_eq!(ran.code, Some(64), "{}", ran.stderr);
}

#[test]
fn a_location_that_is_not_there_was_mistyped_unless_it_was_there_before() {
    let env = fleet();
    let plan_of = |location: &str, code| {
        let ran = env.run(&["fleet", "plan", location, "--to", "results", "--run", "x"]);
        ran.ends_with(code).stderr
    };
    let mistyped = plan_of("backupz", 64);
    assert!(mistyped.contains("correct the name"), "{mistyped}");
    let below_a_file = "backups/prod/snapshot_2024-11-02_030000.db/x";
    plan_of(below_a_file, 64);
    env.run(&["index", "backups", "-q", "--as-of", AS_OF]);
    std::fs::rename(env.path("backups"), env.path("elsewhere")).expect("as if it were not mounted");
    for location in ["backups", "backups/prod"] {
        let away = plan_of(location, 75);
        assert!(away.contains("was there before"), "{away}");
    }
    plan_of("backupz", 64);
    std::fs::rename(env.path("elsewhere"), env.path("backups")).expect("mounted again");
    plan_of("backups", 0);
}

/// Root may read everything: nobody can be refused then.
#[test]
fn a_directory_that_may_not_be_read_fails_the_job() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = fleet();
    let closed = env.path("backups/prod");
    let set = |mode| {
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    set(0o000);
    if std::fs::read_dir(&closed).is_err() {
        let plan = ["fleet", "plan", "backups", "--to", "results"];
        let ran = env.run(&plan).ends_with(64);
        assert!(ran.stderr.contains("ermission denied"), "{}", ran.stderr);
    }
    set(0o755);
}

#[test]
fn parts_without_a_plan_are_all_of_it_and_keep_both_halves_together() {
    let env = fleet();
    let mut seen = BTreeSet::new();
    for shard in ["0/3", "1/3", "2/3"] {
        let ran = env.run(&[
            "verify",
            "backups",
            "--shard",
            shard,
            "--no-catalogue",
            "-o",
            "json",
            "--as-of",
            AS_OF,
        ]);
        let report: Value = ran.json();
        for item in report["items"].as_array().expect("a list") {
            let id = item["id"].as_str().expect("an id").to_owned();
            assert!(seen.insert(id), "{item:#}");
        }
    }
    let whole: Value = env
        .run(&[
            "verify",
            "backups",
            "--no-catalogue",
            "-o",
            "json",
            "--as-of",
            AS_OF,
        ])
        .json();
    let all = whole["items"].as_array().expect("a list").iter();
    let all: BTreeSet<String> = all
        .map(|one| one["id"].as_str().unwrap_or("").to_owned())
        .collect();
    assert_eq!(seen, all);
    env.run(&["index", "backups", "--shard", "3/3"])
        .ends_with(2);
}
