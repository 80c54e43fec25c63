//! How backups lie where each producer puts them: every layout as a tree, read and judged.

use crate::cli::bundles::{KUBERESOURCES, SNAPSHOT, gzip, kuberesources, snapshot, tar};
use crate::cli::contract::VerifyReport;
use crate::cli::environment::TestEnv;
use crate::cli::zips::{Entry, zip};
use crate::support::samples;

const AS_OF: &str = "2025-05-13T09:00:00Z";

/// Verifies the whole place.
fn verify(env: &TestEnv) -> VerifyReport {
    let data = env.text("data");
    env.run(&["verify", &data, "-o", "json", "--as-of", AS_OF])
        .json()
}

/// Puts files below `data`.
fn placed(files: &[(&str, Vec<u8>)]) -> TestEnv {
    let env = TestEnv::new();
    for (name, bytes) in files {
        env.put(&format!("data/{name}"), bytes);
    }
    env
}

/// A bucket with these files gives the answer that was given of the directory.
#[cfg(feature = "object-stores")]
#[track_caller]
fn is_so_in_a_bucket(layout: &str, files: &[(&str, Vec<u8>)]) {
    use crate::cli::buckets::placeless;
    use crate::cli::environment::Ran;
    use crate::support::bucket_server::{BucketServer, MODIFIED};
    use std::time::{Duration, SystemTime};

    let (env, server) = (placed(files), BucketServer::start());
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(MODIFIED);
    for (name, bytes) in files {
        server.put(&format!("data/{name}"), bytes);
        let file = std::fs::File::open(env.path(&format!("data/{name}"))).expect("was put");
        file.set_modified(written).expect("it is ours");
    }
    let answer = |place: &str| {
        let arguments = [
            "verify",
            place,
            "-o",
            "json",
            "--as-of",
            AS_OF,
            "--no-catalogue",
        ];
        let mut command = env.command(&arguments);
        command
            .env("ETCD_CAT_ENDPOINT", server.endpoint())
            .env("ETCD_CAT_NO_SIGN", "true");
        let ran = Ran::of(command.output().expect("it starts"));
        let mut answer: serde_json::Value = ran.json();
        // No script runs in a bucket: what one would pick there is no question.
        answer["restoreChoices"] = serde_json::Value::Null;
        let answer = serde_json::to_string_pretty(&answer).expect("is JSON");
        (ran.code, placeless(&answer, place))
    };
    assert_eq!(
        answer("s3://backups/data"),
        answer(&env.text("data")),
        "{layout}"
    );
}

#[cfg(not(feature = "object-stores"))]
fn is_so_in_a_bucket(_: &str, _: &[(&str, Vec<u8>)]) {}

/// One whole, valid backup comes of these files, on a disk and in a bucket.
#[track_caller]
fn is_one_pair(layout: &str, files: &[(&str, Vec<u8>)]) {
    is_so_in_a_bucket(layout, files);
    let env = placed(files);
    let report = verify(&env);
    let backup = report.only();
    assert_eq!(backup.verdict, "valid", "{layout}: {:?}", backup.findings);
    assert!(backup.snapshot.is_some() && backup.kuberesources.is_some());
    assert_eq!(backup.version.openshift.as_deref(), Some("4.18.11"));
    assert_eq!(report.skipped.len(), 0, "{layout}: {:?}", report.skipped);
}

#[test]
fn a_pair_is_found_wherever_a_producer_puts_it() {
    let cluster = "a5e14299-9e73-4b39-a7d0-623452824042";
    let rows = [
        ("flat", String::new()),
        (
            "colons and plus",
            "etcd-backup-2025-05-13T08:09:17+00:00/".to_owned(),
        ),
        ("a bucket for each cluster", "2025-05-13_080917/".to_owned()),
        ("by cluster id", format!("{cluster}/2025-05-13_080917/")),
        ("one prefix for all", "etcd/".to_owned()),
        ("the day on the host", "13-05-2025/".to_owned()),
        ("a copying volume", "cc-etcd-backup/".to_owned()),
        ("by cluster name", "opt/etcd-backup/shop/".to_owned()),
        (
            "an object store of another product",
            "bsl/backups/daily/etcd-backup/".to_owned(),
        ),
    ];
    for (layout, directory) in rows {
        let names = [SNAPSHOT, KUBERESOURCES].map(|name| format!("{directory}{name}"));
        let [first, second] = names;
        is_one_pair(layout, &[(&first, snapshot()), (&second, kuberesources())]);
    }
}

#[test]
fn names_that_are_always_the_same_pair_in_their_directory() {
    is_one_pair(
        "fixed names and what a script notes",
        &[
            ("2025-05-13/snapshot.db", snapshot()),
            ("2025-05-13/static_kuberesources.tar.gz", kuberesources()),
            (
                "2025-05-13/metadata.json",
                br#"{"cluster":"shop"}"#.to_vec(),
            ),
        ],
    );
    is_one_pair(
        "a mark of completion, and what is not finished",
        &[
            (&format!("b/{SNAPSHOT}"), snapshot()),
            (&format!("b/{KUBERESOURCES}"), kuberesources()),
            ("b/COMPLETE", b"".to_vec()),
            ("b/cluster_id", b"a5e14299".to_vec()),
            ("b/finished", b"2025-05-13T08:10:00Z".to_vec()),
        ],
    );
}

