//! The file of a snapshot, and what is in it.

use super::Row;
use crate::cli::edit::{self, bucket, rewritten};
use crate::cli::environment::{KUBERESOURCES, SNAPSHOT, TestEnv};
use crate::support::bolt::{Bolt, Content};
use crate::support::records::{alarm, revision};
use crate::support::samples;
use crate::support::write::{Form, database};

const NAME: &str = "data/snapshot_2024-11-02_030000.db";

/// These bytes in place of the healthy snapshot.
fn snapshot(env: &TestEnv, bytes: impl AsRef<[u8]>) {
    env.copy(KUBERESOURCES, "keys");
    env.put(NAME, bytes);
}

fn bytes(env: &TestEnv, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = samples::bytes(SNAPSHOT);
    change(&mut bytes);
    snapshot(env, bytes);
}

fn pages(env: &TestEnv, damage: impl FnOnce(&mut Bolt)) {
    snapshot(env, edit::damaged(SNAPSHOT, damage));
}

fn content(env: &TestEnv, change: impl FnOnce(&mut Content)) {
    snapshot(env, rewritten(SNAPSHOT, change));
}

fn whole(env: &TestEnv, sample: &str) {
    let row = samples::all().into_iter().find(|row| row.path == sample);
    let row = row.expect("the sample is in the table").row;
    env.copy(sample, "data");
    if let Some(archive) = row["kuberesources"].as_str() {
        env.copy(archive, "keys");
    }
}

/// Other bytes in the values of all keys that begin so.
fn objects(env: &TestEnv, key: &[u8], from: &[u8], to: &[u8]) {
    let find = |text: &[u8], part: &[u8]| text.windows(part.len()).position(|one| one == part);
    content(env, |content| {
        for (_, value) in bucket(content, "key") {
            if let (Some(_), Some(at)) = (find(value, key), find(value, from)) {
                value[at..at + to.len()].copy_from_slice(to);
            }
        }
    });
}

/// A leaf of bucket `key`.
fn leaf(bolt: &Bolt) -> u64 {
    bolt.leaves(bolt.bucket_root("key"))[1]
}

/// Half a file: what its first half does not say is not known.
const INTERRUPTED: &[&str] = &[
    "truncated",
    "structure-reference",
    "incomplete-download",
    "version-unknown",
];

/// Damage to the file.
pub(super) const ROWS: &[Row] = &[
    Row::new(
        "no meta page",
        &["not-a-snapshot", "version-unknown"],
        |env| {
            bytes(env, |bytes| bytes[..8192].fill(0));
        },
    ),
    Row::new("text", &["not-a-snapshot", "version-unknown"], |env| {
        snapshot(env, "Error from server (Forbidden): pods is forbidden\n");
    }),
    Row::new("empty", &["truncated", "version-unknown"], |env| {
        snapshot(env, "");
    }),
    Row::new(
        "cut in half",
        &["truncated", "structure-reference", "version-unknown"],
        |env| {
            bytes(env, |bytes| bytes.truncate(bytes.len() / 2));
        },
    ),
    Row::new(
        "without its last page",
        &[
            "truncated",
            "digest-mismatch",
            "structure-reference",
            "version-unknown",
        ],
        |env| {
            bytes(env, |bytes| bytes.truncate(bytes.len() - 4096));
        },
    ),
    Row::new(
        "opened by hashkv",
        &["digest-mismatch", "opened-since"],
        |env| snapshot(env, edit::opened(samples::bytes(SNAPSHOT), 1)),
    ),
    Row::new(
        "a page too many",
        &["trailing-data", "digest-mismatch", "mended"],
        |env| {
            bytes(env, |bytes| bytes.extend([0; 4096]));
        },
    ),
    Row::new("a flipped bit in the digest", &["digest-mismatch"], |env| {
        bytes(env, |bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        });
    }),
    Row::new("raw copy", &["digest-missing"], |env| {
        env.copy("backups/raw/snapshot-20241102-030000.db", "data");
        env.copy(KUBERESOURCES, "keys");
    }),
    Row::new("first meta page lost", &["meta-invalid"], |env| {
        pages(env, |bolt| bolt.bytes[..4096].fill(0));
    }),
    Row::new("a page of another id", &["structure-page"], |env| {
        pages(env, |bolt| {
            let at = bolt.page(leaf(bolt));
            bolt.bytes[at] ^= 1;
        });
    }),
    Row::new(
        "two keys swapped",
        &["structure-order", "record-inconsistent"],
        |env| {
            pages(env, |bolt| {
                let elements = bolt.elements(leaf(bolt));
                let (one, other) = (elements[0].key.clone(), elements[1].key.clone());
                let swapped = [
                    bolt.bytes[one.clone()].to_vec(),
                    bolt.bytes[other.clone()].to_vec(),
                ];
                bolt.put(one.start, &swapped[1]);
                bolt.put(other.start, &swapped[0]);
            });
        },
    ),
    Row::new(
        "a branch that points nowhere",
        &["structure-reference"],
        |env| {
            pages(env, |bolt| {
                let root = bolt.bucket_root("key");
                let element = bolt.elements(root)[1].at;
                bolt.put_u64(element + 8, 1 << 40);
            });
        },
    ),
    Row::new(
        "a freelist that lists a meta page",
        &["structure-freelist"],
        |env| {
            let form = Form {
                store_freelist: true,
                stale_every: 4,
                ..Form::default()
            };
            let mut bolt = database(&Bolt::open(&samples::bytes(SNAPSHOT)).content(), form);
            let at = bolt.page(bolt.freelist());
            bolt.put_u64(at + 16, 1);
            snapshot(env, bolt.sealed());
        },
    ),
    Row::new("no bucket meta", &["bucket-missing"], |env| {
        content(env, |content| content.retain(|(name, _)| name != b"meta"));
    }),
    Row::new(
        "an entry that does not decode",
        &["record-undecodable"],
        |env| {
            content(env, |content| {
                bucket(content, "key")[7].1 = b"\xff\xff\xff".to_vec();
            });
        },
    ),
    Row::new(
        "an entry under another revision",
        &["record-inconsistent"],
        |env| {
            content(env, |content| {
                let entries = bucket(content, "key");
                let last = entries.last().expect("an entry").1.clone();
                let main = i64::from_be_bytes(
                    entries[entries.len() - 1].0[..8].try_into().expect("eight"),
                );
                entries.push((revision(main + 1, 0, false), last));
            });
        },
    ),
    Row::new("an entry lost", &["record-missing"], |env| {
        content(env, |content| {
            let entries = bucket(content, "key");
            entries.remove(entries.len() - 4);
        });
    }),
];

