//! Backups in a bucket are answered for as those on a disk.

use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::bucket_server::{BucketServer, MODIFIED, What};
use crate::support::samples;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// Never to be seen in any output.
const SECRET: &str = "hunter2-is-no-secret-key";

/// A bucket with the healthy pair below `prod/`, and a place to ask from.
fn healthy() -> (TestEnv, BucketServer) {
    let server = BucketServer::start();
    for sample in [SNAPSHOT, KUBERESOURCES] {
        let name = sample.rsplit('/').next().expect("a name");
        server.put(&format!("prod/{name}"), &samples::bytes(sample));
    }
    (TestEnv::new(), server)
}

fn command(env: &TestEnv, server: &BucketServer, arguments: &[&str]) -> Command {
    let mut command = env.command(&[arguments, &["--as-of", SOON]].concat());
    command
        .env("ETCD_CAT_ENDPOINT", server.endpoint())
        .env("AWS_ACCESS_KEY_ID", "key-of-tests")
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

#[track_caller]
fn run(env: &TestEnv, server: &BucketServer, arguments: &[&str]) -> Ran {
    let output = command(env, server, arguments).output();
    let ran = Ran::of(output.expect("the command starts"));
    assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET));
    ran
}

/// An answer without what differs from place to place and from run to run.
pub(crate) fn placeless(answer: &str, place: &str) -> String {
    let mut answer: serde_json::Value = serde_json::from_str(answer).expect("is JSON");
    for backup in answer["items"].as_array_mut().into_iter().flatten() {
        for half in ["snapshot", "kuberesources"] {
            // Versions and locks are the store's.
            if let Some(half) = backup[half].as_object_mut() {
                half.remove("custody").expect("is told");
            }
        }
    }
    let answer = serde_json::to_string_pretty(&answer).expect("is JSON");
    let is_of_this_run = |line: &str| {
        let names = ["\"firstSeenAt\"", "\"verifiedAt\"", "\"at\""];
        names.iter().any(|name| line.trim().starts_with(name))
    };
    let lines = answer.lines().filter(|line| !is_of_this_run(line));
    lines.collect::<Vec<_>>().join("\n").replace(place, "PLACE")
}

#[test]
fn a_bucket_gives_the_answer_of_a_directory() {
    let (env, server) = healthy();
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(MODIFIED);
    for sample in [SNAPSHOT, KUBERESOURCES] {
        let copy = std::fs::File::open(env.copy(sample, "tree/prod")).expect("was copied");
        copy.set_modified(written).expect("it is ours");
    }
    let tree = env.text("tree/prod");
    let (there, here) = ("s3://backups/prod", tree.as_str());
    let asked = |place: &str| {
        let arguments = ["verify", place, "-o", "json", "--no-catalogue"];
        let ran = run(&env, &server, &arguments).ends_with(0);
        let mut answer: serde_json::Value = ran.json();
        // No script runs in a bucket: what one would pick there is no question.
        answer["restoreChoices"] = serde_json::Value::Null;
        let answer = serde_json::to_string_pretty(&answer).expect("is JSON");
        placeless(&answer, place)
    };
    assert_eq!(asked(there), asked(here));
}

#[test]
fn what_is_unchanged_costs_the_listing_alone() {
    let (env, server) = healthy();
    run(&env, &server, &["index", "s3://backups"]).ends_with(0);
    server.take_asked();
    let ran = run(&env, &server, &["index", "s3://backups"]).ends_with(0);
    assert!(ran.stderr.contains("2 files unchanged"), "{ran:?}");
    let asked = server.take_asked();
    let reads = asked
        .iter()
        .filter(|line| line.starts_with("GET /backups/prod"));
    assert_eq!(reads.count(), 0, "{asked:?}");
    // The same bytes under the same name, written again: that is another object.
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    server.put(&format!("prod/{name}"), &samples::bytes(SNAPSHOT));
    run(&env, &server, &["index"]).ends_with(0);
    let asked = server.take_asked();
    assert!(
        asked
            .iter()
            .any(|line| line.starts_with("GET /backups/prod")),
        "{asked:?}"
    );
}

