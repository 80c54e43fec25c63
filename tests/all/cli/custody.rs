//! What a store says of how it keeps an object is remembered and shown: its version, and what locks it.

use super::arriving::run;
use crate::cli::contract::{Backup, BackupList, Custody, VerifyReport};
use crate::cli::environment::{KUBERESOURCES, SNAPSHOT, SOON, TestEnv};
use crate::support::bucket_server::BucketServer;
use crate::support::samples;

fn key(sample: &str) -> String {
    let name = sample.rsplit('/').next().expect("a name");
    format!("prod/{name}")
}

/// A bucket with versions; the snapshot is locked, and a hold lies on the kuberesources.
fn locked() -> (TestEnv, BucketServer) {
    let server = BucketServer::start();
    server.keep_versions();
    for sample in [SNAPSHOT, KUBERESOURCES] {
        server.put(&key(sample), &samples::bytes(sample));
    }
    server.say(
        &key(SNAPSHOT),
        &[
            ("x-amz-object-lock-mode", "COMPLIANCE"),
            (
                "x-amz-object-lock-retain-until-date",
                "2027-01-01T00:00:00.000Z",
            ),
        ],
    );
    server.say(
        &key(KUBERESOURCES),
        &[("x-amz-object-lock-legal-hold", "ON")],
    );
    (TestEnv::new(), server)
}

#[track_caller]
fn is_told(backup: &Backup) {
    let half = backup.snapshot.as_ref().expect("is there");
    let [
        Custody {
            path,
            version_id,
            locked_until,
            lock_mode,
            legal_hold,
        },
    ] = half.custody.as_slice()
    else {
        panic!("{:?}", half.custody);
    };
    let until = locked_until.as_ref().map(|until| until.0.as_str());
    assert_eq!(
        (
            path,
            version_id.as_deref(),
            until,
            lock_mode.as_deref(),
            *legal_hold
        ),
        (
            &half.path,
            Some("v1"),
            Some("2027-01-01T00:00:00Z"),
            Some("COMPLIANCE"),
            false
        )
    );
    let half = backup.kuberesources.as_ref().expect("is there");
    let [kept] = half.custody.as_slice() else {
        panic!("{:?}", half.custody);
    };
    assert_eq!(
        (
            kept.version_id.as_deref(),
            &kept.locked_until,
            kept.legal_hold
        ),
        (Some("v2"), &None, true)
    );
}

#[test]
fn versions_and_locks_are_remembered_and_shown() {
    let (env, server) = locked();
    let only = |items: Vec<Backup>| items.into_iter().next().expect("one");
    let index = [
        "index",
        "s3://backups",
        "--all",
        "-o",
        "json",
        "--as-of",
        SOON,
    ];
    is_told(&only(
        run(&env, &server, &index).json::<VerifyReport>().items,
    ));
    // Nobody asks the bucket for it again.
    is_told(&only(
        run(&env, &server, &index).json::<VerifyReport>().items,
    ));
    server.take_asked();
    let list = ["list", "-o", "json", "--as-of", SOON];
    is_told(&only(run(&env, &server, &list).json::<BackupList>().items));
    let show = ["show", "27be558ad3a9", "--as-of", SOON];
    is_told(&run(&env, &server, &[&show[..], &["-o", "json"]].concat()).json());
    let page = run(&env, &server, &show).ends_with(0).stdout;
    for line in [
        "  version id      v1\n",
        "  retention       locked until 2027-01-01T00:00:00Z (COMPLIANCE)\n",
        "  version id      v2\n",
        "  legal hold      on: nobody can delete it before that is taken off\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
    let late = ["show", "27be558ad3a9", "--as-of", "2027-01-01T00:00:00Z"];
    let page = run(&env, &server, &late).stdout;
    assert!(
        page.contains("  retention       lock ended 2027-01-01T00:00:00Z (COMPLIANCE)\n"),
        "{page}"
    );
    assert_eq!(server.take_asked(), [""; 0]);
}

/// Members of an archive are kept as the archive is; a file on a disk is kept by nobody.
#[test]
fn a_lock_on_an_archive_is_one_on_its_members() {
    let env = TestEnv::new();
    env.copy(SNAPSHOT, "tree");
    env.copy(KUBERESOURCES, "tree");
    let packed = std::process::Command::new("tar")
        .args(["czf", "bundle.tar.gz", "tree"])
        .current_dir(env.path(""))
        .status();
    assert!(packed.expect("tar starts").success());
    let server = BucketServer::start();
    let bundle = std::fs::read(env.path("bundle.tar.gz")).expect("was packed");
    server.put("prod/bundle.tar.gz", &bundle);
    server.say(
        "prod/bundle.tar.gz",
        &[("x-amz-object-lock-legal-hold", "ON")],
    );
    let tree = env.text("tree");
    let arguments = [
        "verify",
        "s3://backups",
        &tree,
        "-o",
        "json",
        "--as-of",
        SOON,
    ];
    for _ in 0..2 {
        let backup = run(&env, &server, &arguments).json::<VerifyReport>();
        let half = backup.only().snapshot.clone().expect("is there");
        let [kept] = half.custody.as_slice() else {
            panic!("{:?}", half.custody);
        };
        assert!(kept.legal_hold && kept.path.starts_with("s3://backups/prod/bundle.tar.gz!/"));
    }
}
