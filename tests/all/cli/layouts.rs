//! How backups lie where each producer puts them: every layout as a tree, read and judged.

use crate::cli::bundles::{KUBERESOURCES, SNAPSHOT, gzip, kuberesources, snapshot, tar};
use crate::cli::contract::VerifyReport;
use crate::cli::edit;
use crate::cli::environment::{SNAPSHOT as ENCRYPTED, TestEnv};
use crate::support::samples;

const AS_OF: &str = "2025-05-13T09:00:00Z";

/// Verifies the whole place.
fn verify(env: &TestEnv) -> VerifyReport {
    let data = env.text("data");
    env.run(&["verify", &data, "-o", "json", "--as-of", AS_OF])
        .json()
}

/// One whole, valid backup comes of these files.
#[track_caller]
fn is_one_pair(layout: &str, files: &[(&str, Vec<u8>)]) {
    let env = TestEnv::new();
    for (name, bytes) in files {
        env.put(&format!("data/{name}"), bytes);
    }
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

#[test]
fn copies_of_each_master_are_one_backup() {
    let env = TestEnv::new();
    for master in 0..3 {
        env.put(&format!("data/master-{master}/{SNAPSHOT}"), snapshot());
        env.put(
            &format!("data/master-{master}/{KUBERESOURCES}"),
            kuberesources(),
        );
    }
    let report = verify(&env);
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

/// `etcd-upload` of a hosted control plane: the snapshot alone, or with Secrets of the control plane in one bundle.
#[test]
fn a_hosted_control_plane_has_no_kuberesources_and_misses_none() {
    let hosted = samples::bytes("cases/32-hypershift-young/1778410800.db");
    let bundle = tar(&vec![
        ("snapshot.db".to_owned(), hosted.clone()),
        (
            "secrets/root-ca.json".to_owned(),
            br#"{"kind":"Secret"}"#.to_vec(),
        ),
        (
            "secrets/key.json".to_owned(),
            br#"{"kind":"Secret"}"#.to_vec(),
        ),
    ]);
    for (name, bytes) in [
        ("1778410800.db", hosted),
        ("1778410800.tar.gz", gzip(&bundle)),
    ] {
        let env = TestEnv::new();
        env.put(&format!("data/prefix/{name}"), bytes);
        let as_of = "2026-05-10T11:30:00Z";
        let data = env.text("data");
        let ran = env.run(&["verify", &data, "-o", "json", "--as-of", as_of]);
        let report: VerifyReport = ran.json();
        let backup = report.only();
        assert_ne!(backup.verdict, "invalid", "{name}: {:?}", backup.findings);
        let codes: Vec<&str> = backup
            .findings
            .iter()
            .map(|one| one.code.as_str())
            .collect();
        assert!(
            !codes.contains(&"kuberesources-missing"),
            "{name}: {codes:?}"
        );
        assert_eq!(report.skipped.len(), 0, "{name}: {:?}", report.skipped);
    }
}

/// A key of the sample, and its name as the API server of a hosted control plane would have it.
fn key(secret: &str) -> (String, String) {
    let bytes = data_encoding::BASE64.decode(secret.as_bytes());
    let bytes = bytes.expect("a key of the sample");
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| {
        hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte)
    });
    (secret.to_owned(), format!("key-{hash}"))
}

/// A hosted control plane whose values are encrypted with key 7 of the sample, under this name.
fn hosted_and_encrypted(name: &str) -> Vec<u8> {
    edit::rewritten(ENCRYPTED, |content| {
        let infrastructure = "/kubernetes.io/config.openshift.io/infrastructures/";
        edit::text(
            content,
            infrastructure,
            "\"HighlyAvailable\"",
            "\"External\"",
        );
        for prefix in ["/kubernetes.io/secrets/", "/kubernetes.io/configmaps/"] {
            edit::values(content, prefix, |value| {
                let sealed = value.strip_prefix(b"k8s:enc:aescbc:v1:7:")?;
                Some([format!("k8s:enc:aescbc:v1:{name}:").as_bytes(), sealed].concat())
            });
        }
    })
}

