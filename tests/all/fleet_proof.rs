//! A fleet proven by eight workers, of which two are killed and one runs twice, is as well known as by one process.
//!
//! Once with everything in directories, once with backups and results in buckets of SeaweedFS (`ETCD_CAT_TEST_SERVERS`).
//! `ETCD_CAT_TEST_FLEET=20x60` makes it as large as docs/fleet.md says: clusters and backups of each.

#![allow(
    clippy::indexing_slicing,
    reason = "a missing field of a document is a failed test"
)]

use crate::cli::edit::{numbered, repacked, rewritten, text};
use crate::cli::environment::{Ran, TestEnv};
use crate::support::samples;
#[cfg(feature = "object-stores")]
use crate::support::servers::{self, ADMIN, Server};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const AS_OF: &str = "2024-11-20T00:00:00Z";
const SNAPSHOT: &str = "backups/edge/snapshot_2024-09-15_120000.db";
const KUBERESOURCES: &str = "backups/edge/static_kuberesources_2024-09-15_120000.tar.gz";
const ID: &str = "b1d0c3a2-58f7-4e63-8a90-6c17e2d9f402";
const ID_END: &str = "-58f7-4e63-8a90-6c17e2d9f402";
const NAME: &str = "edge-q9w4z";
const WORKERS: u32 = 8;

/// Clusters, and backups of each: as few as this where nobody asks for more.
fn size(few: (usize, usize)) -> (usize, usize) {
    let wanted = std::env::var("ETCD_CAT_TEST_FLEET").ok();
    let wanted = wanted.as_deref().and_then(|size| size.split_once('x'));
    let number = |text: &str| text.parse::<usize>().expect("a number");
    wanted.map_or(few, |(clusters, each)| (number(clusters), number(each)))
}

/// Each cluster has a directory, each backup its own bytes in both halves; every seventh snapshot is cut short.
fn make(env: &TestEnv, clusters: usize, each: usize) {
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
}

/// Where backups and results lie, and how one asks whether something is there.
struct Ground<'e> {
    env: &'e TestEnv,
    backups: &'e str,
    results: &'e str,
    /// With what the program reaches them.
    variables: Vec<(&'static str, String)>,
    /// Has this share a result whose name ends so?
    has: &'e dyn Fn(u32, &str) -> bool,
}

