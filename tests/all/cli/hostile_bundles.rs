//! Archives made to take much, to lie, or to lead out: bounded, told, and nothing written.

use crate::cli::archive::{Member, member, pack};
use crate::cli::bundles::{KUBERESOURCES, SNAPSHOT, gzip, kuberesources, snapshot, tar};
use crate::cli::contract::VerifyReport;
use crate::cli::environment::{Ran, TestEnv};
use crate::hostile::within_limit;
use crate::support::samples;
use tar::EntryType;

/// Verified in bounded time and memory, and not good.
fn bounded(name: &str, bytes: impl AsRef<[u8]>) -> Ran {
    let env = TestEnv::new();
    env.put(&format!("data/{name}"), bytes);
    within_limit(&env, name)
}

/// The header of a member of this length, and nothing of it.
fn header(name: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("short");
    header.set_size(size);
    header.set_mode(0o600);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn a_bomb_stops_at_what_its_bytes_could_honestly_hold() {
    // Streams of gzip one after the other are one: four GiB of zeros in some hundred KiB, and those in less.
    let zeros = gzip(&vec![0; 64 << 20]);
    let mut stream = gzip(&header("x", 8 << 30));
    stream.extend(zeros.repeat(64));
    let ran = bounded("b.tar.gz", gzip(&gzip(&stream)));
    assert!(ran.stdout.contains("times its size"), "{}", ran.stdout);
}

#[test]
fn packing_without_end_is_not_followed() {
    let mut packed = tar(&vec![(format!("a/{SNAPSHOT}"), snapshot())]);
    for _ in 0..5 {
        packed = gzip(&packed);
    }
    let env = TestEnv::new();
    env.put("data/etcd-backup.tar.gz", packed);
    let ran = env.run(&["verify", "data"]);
    assert_ne!(ran.code, Some(0), "{ran:?}");
    let mut nested = tar(&vec![(SNAPSHOT.to_owned(), snapshot())]);
    for _ in 0..40 {
        nested = tar(&vec![("x.tar".to_owned(), nested)]);
    }
    let ran = bounded("b.tar", nested);
    assert!(ran.stdout.contains("more than 3 deep"), "{}", ran.stdout);
}

#[test]
fn members_without_end_have_one() {
    let mut stream = gzip(&header("a", 0).repeat(50_000)).repeat(20);
    stream.extend(gzip(&header("a", 0)));
    let ran = bounded("b.tar.gz", stream);
    assert!(
        ran.stdout.contains("more than 1000000 members"),
        "{}",
        ran.stdout
    );
}

#[test]
fn files_that_are_told_of_have_an_end() {
    let text: Vec<Member> = (0..10_100)
        .map(|number| member(&format!("{number}.db"), EntryType::Regular, b"no database"))
        .collect();
    let ran = bounded("b.tar.gz", pack(&text));
    let report: VerifyReport = ran.json();
    assert!(report.skipped.len() <= 10_000, "{}", report.skipped.len());
}

#[test]
fn a_length_that_lies_is_told() {
    for size in [1 << 20, u64::MAX >> 30] {
        let mut lying = header(SNAPSHOT, size);
        lying.extend(snapshot());
        let ran = bounded("b.tar.gz", gzip(&lying));
        assert!(ran.stdout.contains("ends in"), "{}", ran.stdout);
    }
}

#[test]
fn names_that_lead_out_are_told_and_lead_nowhere() {
    let (snapshot, kuberesources) = (snapshot(), kuberesources());
    let members = [
        member(&format!("../{SNAPSHOT}"), EntryType::Regular, &snapshot),
        member(
            &format!("a/../../{KUBERESOURCES}"),
            EntryType::Regular,
            &kuberesources,
        ),
        member(&format!("d/{SNAPSHOT}"), EntryType::Symlink, b""),
    ];
    let env = TestEnv::new();
    env.put("data/b.tar.gz", pack(&members));
    let ran = env.run(&["verify", &env.text("data"), "-o", "json"]);
    assert_ne!(ran.code, Some(0));
    let report: VerifyReport = ran.json();
    assert_eq!(report.items.len(), 0, "{:?}", report.items);
    let outside = report.skipped.iter();
    let outside = outside.filter(|one| one.reason.contains("leads out of the archive"));
    assert_eq!(outside.count(), 2, "{:?}", report.skipped);
    let files: Vec<_> = walkdir::WalkDir::new(env.path("data"))
        .into_iter()
        .map(|entry| entry.expect("ours").file_name().to_owned())
        .collect();
    assert_eq!(files, ["data", "b.tar.gz"]);
}

#[test]
fn a_zip_that_lies_is_never_sound() {
    let zip = samples::bytes("cases/bundles/backup.zip");
    let find = |mark: &[u8], skip: usize| {
        let mut found = zip.windows(mark.len()).enumerate();
        let found = found
            .by_ref()
            .filter(|(_, window)| *window == mark)
            .nth(skip);
        found.expect("there").0
    };
    let directory = find(b"PK\x01\x02", 1);
    let second = find(b"PK\x03\x04", 1);
    // A name in the directory, the checksum and the length of a member, its data, and the end.
    let places = [directory + 46, second + 14, second + 22, second + 200];
    for at in places {
        let mut changed = zip.clone();
        changed[at] ^= 0x20;
        let ran = bounded("b.zip", changed);
        assert_ne!(ran.code, Some(0), "byte {at}");
    }
    for length in [zip.len() - 1, directory, second + 40] {
        let ran = bounded("b.zip", &zip[..length]);
        assert_ne!(ran.code, Some(0), "cut to {length}");
    }
}
