//! Backups in stores that others wrote are answered for as those on a disk, and what these refuse is told in one sentence.
//!
//! The servers are those that `tests/run` brings; without them these tests say that they are skipped.

use super::buckets::placeless;
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::samples;
use crate::support::servers::{
    ADMIN, BLIND, Kind, READER, Server, azurite, fake_gcs, make_certificates, seaweed,
};
use std::process::Command;

fn command(env: &TestEnv, server: &Server, arguments: &[&str]) -> Command {
    let mut command = env.command(&[arguments, &["--as-of", SOON]].concat());
    command.envs(server.environment());
    command
}

#[track_caller]
fn run(env: &TestEnv, server: &Server, arguments: &[&str]) -> Ran {
    ran(command(env, server, arguments))
}

#[track_caller]
fn ran(mut command: Command) -> Ran {
    let ran = Ran::of(command.output().expect("the command starts"));
    for secret in [ADMIN.1, READER.1, BLIND.1, "Eby8vdM02xNOcqFl"] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret));
    }
    ran
}

/// Two backups, one of them with half of its snapshot, and keys that other tools would stumble over.
fn tree(env: &TestEnv) -> String {
    env.copy(SNAPSHOT, "tree/prod");
    env.copy(KUBERESOURCES, "tree/keys of prod");
    let later = samples::bytes("backups/prod/snapshot_2024-11-09_030000.db");
    env.put(
        "tree/prod/etcd-backup-2024-11-09T03:00:00+00:00/snapshot_2024-11-09_030000.db",
        &later[..later.len() / 2],
    );
    env.copy(
        "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
        "tree/keys of prod",
    );
    env.put("tree/prod/notes 100%.txt", "not a backup\n");
    env.text("tree")
}

/// What `verify`, and `index` with `list`, say about a place.
fn answers(env: &TestEnv, server: &Server, place: &str) -> [String; 2] {
    let catalogue = env.text(&format!("{}.redb", server.scheme()));
    let _ = std::fs::remove_file(&catalogue);
    let verified = run(
        env,
        server,
        &["verify", place, "-o", "json", "--no-catalogue"],
    );
    let mut answer: serde_json::Value = verified.ends_with(1).json();
    // No script runs in a bucket: what one would pick there is no question.
    answer["restoreChoices"] = serde_json::Value::Null;
    let verified = serde_json::to_string_pretty(&answer).expect("is JSON");
    run(env, server, &["index", place, "--catalogue", &catalogue]).ends_with(1);
    let listed = run(
        env,
        server,
        &["list", "--all", "-o", "json", "--catalogue", &catalogue],
    );
    [verified, listed.ends_with(1).stdout].map(|answer| placeless(&answer, place))
}

#[test]
fn each_store_gives_the_answer_of_a_disk() {
    let servers = [seaweed(), azurite(), fake_gcs()];
    for server in servers.into_iter().flatten() {
        let env = TestEnv::new();
        let tree = tree(&env);
        server.make_bucket("same-answer");
        server.put_tree(tree.as_ref(), "same-answer");
        let place = format!("{}://same-answer", server.scheme());
        let (there, here) = (answers(&env, server, &place), answers(&env, server, &tree));
        assert!(
            here[0].contains("truncated") && here[1].contains("27be558ad3a9"),
            "{here:?}"
        );
        assert_eq!(there, here, "{place}");
    }
}

/// What a refused location is told as: one sentence, on the line that begins with `error:`.
#[track_caller]
fn refused(command: Command, sentence: &str) {
    let ran = ran(command).ends_with(2);
    let line = ran.stderr.lines().find(|line| line.starts_with("error: "));
    assert_eq!(
        line,
        Some(format!("error: {sentence}").as_str()),
        "{ran:#?}"
    );
    // No user and no disk of this machine has anything to do with it.
    assert!(
        ran.stdout.contains("it could not be looked into"),
        "{ran:#?}"
    );
    assert!(
        !ran.stdout.contains("mounted") && !ran.stdout.contains("failing disk"),
        "{ran:#?}"
    );
}

