//! Small inputs from the field, each with the answer that an expert gives.

use crate::cli::bundles::{KUBERESOURCES, SNAPSHOT, kuberesources, snapshot, verify};
use crate::cli::contract::VerifyReport;
use crate::cli::environment::{Ran, TestEnv};
use crate::support::samples;
use std::ffi::OsStr;
use std::process::Command;

/// A copy of a case in a place of its own, as of the instant at which it was found.
struct Case {
    env: TestEnv,
    as_of: &'static str,
}

impl Case {
    fn new(name: &str, as_of: &'static str) -> Self {
        let env = TestEnv::new();
        let root = samples::testdata().join("cases").join(name);
        let entries = walkdir::WalkDir::new(&root).into_iter();
        for entry in entries.map(|entry| entry.expect("it can be walked")) {
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(&root).expect("it lies below");
                let bytes = std::fs::read(entry.path()).expect("it can be read");
                env.put(&format!("in/{}", path.display()), bytes);
            }
        }
        Self { env, as_of }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut all = arguments.to_vec();
        let root = self.env.text("in");
        all.extend(["--no-catalogue", "--as-of", self.as_of, &root]);
        self.env.run(&all)
    }

    fn report(&self) -> VerifyReport {
        self.run(&["verify", "-o", "json"]).json()
    }
}

#[test]
fn one_archive_of_a_run_holds_one_whole_backup() {
    let case = Case::new("01-bundle-tar-gz", "2025-05-13T09:00:00Z");
    case.run(&["verify"]).ends_with(0);
    let report = case.report();
    assert_eq!(report.only().verdict, "valid", "{report:#?}");
    assert_eq!(report.only().version.openshift.as_deref(), Some("4.18.11"));
    assert!(report.skipped.is_empty(), "{report:#?}");
    let check = case.run(&["check", "--valid-for", "4.18.11"]).ends_with(0);
    assert!(check.stdout.starts_with("YES"), "{check:?}");
}

#[test]
fn what_openssl_encrypted_is_called_so_and_not_damaged() {
    let case = Case::new("05-encrypted-openssl", "2025-05-13T09:00:00Z");
    let ran = case.run(&["verify"]).ends_with(1);
    assert!(ran.stdout.contains("encrypted with openssl enc"), "{ran:?}");
    assert!(ran.stdout.contains("| etcd-cat verify -"), "{ran:?}");
    assert!(!ran.stdout.contains("damaged"), "{ran:?}");
    let check = case.run(&["check", "--valid-for", "4.18.11"]).ends_with(1);
    assert!(check.stdout.starts_with("NO"), "{check:?}");
    assert!(check.stderr.contains("was not read"), "{check:?}");
}

/// A download client has taken off the gzip, and with it the ending or not.
#[test]
fn a_plain_tar_of_static_pods_is_whole_and_told_to_be_packed_again() {
    let mut plain = Vec::new();
    let packed = kuberesources();
    let mut decoder = flate2::read::GzDecoder::new(packed.as_slice());
    std::io::copy(&mut decoder, &mut plain).expect("a sound sample");
    for name in [KUBERESOURCES, KUBERESOURCES.trim_end_matches(".gz")] {
        let env = TestEnv::new();
        env.put(&format!("in/{SNAPSHOT}"), snapshot());
        env.put(&format!("in/{name}"), &plain);
        let report: VerifyReport = verify(&env, &["in"]).ends_with(1).json();
        let findings = &report.only().findings;
        let codes: Vec<&str> = findings.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["kuberesources-corrupt"], "{name}");
        assert!(findings[0].message.contains("plain tar"), "{findings:?}");
        let half = report.only().kuberesources.as_ref().expect("it is read");
        assert!(!half.revisions.is_empty(), "{half:?}");
    }
}

/// `oc debug node/N -- cat FILE > FILE` on a terminal writes its own words into the file, in front or behind.
#[test]
fn words_of_oc_around_the_data_are_told_with_what_cuts_them_off() {
    let words = b"Starting pod/master-0-debug ...\nTo use host binaries, run `chroot /host`\n";
    let data = snapshot();
    let behind = [data.as_slice(), b"\nRemoving debug pod ...\n"].concat();
    let in_front = [words, data.as_slice()].concat();
    let whole = format!("head -c {}", data.len());
    let cut = format!("tail -c +{}", words.len() + 1);
    for (bytes, code, remedy) in [
        (behind, "trailing-data", whole),
        (in_front, "not-a-snapshot", cut),
    ] {
        let env = TestEnv::new();
        env.put(&format!("in/{SNAPSHOT}"), bytes);
        env.put(&format!("in/{KUBERESOURCES}"), kuberesources());
        let report: VerifyReport = verify(&env, &["in"]).ends_with(1).json();
        let backup = report.only();
        let told = &backup.finding(code).remedy;
        assert!(told.contains(&remedy), "{told}");
        assert_eq!(backup.verdict, "invalid");
        backup.finding("mended");
    }
}

