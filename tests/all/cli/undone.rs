//! What happened to a file is undone where the digest proves it: the backup is usable, and `stage` writes what was saved.

use crate::cli::bundles::{gzip, tar};
use crate::cli::contract::{Backup, BackupList, VerifyReport};
use crate::cli::edit;
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::samples;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::process::Command;

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
fn what_was_written_since_is_not_had_back() {
    let opened = edit::opened(samples::bytes(SNAPSHOT), 3);
    let env = with(&opened);
    is_had_back(&env, "opened-since");
    let mut other = opened;
    other[9000] ^= 1;
    env.put(&format!("data/{NAME}"), other);
    let shown = run(&env, &["show", "latest", "-o", "json"]).ends_with(1);
    let backup: Backup = shown.json();
    assert_eq!(
        (backup.verdict.as_str(), backup.usable.as_str()),
        ("unknown", "no"),
        "{:#?}",
        backup.findings
    );
    let refused = run(&env, &["show", "latest-valid"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
    let clusters = run(&env, &["clusters"]);
    assert!(clusters.stdout.contains("no usable"), "{clusters:?}");
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
    let written = with_line_ends(&samples::bytes(SNAPSHOT));
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
    const LATER: &str = "2024-11-09T06:00:00Z";
    let env = TestEnv::new();
    let older = env.copy(SNAPSHOT, "older").display().to_string();
    env.copy(KUBERESOURCES, "older");
    env.copy(
        "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
        "newer",
    );
    let newer = samples::bytes("backups/prod/snapshot_2024-11-09_030000.db");
    let newer = env.put(
        "newer/snapshot_2024-11-09_030000.db",
        [&newer[..], b"words"].concat(),
    );
    let newer = newer.display().to_string();
    let run = |arguments: &[&str]| env.run(&[arguments, &["--as-of", LATER]].concat());
    let (one, two) = (env.text("older"), env.text("newer"));
    run(&["index", &one, &two]).ends_with(1);
    let target = "4.17.3";

    let listed: BackupList = run(&["list", "--valid-for", target, "-o", "json"])
        .ends_with(0)
        .json();
    let order: Vec<(&str, &str)> = listed
        .items
        .iter()
        .map(|one| (one.snapshot().path.as_str(), one.usable.as_str()))
        .collect();
    assert_eq!(order, [(older.as_str(), "as-is"), (&newer, "staged")]);
    assert!(
        listed.items[0].taken_at < listed.items[1].taken_at,
        "the one to be staged is the newer"
    );
    let (first, second) = (&listed.items[0].id, &listed.items[1].id);

    let checked = run(&["check", "--valid-for", target, "-o", "json"]).ends_with(0);
    let document: serde_json::Value = checked.json();
    assert_eq!(document["chosen"]["id"], serde_json::json!(first));
    assert_eq!(document["alternatives"][0]["id"], serde_json::json!(second));
    let why = document["whyChosen"].as_str().expect("a sentence");
    assert!(why.contains("usable as it lies"), "{why}");

    let shown = run(&["show", "latest-valid", "-o", "json"]).ends_with(0);
    let shown: serde_json::Value = shown.json();
    assert_eq!(shown["id"], serde_json::json!(first));

    let clusters: serde_json::Value = run(&["clusters", "-o", "json"]).json();
    let usable = &clusters["items"][0]["newestUsable"];
    assert_eq!(usable["id"], serde_json::json!(first), "{clusters:#}");

    std::fs::remove_dir_all(env.path("older")).expect("ours");
    run(&["index", &two]);
    let clusters: serde_json::Value = run(&["clusters", "-o", "json"]).json();
    let usable = &clusters["items"][0]["newestUsable"];
    assert_eq!(usable["id"], serde_json::json!(second), "{clusters:#}");
}

/// A bundle of the pair, the snapshot of which became another.
fn bundle(bytes: &[u8]) -> Vec<u8> {
    let archive = KUBERESOURCES.rsplit('/').next().expect("a name");
    gzip(&tar(&vec![
        (format!("backup/{archive}"), samples::bytes(KUBERESOURCES)),
        (format!("backup/{NAME}"), bytes.to_vec()),
    ]))
}

fn with_line_ends(bytes: &[u8]) -> Vec<u8> {
    let ends = |byte: &u8| (*byte == b'\n').then_some(b'\r').into_iter().chain([*byte]);
    bytes.iter().flat_map(ends).collect()
}

#[test]
fn in_a_bundle_it_is_undone_as_well() {
    let whole = samples::bytes(SNAPSHOT);
    for (bytes, code) in [
        (edit::opened(whole.clone(), 3), "opened-since"),
        ([b"words\n", &whole[..]].concat(), "mended"),
        ([&whole[..], b"words\n"].concat(), "mended"),
        (with_line_ends(&whole), "mended"),
    ] {
        let env = TestEnv::new();
        env.put("data/b.tar.gz", bundle(&bytes));
        let data = env.text("data");
        let report: VerifyReport = run(&env, &["verify", "-o", "json", &data])
            .ends_with(1)
            .json();
        let backup = report.only();
        assert_eq!(backup.usable, "staged", "{:#?}", backup.findings);
        assert!(backup.codes().contains(&code), "{:?}", backup.codes());
        assert!(backup.kuberesources.is_some());
        assert_eq!(report.skipped.len(), 0, "{:?}", report.skipped);
        run(&env, &["index", &data]);
        let staged = env.text("staged");
        run(&env, &["stage", "latest-valid", "--to", &staged]).ends_with(0);
        let written = std::fs::read(env.path(&format!("staged/{NAME}"))).expect("it was staged");
        assert!(written == whole, "{code}: other bytes than were saved");
    }
}

/// Each damaged member is tried in the same one more pass; of too many it is said that they were not.
#[test]
fn of_a_bundle_full_of_damage_some_is_tried() {
    let whole = samples::bytes("backups/fresh/snapshot_2024-11-05_090000.db");
    let members = (1..=70).map(|day| {
        let mut bytes = edit::opened(whole.clone(), 1);
        // Of each another database.
        let length = bytes.len();
        bytes[length - 40] ^= day;
        (format!("{day}/snapshot.db"), bytes)
    });
    let env = TestEnv::new();
    env.put("data/b.tar", tar(&members.collect()));
    let report: VerifyReport = env.verify(&[&env.text("data")]);
    assert_eq!(report.items.len(), 70);
    let remedies = report.items.iter().map(|one| {
        let finding = one.finding("digest-mismatch");
        finding.remedy.contains("not tried")
    });
    assert_eq!(remedies.filter(|is_untried| *is_untried).count(), 6);
}

#[test]
fn of_a_stream_is_said_what_a_file_could_prove() {
    let whole = samples::bytes(SNAPSHOT);
    let verify = |bytes: &[u8]| -> VerifyReport {
        let env = TestEnv::new();
        let piped = env.put("piped", bytes);
        let mut command = env.command(&["verify", "-", "-o", "json", "--as-of", SOON]);
        command.stdin(std::fs::File::open(piped).expect("just written"));
        Ran::of(command.output().expect("it starts"))
            .ends_with(1)
            .json()
    };
    for bytes in [
        edit::opened(whole.clone(), 3),
        bundle(&edit::opened(whole.clone(), 3)),
    ] {
        let report = verify(&bytes);
        let told = report.only().finding("digest-mismatch");
        assert!(told.remedy.contains("save it to a file"), "{told:?}");
        assert_eq!(report.only().usable, "no");
    }
    // What the one pass proves needs no other.
    let report = verify(&[&whole[..], b"words\n"].concat());
    assert!(report.only().codes().contains(&"mended"));
}

/// What was run, transactions that it made, and transaction number and checksum of each meta page.
type HashkvRow = (&'static str, u64, [(u8, &'static str); 2]);

