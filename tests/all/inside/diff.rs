//! What two snapshots of one cluster do not have in common, as their README has it.

use super::clusters::{put, run, text};
use crate::cli::edit;
use crate::cli::environment::{Ran, SOON, TestEnv};
use crate::support::bolt::Bolt;
use crate::support::write::{Form, database};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use serde_json::Value;

/// Sign, and the name as `-o name` has it.
pub(super) const EXPECTED: [&str; 16] = [
    "+ namespace/team-b",
    "+ persistentvolume/pv-new",
    "+ secret/shop/new-secret",
    "+ widget.example.com/team-b/x0",
    "+ widget.example.com/team-b/x1",
    "+ widget.example.com/team-b/x2",
    "+ widget.example.com/team-b/x3",
    "+ widget.example.com/team-b/x4",
    "- configmap/shop/settings",
    "- node/worker-2",
    "- widget.example.com/team-a/w6",
    "- widget.example.com/team-a/w7",
    "- widget.example.com/team-a/w8",
    "~ deployment.apps/shop/web",
    "~ lease.coordination.k8s.io/kube-system/apiserver-wlv32tlttr4jl3gtroqexyxapa",
    "~ persistentvolume/pv-local",
];

fn both(env: &TestEnv) -> [String; 2] {
    ["prod-421", "prod-421-later"].map(|cluster| put(env, cluster))
}

#[test]
fn a_diff_names_exactly_what_came_went_and_changed() {
    let env = TestEnv::new();
    let [from, to] = both(&env);
    let page = run(&env, &["diff", &from, &to, "--names"])
        .ends_with(0)
        .stdout;
    let is_name = |line: &&str| line.starts_with(['+', '-', '~']);
    let mut names: Vec<&str> = page.lines().filter(is_name).collect();
    names.sort_unstable();
    assert_eq!(names, EXPECTED);
    assert!(page.contains("8 added, 5 removed, 3 changed"), "{page}");
    for line in [
        "  lose volumes and claims: persistentvolume/pv-new\n",
        "  turn back volumes and claims: persistentvolume/pv-local\n",
        "  bring back machines and nodes: node/worker-2\n",
        "  lose other secrets: secret/shop/new-secret\n",
    ] {
        assert!(page.contains(line), "{page}");
    }
    let short = run(&env, &["diff", &from, &to]).ends_with(0).stdout;
    assert!(!short.lines().any(|line| is_name(&line)), "{short}");
}