#[test]
fn what_macos_leaves_on_a_stick_is_no_backup() {
    let case = Case::new("16-appledouble", "2025-05-13T09:00:00Z");
    case.run(&["verify"]).ends_with(0);
    let report = case.report();
    assert_eq!(report.only().verdict, "valid", "{report:#?}");
    assert!(report.skipped.is_empty(), "{report:#?}");
    case.run(&["check", "--valid-for", "4.18.11"]).ends_with(0);
}

#[test]
fn lost_and_found_of_a_volume_is_passed_over() {
    let case = Case::new("16-appledouble", "2025-05-13T09:00:00Z");
    let closed = case.env.path("in/lost+found");
    std::fs::create_dir(&closed).expect("made");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(&closed, mode(0o700)).expect("our own");
    let (root, as_of) = (case.env.text("in"), case.as_of);
    let arguments = ["verify", "--no-catalogue", "--as-of", as_of, &root];
    let Some(mut command) = case.env.command_of_nobody(&arguments) else {
        return;
    };
    let ran = Ran::of(command.output().expect("it starts")).ends_with(0);
    assert!(!ran.stdout.contains("lost+found"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("lost+found"), "{}", ran.stderr);
}

#[test]
fn a_whole_file_that_lacks_its_name_alone_is_told_so() {
    let case = Case::new("25-part-file-complete", "2025-05-13T09:00:00Z");
    let report = case.report();
    let backup = report.only();
    assert_eq!(backup.verdict, "warning", "{:#?}", backup.findings);
    assert_eq!(backup.codes(), ["incomplete-download"]);
    let told = backup.finding("incomplete-download");
    assert!(
        told.message.contains("complete, as its digest proves"),
        "{told:?}"
    );
    assert!(told.remedy.starts_with("give it its name"), "{told:?}");
    let explained = case
        .env
        .run(&["explain", "incomplete-download"])
        .ends_with(0);
    assert!(
        explained.stdout.contains("only the rename"),
        "{}",
        explained.stdout
    );
}

#[test]
fn a_young_hosted_control_plane_is_restored_from_what_it_has() {
    let case = Case::new("32-hypershift-young", "2026-05-10T11:30:00Z");
    let report = case.report();
    let backup = report.only();
    assert_eq!(backup.verdict, "warning", "{:#?}", backup.findings);
    assert_eq!(
        backup.codes(),
        ["encryption-external", "kuberesources-not-used"]
    );
    let told = backup.finding("encryption-external");
    assert!(told.message.contains("HostedCluster"), "{told:?}");
    case.run(&["check", "--valid-for", "4.20.6"]).ends_with(0);
}

#[test]
fn a_copy_of_microshift_is_named_as_what_it_is() {
    let case = Case::new("36-microshift-raw", "2026-05-13T09:00:00Z");
    let report = case.report();
    let backup = report.only();
    assert_eq!(
        backup.codes(),
        [
            "digest-missing",
            "version-unknown",
            "kuberesources-not-used"
        ]
    );
    assert_eq!(backup.verdict, "warning", "{:#?}", backup.findings);
    let told = backup.finding("kuberesources-not-used");
    assert!(told.message.starts_with("MicroShift"), "{told:?}");
    assert!(told.remedy.contains("microshift restore"), "{told:?}");
    assert!(
        backup
            .finding("version-unknown")
            .message
            .contains("MicroShift")
    );
    let page = case.run(&["verify"]).stdout;
    assert!(page.contains("microshift restore"), "{page}");
}

#[test]
fn a_cluster_that_wants_nothing_is_settled_and_one_that_wants_more_is_not_dated() {
    let name = "43-cv-desired-empty-history-complete";
    let case = Case::new(name, "2024-12-04T12:30:00Z");
    let report = case.report();
    let settled = report.of("/in/snapshot_");
    assert_eq!(settled.version.openshift.as_deref(), Some("4.18.3"));
    assert!(!settled.codes().contains(&"upgrade-in-progress"));
    let told = report.of("/ahead/").finding("upgrade-in-progress");
    assert!(told.message.contains("from 4.18.3 to"), "{told:?}");
    assert!(!told.message.contains("since"), "{told:?}");
}

#[test]
fn an_empty_database_is_no_backup_to_rely_on() {
    let case = Case::new("54-empty-database", "2025-05-13T09:00:00Z");
    case.run(&["verify"]).ends_with(1);
    let report = case.report();
    assert_eq!(report.only().verdict, "invalid");
    let told = report.only().finding("snapshot-empty");
    assert!(
        told.message.starts_with("this database is empty"),
        "{told:?}"
    );
    case.run(&["check", "--valid-for", "4.18.11"]).ends_with(1);
}

#[test]
fn what_the_script_would_take_is_told_once_for_each_directory() {
    let env = TestEnv::new();
    for day in ["2024-11-02", "2024-11-09"] {
        env.copy(&format!("backups/prod/snapshot_{day}_030000.db"), "data");
    }
    let archive = |day: &str| format!("backups/keys/prod/static_kuberesources_{day}_030000.tar.gz");
    env.copy(&archive("2024-11-02"), "data");
    env.copy(&archive("2024-11-09"), "data");
    let as_of = "2024-11-09T06:00:00Z";
    let report = env.verify_as_of(as_of, &[]);
    let [choice] = report.restore_choices.as_slice() else {
        panic!("one directory: {:#?}", report.restore_choices);
    };
    assert_eq!(choice.directory, env.text("data"));
    assert!(!choice.harmful);
    assert_eq!(choice.verdict.as_deref(), Some("valid"));
    assert_eq!(
        choice.backup.as_deref(),
        Some(report.of("snapshot_2024-11-09").id())
    );
    let older = report.of("snapshot_2024-11-02");
    assert_eq!(older.verdict, "valid", "{:#?}", older.findings);
    assert_eq!(older.finding("restore-picks-other").severity, "info");
    let advised: Vec<&str> = older.advice.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(advised, ["keys-beside-snapshot", "restore-picks-other"]);
    let root = env.text("data");
    let page = env
        .run(&["verify", "--as-of", as_of, &root])
        .ends_with(0)
        .stdout;
    assert_eq!(page.matches("would take").count(), 1, "{page}");
    assert_eq!(page.matches("keys-beside-snapshot").count(), 1, "{page}");
    // Without the newer archive the script would join halves of two backups.
    std::fs::remove_file(env.path("data/static_kuberesources_2024-11-09_030000.tar.gz"))
        .expect("was copied");
    env.copy(&archive("2024-11-09"), "keys");
    let report = env.verify_as_of(as_of, &[]);
    let choice = &report.restore_choices[0];
    assert!(choice.harmful && choice.backup.is_none(), "{choice:#?}");
    assert!(choice.snapshot.is_some() && choice.kuberesources.is_some());
    for day in ["2024-11-02", "2024-11-09"] {
        let backup = report.of(&format!("snapshot_{day}"));
        assert_eq!(backup.finding("restore-picks-other").severity, "warning");
    }
}

#[test]
fn the_place_that_is_shown_is_the_one_to_restore_from() {
    let env = TestEnv::new();
    let (snapshot, archive) = (
        crate::cli::environment::SNAPSHOT,
        crate::cli::environment::KUBERESOURCES,
    );
    // By path alone each of these would come first.
    env.copy(snapshot, "a/.snapshot/hourly.0");
    env.copy(archive, "a/.snapshot/hourly.0");
    env.put("a/latest.db", samples::bytes(snapshot));
    env.copy(snapshot, "b");
    env.copy(snapshot, "c");
    env.copy(archive, "c");
    let report = env.verify(&[]);
    let backup = report.only();
    let shown = env.text("c");
    assert!(backup.snapshot().path.starts_with(&shown), "{backup:#?}");
    assert!(
        backup.kuberesources().path.starts_with(&shown),
        "{backup:#?}"
    );
    assert_eq!(backup.snapshot().copies.len(), 3);
}

/// An archive was read while it was being written, and is whole at the next run: nothing took the place of anything.
#[test]
fn an_archive_that_was_read_half_written_is_not_called_changed() {
    let env = TestEnv::new();
    env.put(&format!("in/{SNAPSHOT}"), snapshot());
    let whole = kuberesources();
    let half = whole.get(..6000).expect("it is longer");
    let as_of = ["--as-of", "2025-05-13T09:00:00Z", "-o", "json"];
    let index = || env.run(&[["index", "in"].as_slice(), &as_of].concat());
    env.put(&format!("in/{KUBERESOURCES}"), half);
    index().ends_with(1);
    env.put(&format!("in/{KUBERESOURCES}"), &whole);
    let report: VerifyReport = index().ends_with(0).json();
    assert_eq!(report.only().verdict, "valid", "{report:#?}");
    assert_eq!(report.only().codes(), [""; 0]);
}

/// A container that may have one process: what would be done by several threads is done by one.
#[test]
fn no_thread_to_be_had_is_no_reason_to_stop() {
    let case = Case::new("16-appledouble", "2025-05-13T09:00:00Z");
    let (root, as_of) = (case.env.text("in"), case.as_of);
    let arguments = ["verify", "--no-catalogue", "--as-of", as_of, &root];
    let Some(nobody) = case.env.command_of_nobody(&arguments) else {
        return;
    };
    for processes in [1, 2, 4] {
        let words: Vec<&OsStr> = std::iter::once(nobody.get_program())
            .chain(nobody.get_args())
            .collect();
        // The limit is that of the user who runs the program: it comes last.
        let user = words.iter().position(|word| *word == "--");
        let (before, after) = words.split_at(user.map_or(0, |end| end + 1));
        let limit = format!("--nproc={processes}");
        let limited = [OsStr::new("prlimit"), OsStr::new(&limit)];
        let words = [before, &limited[..], after].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear();
        command.env("PATH", "/usr/bin:/bin");
        let ran = Ran::of(command.output().expect("util-linux is there")).ends_with(0);
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    }
}
