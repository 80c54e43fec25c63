//! What only the catalogue, the moment of reading or the system can tell.

use crate::cli::contract::Backup;
use crate::cli::environment::{SNAPSHOT, SOON, TestEnv};
use crate::support::samples;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// Codes that the tests of this file provoke.
pub(super) const CODES: &[&str] = &[
    "file-missing",
    "file-changed",
    "changed-while-reading",
    "unreadable",
];

fn only(backups: Vec<Backup>) -> Backup {
    assert_eq!(backups.len(), 1, "{backups:#?}");
    backups.into_iter().next().expect("one")
}

#[test]
fn a_file_that_is_gone_is_told_until_it_comes_back() {
    let env = TestEnv::indexed();
    let path = env.path("data/snapshot_2024-11-02_030000.db");
    std::fs::rename(&path, env.path("elsewhere")).expect("moved");
    let backup = only(env.list());
    assert_eq!(backup.codes(), ["file-missing"]);
    assert_eq!(backup.verdict, "unknown");
    assert!(!backup.snapshot().present && backup.kuberesources().present);
    let told = backup.finding("file-missing");
    assert!(
        told.message.contains("snapshot_2024-11-02_030000.db"),
        "{told:?}"
    );
    let report = env.verify(&[&env.text("data"), &env.text("keys"), "--all"]);
    assert_eq!(report.only().codes(), ["file-missing"]);
    std::fs::rename(env.path("elsewhere"), &path).expect("moved back");
    assert_eq!(only(env.list()).verdict, "valid");
}

#[test]
fn other_bytes_under_a_verified_name_are_told() {
    let env = TestEnv::indexed();
    let mut bytes = samples::bytes(SNAPSHOT);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    env.put("data/snapshot_2024-11-02_030000.db", bytes);
    let before = env.list();
    assert!(
        before.iter().all(|one| one.verdict == "unknown"),
        "{before:#?}"
    );
    let report = env
        .run(&["index", "-o", "json", "--as-of", SOON])
        .ends_with(1);
    let report: crate::cli::contract::VerifyReport = report.json();
    let backup = report.of("snapshot_2024-11-02");
    assert!(
        backup.codes().contains(&"file-changed"),
        "{:?}",
        backup.codes()
    );
    assert!(
        backup.codes().contains(&"digest-mismatch"),
        "{:?}",
        backup.codes()
    );
    let told = backup.finding("file-changed");
    let digest = told.evidence["digestBefore"].as_str().unwrap_or_default();
    assert!(
        digest.starts_with("27be558ad3a9") && told.message.contains(digest),
        "{told:?}"
    );
    assert_eq!(told.severity, "error");
    // A sound file under the same name is still another one than was verified.
    env.put(
        "data/snapshot_2024-11-02_030000.db",
        samples::bytes("backups/prod/snapshot_2024-11-09_030000.db"),
    );
    let report = env.verify(&[&env.text("data")]);
    assert!(report.of("/data/").codes().contains(&"file-changed"));
}

#[test]
fn a_file_that_is_being_written_is_told() {
    let env = TestEnv::healthy();
    let path = env.path("data/snapshot_2024-11-02_030000.db");
    let file = std::fs::File::options()
        .write(true)
        .open(path)
        .expect("opened");
    let is_over = AtomicBool::new(false);
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Thousands of times while the file is read once.
            for moment in 1.. {
                let at = SystemTime::UNIX_EPOCH
                    + Duration::from_secs(1_700_000_000)
                    + Duration::from_nanos(moment * 1000);
                file.set_modified(at).expect("our own file");
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        // On a busy machine the writer may stand still as long as one reading lasts: then the file did not change, and
        // another reading is begun.
        let told = || {
            (0..100)
                .map(|_| env.verify(&[]))
                .find(|report| !report.only().codes().is_empty())
        };
        // A failed assertion must end the writer too, or the scope would wait for it for ever.
        let report = std::panic::catch_unwind(std::panic::AssertUnwindSafe(told));
        is_over.store(true, Ordering::Relaxed);
        report
    });
    let report = report
        .unwrap_or_else(|cause| std::panic::resume_unwind(cause))
        .expect("one of a hundred readings meets a change");
    assert_eq!(report.only().codes(), ["changed-while-reading"]);
    assert_eq!(report.only().verdict, "invalid");
    assert_eq!(env.verify(&[]).only().codes(), Vec::<&str>::new());
}

/// A place where reading gives an I/O error, for root too: the memory of a process has nothing at offset 0.
#[test]
fn a_file_that_cannot_be_read_is_told_and_the_others_are_finished() {
    let env = TestEnv::healthy();
    let link = env.path("data/snapshot_2024-10-01_030000.db");
    std::os::unix::fs::symlink("/proc/self/mem", &link).expect("linked");
    let root = env.text("");
    let ran = env
        .run(&["verify", "-o", "json", "--as-of", SOON, &root])
        .ends_with(2);
    let report: crate::cli::contract::VerifyReport = ran.json();
    let backup = report.of("snapshot_2024-10-01");
    assert_eq!(backup.codes(), ["unreadable"]);
    assert_eq!(backup.verdict, "unknown");
    let told = backup.finding("unreadable");
    assert!(told.message.contains("Input/output error"), "{told:?}");
    assert_eq!(report.of("snapshot_2024-11-02").verdict, "valid");
    let skipped = &report.skipped[0];
    assert!(
        skipped.path.ends_with("snapshot_2024-10-01_030000.db"),
        "{skipped:?}"
    );
    assert!(skipped.reason.contains("Input/output error"), "{skipped:?}");
    let error = ran.error();
    assert_eq!(error["kind"], "Error");
    assert_eq!(error["code"], "io");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("Input/output error"))
    );
}

/// As nobody when the test runs as root, who may read everything.
#[test]
fn a_file_that_may_not_be_read_is_told_in_the_words_of_the_system() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::healthy();
    let root = env.text("");
    let file = env.path("data/snapshot_2024-11-02_030000.db");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o000)).expect("our own file");
    let arguments = [
        "verify",
        "-o",
        "json",
        "--as-of",
        SOON,
        "--no-catalogue",
        &root,
    ];
    let Some(mut command) = env.command_of_nobody(&arguments) else {
        return;
    };
    let output = command.output().expect("it starts");
    let ran = crate::cli::environment::Ran::of(output).ends_with(2);
    let report: crate::cli::contract::VerifyReport = ran.json();
    let told = report.of("snapshot_2024-11-02").finding("unreadable");
    assert!(told.message.contains("Permission denied"), "{told:?}");
    assert!(ran.stderr.contains("Permission denied"), "{}", ran.stderr);
}