#[test]
fn what_seaweed_refuses_is_one_sentence_with_what_to_do() {
    let Some(server) = seaweed() else { return };
    server.make_bucket("refusals");
    let env = TestEnv::new();
    let asked = |location: &str| command(&env, server, &["verify", location, "--no-catalogue"]);
    let signed = |(key, secret): (&str, &str)| {
        let mut command = asked("s3://refusals");
        command
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", secret);
        command
    };
    refused(
        signed((READER.0, "wrong")),
        "s3://refusals was not read: cannot list: the secret key does not belong to the access key (SignatureDoesNotMatch): correct AWS_SECRET_ACCESS_KEY, or the profile in ~/.aws/credentials",
    );
    refused(
        signed(("nobody", "wrong")),
        "s3://refusals was not read: cannot list: the store does not know the access key (InvalidAccessKeyId): correct AWS_ACCESS_KEY_ID, or the profile in ~/.aws/credentials",
    );
    refused(
        signed(BLIND),
        "s3://refusals was not read: cannot list: these credentials may not list the bucket refusals (AccessDenied): give them the right to (s3:ListBucket, or what the store calls it), or take others",
    );
    refused(
        asked("s3://nowhere/prod"),
        "s3://nowhere/prod was not read: cannot list: there is no bucket nowhere (NoSuchBucket): correct its name, or --endpoint",
    );
    let mut unsigned = asked("s3://refusals");
    unsigned.arg("--no-sign");
    refused(
        unsigned,
        "s3://refusals was not read: cannot list: without a signature nobody may list the bucket refusals (AccessDenied): leave out --no-sign, and give credentials",
    );
}

#[test]
fn a_store_that_is_not_trusted_or_speaks_otherwise_is_told_with_what_to_do() {
    let Some(server) = seaweed() else { return };
    let env = TestEnv::new();
    let host = server.endpoint.trim_start_matches("https://");
    let asked = |variable: &str, value: &str| {
        let mut command = command(&env, server, &["verify", "s3://refusals", "--no-catalogue"]);
        command.env(variable, value);
        command
    };
    let untrusted = format!(
        "s3://refusals was not read: cannot list: the certificate of {host} is not trusted: name its CA with --ca-file"
    );
    let mut without = asked("ETCD_CAT_OFFLINE", "false");
    without.env_remove("ETCD_CAT_CA_FILE");
    refused(without, &untrusted);
    // A CA of the same name, and another key.
    std::fs::create_dir(env.path("other")).expect("made");
    make_certificates(&env.path("other"));
    let other = env.text("other/ca.pem");
    refused(asked("ETCD_CAT_CA_FILE", &other), &untrusted);
    let plain = format!("http://{host}");
    refused(
        asked("ETCD_CAT_ENDPOINT", &plain),
        "s3://refusals was not read: cannot list: the store refuses (400): if it speaks TLS, write https:// in --endpoint",
    );
    let Some(google) = fake_gcs() else { return };
    let host = google.endpoint.trim_start_matches("http://");
    let tls = format!("https://{host}");
    refused(
        asked("ETCD_CAT_ENDPOINT", &tls),
        &format!(
            "s3://refusals was not read: cannot list: no answer from {host}: it speaks no TLS there: check --endpoint, the network and the proxy"
        ),
    );
}

#[test]
fn what_azure_refuses_is_one_sentence_with_what_to_do() {
    let Some(server) = azurite() else { return };
    let env = TestEnv::new();
    server.make_bucket("refusals");
    let asked = |location: &str, key: Option<&str>| {
        let mut command = command(&env, server, &["verify", location, "--no-catalogue"]);
        if let Some(key) = key {
            command.env("AZURE_STORAGE_ACCOUNT_KEY", key);
        }
        command
    };
    // Azure itself says AuthenticationFailed to a wrong key.
    refused(
        asked("az://refusals", Some("aHVudGVyMg==")),
        "az://refusals was not read: cannot list: these credentials may not list the bucket refusals (AuthorizationFailure): give them the right to (Storage Blob Data Reader, or what the store calls it), or take others",
    );
    refused(
        asked("az://refusals", Some("no base64")),
        "az://refusals was not read: cannot list: the Azure credentials cannot be used: correct AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
    );
    refused(
        asked("az://nowhere", None),
        "az://nowhere was not read: cannot list: there is no bucket nowhere (ContainerNotFound): correct its name, or --endpoint",
    );
}

#[test]
fn a_shared_access_signature_is_enough_for_what_it_is_about() {
    let Some(server) = azurite() else { return };
    let env = TestEnv::new();
    server.make_bucket("shared");
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    server.put("shared", name, &samples::bytes(SNAPSHOT));
    let signature = server.shared_access("shared", name);
    let location = format!("az://shared/{name}");
    let asked = |signature: &str| {
        let mut command = command(
            &env,
            server,
            &["verify", &location, "--no-catalogue", "-vv"],
        );
        command
            .env_remove("AZURE_STORAGE_ACCOUNT_KEY")
            .env("AZURE_STORAGE_SAS_TOKEN", signature);
        command
    };
    let secret = signature.rsplit("sig=").next().expect("a signature");
    let read = ran(asked(&signature));
    assert!(
        read.stdout.contains("27be558ad3a9") && !read.stdout.contains("digest-mismatch"),
        "{read:#?}"
    );
    assert!(!read.stdout.contains(secret) && !read.stderr.contains(secret));
    let other = signature.replace("sig=", "sig=AA");
    let read = ran(asked(&other)).ends_with(2);
    assert!(
        read.stderr.contains("these credentials may not"),
        "{read:#?}"
    );
    assert!(!read.stderr.contains(secret), "{read:#?}");
}

