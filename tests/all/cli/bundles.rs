//! Whole backup directories that somebody packed: each backup in them is judged as if it lay in a directory.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{Ran, TestEnv};
use crate::support::samples;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

const AS_OF: &str = "2025-05-13T09:00:00Z";
pub(crate) const SNAPSHOT: &str = "snapshot_2025-05-13_080917.db";
pub(crate) const KUBERESOURCES: &str = "static_kuberesources_2025-05-13_080917.tar.gz";

/// Files by the name that they have in a bundle.
pub(crate) type Tree = Vec<(String, Vec<u8>)>;

/// The snapshot of the packed samples, bare.
pub(crate) fn snapshot() -> Vec<u8> {
    let packed = samples::bytes("cases/packed/snapshot_2025-05-13_080917.db.zst");
    zstd::decode_all(packed.as_slice()).expect("a sound sample")
}

pub(crate) fn kuberesources() -> Vec<u8> {
    samples::bytes("cases/packed/static_kuberesources_2025-05-13_080917.tar.gz")
}

/// The pair in a directory of this name.
fn pair(directory: &str) -> Tree {
    vec![
        (format!("{directory}{SNAPSHOT}"), snapshot()),
        (format!("{directory}{KUBERESOURCES}"), kuberesources()),
    ]
}

pub(crate) fn tar(tree: &Tree) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in tree {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        let appended = builder.append_data(&mut header, name, bytes.as_slice());
        appended.expect("memory");
    }
    builder.into_inner().expect("memory")
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn run(env: &TestEnv, arguments: &[&str]) -> Ran {
    env.run(&[arguments, &["--as-of", AS_OF]].concat())
}

/// Verifies as of soon after the packed samples were taken.
pub(crate) fn verify(env: &TestEnv, arguments: &[&str]) -> Ran {
    run(env, &[&["verify", "-o", "json"], arguments].concat())
}

/// Puts a bundle there and has it verified: one valid pair is in it, and lies where it should.
#[track_caller]
fn holds_the_pair(name: &str, bytes: Vec<u8>, directory: &str) {
    let env = TestEnv::new();
    let bundle = env.put(&format!("data/{name}"), bytes);
    let report: VerifyReport = verify(&env, &[&env.text("data")]).ends_with(0).json();
    let backup = report.only();
    assert_eq!(
        backup.version.openshift.as_deref(),
        Some("4.18.11"),
        "{name}"
    );
    let place = format!("{}!/{directory}{SNAPSHOT}", bundle.display());
    assert_eq!(backup.snapshot().path, place);
    assert!(backup.kuberesources.is_some(), "{name}");
}

#[test]
fn a_packed_directory_is_read_as_a_directory() {
    let bundle = gzip(&tar(&pair("etcd-backup/")));
    holds_the_pair(
        "etcd-backup-1747123757.tar.gz",
        bundle.clone(),
        "etcd-backup/",
    );
    holds_the_pair("prod-20250513-0809", bundle.clone(), "etcd-backup/");
    holds_the_pair("x.tar.xz", bundle, "etcd-backup/");
    holds_the_pair("x.tgz", gzip(&tar(&pair(""))), "");
}

/// Made by the tools themselves.
#[test]
fn every_packer_that_shops_have_is_understood() {
    for ending in ["tar.xz", "tar.bz2", "tar.lz4", "tar.zst", "zip"] {
        let bytes = samples::bytes(&format!("cases/bundles/backup.{ending}"));
        holds_the_pair("no-ending", bytes.clone(), "backup/");
        holds_the_pair("b.tar.gz", gzip(&bytes), "backup/");
    }
    let streamed = samples::bytes("cases/bundles/streamed.zip");
    holds_the_pair("b.zip", streamed, "backup/");
}

