//! Made-up content of an etcd store: small enough to try every byte of it.
#![expect(clippy::as_conversions, reason = "small numbers of made-up files")]

use super::bolt::Content;

/// Key of bucket `key`.
pub(crate) fn revision(main: i64, sub: i64, is_tombstone: bool) -> Vec<u8> {
    let mut key = main.to_be_bytes().to_vec();
    key.push(b'_');
    key.extend(sub.to_be_bytes());
    key.extend(is_tombstone.then_some(b't'));
    key
}

/// Fields of a KeyValue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Put<'k> {
    pub(crate) key: &'k str,
    pub(crate) create: i64,
    pub(crate) modified: i64,
    pub(crate) version: i64,
}

/// A KeyValue as etcd encodes it.
pub(crate) fn key_value(put: Put<'_>, value: &[u8]) -> Vec<u8> {
    let mut message = bytes_field(1, put.key.as_bytes());
    for (number, field) in [(2, put.create), (3, put.modified), (4, put.version)] {
        message.push(number << 3);
        varint(&mut message, field as u64);
    }
    if !value.is_empty() {
        message.extend(bytes_field(5, value));
    }
    message
}

/// The value of a tombstone.
pub(crate) fn tombstone(key: &str) -> Vec<u8> {
    bytes_field(1, key.as_bytes())
}

/// Key of bucket `alarm`: NOSPACE is 1, CORRUPT 2.
pub(crate) fn alarm(member: u64, kind: u64) -> Vec<u8> {
    let mut key = vec![0x08];
    varint(&mut key, member);
    key.push(0x10);
    varint(&mut key, kind);
    key
}

/// A value of bucket `lease`.
pub(crate) fn lease(id: u64, seconds: u64) -> Vec<u8> {
    let mut message = vec![0x08];
    varint(&mut message, id);
    message.push(0x10);
    varint(&mut message, seconds);
    message
}

fn bytes_field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    varint(&mut field, bytes.len() as u64);
    field.extend(bytes);
    field
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// A store with `changes` changes of seven keys, never compacted; every tenth change deletes, and is followed by a
/// transaction of two changes.
pub(crate) fn store(changes: i64) -> Content {
    let names: Vec<String> = (0..7)
        .map(|n| format!("/kubernetes.io/configmaps/default/{n}"))
        .collect();
    let mut live: Vec<Option<(i64, i64)>> = vec![None; names.len()];
    let mut entries = Vec::new();
    for main in 2..changes + 2 {
        let at = (main % 7) as usize;
        if main % 10 == 0 && live[at].take().is_some() {
            entries.push((revision(main, 0, true), tombstone(&names[at])));
            continue;
        }
        for (sub, at) in (0..=i64::from(main % 10 == 1)).zip([at, (at + 3) % 7]) {
            let (create, version) =
                live[at].map_or((main, 1), |(create, version)| (create, version + 1));
            live[at] = Some((create, version));
            let put = Put {
                key: &names[at],
                create,
                modified: main,
                version,
            };
            entries.push((
                revision(main, sub, false),
                key_value(put, b"{\"kind\":\"ConfigMap\"}"),
            ));
        }
    }
    around(entries)
}

/// All buckets of etcd around the entries of bucket `key`.
pub(crate) fn around(entries: Vec<(Vec<u8>, Vec<u8>)>) -> Content {
    let text = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
    let member = r#"{"id":9372538179322589801,"peerURLs":["https://10.0.0.1:2380"],"name":"m","clientURLs":[]}"#;
    let buckets = [
        ("alarm", vec![]),
        ("auth", vec![]),
        ("authRoles", vec![]),
        ("authUsers", vec![]),
        ("cluster", vec![text("clusterVersion", "3.5.0")]),
        ("key", entries),
        ("lease", vec![]),
        ("members", vec![text("8211f1d0f64f3269", member)]),
        ("members_removed", vec![]),
        (
            "meta",
            vec![(b"consistent_index".to_vec(), vec![0, 0, 0, 0, 0, 0, 1, 0])],
        ),
    ];
    buckets
        .into_iter()
        .map(|(name, entries)| (name.as_bytes().to_vec(), entries))
        .collect()
}