/// What a whole listing does not show is gone: nobody asks for it by its name, run after run.
#[test]
fn what_is_gone_costs_the_listing_alone() {
    let (env, server) = healthy();
    let name = |sample: &str| sample.rsplit('/').next().expect("a name").to_owned();
    let (snapshot, archive) = (name(SNAPSHOT), name(KUBERESOURCES));
    for number in 0..3 {
        server.put(
            &format!("old/{number}/{snapshot}"),
            &samples::bytes(SNAPSHOT),
        );
    }
    let index = ["index", "s3://backups", "-o", "json"];
    run(&env, &server, &index).ends_with(0);
    for number in 0..3 {
        server.remove(&format!("old/{number}/{snapshot}"));
    }
    server.remove(&format!("prod/{archive}"));
    for _ in 0..2 {
        server.take_asked();
        let report: crate::cli::contract::VerifyReport = run(&env, &server, &index).json();
        assert_eq!(report.only().verdict, "unknown");
        let asked = server.take_asked();
        let about_objects = asked
            .iter()
            .filter(|line| line.starts_with("HEAD /backups/"));
        let about_objects: Vec<&String> = about_objects.collect();
        assert!(about_objects.is_empty(), "{about_objects:?}");
    }
    // What went into the archive of the store is passed over by the listing, and there all the same.
    let bytes = samples::bytes(KUBERESOURCES);
    server.put(&format!("prod/{archive}"), &bytes);
    server.archive(&format!("prod/{snapshot}"));
    let report: crate::cli::contract::VerifyReport = run(&env, &server, &index).json();
    assert_eq!(report.only().verdict, "valid", "{report:#?}");
    assert_eq!(report.skipped.len(), 1);
    // A listing that is refused says nothing of what is there.
    server.fail("list-type", What::Status(403, "AccessDenied"), 9);
    run(&env, &server, &index).ends_with(2);
    let asked = server.take_asked();
    let key = format!("HEAD /backups/prod/{snapshot}");
    assert!(asked.contains(&key), "{asked:?}");
}

