//! Zips, and what zstd and others pack, made to take much or to lead out: bounded, told, and nothing written.

use crate::cli::bundles::{KUBERESOURCES, SNAPSHOT, gzip, kuberesources, snapshot};
use crate::cli::contract::VerifyReport;
use crate::cli::environment::TestEnv;
use crate::cli::zips::{Entry, end, zip};
use crate::hostile::within_limit;

/// Verified in bounded time and memory, and not good; what it says.
fn told_of(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let env = TestEnv::new();
    env.put(&format!("data/{name}"), bytes);
    within_limit(&env, name).stdout
}

/// The header of a member of eight GiB, and nothing of it.
fn header() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("x").expect("short");
    header.set_size(8 << 30);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn a_bomb_in_a_zip_stops_at_what_its_bytes_could_honestly_hold() {
    let mut stream = gzip(&header());
    stream.extend(gzip(&vec![0; 64 << 20]).repeat(64));
    let bomb = Entry::deflated("x.tar.gz", gzip(&stream));
    let by_directory = zip(std::slice::from_ref(&bomb), false);
    for (name, bytes) in [("b.zip", by_directory), ("streamed.zip", bomb.local())] {
        let told = told_of(name, bytes);
        assert!(told.contains("times its size"), "{name}: {told}");
    }
}

#[test]
fn what_zstd_packs_a_million_times_is_not_unpacked_without_end() {
    let zeros = zstd::encode_all(vec![0; 64 << 20].as_slice(), 1).expect("memory");
    let mut stream = zstd::encode_all(header().as_slice(), 1).expect("memory");
    stream.extend(zeros.repeat(64));
    let told = told_of("b.tar.zst", stream);
    assert!(told.contains("times its size"), "{told}");
}

#[test]
#[ignore = "takes five seconds of a processor, unoptimised; `--ignored zip_without_end`"]
fn members_of_a_zip_without_end_have_one() {
    let one = Entry::new("a", Vec::new());
    let locals = gzip(&one.local().repeat(50_000)).repeat(21);
    let told = told_of("streamed.gz", locals);
    assert!(told.contains("more than 1000000 members"), "{told}");
}

#[test]
fn a_directory_that_names_one_member_again_and_again_is_not_followed() {
    let one = Entry::new("a", Vec::new());
    let mut bytes = one.local();
    let directory = one.record(0).repeat(60_000);
    bytes = end(bytes, &directory, 60_000, true);
    let told = told_of("b.zip", bytes);
    assert!(told.contains("share their bytes"), "{told}");
}

#[test]
fn zips_in_zips_are_not_followed_without_end() {
    let mut nested = zip(&[Entry::new(SNAPSHOT, snapshot())], false);
    for _ in 0..40 {
        nested = zip(&[Entry::new("x.zip", nested)], false);
    }
    let told = told_of("b.zip", nested);
    assert!(told.contains("more than 3 deep"), "{told}");
}

#[test]
fn names_that_lead_out_of_a_zip_lead_nowhere() {
    let members = [
        Entry::new(&format!("../{SNAPSHOT}"), snapshot()),
        Entry::new(&format!("a/../../{KUBERESOURCES}"), kuberesources()),
    ];
    let env = TestEnv::new();
    env.put("data/b.zip", zip(&members, false));
    let report: VerifyReport = env.run(&["verify", "data", "-o", "json"]).json();
    assert_eq!(report.items.len(), 0, "{:?}", report.items);
    let outside = report.skipped.iter();
    let outside = outside.filter(|one| one.reason.contains("leads out of the archive"));
    assert_eq!(outside.count(), 2, "{:?}", report.skipped);
    let files = walkdir::WalkDir::new(env.path("data")).into_iter();
    assert_eq!(files.count(), 2, "the directory and the zip");
    assert!(!env.path(SNAPSHOT).exists() && !env.path(KUBERESOURCES).exists());
}