/// What a sound file tells.
pub(super) const CONTENT: &[Row] = &[
    Row::new("alarm NOSPACE", &["alarm-raised"], |env| {
        whole(env, "backups/alarm/snapshot_2024-11-06_030000.db");
    })
    .seen_at("2024-11-06T06:00:00Z"),
    Row::new(
        "a downgrade of etcd that was enabled",
        &["downgrade-in-progress"],
        |env| {
            content(env, |content| {
                let state = br#"{"target-version":"3.4.0","enabled":true}"#;
                let cluster = bucket(content, "cluster");
                cluster.retain(|(key, _)| key != b"downgrade");
                cluster.push((b"downgrade".to_vec(), state.to_vec()));
                cluster.sort();
            });
        },
    ),
    Row::new(
        "an object that is no protobuf",
        &["object-undecodable"],
        |env| {
            objects(env, b"/kubernetes.io/events/", b"k8s\0", b"k8t\0");
        },
    ),
    Row::new("an object of another kind", &["object-mismatch"], |env| {
        objects(env, b"/kubernetes.io/events/", b"\x05Event", b"\x05Evenu");
    }),
    Row::new("alarm CORRUPT", &["alarm-raised"], |env| {
        content(env, |content| {
            bucket(content, "alarm").push((alarm(0x339f_7142_dc98_be9e, 2), Vec::new()));
        });
    }),
    Row::new("forced backup", &["possibly-dirty"], |env| {
        env.put(
            "data/snapshot_2024-11-02_030000__POSSIBLY_DIRTY__.db",
            samples::bytes(SNAPSHOT),
        );
        env.put(
            "keys/static_kuberesources_2024-11-02_030000__POSSIBLY_DIRTY__.tar.gz",
            samples::bytes(KUBERESOURCES),
        );
    }),
    Row::new("an interrupted save", INTERRUPTED, |env| {
        env.copy(KUBERESOURCES, "keys");
        let bytes = samples::bytes(SNAPSHOT);
        env.put(
            "data/snapshot_2024-11-02_030000.db.part",
            &bytes[..bytes.len() / 2],
        );
    }),
    Row::new(
        "plain Kubernetes",
        &["version-unknown", "kuberesources-not-used"],
        |env| {
            whole(env, "backups/kubernetes/snapshot.db");
        },
    ),
    Row::new("an empty database", &["snapshot-empty"], |env| {
        env.copy(
            "cases/54-empty-database/snapshot_2025-05-13_080917.db",
            "data",
        );
    }),
    Row::new("packed", &["snapshot-compressed"], |env| {
        env.copy(KUBERESOURCES, "keys");
        env.put(
            "data/snapshot_2024-11-02_030000.db.gz",
            crate::cli::archive::gzip(&samples::bytes(SNAPSHOT)),
        );
    }),
    Row::new(
        "in the middle of an upgrade",
        &["upgrade-in-progress", "rollout-in-progress"],
        |env| {
            whole(env, "backups/prod-upgrade/snapshot_2024-10-27_030000.db");
        },
    )
    .seen_at("2024-10-27T06:00:00Z"),
    Row::new(
        "day one",
        &[
            "taken-before-rotation",
            "bootstrap-incomplete",
            "certificate-expiring",
        ],
        |env| whole(env, "backups/fresh/snapshot_2024-11-05_090000.db"),
    )
    .seen_at("2024-11-05T10:00:00Z"),
    Row::new(
        "seven weeks later",
        &["certificate-expired", "certificate-expiring"],
        TestEnv::put_healthy,
    )
    .seen_at("2024-12-24T00:00:00Z"),
    Row::new(
        "years later",
        &["certificate-expired"],
        TestEnv::put_healthy,
    )
    .seen_at("2026-11-22T00:00:00Z"),
    Row::new("a name in local time", &["time-skew"], |env| {
        env.put(
            "data/snapshot_2024-11-02_060000.db",
            samples::bytes(SNAPSHOT),
        );
        env.put(
            "keys/static_kuberesources_2024-11-02_060000.tar.gz",
            samples::bytes(KUBERESOURCES),
        );
    }),
    Row::new("a migration under way", &["encryption-partial"], |env| {
        content(env, |content| {
            let is_first = std::cell::Cell::new(true);
            edit::values(content, "/kubernetes.io/secrets/", |value| {
                let is_taken = is_first.replace(false);
                (is_taken && value.starts_with(b"k8s:enc:"))
                    .then(|| b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Secret".to_vec())
            });
        });
    }),
];