#[test]
fn the_catalogue_answers_for_a_bucket_without_asking_it() {
    let (env, server) = healthy();
    run(&env, &server, &["index", "s3://backups/prod"]).ends_with(0);
    server.take_asked();
    let listed = run(&env, &server, &["list"]).ends_with(0);
    assert!(listed.stdout.contains("27be558ad3a9"), "{listed:?}");
    let name = run(&env, &server, &["list", "-o", "name"]).ends_with(0);
    let shown = run(&env, &server, &["show", name.stdout.trim()]).ends_with(0);
    assert!(
        shown
            .stdout
            .contains("s3://backups/prod/snapshot_2024-11-02_030000.db"),
        "{shown:?}"
    );
    assert_eq!(server.take_asked(), [""; 0]);
    let version = "4.17.3";
    run(&env, &server, &["check", "--valid-for", version]).ends_with(0);
    run(
        &env,
        &server,
        &["check", "--valid-for", version, "s3://backups"],
    )
    .ends_with(0);
    let catalogue = std::fs::read(env.path("catalogue.redb")).expect("was written");
    let has = |text: &str| {
        catalogue
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(has("s3://backups/prod") && !has(SECRET));
}

#[test]
fn halves_are_paired_across_stores() {
    let (env, server) = healthy();
    let name = KUBERESOURCES.rsplit('/').next().expect("a name");
    server.remove(&format!("prod/{name}"));
    let keys = env.copy(KUBERESOURCES, "keys");
    let keys = keys.parent().and_then(|path| path.to_str()).expect("text");
    let ran = run(&env, &server, &["verify", "s3://backups", keys]).ends_with(0);
    assert!(ran.stdout.starts_with("valid "), "{ran:?}");
}

#[test]
fn offline_asks_no_bucket() {
    let (env, server) = healthy();
    let ran = run(&env, &server, &["verify", "--offline", "s3://backups"]).ends_with(2);
    assert!(
        ran.stderr
            .contains("--offline forbids stores over the network"),
        "{ran:?}"
    );
    assert_eq!(server.take_asked(), [""; 0]);
}

#[test]
fn each_refusal_is_one_sentence_with_what_to_do() {
    let rows = [
        (
            403,
            "SignatureDoesNotMatch",
            "correct AWS_SECRET_ACCESS_KEY",
        ),
        (403, "InvalidAccessKeyId", "correct AWS_ACCESS_KEY_ID"),
        (403, "AccessDenied", "s3:ListBucket"),
        (404, "NoSuchBucket", "there is no bucket backups"),
        (301, "PermanentRedirect", "set --region"),
    ];
    for (status, code, part) in rows {
        let (env, server) = healthy();
        server.fail("/backups", What::Status(status, code), 99);
        let ran = run(&env, &server, &["verify", "s3://backups/prod"]).ends_with(2);
        assert!(
            ran.stderr.contains(part) && ran.stderr.contains(code),
            "{ran:?}"
        );
    }
    let (env, server) = healthy();
    let ran = run(
        &env,
        &server,
        &["verify", "s3://backups", "--endpoint", "http://127.0.0.1:9"],
    )
    .ends_with(2);
    assert!(ran.stderr.contains("no answer from 127.0.0.1:9"), "{ran:?}");
    let ran = run(
        &env,
        &server,
        &["verify", "s3://backups", "--ca-file", "/nowhere.pem"],
    )
    .ends_with(2);
    assert!(ran.stderr.contains("/nowhere.pem"), "{ran:?}");
    for endpoint in ["ftp://x", "https://key:secret@x"] {
        let ran = run(
            &env,
            &server,
            &["verify", "s3://backups", "--endpoint", endpoint],
        )
        .ends_with(2);
        assert!(ran.stderr.contains("the endpoint is no URL"), "{ran:?}");
    }
}

/// As AWS says it, word for word but for names: of a bucket that lies in another region than the one that was asked.
#[test]
fn a_wrong_region_is_told_with_the_right_one() {
    let malformed = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region><RequestId>1</RequestId><HostId>h</HostId></Error>";
    let redirect = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.</Message><Endpoint>s3-eu-west-1.amazonaws.com</Endpoint><Bucket>backups</Bucket><RequestId>1</RequestId><HostId>h</HostId></Error>";
    let says_nothing = ("x-amz-request-id", "1");
    let says_region = ("x-amz-bucket-region", "eu-west-1");
    let rows = [
        (
            What::Says(400, says_nothing, malformed),
            "lies in region eu-west-1 (AuthorizationHeaderMalformed): set --region eu-west-1",
        ),
        (
            What::Says(301, says_region, redirect),
            "lies in region eu-west-1 (PermanentRedirect): set --region eu-west-1, and leave out --endpoint or name the one of that region",
        ),
        (
            What::Says(301, says_region, ""),
            "lies in region eu-west-1 (301): set --region eu-west-1, and leave out --endpoint or name the one of that region",
        ),
        (
            What::Says(301, says_nothing, redirect),
            "lies in another region (PermanentRedirect): set --region, and leave out --endpoint or name the one of that region",
        ),
    ];
    for (what, sentence) in rows {
        let (env, server) = healthy();
        server.fail("/backups", what, 99);
        for place in ["s3://backups", "s3://backups/prod"] {
            let ran = run(&env, &server, &["verify", place, "--no-catalogue"]).ends_with(2);
            let line =
                format!("error: {place} was not read: cannot list: the bucket backups {sentence}");
            assert!(ran.stderr.lines().any(|one| one == line), "{ran:#?}");
        }
    }
}

#[test]
fn an_object_replaced_while_it_is_read_is_told() {
    let (env, server) = healthy();
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    server.fail("bytes=0-688159", What::Replace(vec![7; 688_160]), 1);
    let ran = run(&env, &server, &["verify", "s3://backups", "-o", "json"]);
    assert!(
        ran.stdout.contains("\"changed-while-reading\""),
        "{name}: {ran:?}"
    );
}

/// Also where versions are kept, and what was begun with is read to its end: by then another one lies there.
#[test]
fn an_object_replaced_between_two_ranges_is_told() {
    for keeps_versions in [false, true] {
        let rows: [(usize, &'static str, What); 2] = [
            // Small: brought by one question, of which the answer breaks off.
            (500_000, " bytes=0-", What::CutAfter(100_000)),
            (20_000_000, " bytes=16777216-", What::CutAfter(100_000)),
        ];
        for (size, start, cut) in rows {
            let (env, server) = (TestEnv::new(), BucketServer::start());
            if keeps_versions {
                server.keep_versions();
            }
            server.put("x/snapshot_2024-11-09_030000.db", &vec![7; size]);
            server.fail(start, cut, 1);
            let rest = match size {
                500_000 => " bytes=100000-",
                _ => " bytes=16877216-",
            };
            server.fail(rest, What::Replace(vec![8; size]), 1);
            let ran = run(&env, &server, &["verify", "s3://backups", "-o", "json"]);
            let told = ran.stdout.contains("\"changed-while-reading\"");
            assert!(told, "{size}, {keeps_versions}: {ran:?}");
        }
    }
}

/// In a shell that knows nothing but the credentials: what is staged are the bytes of the bucket.
#[test]
fn the_stage_line_of_a_check_runs_as_it_stands() {
    let (env, server) = healthy();
    let ran = run(
        &env,
        &server,
        &[
            "check",
            "--valid-for",
            "4.17.3",
            "s3://backups/prod",
            "-o",
            "json",
        ],
    );
    let check: serde_json::Value = ran.ends_with(0).json();
    let steps = check["steps"].as_array().expect("steps").iter();
    let mut commands = steps.filter_map(|step| step["command"].as_str());
    let line = commands
        .find(|line| line.starts_with("etcd-cat stage "))
        .expect("a line");
    assert!(line.contains("--endpoint"), "{line}");
    let program = std::path::Path::new(assert_cmd::cargo::cargo_bin!("etcd-cat"));
    let directory = program.parent().and_then(std::path::Path::to_str);
    let output = Command::new("sh")
        .args(["-c", line])
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", directory.expect("a plain name")),
        )
        .env("HOME", env.path("home"))
        .env("ETCD_CAT_CATALOGUE", env.path("catalogue.redb"))
        .env("AWS_ACCESS_KEY_ID", "key-of-tests")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .current_dir(env.path(""))
        .output();
    let ran = Ran::of(output.expect("a shell")).ends_with(0);
    assert!(ran.stdout.contains("staged backup 27be558ad3a9"), "{ran:?}");
    for sample in [SNAPSHOT, KUBERESOURCES] {
        let name = sample.rsplit('/').next().expect("a name");
        let staged = std::fs::read(env.path(&format!("restore-27be558ad3a9/{name}")));
        assert_eq!(staged.expect("it was staged"), samples::bytes(sample));
    }
}

/// What somebody had restored is read, though it counts as archived still.
#[test]
fn what_was_restored_from_the_archive_is_read() {
    let (env, server) = healthy();
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    let key = format!("prod/{name}");
    server.put_as(&key, &samples::bytes(SNAPSHOT), "GLACIER", MODIFIED);
    let verify = ["verify", "s3://backups", "--no-catalogue"];
    let ran = run(&env, &server, &verify);
    assert!(!ran.stdout.starts_with("valid "), "{ran:?}");
    let copy = "ongoing-request=\"false\", expiry-date=\"Thu, 01 Jan 2099 00:00:00 GMT\"";
    server.say(&key, &[("x-amz-restore", copy)]);
    let ran = run(&env, &server, &verify).ends_with(0);
    assert!(ran.stdout.starts_with("valid "), "{ran:?}");
}

#[test]
fn what_is_archived_is_passed_over_and_told() {
    let (env, server) = healthy();
    let old = samples::bytes("backups/prod/snapshot_2024-11-09_030000.db");
    server.put_as(
        "prod/snapshot_2024-11-09_030000.db",
        &old,
        "GLACIER",
        MODIFIED,
    );
    let ran = run(&env, &server, &["index", "s3://backups", "-o", "json"]).ends_with(0);
    let report: serde_json::Value = ran.json();
    assert_eq!(report["skipped"][0]["kind"], "archived", "{report:#}");
    assert_eq!(report["items"].as_array().map(Vec::len), Some(1));
    let asked = server.take_asked();
    assert!(
        !asked
            .iter()
            .any(|line| line.contains("snapshot_2024-11-09")),
        "{asked:?}"
    );
}

/// A class of storage that moves objects into an archive by itself shows in no listing that it has.
#[test]
fn what_shows_to_be_archived_when_it_is_asked_for_is_passed_over_and_told() {
    let (env, server) = healthy();
    for (name, length) in [("small", 500_000), ("large", 5_000_000)] {
        let key = format!("prod/{name}/snapshot_2024-11-09_030000.db");
        server.put(&key, &vec![7; length]);
    }
    let archived = What::Status(403, "InvalidObjectState");
    server.fail("snapshot_2024-11-09", archived, usize::MAX);
    let index = ["index", "s3://backups", "-o", "json"];
    let ran = run(&env, &server, &index).ends_with(0);
    let report: crate::cli::contract::VerifyReport = ran.json();
    let told: Vec<&str> = report.skipped.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(told, ["archived", "archived"]);
    assert_eq!(report.only().verdict, "valid");
    // Whoever names it wants an answer.
    let named = "s3://backups/prod/large/snapshot_2024-11-09_030000.db";
    server.mend();
    server.fail(
        "GET /backups/prod/large",
        What::Status(403, "InvalidObjectState"),
        9,
    );
    let ran = run(&env, &server, &["verify", named, "--no-catalogue"]).ends_with(2);
    assert!(
        ran.stderr.contains("it lies in the archive of the store"),
        "{ran:?}"
    );
}

fn reads(server: &BucketServer) -> Vec<String> {
    let asked = server.take_asked().into_iter();
    asked.filter(|line| line.contains(" bytes=")).collect()
}

/// A line of `sha256sum`.
fn line(bytes: &[u8], sample: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
    format!("{digest}  {}\n", sample.rsplit('/').next().expect("a name"))
}

/// Consoles make one of no bytes, and some stores answer for directories as if they had.
#[test]
fn an_object_by_the_name_of_a_directory_makes_no_file_of_it() {
    let (env, server) = healthy();
    server.put("prod/notes.txt", b"what was done, when, and by whom");
    let verify = ["verify", "s3://backups/prod/"];
    let before = run(&env, &server, &verify);
    server.put("prod/", b"");
    let after = run(&env, &server, &verify);
    assert_eq!(after.stdout, before.stdout);
    assert!(!before.stdout.contains("notes.txt"), "{}", before.stdout);
}

/// Unchanged as they are, checksums are spared like what they are about.
#[test]
fn recorded_checksums_are_read_only_beside_what_is_read() {
    let (env, server) = healthy();
    let wrong = line(b"other bytes", SNAPSHOT);
    server.put("prod/SHA256SUMS", wrong.as_bytes());
    let right = line(&samples::bytes(KUBERESOURCES), KUBERESOURCES);
    server.put("prod/kuberesources.sha256", right.as_bytes());
    let index = ["index", "s3://backups", "--all", "-o", "json"];
    let told = |ran: &Ran| {
        let report: crate::cli::contract::VerifyReport = ran.json();
        let findings = report.only().findings.clone();
        let lists = findings.iter().filter(|one| one.code == "checksum-differs");
        lists
            .map(|one| one.evidence["list"].clone())
            .collect::<Vec<_>>()
    };
    let list = serde_json::json!("s3://backups/prod/SHA256SUMS");
    assert_eq!(
        told(&run(&env, &server, &index)),
        std::slice::from_ref(&list)
    );
    assert!(!reads(&server).is_empty());
    let again = run(&env, &server, &index);
    assert_eq!(told(&again), std::slice::from_ref(&list));
    assert!(again.stderr.contains("4 files unchanged"), "{again:?}");
    assert_eq!(reads(&server), [""; 0]);

    // Something new elsewhere does not change that; beside them it does.
    server.put("other/notes.txt", b"not a backup");
    run(&env, &server, &index);
    let asked = reads(&server);
    assert!(
        asked.iter().all(|line| line.contains("notes.txt")),
        "{asked:?}"
    );
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    server.put(&format!("prod/{name}"), &samples::bytes(SNAPSHOT));
    assert_eq!(told(&run(&env, &server, &index)), [list]);
    let asked = reads(&server);
    for read in ["SHA256SUMS", "kuberesources.sha256", name] {
        assert!(asked.iter().any(|line| line.contains(read)), "{asked:?}");
    }
}

/// A snapshot that has lost its trailer is proven by its list: also when it is read again, for keys that came later.
#[test]
fn a_list_is_read_once_more_with_what_is_read_once_more() {
    let env = TestEnv::new();
    let server = BucketServer::start();
    let name = |sample: &'static str| sample.rsplit('/').next().expect("a name");
    let whole = samples::bytes(SNAPSHOT);
    server.put(
        &format!("prod/{}", name(SNAPSHOT)),
        &whole[..whole.len() - 32],
    );
    server.put("prod/SHA256SUMS", line(&whole, SNAPSHOT).as_bytes());
    let index = |expected: &str| {
        let ran = run(
            &env,
            &server,
            &["index", "s3://backups", "--all", "-o", "json"],
        );
        let report: crate::cli::contract::VerifyReport = ran.json();
        let pair = report.only();
        assert_eq!(pair.encryption.proof, expected, "{pair:#?}");
        let mut codes = pair.codes();
        codes.retain(|code| !["kuberesources-missing", "encryption-config-missing"].contains(code));
        codes.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let before = index("missing");
    reads(&server);
    server.put(
        &format!("keys/{}", name(KUBERESOURCES)),
        &samples::bytes(KUBERESOURCES),
    );
    assert_eq!(index("decrypted"), before);
    let asked = reads(&server);
    assert!(
        asked.iter().any(|line| line.contains("SHA256SUMS")),
        "{asked:?}"
    );
}

/// Something happens to an object, by its key.
type Happened<'h> = Box<dyn FnOnce(&BucketServer, &str) + 'h>;

/// Stages what `index` found, after something happened to the snapshot in the bucket.
fn staged_after(happened: impl FnOnce(&BucketServer, &str)) -> (TestEnv, Ran) {
    let (env, server) = healthy();
    run(&env, &server, &["index", "s3://backups"]).ends_with(0);
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    happened(&server, &format!("prod/{name}"));
    let to = env.text("staged");
    let ran = run(&env, &server, &["stage", "latest-valid", "--to", &to]);
    (env, ran)
}

#[test]
fn what_is_staged_from_a_bucket_is_proven_as_it_is_written() {
    let bytes = samples::bytes(SNAPSHOT);
    let mut other = bytes.clone();
    other[400_000] ^= 1;
    let name = SNAPSHOT.rsplit('/').next().expect("a name");
    let is_staged = |env: &TestEnv| {
        let staged = std::fs::read(env.path("staged").join(name));
        staged.is_ok_and(|staged| staged == bytes)
    };
    // A body that breaks off is gone on with.
    let (env, ran) = staged_after(|server, _| {
        server.fail("GET /backups/prod/snapshot", What::CutAfter(100_000), 3);
    });
    ran.ends_with(0);
    assert!(is_staged(&env));
    // Damaged since, or between two looks at it: nothing is left under a name that a restore takes.
    let replaced = What::Replace(other.clone());
    let rows: [(&str, Happened<'_>); 3] = [
        ("damaged", Box::new(|server, key| server.put(key, &other))),
        (
            "replaced",
            Box::new(move |server, _| server.fail(" bytes=", replaced, 1)),
        ),
        ("gone", Box::new(BucketServer::remove)),
    ];
    for (what, happened) in rows {
        let (env, ran) = staged_after(happened);
        assert_ne!(ran.code, Some(0), "{what}: {ran:#?}");
        assert!(!env.path("staged").join(name).exists(), "{what}: {ran:#?}");
    }
}
