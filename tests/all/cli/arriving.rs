//! A half that came to a bucket just now is told to be on its way, and after a quarter of an hour to be alone.

use crate::cli::contract::{Backup, BackupList, VerifyReport};
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, TestEnv};
use crate::support::bucket_server::{BucketServer, MODIFIED};
use crate::support::samples;
use std::time::SystemTime;

/// When the objects of the server came, and how much later.
const CAME: &str = "2024-11-02T03:00:07Z";
const LAST_MOMENT: &str = "2024-11-02T03:15:06Z";
const TOO_LATE: &str = "2024-11-02T03:15:07Z";

fn put(server: &BucketServer, sample: &str, modified: u64) {
    let name = sample.rsplit('/').next().expect("a name");
    let key = format!("prod/{name}");
    server.put_as(&key, &samples::bytes(sample), "STANDARD", modified);
}

/// Asks the bucket of a server, without a signature.
pub(super) fn run(env: &TestEnv, server: &BucketServer, arguments: &[&str]) -> Ran {
    let mut command = env.command(arguments);
    command
        .env("ETCD_CAT_ENDPOINT", server.endpoint())
        .env("ETCD_CAT_NO_SIGN", "true");
    Ran::of(command.output().expect("the command starts"))
}

fn index(env: &TestEnv, server: &BucketServer, as_of: &str) -> Backup {
    let arguments = [
        "index",
        "s3://backups",
        "-o",
        "json",
        "--all",
        "--as-of",
        as_of,
    ];
    only(run(env, server, &arguments).json::<VerifyReport>().items)
}

fn listed(env: &TestEnv, server: &BucketServer, as_of: &str) -> Backup {
    let arguments = ["list", "--all", "-o", "json", "--as-of", as_of];
    only(run(env, server, &arguments).json::<BackupList>().items)
}

fn only(backups: Vec<Backup>) -> Backup {
    assert_eq!(backups.len(), 1, "{backups:#?}");
    backups.into_iter().next().expect("one")
}

#[track_caller]
fn is_expected(backup: &Backup) {
    assert_eq!(backup.codes(), ["still-arriving"], "{backup:#?}");
    assert_eq!(backup.verdict, "unknown");
    let told = backup.finding("still-arriving");
    assert_eq!(told.severity, "info");
}

#[test]
fn a_half_alone_is_on_its_way_for_a_quarter_of_an_hour() {
    for (sample, missing, other) in [
        (SNAPSHOT, "kuberesources-missing", KUBERESOURCES),
        (KUBERESOURCES, "snapshot-missing", SNAPSHOT),
    ] {
        let (env, server) = (TestEnv::new(), BucketServer::start());
        put(&server, sample, MODIFIED);
        let found = index(&env, &server, CAME);
        is_expected(&found);
        let told = found.finding("still-arriving");
        assert!(
            told.message.contains("this half came at 03:00 UTC"),
            "{told:?}"
        );
        assert_eq!(told.remedy, "look again after 03:16 UTC");
        assert_eq!(told.evidence["until"], "2024-11-02T03:15:07Z");
        // Lists know when it is over, without another look at the bucket.
        is_expected(&listed(&env, &server, LAST_MOMENT));
        server.take_asked();
        let late = listed(&env, &server, TOO_LATE);
        assert_eq!(
            (late.codes(), late.verdict.as_str()),
            (vec![missing], "invalid")
        );
        assert_eq!(server.take_asked(), [""; 0]);
        let late = index(&env, &server, TOO_LATE);
        assert_eq!(
            (late.codes(), late.verdict.as_str()),
            (vec![missing], "invalid")
        );
        // Never valid, whatever is accepted.
        let accepted = [
            "list",
            "--all",
            "-o",
            "json",
            "--accept",
            "still-arriving",
            "--as-of",
            CAME,
        ];
        let accepted = run(&env, &server, &accepted).json::<BackupList>();
        assert_eq!(only(accepted.items).verdict, "unknown");
        put(&server, other, MODIFIED + 60);
        assert_eq!(index(&env, &server, CAME).verdict, "valid");
    }
}

