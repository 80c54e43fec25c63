//! What happened to a file is undone where the digest proves it: the backup is usable, and `stage` writes what was saved.

use crate::cli::contract::VerifyReport;
use crate::cli::edit;
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::samples;
use sha2::{Digest as _, Sha256};

const NAME: &str = "snapshot_2024-11-02_030000.db";

/// The healthy pair, with a file that became another.
fn with(bytes: &[u8]) -> TestEnv {
    let env = TestEnv::new();
    env.copy(KUBERESOURCES, "data");
    env.put(&format!("data/{NAME}"), bytes);
    env
}

fn run(env: &TestEnv, arguments: &[&str]) -> Ran {
    let mut all = arguments.to_vec();
    all.extend(["--as-of", SOON]);
    env.run(&all)
}

fn version(report: &VerifyReport) -> String {
    let version = report.only().version.openshift.clone();
    version.expect("the sample names its version")
}

/// Verified, chosen and staged as it was.
fn is_had_back(env: &TestEnv, code: &str) {
    let data = env.text("data");
    let ran = run(env, &["verify", "-o", "json", &data]).ends_with(1);
    let report: VerifyReport = ran.json();
    let backup = report.only();
    assert_eq!(
        (backup.verdict.as_str(), backup.usable.as_str()),
        ("invalid", "staged"),
        "{:#?}",
        backup.findings
    );
    assert!(backup.codes().contains(&code), "{:?}", backup.codes());
    let check = ["check", "--valid-for", &version(&report), &data];
    let checked = run(env, &check).ends_with(0);
    assert!(checked.stdout.starts_with("YES"), "{}", checked.stdout);
    assert!(
        checked.stdout.contains("etcd-cat stage "),
        "{}",
        checked.stdout
    );
    run(env, &["index", &data]);
    for command in [
        &["list", "--valid-for", &version(&report)][..],
        &["clusters"],
        &["show", "latest-valid"],
    ] {
        let told = run(env, command);
        assert!(
            told.stdout.contains(backup.id.as_deref().expect("an id")),
            "{command:?}: {}{}",
            told.stdout,
            told.stderr
        );
    }
    let staged = env.text("staged");
    run(env, &["stage", "latest-valid", "--to", &staged]).ends_with(0);
    let written = std::fs::read(env.path(&format!("staged/{NAME}"))).expect("it was staged");
    assert!(
        written == samples::bytes(SNAPSHOT),
        "other bytes than were saved"
    );
    let lies = std::fs::read(env.path(&format!("data/{NAME}"))).expect("it lies there");
    assert!(lies != written, "the file itself is left alone");
}

#[test]
fn a_file_that_hashkv_has_opened_is_usable() {
    let env = with(&edit::opened(samples::bytes(SNAPSHOT), 3));
    is_had_back(&env, "opened-since");
    let before = edit::opened(samples::bytes(SNAPSHOT), 3);
    let report: VerifyReport = env.verify(&[&env.text("data")]);
    let told = report.only().finding("opened-since");
    assert_eq!(told.evidence["transactions"], 3);
    assert!(told.message.contains("as it was saved"), "{told:?}");
    let now = std::fs::read(env.path(&format!("data/{NAME}"))).expect("it lies there");
    assert!(now == before);
}

#[test]
fn other_bytes_around_the_data_are_left_out() {
    let whole = samples::bytes(SNAPSHOT);
    let words: &[u8] =
        b"Starting pod/master-0-debug ...\r\nTo use host binaries, run `chroot /host`\r\n";
    is_had_back(&with(&[words, &whole].concat()), "mended");
    is_had_back(&with(&[&whole, words].concat()), "mended");
}

#[test]
fn line_ends_are_put_back() {
    let whole = samples::bytes(SNAPSHOT);
    let ends = |byte: &u8| (*byte == b'\n').then_some(b'\r').into_iter().chain([*byte]);
    let written: Vec<u8> = whole.iter().flat_map(ends).collect();
    is_had_back(&with(&written), "mended");
}

#[test]
fn a_lost_trailer_comes_back_where_a_recorded_checksum_covers_it() {
    let whole = samples::bytes(SNAPSHOT);
    let env = with(&whole[..whole.len() - 32]);
    let list = |bytes: &[u8]| {
        format!(
            "{}  {NAME}\n",
            data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
        )
    };
    env.put("data/SHA256SUMS", list(&whole));
    is_had_back(&env, "mended");
    let report: VerifyReport = env.verify(&[&env.text("data")]);
    assert!(!report.only().codes().contains(&"checksum-differs"));
    env.put("data/SHA256SUMS", list(b"another"));
    let report: VerifyReport = env.verify(&[&env.text("data")]);
    assert_eq!(report.only().usable, "no");
}

#[test]
fn what_is_usable_as_it_lies_comes_first_however_old() {
    let env = TestEnv::new();
    env.copy(KUBERESOURCES, "data");
    env.copy(SNAPSHOT, "data");
    let later = "backups/prod/snapshot_2024-11-09_030000.db";
    let archive = "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz";
    env.copy(archive, "later");
    env.put(
        "later/snapshot_2024-11-09_030000.db",
        [&samples::bytes(later)[..], b"words"].concat(),
    );
    let root = env.text("");
    let report: VerifyReport = env
        .run(&[
            "verify",
            "-o",
            "json",
            "--as-of",
            "2024-11-09T06:00:00Z",
            &root,
        ])
        .json();
    let versions: Vec<_> = report
        .items
        .iter()
        .filter_map(|one| one.version.openshift.clone())
        .collect();
    assert_eq!(versions.len(), 2);
    let check = [
        "check",
        "-o",
        "json",
        "--as-of",
        "2024-11-09T06:00:00Z",
        "--valid-for",
        &versions[1],
        &root,
    ];
    let ran = env.run(&check).ends_with(0);
    let document: serde_json::Value = ran.json();
    if versions[0] == versions[1] {
        assert_eq!(document["chosen"]["usable"], "as-is", "{document:#}");
        assert_eq!(document["alternatives"].as_array().map(Vec::len), Some(1));
    }
}
