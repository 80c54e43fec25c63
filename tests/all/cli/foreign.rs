//! What no backup can be read from is called what it is, and nobody is told that it is damaged.

use crate::cli::contract::VerifyReport;
use crate::cli::environment::{KUBERESOURCES, SNAPSHOT, TestEnv};
use crate::support::samples;

const NAME: &str = "snapshot_2024-11-02_030000.db";

fn verify(env: &TestEnv) -> VerifyReport {
    env.verify(&[&env.text("data")])
}

fn kinds(report: &VerifyReport) -> Vec<(&str, &str)> {
    let skipped = report.skipped.iter();
    skipped
        .map(|one| {
            (
                one.path.rsplit('/').next().unwrap_or_default(),
                one.kind.as_str(),
            )
        })
        .collect()
}

/// Bytes that begin so and go on like noise.
fn file(start: &[u8]) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    });
    start.iter().copied().chain(noise.take(2000)).collect()
}

#[test]
fn an_encrypted_half_is_told_with_the_pipe_that_works_and_named_to_who_misses_it() {
    let env = TestEnv::new();
    env.copy(KUBERESOURCES, "data");
    let encrypted = format!("data/{NAME}.gpg");
    env.put(&encrypted, file(b"\x8c\x0d\x04\x09\x03\x02\xd8\x56"));
    let report = verify(&env);
    assert_eq!(
        kinds(&report),
        [(encrypted.trim_start_matches("data/"), "encrypted")]
    );
    let pipe = format!("gpg -d {} | etcd-cat verify -", env.text(&encrypted));
    assert!(report.skipped[0].remedy.contains(&pipe), "{report:#?}");
    let missing = report.only().finding("snapshot-missing");
    assert_eq!(missing.evidence["passedOver"], env.text(&encrypted));
    assert!(
        missing.message.contains("encrypted with OpenPGP"),
        "{missing:?}"
    );
    assert!(missing.remedy.contains(&encrypted), "{missing:?}");
}

#[test]
fn an_encrypted_snapshot_under_its_old_name_is_not_called_damaged() {
    for is_named in [false, true] {
        let env = TestEnv::new();
        let path = env.put(&format!("data/{NAME}"), file(b"Salted__"));
        let place = if is_named {
            path.display().to_string()
        } else {
            env.text("data")
        };
        let ran = env
            .run(&["verify", "--no-catalogue", "-o", "json", &place])
            .ends_with(1);
        let report: VerifyReport = ran.json();
        assert!(report.items.is_empty(), "{report:#?}");
        assert_eq!(kinds(&report), [(NAME, "encrypted")]);
    }
}

#[test]
fn parts_of_a_split_snapshot_are_told_with_their_siblings() {
    let env = TestEnv::new();
    env.copy(KUBERESOURCES, "data");
    let bytes = samples::bytes(SNAPSHOT);
    let size = bytes.len() / 2 - 1000;
    for (part, suffix) in bytes.chunks(size).zip(["aa", "ab", "ac"]) {
        env.put(&format!("data/{NAME}.{suffix}"), part);
    }
    let report = verify(&env);
    let told = kinds(&report);
    assert!(
        told.iter().all(|(_, kind)| *kind == "part-of-split"),
        "{told:?}"
    );
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        report.skipped[0].reason.starts_with("part 1 of 3 "),
        "{report:#?}"
    );
    let pipe = format!(
        "cat {}/{NAME}.[a-z][a-z] | etcd-cat verify -",
        env.text("data")
    );
    assert!(report.skipped[0].remedy.ends_with(&pipe), "{report:#?}");
    let missing = report.only().finding("snapshot-missing");
    assert!(
        missing.message.contains("of a file that was split"),
        "{missing:?}"
    );
}

#[test]
fn numbered_copies_that_are_whole_are_no_parts() {
    let env = TestEnv::new();
    for number in ["001", "002"] {
        env.put(&format!("data/{NAME}.{number}"), samples::bytes(SNAPSHOT));
    }
    let report = verify(&env);
    assert!(report.skipped.is_empty(), "{report:#?}");
    assert_eq!(report.items.len(), 1);
}

#[test]
fn a_repository_is_told_once_and_none_of_its_pieces_is_opened() {
    let env = TestEnv::new();
    env.copy(SNAPSHOT, "data/restic/beside");
    env.copy(KUBERESOURCES, "data/restic/beside");
    let id = |first: char| format!("{first}{}", "0123456789abcde".repeat(5).split_at(63).0);
    env.put("data/restic/config", file(b""));
    env.put(&format!("data/restic/keys/{}", id('a')), "{}");
    env.put(&format!("data/restic/snapshots/{}", id('b')), file(b""));
    // A piece that would be taken for a snapshot if anybody looked.
    env.put(
        &format!("data/restic/data/c0/{}", id('c')),
        samples::bytes(SNAPSHOT),
    );
    let report = verify(&env);
    assert_eq!(kinds(&report), [("restic", "repository")]);
    assert!(
        report.skipped[0].remedy.contains("restic -r "),
        "{report:#?}"
    );
    let backup = report.only();
    assert!(
        backup
            .snapshot
            .as_ref()
            .is_some_and(|half| half.copies.is_empty()),
        "{backup:#?}"
    );
}