/// Nothing in the names says which run is which: the contents do, and the directory says what belongs together.
#[test]
fn each_run_of_fixed_names_is_a_backup_of_its_own() {
    let metadata = br#"{"cluster":"not-what-it-says","timestamp":"1999-01-01T00:00:00Z"}"#;
    let of = |path: &str| samples::bytes(&format!("backups/{path}"));
    let files = [
        ("a/run-2/snapshot.db", snapshot()),
        ("a/run-2/static_kuberesources.tar.gz", kuberesources()),
        ("a/run-2/metadata.json", metadata.to_vec()),
        ("a/run-2/COMPLETE", Vec::new()),
        (
            "b/run-1/snapshot.db",
            of("prod/snapshot_2024-11-09_030000.db"),
        ),
        (
            "b/run-1/static_kuberesources.tar.gz",
            of("keys/prod/static_kuberesources_2024-11-09_030000.tar.gz"),
        ),
        (
            "b/run-2/snapshot.db",
            of("prod/snapshot_2024-11-02_030000.db"),
        ),
        (
            "b/run-2/static_kuberesources.tar.gz",
            of("keys/prod/static_kuberesources_2024-11-02_030000.tar.gz"),
        ),
        ("b/run-2/COMPLETE", Vec::new()),
    ];
    is_so_in_a_bucket("fixed names", &files);
    let report = verify(&placed(&files));
    let told = |run: &str| {
        let backup = report.of(run);
        let other_half = &backup.kuberesources().path;
        assert!(other_half.contains(run), "{run}: {other_half}");
        let taken_at = backup
            .taken_at
            .as_ref()
            .map(|at| at.0.get(..16).expect("a time").to_owned());
        (
            backup.cluster.name.clone().unwrap_or_default(),
            taken_at.unwrap_or_default(),
        )
    };
    assert_eq!(report.items.len(), 3);
    // Of the two runs side by side one has no mark.
    let unmarked = report
        .items
        .iter()
        .filter(|backup| backup.codes().contains(&"completion-mark-missing"));
    let unmarked: Vec<&str> = unmarked
        .map(|backup| backup.snapshot().path.as_str())
        .collect();
    let begun = ["/b/run-1/"];
    assert_eq!(unmarked.len(), begun.len(), "{unmarked:?}");
    assert!(
        unmarked
            .iter()
            .zip(begun)
            .all(|(path, run)| path.contains(run))
    );
    let runs = ["a/run-2/", "b/run-1/", "b/run-2/"].map(told);
    assert_eq!(
        runs.map(|(cluster, at)| format!("{cluster} {at}")),
        [
            "shop-nqf3s 2025-05-13T08:09",
            "prod-7xk2p 2024-11-09T03:00",
            "prod-7xk2p 2024-11-02T03:00",
        ]
    );
}

#[test]
fn copies_of_each_master_are_one_backup() {
    let names = [0, 1, 2]
        .map(|master| [SNAPSHOT, KUBERESOURCES].map(|name| format!("master-{master}/{name}")));
    let mut files = Vec::new();
    for [first, second] in &names {
        files.push((first.as_str(), snapshot()));
        files.push((second.as_str(), kuberesources()));
    }
    is_so_in_a_bucket("copies of each master", &files);
    let report = verify(&placed(&files));
    assert_eq!(report.only().snapshot().copies.len(), 2);
}

#[test]
fn stamps_of_directory_and_file_may_differ() {
    let name = "snapshot_2025-05-13_081201__POSSIBLY_DIRTY__.db";
    let other = "static_kuberesources_2025-05-13_081201__POSSIBLY_DIRTY__.tar.gz";
    let env = TestEnv::new();
    let directory = "data/backup-daily-2025-05-13_080917";
    env.put(&format!("{directory}/{name}"), snapshot());
    env.put(&format!("{directory}/{other}"), kuberesources());
    let report = verify(&env);
    let backup = report.only();
    assert!(backup.kuberesources.is_some());
    assert!(
        backup
            .findings
            .iter()
            .any(|one| one.code == "possibly-dirty")
    );
}

#[test]
fn one_bundle_of_each_run_is_the_pair_that_it_holds() {
    let inside = |directory: &str| {
        tar(&vec![
            (format!("{directory}{SNAPSHOT}"), snapshot()),
            (format!("{directory}{KUBERESOURCES}"), kuberesources()),
        ])
    };
    let bundle = gzip(&inside("backup-2025-05-13/"));
    is_one_pair(
        "a tar.gz of each run",
        &[("backup-2025-05-13.tar.gz", bundle)],
    );
    is_one_pair("no ending", &[("etcd-20250513-0809", gzip(&inside("./")))]);
}

