//! Whatever a command that only reads is doing, a signal ends it at once: promised are 200 ms.

use crate::cli::environment::{SNAPSHOT, SOON, TestEnv};
use crate::support::bucket_server::{BucketServer, What};
use crate::support::dice::Dice;
use crate::support::samples;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Holes: as many bytes as reading takes minutes.
const ENDLESS: u64 = 64 << 30;
/// Promised are 200 ms; in the gate the machine is busy with other tests.
const PATIENCE: Duration = Duration::from_millis(1000);

/// What is running when the signal comes.
struct Scene {
    what: &'static str,
    env: TestEnv,
    server: Option<BucketServer>,
    arguments: Vec<String>,
}

impl Scene {
    fn new(what: &'static str, env: TestEnv, arguments: &[&str]) -> Self {
        Self {
            what,
            env,
            server: None,
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    fn start(&self) -> Child {
        let mut command = self.env.command(&self.arguments);
        command.env("ETCD_CAT_AS_OF", SOON);
        if let Some(server) = &self.server {
            command
                .env("ETCD_CAT_ENDPOINT", server.endpoint())
                .env("ETCD_CAT_NO_SIGN", "true");
        }
        // Nobody reads what it prints: a document that is long waits in the pipe.
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("it starts")
    }

    /// How long it took to end after a signal at this moment.
    fn stopped(&self, after: Duration, signal: &str) -> Duration {
        let mut child = self.start();
        std::thread::sleep(after);
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill is there").success(), "{}", self.what);
        let started = Instant::now();
        let status = child.wait().expect("our child");
        let took = started.elapsed();
        let expected = if signal == "-TERM" { 143 } else { 130 };
        assert_eq!(status.code(), Some(expected), "{}: {signal}", self.what);
        took
    }
}

/// A file that begins so and never ends.
fn endless(path: &Path, begin: &[u8]) {
    std::fs::write(path, begin).expect("our own");
    let file = File::options().write(true).open(path).expect("our own");
    file.set_len(ENDLESS).expect("holes cost nothing");
}

fn with_endless() -> TestEnv {
    let env = TestEnv::new();
    for name in [
        "data/snapshot_2024-11-02_030000.db",
        "data/snapshot_2024-11-03_030000.db",
    ] {
        endless(&env.put(name, ""), &samples::bytes(SNAPSHOT));
    }
    env
}

/// A tar whose first member never ends.
fn with_bundle() -> TestEnv {
    let env = TestEnv::new();
    let path = env.put("data/etcd-backup.tar", "");
    let mut header = tar::Header::new_gnu();
    header
        .set_path("b/snapshot_2024-11-02_030000.db")
        .expect("short");
    header.set_size(ENDLESS);
    header.set_mode(0o600);
    header.set_cksum();
    let begin = [header.as_bytes().as_slice(), &samples::bytes(SNAPSHOT)].concat();
    endless(&path, &begin);
    env
}

/// A bucket that lists at once and keeps silent when it is to give an object.
fn silent_bucket() -> BucketServer {
    let server = BucketServer::start();
    server.put(
        "prod/snapshot_2024-11-02_030000.db",
        &samples::bytes(SNAPSHOT),
    );
    let late = What::Late(Duration::from_secs(3600));
    server.fail("GET /backups/prod/snapshot", late, usize::MAX);
    server
}

fn with_many(count: u32) -> TestEnv {
    let env = TestEnv::new();
    for number in 0..count {
        let (month, day) = (1 + number % 12, 1 + number / 12 % 28);
        env.put(
            &format!("data/snapshot_2025-{month:02}-{day:02}_{number:06}.db"),
            "",
        );
    }
    env
}

/// Everything that may be going on, with so many files where it is many files.
fn scenes(files: u32) -> Vec<Scene> {
    let (one, other) = (
        "data/snapshot_2024-11-02_030000.db",
        "data/snapshot_2024-11-03_030000.db",
    );
    let mut scenes = vec![
        Scene::new(
            "verify, a file of 64 GiB",
            with_endless(),
            &["verify", "data"],
        ),
        Scene::new(
            "index, a file of 64 GiB",
            with_endless(),
            &["index", "data"],
        ),
        Scene::new("ls", with_endless(), &["ls", one]),
        Scene::new("get", with_endless(), &["get", one, "pods"]),
        Scene::new("history", with_endless(), &["history", one, "pods", "x"]),
        Scene::new("diff", with_endless(), &["diff", one, other]),
        Scene::new(
            "verify, a bundle of 64 GiB",
            with_bundle(),
            &["verify", "data"],
        ),
        Scene::new(
            "verify, many files",
            with_many(files),
            &["verify", "data", "--no-catalogue"],
        ),
        Scene::new(
            "verify -o json, many files",
            with_many(files),
            &["verify", "data", "--no-catalogue", "-o", "json"],
        ),
    ];
    if cfg!(not(feature = "object-stores")) {
        return scenes;
    }
    for (what, arguments) in [
        (
            "verify, a bucket that keeps silent",
            ["verify", "s3://backups/prod"],
        ),
        (
            "ls, a bucket that keeps silent",
            ["ls", "s3://backups/prod"],
        ),
    ] {
        let mut scene = Scene::new(what, TestEnv::new(), &arguments);
        scene.server = Some(silent_bucket());
        scenes.push(scene);
    }
    scenes
}

#[test]
fn a_signal_ends_a_reading_soon() {
    for scene in scenes(20_000) {
        for signal in ["-TERM", "-INT"] {
            let took = scene.stopped(Duration::from_millis(500), signal);
            assert!(took < PATIENCE, "{}, {signal}: {took:?}", scene.what);
        }
    }
}

#[test]
#[ignore = "by hand, on a machine with nothing else to do; docs/reliability.md has its result"]
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn a_signal_at_any_moment_ends_a_reading_within_its_time() {
    let mut dice = Dice(1);
    for scene in scenes(100_000) {
        let times = (0..12).map(|number| {
            let after = Duration::from_millis(100 + dice.roll(1900));
            let signal = ["-TERM", "-INT"][usize::from(number % 2 == 1)];
            scene.stopped(after, signal).as_millis()
        });
        let mut times: Vec<u128> = times.collect();
        times.sort_unstable();
        println!("| {} | {} ms | {} ms |", scene.what, times[6], times[11]);
    }
}
