//! Backups of hosted control planes: the snapshot, and Secrets beside it.

use crate::cli::bundles::{gzip, tar};
use crate::cli::contract::VerifyReport;
use crate::cli::edit;
use crate::cli::environment::{SNAPSHOT as ENCRYPTED, TestEnv};
use crate::support::samples;

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
