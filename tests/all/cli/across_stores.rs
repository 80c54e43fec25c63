//! The halves of a backup lie in two stores: in two buckets, with two services, one of them on a disk. The servers are those
//! that `tests/run` brings.

use crate::cli::contract::{BackupList, VerifyReport};
use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::samples;
use crate::support::servers::{Server, azurite, seaweed};

/// With what reaches all servers at a time: `--endpoint` would count for each of them.
fn run(env: &TestEnv, arguments: &[&str]) -> Ran {
    let mut command = env.command(&[arguments, &["--as-of", SOON]].concat());
    for server in [seaweed(), azurite()].into_iter().flatten() {
        command.envs(server.environment());
        command.env(
            match server.scheme() {
                "s3" => "AWS_ENDPOINT_URL_S3",
                _ => "AZURE_STORAGE_ENDPOINT",
            },
            &server.endpoint,
        );
    }
    command.env_remove("ETCD_CAT_ENDPOINT");
    Ran::of(command.output().expect("the command starts"))
}

/// Puts a sample into a bucket of its own, and says where.
fn put(server: &Server, bucket: &str, sample: &str) -> String {
    let name = sample.rsplit('/').next().expect("a name");
    server.make_bucket(bucket);
    server.put(bucket, &format!("prod/{name}"), &samples::bytes(sample));
    format!("{}://{bucket}/prod", server.scheme())
}

#[test]
fn halves_are_paired_wherever_each_of_them_lies() {
    let (Some(s3), Some(azure)) = (seaweed(), azurite()) else {
        return;
    };
    let disk = TestEnv::new();
    let [snapshot_here, keys_here] = [SNAPSHOT, KUBERESOURCES].map(|sample| {
        let copy = disk.copy(sample, sample.rsplit('/').nth(1).expect("a directory"));
        let directory = copy.parent().and_then(|path| path.to_str());
        directory.expect("text").to_owned()
    });
    let snapshot_there = put(s3, "across-snapshots", SNAPSHOT);
    let rows = [
        (
            "two buckets",
            &snapshot_there,
            &put(s3, "across-keys", KUBERESOURCES),
        ),
        (
            "two services",
            &snapshot_there,
            &put(azure, "across-keys", KUBERESOURCES),
        ),
        (
            "the services changed over",
            &put(azure, "across-snapshots", SNAPSHOT),
            &put(s3, "across-keys-of-azure", KUBERESOURCES),
        ),
        ("keys on a disk", &snapshot_there, &keys_here),
        (
            "the snapshot on a disk",
            &snapshot_here,
            &put(s3, "across-keys-of-a-disk", KUBERESOURCES),
        ),
    ];
    for (what, snapshot, keys) in rows {
        // In one run.
        let report = run(
            &disk,
            &["verify", snapshot, keys, "-o", "json", "--no-catalogue"],
        );
        let report: VerifyReport = report.ends_with(0).json();
        let pair = report.only();
        assert_eq!(pair.pairing.basis, "content", "{what}: {pair:#?}");

        // One after the other, neither in sight when the other one is read: the keys are tried on what lies elsewhere.
        for places in [[snapshot, keys], [keys, snapshot]] {
            let env = TestEnv::new();
            for place in places {
                run(&env, &["index", place]);
            }
            let list = run(&env, &["list", "--all", "-o", "json"]).ends_with(0);
            let list: BackupList = list.json();
            let [pair] = list.items.as_slice() else {
                panic!("{what}: {list:#?}");
            };
            assert_eq!(
                (pair.verdict.as_str(), pair.encryption.proof.as_str()),
                ("valid", "decrypted"),
                "{what}: {pair:#?}"
            );
            let lies = |half: Option<&str>, place: &str| half.expect("is there").starts_with(place);
            let half = pair.snapshot.as_ref().map(|half| half.path.as_str());
            assert!(lies(half, snapshot), "{what}: {pair:#?}");
            let half = pair.kuberesources.as_ref().map(|half| half.path.as_str());
            assert!(lies(half, keys), "{what}: {pair:#?}");

            // What is staged comes from both.
            let to = env.text("staged");
            run(&env, &["stage", "latest-valid", "--to", &to]).ends_with(0);
            for sample in [SNAPSHOT, KUBERESOURCES] {
                let name = sample.rsplit('/').next().expect("a name");
                let staged = std::fs::read(env.path("staged").join(name)).expect("was staged");
                assert!(staged == samples::bytes(sample), "{what}: {name}");
            }
        }
    }
}