#[test]
fn halves_that_were_packed_once_more_are_the_halves() {
    let env = TestEnv::new();
    let bare = [(SNAPSHOT, snapshot()), (KUBERESOURCES, kuberesources())];
    for (name, bytes) in bare {
        env.put(&format!("gzip/{name}.gz"), gzip(&gzip(&bytes)));
        let zstd = zstd::encode_all(bytes.as_slice(), 1).expect("memory");
        env.put(&format!("zstd/{name}"), gzip(&zstd));
        env.put(&format!("bare/{name}"), bytes);
    }
    let report: VerifyReport = verify(&env, &["."]).ends_with(0).json();
    let backup = report.only();
    assert_eq!(backup.snapshot().copies.len(), 2);
    let kuberesources = backup.kuberesources.as_ref().expect("all three");
    assert_eq!(kuberesources.copies.len(), 2);
    for from in ["gzip", "zstd"] {
        let to = format!("from-{from}");
        run(&env, &["stage", "latest", "--to", &to, from]).ends_with(0);
        let staged = std::fs::read(env.path(&to).join(KUBERESOURCES)).expect("staged");
        assert!(staged == self::kuberesources(), "{from}");
    }
}

#[test]
fn three_deep_is_read_and_a_fourth_is_told() {
    let mut bundle = tar(&pair("a/"));
    for deep in 1..=3 {
        holds_the_pair_below(&gzip(&bundle), deep);
        bundle = tar(&vec![("inner.tar".to_owned(), bundle)]);
    }
    let env = TestEnv::new();
    env.put("data/b.tar", bundle);
    let ran = verify(&env, &["data"]);
    assert_ne!(ran.code, Some(0));
    assert!(ran.stdout.contains("more than 3 deep"), "{}", ran.stdout);
}

#[track_caller]
fn holds_the_pair_below(bundle: &[u8], deep: usize) {
    let inner = "inner.tar!/".repeat(deep - 1);
    holds_the_pair("b.tar.gz", bundle.to_vec(), &format!("{inner}a/"));
    let env = TestEnv::new();
    env.put("data/b.tar.gz", bundle);
    run(&env, &["stage", "data/b.tar.gz", "--to", "to"]).ends_with(0);
    assert!(std::fs::read(env.path("to").join(SNAPSHOT)).expect("staged") == snapshot());
}

#[test]
fn a_kuberesources_that_was_unpacked_on_the_way_is_read_and_has_one_finding() {
    let env = TestEnv::new();
    let mut plain = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&*Box::leak(kuberesources().into_boxed_slice()));
    std::io::copy(&mut decoder, &mut plain).expect("a sound sample");
    env.put(&format!("data/{SNAPSHOT}"), snapshot());
    env.put(&format!("data/{KUBERESOURCES}"), plain);
    let report: VerifyReport = verify(&env, &["data"]).ends_with(1).json();
    let backup = report.only();
    let codes: Vec<&str> = backup
        .findings
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    assert_eq!(codes, ["kuberesources-corrupt"]);
    assert!(backup.findings[0].message.contains("plain tar"));
}

#[test]
fn a_bundle_comes_through_a_pipe() {
    let env = TestEnv::new();
    for bytes in [
        gzip(&tar(&pair("backup/"))),
        samples::bytes("cases/bundles/streamed.zip"),
    ] {
        let bundle = env.put("bundle", bytes);
        let mut command = env.command(&["verify", "-", "-o", "json", "--as-of", AS_OF]);
        command.stdin(std::fs::File::open(bundle).expect("just written"));
        let ran = Ran::of(command.output().expect("it starts")).ends_with(0);
        let report: VerifyReport = ran.json();
        assert_eq!(
            report.only().snapshot().path,
            format!("-!/backup/{SNAPSHOT}")
        );
        assert!(report.only().kuberesources.is_some());
    }
}

#[test]
fn a_packed_pair_is_listed_checked_and_staged() {
    let env = TestEnv::new();
    let bundle = env.put("data/b.tar.gz", gzip(&tar(&pair("backup/"))));
    run(&env, &["index", "data"]).ends_with(0);
    let again = run(&env, &["index", "data"]).ends_with(0);
    assert!(again.stdout.contains("read 0 files"), "{}", again.stdout);
    let listed = run(&env, &["list"]).ends_with(0);
    assert!(listed.stdout.contains("4.18.11"), "{}", listed.stdout);
    let check = run(&env, &["check", "--valid-for", "4.18.11"]).ends_with(0);
    assert!(check.stdout.contains("etcd-cat stage"), "{}", check.stdout);
    let member = format!("{}!/backup/{SNAPSHOT}", bundle.display());
    for (reference, to) in [
        ("latest-valid", "one"),
        ("data/b.tar.gz", "two"),
        (member.as_str(), "three"),
    ] {
        run(&env, &["stage", reference, "--to", to]).ends_with(0);
        let staged = |name: &str| std::fs::read(env.path(to).join(name)).expect("staged");
        assert!(staged(SNAPSHOT) == snapshot(), "{reference}");
        assert!(staged(KUBERESOURCES) == kuberesources(), "{reference}");
    }
    let report: VerifyReport = verify(&env, &[&member]).ends_with(0).json();
    assert_eq!(report.only().snapshot().path, member);
}