#[test]
fn pages_and_pointers_in_the_place_of_both_halves_are_called_so() {
    let env = TestEnv::new();
    env.put(
        &format!("data/{NAME}"),
        "<?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>hunter2</Message></Error>",
    );
    env.put(
        "data/static_kuberesources_2024-11-02_030000.tar.gz",
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 76345\n",
    );
    let report = verify(&env);
    assert!(report.skipped.is_empty(), "{report:#?}");
    let of = |code: &str| {
        let mut findings = report.items.iter().flat_map(|backup| &backup.findings);
        findings
            .find(|finding| finding.code == code)
            .expect("it is found")
    };
    let page = of("not-a-snapshot");
    assert!(
        page.message.contains("object store") && page.message.contains("ExpiredToken"),
        "{page:?}"
    );
    assert!(!page.message.contains("hunter2"), "{page:?}");
    assert_eq!(page.evidence["content"], "error-page");
    let pointer = of("kuberesources-corrupt");
    assert!(
        pointer
            .message
            .contains("Git LFS pointer to a file of 76345 bytes"),
        "{pointer:?}"
    );
}

#[test]
fn a_snapshot_behind_the_words_of_oc_is_told_with_the_tail_that_cuts_it_free() {
    let env = TestEnv::new();
    env.copy(KUBERESOURCES, "data");
    let words = b"Starting pod/master-0-debug ...\r\nTo use host binaries, run `chroot /host`\r\n";
    let mut bytes = words.to_vec();
    bytes.extend(samples::bytes(SNAPSHOT));
    env.put(&format!("data/{NAME}"), bytes);
    let report = verify(&env);
    let told = report.only().finding("not-a-snapshot");
    assert_eq!(told.evidence["startsAt"], words.len());
    let tail = format!("tail -c +{} ", words.len() + 1);
    assert!(told.remedy.contains(&tail), "{told:?}");
}

#[test]
fn text_modes_and_what_others_keep_are_named() {
    let env = TestEnv::new();
    env.copy(SNAPSHOT, "data");
    env.copy(KUBERESOURCES, "data");
    let text = String::from_utf8_lossy(&samples::bytes(SNAPSHOT)).into_owned();
    env.put("data/lossy/snapshot_2024-11-01_030000.db", text);
    env.put("data/gardener/Incr-00009003-00009022-1518427675", "[]");
    env.put("data/kubeadm/pki-2024-11-02.tar.gz", "x");
    env.put(
        "data/netatalk/snapshot.db",
        b"\0\x05\x16\x07\0\x02\0\0Netatalk",
    );
    env.put("data/notes/etcd-backup.txt", "hello");
    let report = verify(&env);
    let mut told = kinds(&report);
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("Incr-00009003-00009022-1518427675", "other-product"),
            ("pki-2024-11-02.tar.gz", "other-product"),
            ("snapshot.db", "resource-fork"),
        ]
    );
    let lossy = report
        .items
        .iter()
        .flat_map(|backup| &backup.findings)
        .find(|finding| finding.code == "not-a-snapshot");
    assert!(
        lossy.is_some_and(|finding| finding.evidence["content"] == "text-mode-damage"),
        "{report:#?}"
    );
}

#[test]
fn what_is_named_like_a_backup_is_told_in_every_run() {
    let env = TestEnv::new();
    env.copy(SNAPSHOT, "data");
    env.copy(KUBERESOURCES, "data");
    env.put("data/etcd-backup-1747123757.tar.gz.enc", file(b"Salted__"));
    for _ in 0..2 {
        let ran = env.run(&["index", "-o", "json", &env.text("data")]);
        let report: VerifyReport = ran.json();
        assert_eq!(
            kinds(&report),
            [("etcd-backup-1747123757.tar.gz.enc", "encrypted")]
        );
    }
}

#[test]
fn snapshots_of_other_products_are_called_so() {
    for (name, product) in [
        ("etcd-snapshot-server-1-1747123757", "k3s"),
        ("Full-00000000-00009002-1747123757", "Gardener"),
    ] {
        let env = TestEnv::new();
        env.put(
            &format!("data/{name}"),
            samples::bytes("backups/kubernetes/snapshot.db"),
        );
        let report = verify(&env);
        let told = report.only().finding("kuberesources-not-used");
        assert!(told.message.contains(product), "{told:?}");
    }
}

#[test]
fn a_check_tells_what_may_hold_a_backup_and_was_not_read() {
    let env = TestEnv::new();
    env.put("data/etcd-backup-1747123757.tar.gz.enc", file(b"Salted__"));
    let arguments = [
        "check",
        "--no-catalogue",
        "--valid-for",
        "4.17.3",
        &env.text("data"),
    ];
    let ran = env.run(&arguments).ends_with(1);
    assert!(
        ran.stderr.contains("may hold a backup and was not read"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("openssl enc -d "), "{}", ran.stderr);
}