/// As OpenShift 4.3.0 and 4.3.1 wrote them: both halves in one archive, whatever its name is by now.
#[test]
fn a_combined_archive_is_both_halves() {
    let mut members = crate::cli::archive::members_of(&kuberesources());
    let snapshot = crate::cli::archive::member("snapshot.db", tar::EntryType::Regular, &snapshot());
    members.insert(0, snapshot);
    let combined = crate::cli::archive::pack(&members);
    for name in [
        "snapshot_db_kuberesources_2025-05-13_080917.tar.gz",
        "saved.tgz",
    ] {
        let env = TestEnv::new();
        let place = env.put(&format!("data/{name}"), combined.clone());
        let report = verify(&env);
        let backup = report.only();
        assert_eq!(backup.verdict, "valid", "{name}: {:?}", backup.findings);
        assert_eq!(
            backup.snapshot().path,
            format!("{}!/snapshot.db", place.display())
        );
        let kuberesources = backup.kuberesources.as_ref().expect("the archive itself");
        assert_eq!(kuberesources.path, place.display().to_string());
    }
}

/// Encrypted by hand: it may be a backup, and the run is not good.
#[test]
fn what_somebody_encrypted_is_named() {
    for (name, start) in [
        ("etcd-backup-1747123757.tar.gz.enc", b"Salted__".as_slice()),
        (
            "shop/snapshot_2025-05-13_080917.db.gpg",
            b"\x8c\x0d\x04\x09\x03\x02\xd8\x56",
        ),
    ] {
        let env = TestEnv::new();
        let mut bytes = start.to_vec();
        bytes
            .extend((0..60_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8));
        env.put(&format!("data/{name}"), bytes);
        let report = verify(&env);
        assert_eq!(report.items.len(), 0, "{name}");
        let kinds: Vec<&str> = report.skipped.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["encrypted"], "{name}");
    }
}

/// Other products': named, and no backup of OpenShift.
#[test]
fn what_another_product_keeps_is_named_and_not_judged() {
    let pki = tar(&vec![("pki/ca.crt".to_owned(), b"certificate".to_vec())]);
    let rows = [
        (
            "v2/Backup-1747123757/Incr-00000001-00012345-1747123757.gz",
            gzip(b"changes"),
        ),
        ("pki-2025-05-13.tar.gz", gzip(&pki)),
    ];
    for (name, bytes) in rows {
        let env = TestEnv::new();
        env.put(&format!("data/{name}"), bytes);
        let report = verify(&env);
        assert_eq!(report.items.len(), 0, "{name}");
        let kinds: Vec<&str> = report.skipped.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["other-product"], "{name}");
    }
}

/// Snapshots of plain Kubernetes, where the products that take them put them: read, and told whose they are.
#[test]
fn snapshots_of_other_products_are_read_where_they_put_them() {
    let plain = samples::bytes("backups/kubernetes/snapshot.db");
    let k3s = "etcd-snapshot-server-1-1747123757";
    let packed = Entry::new(k3s, plain.clone());
    let rows = [
        (
            "v2/Backup-1747123757/Full-00000000-00009002-1747123757.gz".to_owned(),
            gzip(&plain),
            "Gardener",
        ),
        (format!("snapshots/{k3s}.zip"), zip(&[packed], false), "k3s"),
        (
            "snapshot-2025-05-13.db".to_owned(),
            plain,
            "plain Kubernetes",
        ),
    ];
    for (name, bytes, product) in rows {
        let env = TestEnv::new();
        env.put(&format!("data/{name}"), bytes);
        env.put("data/pki-2025-05-13.tar.gz", gzip(&tar(&Vec::new())));
        let report = verify(&env);
        let told = report.only().finding("kuberesources-not-used");
        assert!(
            told.message
                .to_lowercase()
                .contains(&product.to_lowercase()),
            "{name}: {told:?}"
        );
        let kinds: Vec<&str> = report.skipped.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, ["other-product"], "{name}");
    }
}

/// Written last and removed first: lists know what the last look has seen of it.
#[test]
fn the_mark_of_a_run_comes_and_goes() {
    let env = TestEnv::new();
    for run in ["run-1", "run-2"] {
        env.put(&format!("data/{run}/{SNAPSHOT}"), snapshot());
        env.put(&format!("data/{run}/{KUBERESOURCES}"), kuberesources());
        env.put(&format!("data/{run}/COMPLETE"), "");
    }
    std::fs::remove_file(env.path(&format!("data/run-2/{SNAPSHOT}"))).expect("was put");
    std::fs::remove_file(env.path(&format!("data/run-2/{KUBERESOURCES}"))).expect("was put");
    let is_told = |arguments: &[&str]| {
        let ran = env.run(&[arguments, &["-o", "json", "--as-of", AS_OF]].concat());
        ran.stdout.contains("completion-mark-missing")
    };
    let data = env.text("data");
    let index = ["index", data.as_str(), "--all"];
    assert!(!is_told(&index) && !is_told(&["list", "--all"]));
    let mark = env.path("data/run-1/COMPLETE");
    std::fs::remove_file(&mark).expect("was put");
    assert!(!is_told(&["list", "--all"]) && is_told(&index) && is_told(&["list", "--all"]));
    std::fs::write(&mark, "").expect("it is ours");
    assert!(!is_told(&index) && !is_told(&["list", "--all"]));
}
