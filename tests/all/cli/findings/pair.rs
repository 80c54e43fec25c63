//! The other half, its keys, and where both lie.

use super::Row;
use crate::cli::archive::{self, member, name, pack, remade, with_configuration};
use crate::cli::edit::{self, bucket, rewritten};
use crate::cli::environment::{KUBERESOURCES, SNAPSHOT, TestEnv};
use crate::support::bolt::Bolt;
use crate::support::samples;
use tar::EntryType;

const NAME: &str = "keys/static_kuberesources_2024-11-02_030000.tar.gz";
const OF_EDGE: &str = "backups/keys/edge/static_kuberesources_2024-11-02_030000.tar.gz";

/// This archive in place of the healthy one.
fn archive(env: &TestEnv, bytes: impl AsRef<[u8]>) {
    env.copy(SNAPSHOT, "data");
    env.put(NAME, bytes);
}

fn bytes(env: &TestEnv, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = samples::bytes(KUBERESOURCES);
    change(&mut bytes);
    archive(env, bytes);
}

fn with_member(env: &TestEnv, path: &str, kind: EntryType) {
    archive(
        env,
        remade(KUBERESOURCES, |members| {
            members.push(member(path, kind, b"x"));
        }),
    );
}

fn configuration(env: &TestEnv, change: impl Fn(&str) -> String) {
    archive(env, with_configuration(KUBERESOURCES, change));
}

/// It breaks off at its start: what it lacks nobody has seen, and that no key is at hand is true all the same.
const EMPTY: &[&str] = &["kuberesources-corrupt", "encryption-config-missing"];

/// The archive.
pub(super) const ROWS: &[Row] = &[
    Row::new("alone", &["kuberesources-missing"], |env| {
        drop(env.copy(SNAPSHOT, "data"));
    }),
    Row::new("its archive alone", &["snapshot-missing"], |env| {
        drop(env.copy(KUBERESOURCES, "keys"));
    })
    .of("/keys/"),
    Row::new("another checksum beside it", &["checksum-differs"], |env| {
        TestEnv::put_healthy(env);
        let name = NAME.trim_start_matches("keys/");
        env.put("keys/SHA256SUMS", format!("{}  {name}\n", "0".repeat(64)));
    }),
    Row::new(
        "hosted control plane",
        &["encryption-external", "kuberesources-not-used"],
        |env| {
            env.put(
                "data/snapshot_2024-11-02_030000.db",
                rewritten(SNAPSHOT, |content| {
                    let prefix = "/kubernetes.io/config.openshift.io/infrastructures/";
                    edit::text(content, prefix, "\"HighlyAvailable\"", "\"External\"");
                }),
            );
        },
    ),
    Row::new("cut in half", &["kuberesources-corrupt"], |env| {
        bytes(env, |bytes| bytes.truncate(bytes.len() / 2));
    }),
    Row::new("empty archive", EMPTY, |env| archive(env, "")),
    Row::new("bytes behind the end", &["kuberesources-corrupt"], |env| {
        bytes(env, |bytes| bytes.extend(b"trailing garbage"));
    }),
    Row::new(
        "a flipped bit",
        &["kuberesources-corrupt", "kuberesources-incomplete"],
        |env| {
            bytes(env, |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x10;
            });
        },
    ),
    Row::new("a path that leads out", &["kuberesources-unsafe"], |env| {
        with_member(
            env,
            "static-pod-resources/../../etc/cron.d/x",
            EntryType::Regular,
        );
    }),
    Row::new("an absolute path", &["kuberesources-unsafe"], |env| {
        with_member(env, "/etc/shadow", EntryType::Regular);
    }),
    Row::new("a device", &["kuberesources-unsafe"], |env| {
        archive(
            env,
            remade(KUBERESOURCES, |members| {
                members.push(member("static-pod-resources/null", EntryType::Char, b""));
            }),
        );
    }),
    Row::new("no kube-scheduler", &["kuberesources-incomplete"], |env| {
        archive(
            env,
            remade(KUBERESOURCES, |members| {
                members.retain(|member| !name(member).contains("kube-scheduler"));
            }),
        );
    }),
    Row::new(
        "the archive of another cluster",
        &["pair-mismatch", "encryption-key-missing"],
        |env| {
            archive(env, samples::bytes(OF_EDGE));
        },
    ),
    Row::new("two archives of one run", &["pair-ambiguous"], |env| {
        archive(env, samples::bytes(KUBERESOURCES));
        let again = pack(&archive::members(KUBERESOURCES));
        env.put("other/static_kuberesources_2024-11-02_030000.tar.gz", again);
    }),
];