#[test]
fn a_named_object_is_read_by_whoever_may_not_list() {
    let Some(server) = seaweed() else { return };
    let env = TestEnv::new();
    server.make_bucket("named");
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    server.put("named", name, &samples::bytes(SNAPSHOT));
    let mut command = command(
        &env,
        server,
        &["verify", &format!("s3://named/{name}"), "--no-catalogue"],
    );
    command
        .env("AWS_ACCESS_KEY_ID", BLIND.0)
        .env("AWS_SECRET_ACCESS_KEY", BLIND.1);
    let ran = ran(command);
    assert!(
        ran.stdout.contains("27be558ad3a9") && !ran.stdout.contains("digest-mismatch"),
        "{ran:#?}"
    );
}

#[test]
fn odd_keys_are_read_as_they_are_in_each_store() {
    let keys = [
        "a b+c:%1&<>\"'#?;=,@$!*()[]/snapshot_2024-11-02_030000.db",
        "pct%2F/snapshot_2024-11-02_030000.db",
        "\u{e4}/\u{65e5}\u{672c}/snapshot_2024-11-02_030000.db",
        "tab\t~-._/snapshot_2024-11-02_030000.db",
        "a//snapshot_2024-11-02_030000.db",
        "/lead/snapshot_2024-11-02_030000.db",
    ];
    for server in [seaweed(), azurite(), fake_gcs()].into_iter().flatten() {
        let env = TestEnv::new();
        server.make_bucket("odd-keys");
        // SeaweedFS is a tree of directories: it takes slashes together when it writes.
        let keys = match server.kind {
            Kind::Seaweed => &keys[..4],
            Kind::Azurite | Kind::FakeGcs => &keys[..],
        };
        for key in keys {
            server.put("odd-keys", key, &samples::bytes(SNAPSHOT));
        }
        server.put("odd-keys", "marker/", b"");
        let place = format!("{}://odd-keys", server.scheme());
        let report: serde_json::Value = run(
            &env,
            server,
            &["verify", &place, "-o", "json", "--no-catalogue"],
        )
        .json();
        assert_eq!(report["skipped"], serde_json::json!([]), "{report:#}");
        let [backup] = report["items"].as_array().expect("items").as_slice() else {
            panic!("{report:#}");
        };
        let mut found: Vec<String> =
            serde_json::from_value(backup["snapshot"]["copies"].clone()).expect("texts");
        found.extend(backup["snapshot"]["path"].as_str().map(str::to_owned));
        let mut wanted: Vec<String> = keys.iter().map(|key| format!("{place}/{key}")).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }
}

#[test]
fn what_is_unchanged_is_not_read_again_from_any_store() {
    for server in [seaweed(), azurite(), fake_gcs()].into_iter().flatten() {
        let env = TestEnv::new();
        server.make_bucket("unchanged");
        let name = SNAPSHOT.rsplit('/').next().expect("a name");
        server.put("unchanged", name, &samples::bytes(SNAPSHOT));
        let place = format!("{}://unchanged", server.scheme());
        run(&env, server, &["index", &place]);
        let again = run(&env, server, &["index", &place]);
        assert!(
            again.stderr.contains("1 file unchanged"),
            "{place}: {again:#?}"
        );
        // A named object is asked for in another way than a listed one, and is the same.
        let again = run(&env, server, &["index", &format!("{place}/{name}")]);
        assert!(
            again.stderr.contains("1 file unchanged"),
            "{place}: {again:#?}"
        );
        server.put(
            "unchanged",
            name,
            &samples::bytes("backups/prod/snapshot_2024-11-09_030000.db"),
        );
        let changed = run(&env, server, &["index", &place]);
        assert!(
            changed.stdout.contains("file-changed"),
            "{place}: {changed:#?}"
        );
    }
}