fn bundle_of_hosted(snapshot: &[u8], secret: &str) -> Vec<u8> {
    let document = format!("{{\"data\":{{\"key\":\"{secret}\"}}}}");
    gzip(&tar(&vec![
        ("snapshot.db".to_owned(), snapshot.to_vec()),
        (
            "secrets/root-ca.json".to_owned(),
            br#"{"data":{"ca.crt":"YQ==","ca.key":"YQ=="}}"#.to_vec(),
        ),
        (
            "secrets/etcd-encryption-key.json".to_owned(),
            document.into_bytes(),
        ),
    ]))
}

/// `secrets/NAME.json` of the bundle holds the key of the snapshot's values, or it does not.
#[test]
fn keys_in_the_bundle_of_a_hosted_control_plane_are_tried() {
    let (seven, name_of_seven) = key("sVKBKoWwPLlgsJuwsTc2fOQyCRiJI1O2i1tfwmadxMY=");
    let (six, name_of_six) = key("TAdbJhRKjR7BVY96CffjvmI0ayUh9l3GMibuDtywCAU=");
    let right = hosted_and_encrypted(&name_of_seven);
    let wrong = hosted_and_encrypted(&name_of_six);
    let of_secrets = |bytes: Vec<u8>| -> Vec<String> {
        let env = TestEnv::new();
        env.put("data/infra/1730516407.tar.gz", bytes);
        let data = env.text("data");
        let arguments = [
            "verify",
            &data,
            "-o",
            "json",
            "--as-of",
            "2024-11-02T06:00:00Z",
        ];
        let ran = env.run(&arguments);
        assert!(
            !ran.stdout.contains(&seven) && !ran.stdout.contains(&six),
            "a key is told"
        );
        let told = |report: VerifyReport| -> Vec<String> {
            let findings = report.only().findings.iter();
            let of_keys = findings.filter(|one| {
                one.code.starts_with("encryption-") && one.message.contains("secrets")
            });
            of_keys.map(|one| one.code.clone()).collect()
        };
        let found = told(ran.json());
        // What was proven is remembered, keys are not.
        env.run(&["index", &data]);
        let catalogue = std::fs::read(env.path("catalogue.redb")).expect("written");
        let raw = data_encoding::BASE64
            .decode(seven.as_bytes())
            .expect("a key");
        assert!(!catalogue.windows(raw.len()).any(|window| window == raw));
        let again = env.run(&[
            "show",
            "latest",
            "-o",
            "json",
            "--as-of",
            "2024-11-02T06:00:00Z",
        ]);
        for code in &found {
            assert!(again.stdout.contains(code), "{code}: {}", again.stdout);
        }
        found
    };
    assert_eq!(of_secrets(bundle_of_hosted(&right, &seven)), [""; 0]);
    let kept_elsewhere = ["encryption-external"];
    assert_eq!(of_secrets(bundle_of_hosted(&right, &six)), kept_elsewhere);
    let alone = gzip(&tar(&vec![("snapshot.db".to_owned(), right.clone())]));
    assert_eq!(of_secrets(alone), kept_elsewhere);
    assert_eq!(
        of_secrets(bundle_of_hosted(&wrong, &six)),
        ["encryption-key-wrong"]
    );
}