/// What the real `etcdutl hashkv` (3.6.16 and 3.7.3), run so often on the sample, left in its two meta pages.
const HASHKV: [HashkvRow; 6] = [
    (
        "3.6, once",
        1,
        [(6, "eaccec72830096df"), (4, "a8380e5d7172a0a1")],
    ),
    (
        "3.6, twice",
        2,
        [(6, "eaccec72830096df"), (7, "0b17dc7d8cc790fe")],
    ),
    (
        "3.6, seven times",
        7,
        [(12, "a0e79305293acaa9"), (11, "87ee1e5268aba582")],
    ),
    (
        "3.7, once",
        2,
        [(6, "eaccec72830096df"), (7, "0b17dc7d8cc790fe")],
    ),
    (
        "3.7, twice",
        4,
        [(8, "241051314d56b525"), (9, "455a403c561db044")],
    ),
    (
        "3.7, seven times",
        14,
        [(18, "7e979e4d388d2d4b"), (19, "9fe18d584154286a")],
    ),
];

#[test]
fn what_hashkv_was_seen_to_do_is_undone() {
    for (what, transactions, pages) in HASHKV {
        let mut bytes = samples::bytes(SNAPSHOT);
        for (start, (txid, checksum)) in [0, 4096].into_iter().zip(pages) {
            bytes[start + 64] = txid;
            let checksum = data_encoding::HEXLOWER.decode(checksum.as_bytes());
            bytes[start + 72..start + 80].copy_from_slice(&checksum.expect("hex"));
        }
        let env = with(&bytes);
        is_had_back(&env, "opened-since");
        let report: VerifyReport = env.verify(&[&env.text("data")]);
        let told = report.only().finding("opened-since");
        assert_eq!(told.evidence["transactions"], transactions, "{what}");
    }
}

/// `etcdutl`, where one is that has `hashkv`: etcd 3.6 and later.
fn etcdutl() -> Option<PathBuf> {
    let directory = std::env::var_os("ETCD_CAT_TEST_ETCD_DIR").map(PathBuf::from)?;
    let etcdutl = directory.join("etcdutl");
    let help = Command::new(&etcdutl).args(["hashkv", "--help"]).output();
    let help = help.expect("etcdutl runs").stdout;
    String::from_utf8_lossy(&help)
        .contains("etcdutl hashkv")
        .then_some(etcdutl)
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped proof must be seen")]
fn what_the_real_hashkv_does_is_undone() {
    let Some(etcdutl) = etcdutl() else {
        eprintln!("skipped: no etcdutl of 3.6 or later in ETCD_CAT_TEST_ETCD_DIR");
        return;
    };
    for runs in [1, 2, 7] {
        let env = with(&samples::bytes(SNAPSHOT));
        let file = env.path(&format!("data/{NAME}"));
        for _ in 0..runs {
            // 3.6 gives up at a key with a lease. It has opened the file by then.
            let ran = Command::new(&etcdutl).arg("hashkv").arg(&file).output();
            ran.expect("etcdutl runs");
        }
        let written = std::fs::read(&file).expect("it lies there");
        assert!(written != samples::bytes(SNAPSHOT), "it was opened");
        is_had_back(&env, "opened-since");
        let bundled = TestEnv::new();
        bundled.put("data/b.tar.gz", bundle(&written));
        let report: VerifyReport = bundled.verify(&[&bundled.text("data")]);
        assert_eq!(report.only().usable, "staged", "{runs} runs");
    }
}
