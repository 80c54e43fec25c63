//! A fleet proven by eight workers, of which two are killed and one runs twice, is as well known as by one process.
//!
//! `ETCD_CAT_TEST_FLEET=20x60` makes it as large as the calculation in docs/fleet.md begins with: clusters and backups of
//! each.

#![allow(
    clippy::indexing_slicing,
    reason = "a missing field of a document is a failed test"
)]

use crate::cli::edit::{numbered, repacked, rewritten, text};
use crate::cli::environment::{Ran, TestEnv};
use crate::support::samples;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const AS_OF: &str = "2024-11-20T00:00:00Z";
const SNAPSHOT: &str = "backups/edge/snapshot_2024-09-15_120000.db";
const KUBERESOURCES: &str = "backups/edge/static_kuberesources_2024-09-15_120000.tar.gz";
const ID: &str = "b1d0c3a2-58f7-4e63-8a90-6c17e2d9f402";
const ID_END: &str = "-58f7-4e63-8a90-6c17e2d9f402";
const NAME: &str = "edge-q9w4z";
const WORKERS: u32 = 8;

/// Clusters, and backups of each: a few where nobody asks for more.
fn size() -> (usize, usize) {
    let wanted = std::env::var("ETCD_CAT_TEST_FLEET").ok();
    let wanted = wanted.as_deref().and_then(|size| size.split_once('x'));
    let number = |text: &str| text.parse::<usize>().expect("a number");
    wanted.map_or((3, 6), |(clusters, each)| (number(clusters), number(each)))
}

/// Each cluster has a directory, each backup its own bytes in both halves; every seventh snapshot is cut short.
fn make(env: &TestEnv, clusters: usize, each: usize) -> usize {
    let first: DateTime<Utc> = "2024-09-15T12:00:00Z".parse().expect("an instant");
    let archive = samples::bytes(KUBERESOURCES);
    for cluster in 0..clusters {
        let name = format!("edge-{cluster:05}");
        let snapshot = rewritten(SNAPSHOT, |content| {
            let id = format!("{cluster:08x}{ID_END}");
            text(content, "/kubernetes.io/config.openshift.io", ID, &id);
            text(content, "/kubernetes.io/config.openshift.io", NAME, &name);
        });
        for number in 0..each {
            let at = first + TimeDelta::hours(number.try_into().expect("few"));
            let stamp = at.format("%Y-%m-%d_%H%M%S");
            let mut bytes = numbered(&snapshot, number);
            if number % 7 == 5 {
                bytes.truncate(bytes.len() / 2);
            }
            env.put(&format!("backups/{cluster}/snapshot_{stamp}.db"), bytes);
            let number = u32::try_from(cluster * each + number).expect("few");
            let path = format!("backups/{cluster}/static_kuberesources_{stamp}.tar.gz");
            env.put(&path, repacked(&archive, NAME, &name, number + 1));
        }
    }
    clusters * each
}

fn worker(env: &TestEnv, shard: u32) -> Child {
    let shard = format!("{shard}/{WORKERS}");
    let arguments = [
        "fleet", "work", "--plan", "results", "--shard", &shard, "--flush", "1s", "-o", "json",
    ];
    let mut command = env.command(&arguments);
    // No catalogue is asked: a worker has a machine of its own.
    command.env("ETCD_CAT_CATALOGUE", env.path("of-no-worker.redb"));
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

fn ended(worker: Child) -> Value {
    let output = worker.wait_with_output().expect("it ends");
    Ran::of(output).ends_with(0).json()
}

/// True when it was killed before it could say that it was done.
fn killed(mut worker: Child) -> bool {
    worker.kill().expect("it is our own");
    worker.wait().expect("it ends").signal() == Some(9)
}

/// As soon as a fragment of the shard is there, or it is clear that none will come before the end.
fn wait_for_fragment(env: &TestEnv, worker: &mut Child, shard: u32) -> bool {
    let directory = env.path(&format!("results/night/shards/{shard}"));
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(120) {
        let names = std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten();
        let mut paths = names.map(|entry| entry.path());
        if paths.any(|path| path.extension().is_some_and(|one| one == "fragment")) {
            return true;
        }
        if worker.try_wait().expect("it can be asked").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// What is known, but for when it was learnt.
fn known(env: &TestEnv) -> Value {
    let list = ["list", "--all", "-o", "json", "--as-of", AS_OF];
    let mut list: Value = env.run(&list).json();
    for item in list["items"].as_array_mut().expect("a list") {
        for field in ["firstSeenAt", "verifiedAt", "verifications"] {
            item[field] = Value::Null;
        }
    }
    list
}

#[expect(clippy::print_stderr, reason = "the numbers of docs/fleet.md")]
#[test]
fn eight_workers_two_killed_and_one_twice_come_to_what_one_process_says() {
    let (clusters, each) = size();
    let env = TestEnv::new();
    let backups = make(&env, clusters, each);
    let began = Instant::now();
    let shards = WORKERS.to_string();
    let plan = [
        "fleet", "plan", "backups", "--to", "results", "--run", "night", "--shards", &shards, "-o",
        "json",
    ];
    let planned: Value = env.run(&plan).ends_with(0).json();
    assert_eq!(planned["objects"], 2 * backups);

    // One is killed before it has read anything, one as soon as something is written down.
    assert!(killed(worker(&env, 0)));
    let mut second = worker(&env, 1);
    let has_fragment = wait_for_fragment(&env, &mut second, 1);
    let is_cut_short = killed(second);
    // Twins, and all others at once.
    let twin = worker(&env, 2);
    let rest: Vec<Child> = (2..WORKERS).map(|shard| worker(&env, shard)).collect();
    let twin = ended(twin);
    let mut done: Vec<Value> = rest.into_iter().map(ended).collect();
    assert_eq!(
        twin["objects"], done[0]["objects"],
        "{twin:#} {:#}",
        done[0]
    );
    let merge = ["fleet", "merge", "--plan", "results", "--as-of", AS_OF];
    let early = env.run(&merge).ends_with(2);
    let missing = if is_cut_short { "0, 1" } else { "0" };
    let expected = format!("not done yet: shard {missing}");
    assert!(early.stderr.contains(&expected), "{}", early.stderr);
    // The engine starts them again with the same words.
    done.push(ended(worker(&env, 0)));
    let again = ended(worker(&env, 1));
    if has_fragment && is_cut_short {
        assert!(again["resumed"].as_u64() > Some(0), "{again:#}");
    }
    done.push(again);
    let objects = done
        .iter()
        .map(|one| one["objects"].as_u64().expect("a number"));
    assert_eq!(
        objects.sum::<u64>(),
        2 * u64::try_from(backups).expect("few")
    );

    env.run(&merge).ends_with(1);
    let by_many = known(&env);
    let elapsed = began.elapsed();
    let items = by_many["items"].as_array().expect("a list");
    assert_eq!(items.len(), backups);
    let invalid = items.iter().filter(|one| one["verdict"] == "invalid");
    assert_eq!(invalid.count(), clusters * ((each + 1) / 7));
    assert!(items.iter().any(|one| one["verdict"] != "invalid"));
    std::fs::remove_file(env.path("catalogue.redb")).expect("merge wrote it");
    let began = Instant::now();
    env.run(&["index", "backups", "-q", "--as-of", AS_OF]);
    let alone = known(&env);
    assert_eq!(by_many, alone);
    // Told where somebody looks (--nocapture): the numbers of docs/fleet.md.
    eprintln!(
        "{clusters} clusters x {each} backups: plan, work and merge {elapsed:.1?}, one process {:.1?}",
        began.elapsed()
    );
}