/// The same bundle, unpacked by whoever looked into it: the keys lie beside the snapshot as they did in it.
#[test]
fn keys_beside_the_snapshot_of_a_hosted_control_plane_are_tried() {
    const AS_OF: &str = "2024-11-02T06:00:00Z";
    let (seven, name_of_seven) = key("sVKBKoWwPLlgsJuwsTc2fOQyCRiJI1O2i1tfwmadxMY=");
    let (six, name_of_six) = key("TAdbJhRKjR7BVY96CffjvmI0ayUh9l3GMibuDtywCAU=");
    let document = |secret: &str| format!("{{\"data\":{{\"key\":\"{secret}\"}}}}");
    let told = |env: &TestEnv, command: &str, place: &str| -> Vec<String> {
        let place = env.text(place);
        let ran = env.run(&[command, &place, "-o", "json", "--as-of", AS_OF]);
        assert!(
            !ran.stdout.contains(&seven) && !ran.stdout.contains(&six),
            "a key is told"
        );
        let report: VerifyReport = ran.json();
        assert_eq!(report.skipped.len(), 0, "{:?}", report.skipped);
        // Other API servers of the sample have keys of their own.
        let of_secrets =
            report.only().findings.iter().filter(|one| {
                one.code.starts_with("encryption-") && one.message.contains("secrets")
            });
        of_secrets.map(|one| one.code.clone()).collect()
    };
    let env = TestEnv::new();
    env.put(
        "right/infra/snapshot.db",
        hosted_and_encrypted(&name_of_seven),
    );
    let elsewhere = ["encryption-external"];
    assert_eq!(told(&env, "index", "right"), elsewhere, "no key yet");
    let secret = env.put("right/infra/secrets/key.json", document(&seven));
    env.put(
        "right/infra/secrets/root-ca.json",
        r#"{"data":{"ca.crt":"YQ=="}}"#,
    );
    let none = [""; 0];
    assert_eq!(told(&env, "index", "right"), none, "keys came later");
    assert_eq!(told(&env, "verify", "right"), none);
    assert_eq!(told(&env, "verify", "right/infra/snapshot.db"), none);
    let data = env.text("right");
    let check = ["check", "--valid-for", "4.17.3", &data, "--as-of", AS_OF];
    let check = env.run(&check);
    assert!(check.stdout.starts_with("YES"), "{check:?}");
    assert!(!check.stdout.contains("values of secrets"), "{check:?}");
    let catalogue = std::fs::read(env.path("catalogue.redb")).expect("written");
    let raw = data_encoding::BASE64.decode(seven.as_bytes());
    let raw = raw.expect("a key");
    assert!(!catalogue.windows(raw.len()).any(|window| window == raw));

    std::fs::rename(&secret, env.path("right/infra/secrets/key.txt")).expect("ours");
    let other = env.text("other.redb");
    let elsewhere_again = env.run(&[
        "verify",
        &data,
        "--catalogue",
        &other,
        "-o",
        "json",
        "--as-of",
        AS_OF,
    ]);
    assert!(elsewhere_again.stdout.contains("secrets are encrypted"));
    env.put("wrong/snapshot.db", hosted_and_encrypted(&name_of_six));
    env.put("wrong/secrets/key.json", document(&six));
    assert_eq!(told(&env, "verify", "wrong"), ["encryption-key-wrong"]);
}

/// `get`, `ls` and `diff` open what the keys beside the snapshot open, packed with it or not.
#[test]
fn values_of_a_hosted_control_plane_are_looked_into_with_the_keys_beside_it() {
    let (seven, name) = key("sVKBKoWwPLlgsJuwsTc2fOQyCRiJI1O2i1tfwmadxMY=");
    let snapshot = hosted_and_encrypted(&name);
    let env = TestEnv::new();
    let bundle = env.put("1730516407.tar.gz", bundle_of_hosted(&snapshot, &seven));
    env.put("bare/snapshot.db", snapshot.clone());
    env.put("keyless/snapshot.db", snapshot);
    let document = format!("{{\"data\":{{\"key\":\"{seven}\"}}}}");
    env.put("bare/secrets/etcd-encryption-key.json", document);
    let member = format!("{}!/snapshot.db", bundle.display());
    let bare = env.text("bare/snapshot.db");
    let keyless = env.text("keyless/snapshot.db");
    let keys = env.text("bare/secrets");
    let get = |rest: &[&str]| env.run(&[&["get"], rest, &["-o", "json"]].concat());
    let of = |place: &str| get(&[place, "secrets", "-A"]).ends_with(0);
    let opened = of(&member);
    assert!(opened.stdout.contains("masked"), "{opened:?}");
    assert!(!opened.stdout.contains(&seven), "a key is told");
    assert_eq!(of(&bare).stdout, opened.stdout);
    let named = get(&[&keyless, "secrets", "-A", "--keys", &keys]).ends_with(0);
    assert_eq!(named.stdout, opened.stdout);
    let shut = get(&[&keyless, "secrets", "-A"]);
    assert_ne!(shut.stdout, opened.stdout, "no key is there");
    let listed = |place: &str| env.run(&["ls", place, "secrets", "-A"]).ends_with(0).stdout;
    assert_eq!(listed(&member), listed(&bare));
    let same = env
        .run(&["diff", &member, &bare, "-o", "json"])
        .ends_with(0);
    let same: serde_json::Value = same.json();
    assert_eq!(same["items"], serde_json::json!([]));
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
