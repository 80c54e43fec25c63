//! Checksums that somebody recorded beside the files.

use crate::cli::bundles::{gzip, tar};
use crate::cli::contract::VerifyReport;
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::samples;
use sha2::{Digest as _, Sha256};

const NAME: &str = "snapshot_2024-11-02_030000.db";
const MD5_OF_SNAPSHOT: &str = "70c1630ee059727a8f8201de46941391";
const MD5_OF_KUBERESOURCES: &str = "83e1c21d6634e58b3ba23ec88a5612b8";
const ARCHIVE: &str = "static_kuberesources_2024-11-02_030000.tar.gz";

fn pair() -> TestEnv {
    let env = TestEnv::new();
    env.copy(SNAPSHOT, "data");
    env.copy(KUBERESOURCES, "data");
    env
}

fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// The lists that are said to differ, by the end of their names, and what each is about.
fn told(env: &TestEnv) -> Vec<(String, String)> {
    let report: VerifyReport = env.verify(&[&env.text("data")]);
    let findings = report.only().findings.iter();
    let told = findings.filter(|finding| finding.code == "checksum-differs");
    let told = told.map(|finding| {
        assert_eq!(finding.severity, "warning");
        let list = finding.evidence["list"].as_str().expect("a path");
        let name = list.rsplit('/').next().unwrap_or_default();
        (name.to_owned(), finding.artifact.clone())
    });
    told.collect()
}

#[test]
fn checksums_that_are_right_say_nothing() {
    let env = pair();
    let (data, keys) = (samples::bytes(SNAPSHOT), samples::bytes(KUBERESOURCES));
    let list = format!(
        "{}  {NAME}\n{} *./{ARCHIVE}\n",
        sha256(&data),
        sha256(&keys)
    );
    env.put("data/SHA256SUMS", list);
    env.put(&format!("data/{NAME}.sha256"), sha256(&data));
    let packed = zstd::encode_all(data.as_slice(), 1).expect("packed");
    env.put(&format!("data/{NAME}.zst.sha256"), sha256(&packed));
    env.put(&format!("data/{NAME}.zst"), packed);
    assert_eq!(told(&env), []);
}

#[test]
fn checksums_that_differ_are_told_with_their_list() {
    let env = pair();
    let zeros = "0".repeat(64);
    env.put(
        "data/SHA256SUMS",
        format!("{zeros}  {NAME}\n{zeros}  {ARCHIVE}\n{zeros}  not-there.db\n"),
    );
    env.put(
        &format!("data/{ARCHIVE}.sha256"),
        format!("{zeros}  {ARCHIVE}\n"),
    );
    let mut found = told(&env);
    found.sort();
    let expected = [("SHA256SUMS", "kuberesources"), ("SHA256SUMS", "snapshot")];
    let mut expected: Vec<(String, String)> = expected
        .map(|(list, half)| (list.to_owned(), half.to_owned()))
        .into();
    expected.push((format!("{ARCHIVE}.sha256"), "kuberesources".to_owned()));
    assert_eq!(found, expected);
}

#[test]
fn md5_is_computed_where_it_was_recorded() {
    let env = pair();
    // As md5sum (coreutils 9.1) gives them of these samples.
    let list = format!("{MD5_OF_SNAPSHOT}  {NAME}\n{MD5_OF_KUBERESOURCES}  {ARCHIVE}\n");
    env.put("data/MD5SUMS", &list);
    assert_eq!(told(&env), []);
    env.put(
        "data/MD5SUMS",
        list.replace(MD5_OF_SNAPSHOT, &"f".repeat(32)),
    );
    assert_eq!(told(&env), [("MD5SUMS".to_owned(), "snapshot".to_owned())]);
}

#[test]
fn a_list_beside_a_file_that_is_named_alone_is_read_too() {
    let env = pair();
    let path = env.text(&format!("data/{NAME}"));
    env.put(&format!("data/{NAME}.sha256"), "0".repeat(64));
    let report: VerifyReport = env.verify(&[&path]);
    assert!(
        report.only().codes().contains(&"checksum-differs"),
        "{report:#?}"
    );
}