/// Versions and object lock as SeaweedFS keeps them: what is read is the current version, and it is staged whole.
#[test]
fn a_locked_bucket_with_versions_is_read_and_staged_from() {
    let Some(server) = seaweed() else { return };
    let env = TestEnv::new();
    let lock = [("x-amz-bucket-object-lock-enabled", "true")];
    server
        .ask("PUT", "/locked", &lock, b"")
        .expect("an answer")
        .expect_fine();
    let [snapshot, kuberesources] =
        [SNAPSHOT, KUBERESOURCES].map(|sample| sample.rsplit('/').next().expect("a name"));
    let old = server.put("locked", snapshot, b"an older version");
    let retention = [
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        (
            "x-amz-object-lock-retain-until-date",
            "2099-01-01T00:00:00Z",
        ),
    ];
    let new = server.put_with("locked", snapshot, &samples::bytes(SNAPSHOT), &retention);
    assert_ne!(
        old.header("x-amz-version-id"),
        new.header("x-amz-version-id")
    );
    server.put("locked", kuberesources, &samples::bytes(KUBERESOURCES));
    run(&env, server, &["verify", "s3://locked"]).ends_with(0);
    let shown = run(&env, server, &["show", "27be558ad3a9", "-o", "json"]).ends_with(0);
    let shown: crate::cli::contract::Backup = shown.json();
    let half = shown.snapshot.expect("is there");
    let [kept] = half.custody.as_slice() else {
        panic!("{:?}", half.custody);
    };
    assert_eq!(kept.path, half.path);
    assert_eq!(
        kept.version_id.as_deref(),
        Some(new.header("x-amz-version-id"))
    );
    assert_eq!(kept.lock_mode.as_deref(), Some("GOVERNANCE"));
    let until = kept.locked_until.as_ref().map(|until| until.0.as_str());
    assert_eq!(until, Some("2099-01-01T00:00:00Z"));
    assert!(!kept.legal_hold);
    let to = env.text("staged");
    let staged = run(&env, server, &["stage", "latest-valid", "--to", &to]).ends_with(0);
    assert!(
        staged.stdout.contains("staged backup 27be558ad3a9"),
        "{staged:#?}"
    );
    for (sample, name) in [(SNAPSHOT, snapshot), (KUBERESOURCES, kuberesources)] {
        let bytes = std::fs::read(env.path(&format!("staged/{name}"))).expect("was staged");
        assert!(bytes == samples::bytes(sample), "{name}");
    }
}

/// More than two pages, some of them asked for by where they begin: `cargo test --all-features --test all -- --ignored
/// a_listing_of_thousands`.
#[test]
#[ignore = "thousands of objects are put one by one"]
fn a_listing_of_thousands_is_whole_in_each_store() {
    for server in [seaweed(), azurite(), fake_gcs()].into_iter().flatten() {
        let env = TestEnv::new();
        server.make_bucket("thousands");
        server.put_tree(tree(&env).as_ref(), "thousands");
        for number in 0..2600 {
            let (cluster, run) = (number / 100, number % 100);
            let key = format!("fleet/cluster-{cluster:02}/run-{run:02}/etcd.db.gpg");
            let head = b"\x8c\x0d\x04\x09\x03\x02\xd8\x56\xe7\xbf\xb1\x96\xa0\x5f\xff\xd2";
            server.put("thousands", &key, head).expect_fine();
        }
        let place = format!("{}://thousands", server.scheme());
        let ran = run(&env, server, &["verify", &place, "-o", "json"]);
        let report: crate::cli::contract::VerifyReport = ran.json();
        let paths: Vec<&str> = report.skipped.iter().map(|one| one.path.as_str()).collect();
        assert!(
            paths.is_sorted() && paths.len() == 2600,
            "{place}: {}",
            paths.len()
        );
        assert_eq!(report.items.len(), 2, "{place}");
    }
}

#[test]
fn a_half_that_came_just_now_is_expected_to_be_joined_in_each_store() {
    for server in [seaweed(), azurite(), fake_gcs()].into_iter().flatten() {
        let env = TestEnv::new();
        server.make_bucket("arriving");
        let name = KUBERESOURCES.rsplit('/').next().expect("a name");
        let key = format!("prod/{name}");
        server
            .put("arriving", &key, &samples::bytes(KUBERESOURCES))
            .expect_fine();
        let place = format!("{}://arriving", server.scheme());
        let mut command = env.command(&["verify", &place, "-o", "json"]);
        command.envs(server.environment());
        let report: crate::cli::contract::VerifyReport = ran(command).json();
        assert!(
            report.only().codes().contains(&"still-arriving"),
            "{place}: {:?}",
            report.only().findings
        );
    }
}