impl Ground<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.env.command(arguments);
        command.envs(self.variables.clone());
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().expect("it starts"))
    }

    fn worker(&self, shard: u32) -> Child {
        let shard = format!("{shard}/{WORKERS}");
        let mut command = self.command(&[
            "fleet",
            "work",
            "--plan",
            self.results,
            "--shard",
            &shard,
            "--flush",
            "1s",
            "-o",
            "json",
        ]);
        // No catalogue is asked: a worker has a machine of its own.
        command.env("ETCD_CAT_CATALOGUE", self.env.path("of-no-worker.redb"));
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    }

    /// As soon as a fragment of the shard is there, or it is clear that none will come before the end.
    fn wait_for_fragment(&self, worker: &mut Child, shard: u32) -> bool {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(120) {
            if (self.has)(shard, ".fragment") {
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
    fn known(&self) -> Value {
        let list = ["list", "--all", "-o", "json", "--as-of", AS_OF];
        let mut list: Value = self.run(&list).json();
        for item in list["items"].as_array_mut().expect("a list") {
            for field in ["firstSeenAt", "verifiedAt", "verifications"] {
                item[field] = Value::Null;
            }
        }
        list
    }
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

#[test]
fn eight_workers_two_killed_and_one_twice_come_to_what_one_process_says() {
    let (clusters, each) = size((3, 6));
    let env = TestEnv::new();
    make(&env, clusters, each);
    let has = |shard, end: &str| {
        let directory = env.path(&format!("results/night/shards/{shard}"));
        let names = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut names = names.filter_map(|entry| entry.file_name().into_string().ok());
        names.any(|name| name.ends_with(end))
    };
    let ground = Ground {
        env: &env,
        backups: "backups",
        results: "results",
        variables: Vec::new(),
        has: &has,
    };
    prove(&ground, clusters, each);
}

#[cfg(feature = "object-stores")]
#[test]
fn so_they_do_in_seaweedfs() {
    let Some(server) = servers::seaweed() else {
        return;
    };
    let (clusters, each) = size((1, 6));
    let env = TestEnv::new();
    make(&env, clusters, each);
    for bucket in ["fleet-backups", "fleet-results"] {
        server.make_bucket(bucket);
    }
    server.put_tree(&env.path("backups"), "fleet-backups");
    let has = |shard, end: &str| is_in_results(server, &format!("night/shards/{shard}/"), end);
    let mut variables = server.environment();
    // Who writes results.
    variables.extend([
        ("AWS_ACCESS_KEY_ID", ADMIN.0.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", ADMIN.1.to_owned()),
    ]);
    let ground = Ground {
        env: &env,
        backups: "s3://fleet-backups",
        results: "s3://fleet-results",
        variables,
        has: &has,
    };
    prove(&ground, clusters, each);
}

#[cfg(feature = "object-stores")]
fn is_in_results(server: &Server, prefix: &str, end: &str) -> bool {
    let prefix = prefix.replace('/', "%2F");
    let path = format!("/fleet-results?list-type=2&prefix={prefix}");
    let listed = server.ask("GET", &path, &[], b"").expect("an answer");
    listed.body.contains(&format!("{end}</Key>"))
}

#[expect(clippy::print_stderr, reason = "the numbers of docs/fleet.md")]
fn prove(ground: &Ground<'_>, clusters: usize, each: usize) {
    let backups = clusters * each;
    let began = Instant::now();
    let shards = WORKERS.to_string();
    let planned: Value = ground
        .run(&[
            "fleet",
            "plan",
            ground.backups,
            "--to",
            ground.results,
            "--run",
            "night",
            "--shards",
            &shards,
            "-o",
            "json",
        ])
        .ends_with(0)
        .json();
    assert_eq!(planned["objects"], 2 * backups);

    // One is killed before it has read anything, one as soon as something is written down.
    assert!(killed(ground.worker(0)));
    let mut second = ground.worker(1);
    let has_fragment = ground.wait_for_fragment(&mut second, 1);
    // Who is killed after its last word is done all the same.
    let is_cut_short = killed(second) && !(ground.has)(1, "done.json");
    // Twins, and all others at once.
    let twin = ground.worker(2);
    let rest: Vec<Child> = (2..WORKERS).map(|shard| ground.worker(shard)).collect();
    let twin = ended(twin);
    let mut done: Vec<Value> = rest.into_iter().map(ended).collect();
    assert_eq!(
        twin["objects"], done[0]["objects"],
        "{twin:#} {:#}",
        done[0]
    );
    let merge = ["fleet", "merge", "--plan", ground.results, "--as-of", AS_OF];
    let early = ground.run(&merge).ends_with(2);
    let missing = if is_cut_short { "0, 1" } else { "0" };
    let expected = format!("not done yet: shard {missing}");
    assert!(early.stderr.contains(&expected), "{}", early.stderr);
    // The engine starts them again with the same words.
    done.push(ended(ground.worker(0)));
    let again = ended(ground.worker(1));
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

    ground.run(&merge).ends_with(1);
    let by_many = ground.known();
    let elapsed = began.elapsed();
    let items = by_many["items"].as_array().expect("a list");
    assert_eq!(items.len(), backups);
    let invalid = items.iter().filter(|one| one["verdict"] == "invalid");
    assert_eq!(invalid.count(), clusters * ((each + 1) / 7));
    assert!(items.iter().any(|one| one["verdict"] != "invalid"));
    std::fs::remove_file(ground.env.path("catalogue.redb")).expect("merge wrote it");
    let began = Instant::now();
    ground.run(&["index", ground.backups, "-q", "--as-of", AS_OF]);
    let alone = ground.known();
    assert_eq!(by_many, alone);
    // Told where somebody looks (--nocapture): the numbers of docs/fleet.md.
    eprintln!(
        "{backups}: {clusters} clusters x {each} backups: plan, work and merge {elapsed:.1?}, one process {:.1?}",
        began.elapsed(),
        backups = ground.backups,
    );
}