/// Encryption.
pub(super) const KEYS: &[Row] = &[
    Row::new("no configuration", &["encryption-config-missing"], |env| {
        archive(
            env,
            remade(KUBERESOURCES, |members| {
                members.retain(|member| !name(member).contains("encryption-config"));
            }),
        );
    }),
    Row::new("another key's name", &["encryption-key-missing"], |env| {
        configuration(env, |text| text.replace("\"name\":\"7\"", "\"name\":\"9\""));
    }),
    Row::new("another key's bytes", &["encryption-key-wrong"], |env| {
        configuration(env, |text| {
            let (before, rest) = text.split_once("\"secret\":\"").expect("a key");
            let (secret, _) = rest.split_once('"').expect("its end");
            let _ = before;
            let mut other = secret.to_owned();
            other.replace_range(..1, if secret.starts_with('A') { "B" } else { "A" });
            text.replace(secret, &other)
        });
    }),
    Row::new("a value among others", &["value-damaged"], |env| {
        env.copy(KUBERESOURCES, "keys");
        let damaged = rewritten(SNAPSHOT, |content| {
            let find =
                |text: &[u8], part: &[u8]| text.windows(part.len()).position(|one| one == part);
            let mut key = None;
            for (_, value) in bucket(content, "key") {
                let Some(at) = find(value, b"/openshift.io/routes/") else {
                    continue;
                };
                let start = find(value, b"k8s:enc:").expect("routes are encrypted");
                let key = key.get_or_insert_with(|| value[at..at + 40].to_vec());
                if find(value, key).is_some() {
                    // Behind prefix and vector, in the first block.
                    value[start + 20 + 16 + 1] ^= 1;
                }
            }
        });
        env.put("data/snapshot_2024-11-02_030000.db", damaged);
    }),
    Row::new(
        "key service",
        &["encryption-external", "keys-beside-snapshot"],
        |env| {
            env.copy("backups/kms/snapshot_2024-11-08_030000.db", "data");
            env.copy(
                "backups/kms/static_kuberesources_2024-11-08_030000.tar.gz",
                "data",
            );
        },
    )
    .seen_at("2024-11-08T04:00:00Z"),
    Row::new(
        "keys in the same directory",
        &["keys-beside-snapshot"],
        |env| {
            env.copy(SNAPSHOT, "data");
            env.copy(KUBERESOURCES, "data");
        },
    ),
];

/// The sample as if it had been taken then.
fn moved(sample: &str, from: &str, to: &str, change: impl FnOnce(&mut Bolt)) -> Vec<u8> {
    edit::damaged(sample, |bolt| {
        edit::instant(&mut bolt.bytes, from, to);
        change(bolt);
    })
}

/// More than one backup.
pub(super) const SEVERAL: &[Row] = &[
    Row::new(
        "a run without the mark of the one beside it",
        &["completion-mark-missing"],
        |env| {
            env.copy(SNAPSHOT, "data/run-1");
            env.copy(KUBERESOURCES, "keys");
            env.put("data/run-2/COMPLETE", "");
        },
    ),
    Row::new("two hosts at the same time", &["duplicate-host"], |env| {
        env.copy("backups/prod/snapshot_2024-11-09_030000.db", "data");
        env.copy(
            "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
            "keys",
        );
        env.copy(
            "backups/prod-master-1/snapshot_2024-11-09_030400.db",
            "other",
        );
        env.copy(
            "backups/keys/prod-master-1/static_kuberesources_2024-11-09_030400.tar.gz",
            "others",
        );
    })
    .seen_at("2024-11-09T06:00:00Z"),
    Row::new(
        "a newer one in the same directory",
        &["restore-picks-other"],
        |env| {
            TestEnv::put_healthy(env);
            env.copy("backups/prod/snapshot_2024-11-09_030000.db", "data");
        },
    )
    .of("snapshot_2024-11-02"),
    Row::new(
        "another member holds something else at this revision",
        &["members-diverge"],
        |env| {
            TestEnv::put_healthy(env);
            let other = rewritten(SNAPSHOT, |content| {
                let dns = "/kubernetes.io/config.openshift.io/dnses/";
                edit::text(content, dns, "cluster-bootstrap", "cluster-bootztrap");
            });
            env.put("other/snapshot_2024-11-02_030000.db", other);
        },
    ),
    Row::new("restored in between", &["revision-went-back"], |env| {
        TestEnv::put_healthy(env);
        let bytes = moved(
            "backups/prod/snapshot_2024-10-20_030000.db",
            "2024-10-20T03:00:07Z",
            "2024-11-02T04:00:07Z",
            |_| {},
        );
        env.put("later/snapshot_2024-11-02_040000.db", bytes);
        env.put(
            "later/static_kuberesources_2024-11-02_040000.tar.gz",
            samples::bytes("backups/prod/static_kuberesources_2024-10-20_030000.tar.gz"),
        );
    })
    .of("/later/"),
    Row::new("most of it deleted", &["size-fell"], |env| {
        TestEnv::put_healthy(env);
        env.copy(
            "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
            "keys",
        );
        let thinned = rewritten("backups/prod/snapshot_2024-11-09_030000.db", |content| {
            let kept = [
                "config.openshift.io",
                "operator.openshift.io",
                "leases",
                "secrets",
            ];
            edit::forget_old_keys(content, 1024, &kept);
        });
        env.put("later/snapshot_2024-11-09_030000.db", thinned);
    })
    .of("/later/")
    .seen_at("2024-11-09T06:00:00Z"),
    Row::new("a member replaced", &["members-changed"], |env| {
        TestEnv::put_healthy(env);
        env.copy(
            "backups/keys/prod/static_kuberesources_2024-11-09_030000.tar.gz",
            "keys",
        );
        let changed = rewritten("backups/prod/snapshot_2024-11-09_030000.db", |content| {
            let members = bucket(content, "members");
            let (_, value) = members.pop().expect("three members");
            let id = b"ffffffffffff0001".to_vec();
            let number = value
                .windows(5)
                .position(|window| window == b"\"id\":")
                .expect("JSON");
            let end = value[number..]
                .iter()
                .position(|&byte| byte == b',')
                .expect("JSON")
                + number;
            let mut value = value;
            value.splice(
                number + 5..end,
                0xffff_ffff_ffff_0001_u64.to_string().bytes(),
            );
            members.push((id, value));
        });
        env.put("later/snapshot_2024-11-09_030000.db", changed);
    })
    .of("/later/")
    .seen_at("2024-11-09T06:00:00Z"),
];
