//! What else may lie in a directory: loops, pipes, devices, odd names, nothing at all.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::samples;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs and stops the test when it takes longer than anything here may.
fn soon(env: &TestEnv, arguments: &[&str]) -> Ran {
    let started = Instant::now();
    let mut timed = Command::new("timeout");
    let command = env.command(arguments);
    timed
        .arg("60")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    for (name, value) in command.get_envs() {
        timed.env(name, value.unwrap_or_default());
    }
    timed.env("PATH", "/usr/bin:/bin").current_dir(env.path(""));
    let ran = Ran::of(timed.output().expect("coreutils"));
    assert_ne!(ran.code, Some(124), "hangs: {arguments:?}");
    assert!(started.elapsed() < Duration::from_secs(60));
    ran
}

#[test]
fn loops_pipes_sockets_and_devices_hold_nothing_up() {
    let env = TestEnv::healthy();
    symlink(env.path(""), env.path("data/loop")).expect("linked");
    symlink("itself", env.path("data/itself")).expect("linked");
    symlink("/dev/zero", env.path("data/zero_2024-11-01_030000.db")).expect("linked");
    symlink("/proc", env.path("data/proc")).expect("linked");
    let pipe = env.path("data/pipe_2024-11-03_030000.db");
    let made = Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("coreutils");
    assert!(made.success());
    let _socket =
        std::os::unix::net::UnixListener::bind(env.path("data/socket_2024-11-04_030000.db"))
            .expect("bound");
    let root = env.text("");
    let ran = soon(
        &env,
        &[
            "verify",
            "-o",
            "json",
            "--as-of",
            SOON,
            "--no-catalogue",
            &root,
        ],
    );
    let report: VerifyReport = ran.json();
    assert_eq!(
        report.only().verdict,
        "valid",
        "{:#?}",
        report.only().findings
    );
    assert!(
        report.only().snapshot().copies.is_empty(),
        "a loop makes no copies"
    );
    for (name, word) in [
        ("_2024-11-01_", "device"),
        ("_2024-11-03_", "FIFO"),
        ("_2024-11-04_", "socket"),
    ] {
        let skipped = report.skipped.iter().find(|one| one.path.contains(name));
        let reason = &skipped
            .unwrap_or_else(|| panic!("{name}: {:#?}", report.skipped))
            .reason;
        assert!(
            reason.to_lowercase().contains(&word.to_lowercase()),
            "{reason}"
        );
    }
    // Named by the user it is still no regular file.
    let pipe = pipe.to_str().expect("plain");
    let ran = soon(&env, &["verify", "--no-catalogue", pipe]);
    assert!(matches!(ran.code, Some(1 | 2)), "{ran:#?}");
    for device in ["/dev/zero", "/dev/full", "/dev/tty"] {
        let ran = soon(&env, &["verify", "--no-catalogue", device]);
        assert!(ran.code != Some(0), "{device} is no valid backup: {ran:#?}");
    }
}

#[test]
fn odd_names_are_survived_and_shown_safely() {
    let env = TestEnv::new();
    env.copy(KUBERESOURCES, "keys");
    let odd: [&[u8]; 4] = [
        b"snap\xff\xfe_2024-11-02_030000.db",
        b"snapshot\n2024-11-02_030000.db",
        b"snapshot\x1b[31m_2024-11-02_030000.db",
        b" -o name ; rm -rf $HOME.db",
    ];
    for (index, name) in odd.into_iter().enumerate() {
        let directory = env.path(&format!("odd{index}"));
        std::fs::create_dir_all(&directory).expect("made");
        std::fs::write(
            directory.join(OsStr::from_bytes(name)),
            samples::bytes(SNAPSHOT),
        )
        .expect("any name");
    }
    let root = env.text("");
    for form in ["json", "yaml", "table", "wide", "name"] {
        let ran = env.run(&["verify", "-o", form, "--as-of", SOON, &root]);
        assert_eq!(ran.code, Some(0), "{form}: {ran:#?}");
        assert!(!ran.stdout.contains('\u{1b}'), "{form}: {}", ran.stdout);
        assert!(
            !ran.stdout.contains("snapshot\n2024"),
            "{form}: {}",
            ran.stdout
        );
    }
    let report = env.verify(&[]);
    assert_eq!(report.only().snapshot().copies.len(), 3, "{report:#?}");
    let listed = env.list();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].snapshot().copies.len(), 3, "{listed:#?}");
    let directory = env.text("odd1");
    assert_eq!(env.verify(&[&directory]).items.len(), 1);
}

#[test]
fn empty_files_and_directories_are_what_they_are() {
    let env = TestEnv::new();
    std::fs::create_dir_all(env.path("empty")).expect("made");
    let root = env.text("empty");
    let ran = env.run(&["verify", "-o", "json", &root]).ends_with(1);
    assert!(ran.json::<VerifyReport>().items.is_empty());
    let said = env.run(&["verify", &root]).ends_with(1);
    assert!(
        said.stdout.contains('0') || said.stdout.contains("no "),
        "{}",
        said.stdout
    );
    env.put("empty/snapshot_2024-11-02_030000.db", "");
    env.put("empty/static_kuberesources_2024-11-02_030000.tar.gz", "");
    let report = env.verify(&[]);
    let codes: Vec<&str> = report.items.iter().flat_map(|one| one.codes()).collect();
    assert!(
        codes.contains(&"truncated") && codes.contains(&"kuberesources-corrupt"),
        "{codes:?}"
    );
}

#[test]
fn files_that_are_no_backups_are_left_alone() {
    let env = TestEnv::healthy();
    env.put("data/README.md", "hello");
    env.put("data/notes.db", "SQLite format 3\0 and so on");
    env.put(
        "data/backup.tar.gz",
        crate::cli::archive::gzip(b"something else"),
    );
    env.put("data/.hidden", vec![0; 4096]);
    let report = env.verify(&[]);
    assert_eq!(report.only().verdict, "valid");
    assert_eq!(report.summary.files, 2);
    let skipped: Vec<&str> = report.skipped.iter().map(|one| one.path.as_str()).collect();
    assert!(
        skipped.iter().all(|path| path.ends_with("notes.db")),
        "{skipped:?}"
    );
    // Named by the user, such a file gets an answer.
    let ran = env
        .run(&["verify", "-o", "json", &env.text("data/notes.db")])
        .ends_with(1);
    let report: VerifyReport = ran.json();
    assert!(
        report.of("notes.db").codes().contains(&"not-a-snapshot"),
        "{report:#?}"
    );
}

#[test]
fn a_link_to_a_backup_is_that_backup() {
    let env = TestEnv::new();
    env.put("store/27be", samples::bytes(SNAPSHOT));
    env.put("store/3e8e", samples::bytes(KUBERESOURCES));
    std::fs::create_dir_all(env.path("data")).expect("made");
    symlink(
        "../store/27be",
        env.path("data/snapshot_2024-11-02_030000.db"),
    )
    .expect("linked");
    let data = env.text("data");
    let report = env.verify(&[&data]);
    assert_eq!(report.items.len(), 1);
    assert!(
        report
            .only()
            .path()
            .ends_with("data/snapshot_2024-11-02_030000.db")
    );
    symlink("/nowhere", env.path("data/snapshot_2024-11-03_030000.db")).expect("linked");
    let ran = env.run(&["verify", "--as-of", SOON, &data]).ends_with(2);
    assert!(
        ran.stderr.contains("snapshot_2024-11-03_030000.db"),
        "{}",
        ran.stderr
    );
}