#[test]
fn a_half_that_is_expected_is_not_recommended() {
    let (env, server) = (TestEnv::new(), BucketServer::start());
    put(&server, SNAPSHOT, MODIFIED);
    let arguments = [
        "check",
        "--valid-for",
        "4.17.3",
        "s3://backups",
        "--as-of",
        CAME,
    ];
    let ran = run(&env, &server, &arguments).ends_with(1);
    assert!(
        ran.stdout
            .contains("4.17.3: its other half may still be on its way"),
        "{ran:?}"
    );
}

#[test]
fn the_clock_of_the_store_counts() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs();
    let hour = 3600;
    for (ahead, modified, is_expected) in [
        (0, now - 60, true),
        (0, now - hour, false),
        (3600, now + hour - 60, true),
        // By our own clock it came just now.
        (3600, now - 60, false),
        (-3600, now - hour - 60, true),
        (-3600, now, false),
    ] {
        let (env, server) = (TestEnv::new(), BucketServer::start());
        server.tell_time(ahead);
        put(&server, KUBERESOURCES, modified);
        let arguments = ["index", "s3://backups", "-o", "json"];
        let found = only(run(&env, &server, &arguments).json::<VerifyReport>().items);
        let is_told = found.codes().contains(&"still-arriving");
        assert_eq!(is_told, is_expected, "{ahead} {modified}: {found:#?}");
        // What was judged is kept with the instant by the clock of this machine; documents and `show` are judged anew, by what
        // the clock of the store was then.
        let id = found.id.expect("was read");
        server.take_asked();
        for arguments in [
            &["list", "--all"][..],
            &["list", "--all", "-o", "json"],
            &["show", &id],
            &["show", &id, "-o", "json"],
        ] {
            let told = run(&env, &server, arguments).stdout;
            assert_eq!(
                told.contains("unknown"),
                is_expected,
                "{ahead} {modified} {arguments:?}: {told}"
            );
            assert_eq!(
                told.contains("snapshot-missing"),
                !is_expected,
                "{ahead} {modified} {arguments:?}: {told}"
            );
        }
        assert_eq!(server.take_asked(), [""; 0]);
    }
}

/// One of both clocks was set right after the half was read: it is not read again, and lists know all the same.
#[test]
fn a_clock_that_was_set_right_counts_for_lists_too() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs();
    let (env, server) = (TestEnv::new(), BucketServer::start());
    put(&server, KUBERESOURCES, now - 60);
    for (ahead, is_expected) in [(3600, false), (0, true), (-3600, false), (20, true)] {
        server.tell_time(ahead);
        let index = ["index", "s3://backups", "--all", "-o", "json"];
        let found = only(run(&env, &server, &index).json::<VerifyReport>().items);
        let list = ["list", "--all", "-o", "json"];
        let listed = only(run(&env, &server, &list).json::<BackupList>().items);
        for told in [found, listed] {
            let is_told = told.codes().contains(&"still-arriving");
            assert_eq!(is_told, is_expected, "{ahead}: {told:#?}");
        }
    }
    let reads = server.take_asked().into_iter();
    let reads = reads.filter(|line| line.contains(" bytes=")).count();
    assert!(reads <= 3, "{reads}");
}

/// The time of a file is set by whoever copies it: it is told to be alone at once.
#[test]
fn a_file_on_a_disk_is_alone_at_once() {
    let env = TestEnv::new();
    let path = env.copy(SNAPSHOT, "data");
    let ran = env
        .run(&["verify", "-o", "json", &env.text("data")])
        .ends_with(1);
    let found = only(ran.json::<VerifyReport>().items);
    assert!(found.codes().contains(&"kuberesources-missing"), "{path:?}");
    // Nor is one in a bucket on its way whose bytes have lain here for long.
    let server = BucketServer::start();
    put(&server, SNAPSHOT, MODIFIED);
    let data = env.text("data");
    let arguments = [
        "verify",
        "s3://backups",
        &data,
        "-o",
        "json",
        "--as-of",
        CAME,
    ];
    let found = only(run(&env, &server, &arguments).json::<VerifyReport>().items);
    assert_eq!(found.codes(), ["kuberesources-missing"]);
}