#[test]
fn a_bundle_that_changed_is_read_again_and_what_left_it_is_forgotten() {
    let env = TestEnv::new();
    let mut tree = pair("new/");
    tree.push((format!("old/{SNAPSHOT}.part"), b"half".to_vec()));
    env.put("data/b.tar.gz", gzip(&tar(&tree)));
    let ran = run(&env, &["index", "data"]);
    assert!(ran.stdout.contains("2 backups"), "{}", ran.stdout);
    tree.pop();
    env.put("data/b.tar.gz", gzip(&tar(&tree)));
    let changed = run(&env, &["list", "--all"]);
    assert!(
        changed.stdout.contains("file-changed"),
        "{}",
        changed.stdout
    );
    run(&env, &["index", "data"]).ends_with(0);
    let listed = run(&env, &["list", "--all"]).ends_with(0);
    assert_eq!(listed.stdout.lines().count(), 2, "{}", listed.stdout);
    std::fs::remove_file(env.path("data/b.tar.gz")).expect("ours");
    let gone = run(&env, &["list", "--all"]);
    assert!(gone.stdout.contains("file-missing"), "{}", gone.stdout);
}

#[test]
fn a_copy_in_a_bundle_is_a_copy() {
    let env = TestEnv::new();
    for (name, bytes) in pair("") {
        env.put(&format!("data/{name}"), bytes);
    }
    let mut tree = pair("a/");
    tree.extend(pair("b/"));
    env.put("data/b.tar.gz", gzip(&tar(&tree)));
    let report: VerifyReport = verify(&env, &["data"]).ends_with(0).json();
    let snapshot = report.only().snapshot();
    assert!(!snapshot.path.contains('!'), "the bare one stands for all");
    assert_eq!(snapshot.copies.len(), 2, "{:?}", snapshot.copies);
}

/// As `tar --update` leaves them.
#[test]
fn of_members_of_one_name_the_last_counts_as_when_unpacked() {
    let mut older = snapshot();
    let middle = older.len() / 2;
    older[middle] ^= 1;
    let mut tree = vec![(format!("a/{SNAPSHOT}"), older.clone())];
    tree.extend(pair("a/"));
    let env = TestEnv::new();
    let bundle = env.put("data/b.tar.gz", gzip(&tar(&tree)));
    let report: VerifyReport = verify(&env, &["data"]).ends_with(0).json();
    assert_eq!(report.only().verdict, "valid");
    let told: Vec<(&str, bool)> = report
        .skipped
        .iter()
        .map(|one| (one.path.as_str(), one.reason.contains("takes the place")))
        .collect();
    let place = format!("{}!/a/{SNAPSHOT}", bundle.display());
    assert_eq!(told, [(place.as_str(), true)]);
    run(&env, &["index", "data"]).ends_with(0);
    run(&env, &["stage", "latest-valid", "--to", "to"]).ends_with(0);
    let staged = std::fs::read(env.path("to").join(SNAPSHOT)).expect("staged");
    assert!(staged == snapshot(), "the last of them");

    tree.push((format!("a/{SNAPSHOT}"), older));
    env.put("data/b.tar.gz", gzip(&tar(&tree)));
    let report: VerifyReport = verify(&env, &["data"]).ends_with(1).json();
    assert_eq!(report.only().verdict, "invalid");
}

#[test]
fn a_bundle_that_is_cut_is_never_sound() {
    let whole = gzip(&tar(&pair("backup/")));
    for length in [whole.len() - 1, whole.len() / 2, whole.len() / 8] {
        let env = TestEnv::new();
        env.put("data/b.tar.gz", whole.get(..length).expect("shorter"));
        let ran = verify(&env, &["data"]);
        assert_ne!(ran.code, Some(0), "cut to {length} bytes");
        for claim in ["is not in the archive", "there is no kuberesources"] {
            assert!(!ran.stdout.contains(claim), "{}", ran.stdout);
        }
    }
}
