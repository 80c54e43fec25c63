//! Checksums that somebody recorded beside the files.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{KUBERESOURCES, SNAPSHOT, TestEnv};
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