/// The pair in a bundle, a list in front of it and another one behind it.
fn bundle(first: &str, last: &str) -> Vec<u8> {
    gzip(&tar(&vec![
        ("b/SHA256SUMS".to_owned(), first.as_bytes().to_vec()),
        (format!("b/{NAME}"), samples::bytes(SNAPSHOT)),
        (format!("b/{ARCHIVE}"), samples::bytes(KUBERESOURCES)),
        ("b/md5sum.txt".to_owned(), last.as_bytes().to_vec()),
    ]))
}

#[test]
fn lists_in_a_bundle_are_compared_wherever_they_stand_in_it() {
    let (data, keys) = (samples::bytes(SNAPSHOT), samples::bytes(KUBERESOURCES));
    let (sha, md5) = (
        format!("{}  {NAME}\n{}  {ARCHIVE}\n", sha256(&data), sha256(&keys)),
        format!("{MD5_OF_SNAPSHOT}  {NAME}\n{MD5_OF_KUBERESOURCES}  {ARCHIVE}\n"),
    );
    let zeros = "0".repeat(64);
    let rows = [
        ("right", bundle(&sha, &md5), vec![]),
        (
            "first",
            bundle(&format!("{zeros}  {NAME}\n"), &md5),
            vec![("SHA256SUMS", "snapshot")],
        ),
        (
            "first, of the archive",
            bundle(&format!("{zeros}  {ARCHIVE}\n"), &md5),
            vec![("SHA256SUMS", "kuberesources")],
        ),
        (
            "last",
            bundle(&sha, &md5.replace(MD5_OF_KUBERESOURCES, &"f".repeat(32))),
            vec![("md5sum.txt", "kuberesources")],
        ),
    ];
    for (what, bytes, expected) in rows {
        let env = TestEnv::new();
        env.put("data/b.tar.gz", bytes);
        let expected: Vec<(String, String)> = expected
            .into_iter()
            .map(|(list, half)| (list.to_owned(), half.to_owned()))
            .collect();
        assert_eq!(told(&env), expected, "{what}");
    }
}

#[test]
fn a_list_behind_the_file_covers_a_lost_trailer_in_a_bundle() {
    let whole = samples::bytes(SNAPSHOT);
    let env = TestEnv::new();
    let list = format!("{}  {NAME}\n", sha256(&whole));
    let bytes = tar(&vec![
        (NAME.to_owned(), whole[..whole.len() - 32].to_vec()),
        (ARCHIVE.to_owned(), samples::bytes(KUBERESOURCES)),
        ("x.sha256".to_owned(), list.into_bytes()),
    ]);
    env.put("data/b.tar", bytes);
    let report: VerifyReport = env.verify(&[&env.text("data")]);
    assert_eq!(report.only().usable, "staged", "{report:#?}");
    assert!(!report.only().codes().contains(&"checksum-differs"));
    env.run(&["index", &env.text("data"), "--as-of", SOON]);
    env.run(&[
        "stage",
        "latest-valid",
        "--to",
        &env.text("to"),
        "--as-of",
        SOON,
    ])
    .ends_with(0);
    let staged = std::fs::read(env.path("to").join(NAME)).expect("staged");
    assert!(staged == whole);
}

#[test]
fn a_list_beside_a_bundle_is_about_all_that_is_in_it() {
    let env = TestEnv::new();
    let bytes = bundle("", "");
    env.put("data/b.tar.gz.sha256", sha256(&bytes));
    env.put("data/b.tar.gz", &bytes);
    assert_eq!(told(&env), []);
    env.put("data/b.tar.gz.sha256", "0".repeat(64));
    let halves = ["kuberesources", "snapshot"];
    let expected = halves.map(|half| ("b.tar.gz.sha256".to_owned(), half.to_owned()));
    let mut found = told(&env);
    found.sort();
    assert_eq!(found, expected);
    // What was remembered of a list that is right by now is forgotten.
    env.put("data/b.tar.gz.sha256", sha256(&bytes));
    assert_eq!(told(&env), []);
}

#[test]
fn what_a_stream_did_not_have_compared_is_told() {
    let env = TestEnv::new();
    let md5 = format!("{MD5_OF_SNAPSHOT}  {NAME}\n");
    let piped = env.put("piped", bundle("", &md5));
    let mut command = env.command(&["verify", "-", "-o", "json", "--as-of", SOON]);
    command.stdin(std::fs::File::open(piped).expect("just written"));
    let report: VerifyReport = Ran::of(command.output().expect("it starts")).json();
    let skipped: Vec<&str> = report.skipped.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(skipped, ["-!/b/md5sum.txt"]);
}