#[test]
fn the_document_has_the_same() {
    let env = TestEnv::new();
    let [from, to] = both(&env);
    let told: Value = run(&env, &["diff", &from, &to, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(text(&told, "/kind"), "Difference");
    assert_eq!(
        told["summary"],
        serde_json::json!({"added": 8, "removed": 5, "changed": 3})
    );
    assert_eq!(told["items"].as_array().map(Vec::len), Some(EXPECTED.len()));
    assert_eq!(told["sameCluster"], true);
    let back: Value = run(&env, &["diff", &to, &from, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(
        back["summary"],
        serde_json::json!({"added": 5, "removed": 8, "changed": 3})
    );
    let same: Value = run(&env, &["diff", &from, &from, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(same["items"], serde_json::json!([]));
}

#[test]
fn one_object_is_a_unified_diff() {
    let env = TestEnv::new();
    let [from, to] = both(&env);
    let diff = |kind: &str, name: &str| run(&env, &["diff", &from, &to, "--object", kind, name]);
    let changed = diff("deploy", "shop/web").ends_with(0).stdout;
    assert!(
        changed.starts_with("--- ") && changed.contains("\n@@ "),
        "{changed}"
    );
    let gone = diff("cm", "shop/settings").ends_with(0).stdout;
    assert!(
        gone.contains("-kind: ConfigMap\n") && !gone.contains("\n+kind"),
        "{gone}"
    );
    let secret = diff("secret", "shop/new-secret").ends_with(0).stdout;
    assert!(secret.contains("<masked #1"), "{secret}");
    let same = diff("ns", "shop").ends_with(0).stdout;
    assert_eq!(same, "");
    let neither = diff("ns", "nowhere").ends_with(1);
    assert!(neither.stderr.contains("in neither"), "{neither:?}");
}

/// A backup of 4.17.2, and a newer one of the same cluster.
fn older_and_newer(env: &TestEnv) -> [String; 2] {
    env.put_healthy();
    env.copy(
        "backups/prod/static_kuberesources_2024-10-20_030000.tar.gz",
        "old",
    );
    let old = env.copy("backups/prod/snapshot_2024-10-20_030000.db", "old");
    let new = env.path("data/snapshot_2024-11-02_030000.db");
    [old, new].map(|path| path.to_str().expect("a plain path").to_owned())
}

fn check(env: &TestEnv, version: &str, more: &[&str]) -> Ran {
    let places = ["old", "data", "keys"].map(|place| env.text(place));
    let places = places.each_ref().map(String::as_str);
    let ask = [
        "check",
        "--valid-for",
        version,
        "--no-catalogue",
        "--as-of",
        SOON,
    ];
    env.run(&[&ask[..], &places, more].concat())
}

#[test]
fn a_check_tells_in_full_what_a_restore_would_lose() {
    let env = TestEnv::new();
    let [old, new] = older_and_newer(&env);
    let told: Value = check(&env, "4.17.2", &["--diff", "-o", "json"])
        .ends_with(0)
        .json();
    // The keys of the newer one lie elsewhere: a check has paired them.
    let keys = env.text("keys");
    let diff = ["diff", &old, &new, "--keys", &keys];
    let document = [&diff[..], &["-o", "json"]].concat();
    let expected: Value = run(&env, &document).ends_with(0).json();
    for field in ["from", "to", "summary", "kinds"] {
        assert_eq!(told["difference"][field], expected[field], "{field}");
    }
    assert!(
        told["difference"]["summary"]["added"].as_u64() > Some(0),
        "{told:#}"
    );
    assert_eq!(told["chosen"]["id"], expected["from"]["id"]);
    let page = check(&env, "4.17.2", &["--diff"]).ends_with(0).stdout;
    let short = run(&env, &diff).ends_with(0).stdout;
    assert!(
        page.ends_with(&format!("OF THE CLUSTER\n{short}")),
        "{page}"
    );
    // Not asked for, and nothing newer: nothing to tell.
    for (version, more) in [
        ("4.17.2", &["-o", "json"][..]),
        ("4.17.3", &["-o", "json", "--diff"]),
    ] {
        let told: Value = check(&env, version, more).ends_with(0).json();
        assert_eq!(told["difference"], Value::Null, "{version}");
    }
}

#[test]
fn a_choice_stands_although_the_newest_backup_cannot_be_compared() {
    let env = TestEnv::new();
    let [_, new] = older_and_newer(&env);
    let mut bytes = std::fs::read(&new).expect("our own");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&new, bytes).expect("our own");
    let ran = check(&env, "4.17.2", &["--diff"]).ends_with(2);
    assert!(ran.stdout.starts_with("YES: "), "{ran:?}");
    assert!(ran.stderr.contains("is not proven"), "{ran:?}");
    assert!(ran.stderr.contains("--unverified"), "{ran:?}");
}

#[test]
fn a_diff_of_one_namespace_tells_nothing_else() {
    let env = TestEnv::new();
    let [from, to] = both(&env);
    let of = |namespace: &str| -> Vec<String> {
        let page = run(&env, &["diff", &from, &to, "--names", "-n", namespace])
            .ends_with(0)
            .stdout;
        let names = page
            .lines()
            .filter(|line| line.starts_with(['+', '-', '~']));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    for namespace in ["shop", "team-b", "kube-system"] {
        let inside = format!("/{namespace}/");
        let expected: Vec<&str> = EXPECTED
            .into_iter()
            .filter(|name| name.contains(&inside))
            .collect();
        assert_eq!(of(namespace), expected);
    }
    assert_eq!(of("nowhere"), Vec::<String>::new());
    let named = [
        "diff", &from, &to, "-n", "shop", "--object", "deploy", "web",
    ];
    assert!(run(&env, &named).ends_with(0).stdout.contains("\n@@ "));
}

/// Key 1 of `cbc-421`, as its EncryptionConfiguration has it.
const KEY: &str = "MpkWrHkL8Yez+zNm6FR3HzFt8sSRNXuEBFRKNmjl3+I=";
const SEALED: &[u8] = b"k8s:enc:aescbc:v1:1:";

/// Opens a value of key 1.
fn opened(stored: &[u8]) -> Option<Vec<u8>> {
    let sealed = stored.strip_prefix(SEALED)?;
    let key = data_encoding::BASE64.decode(KEY.as_bytes()).ok()?;
    let (vector, sealed) = sealed.split_at_checked(16)?;
    let mode = cbc::Decryptor::<aes::Aes256>::new_from_slices(&key, vector).ok()?;
    mode.decrypt_padded_vec::<Pkcs7>(sealed).ok()
}

/// Encrypts it again, with another vector.
fn sealed_again(stored: &[u8]) -> Option<Vec<u8>> {
    let plain = opened(stored)?;
    let key = data_encoding::BASE64.decode(KEY.as_bytes()).ok()?;
    let vector = [7; 16];
    let mode = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &vector).ok()?;
    let sealed = mode.encrypt_padded_vec::<Pkcs7>(&plain);
    Some([SEALED, &vector, &sealed].concat())
}

#[test]
fn a_value_encrypted_again_or_no_more_is_the_same_value() {
    let env = TestEnv::new();
    let snapshot = put(&env, "cbc-421");
    let original = std::fs::read(&snapshot).expect("our own");
    type Change = fn(&[u8]) -> Option<Vec<u8>>;
    let changes: [(&str, Change); 2] = [("again", sealed_again), ("plain", opened)];
    for (name, change) in changes {
        let mut content = Bolt::open(&original).content();
        let changed = std::cell::Cell::new(0);
        for prefix in ["/kubernetes.io/secrets/", "/kubernetes.io/configmaps/"] {
            edit::values(&mut content, prefix, |value| {
                changed.set(changed.get() + usize::from(value.starts_with(SEALED)));
                change(value)
            });
        }
        assert!(changed.get() > 3, "{name}");
        let other = env.put(
            &format!("{name}/snapshot_2026-11-28_070000.db"),
            database(&content, Form::default()).sealed(),
        );
        let other = other.to_str().expect("plain");
        let keys = env.text("cbc-421");
        let diff = |more: &[&str]| -> Value {
            let all = [&["diff", &snapshot, other, "-o", "json"], more].concat();
            run(&env, &all).ends_with(0).json()
        };
        assert_eq!(
            diff(&["--keys", &keys])["items"],
            serde_json::json!([]),
            "{name}"
        );
        // Without the keys nobody can say that they are the same.
        std::fs::rename(env.path("cbc-421"), env.path("away")).expect("our own");
        std::fs::create_dir(env.path("cbc-421")).expect("our own");
        std::fs::write(&snapshot, &original).expect("our own");
        assert!(diff(&[])["summary"]["changed"].as_u64() > Some(3), "{name}");
        std::fs::remove_dir_all(env.path("cbc-421")).expect("our own");
        std::fs::rename(env.path("away"), env.path("cbc-421")).expect("our own");
    }
}

/// The same values under another key are the same values.
#[test]
fn secrets_are_compared_once_they_are_opened() {
    let env = TestEnv::new();
    let snapshot = put(&env, "cbc-421");
    let told: Value = run(&env, &["diff", &snapshot, &snapshot, "-o", "json"])
        .ends_with(0)
        .json();
    assert_eq!(told["items"], serde_json::json!([]));
}
