use super::*;
use flate2::write::GzEncoder;
use std::ffi::OsStr;
use std::io::{Seek as _, Write as _};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn kind_of(name: &str, content: &[u8]) -> Result<ObjectKind, Box<dyn std::error::Error>> {
    let mut file = tempfile::tempfile()?;
    file.write_all(content)?;
    let kind = sniff(&file, BackupName::parse(OsStr::new(name)).as_ref())?.kind;
    assert_eq!(
        file.stream_position()?,
        u64::try_from(content.len())?,
        "{name}"
    );
    Ok(kind)
}

/// A file of `length` zeros with the magic at `offset`.
fn bbolt(length: usize, offset: usize, magic: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0; length];
    if let Some(place) = bytes.get_mut(offset..offset.saturating_add(4)) {
        place.copy_from_slice(&magic);
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("a vector takes it all")
}

fn tar(name: &str, size: usize) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(size).expect("small"));
    header.set_mode(0o600);
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, name, vec![b'x'; size].as_slice())
        .expect("a vector takes it all");
    archive.into_inner().expect("a vector takes it all")
}

fn is_unrecognised(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Unrecognised { .. })
}

#[test]
fn a_meta_page_makes_a_snapshot_whatever_the_name() -> Outcome {
    let mut files = vec![
        bbolt(8192, 16, MAGIC_LITTLE),
        bbolt(8192, 16, MAGIC_BIG),
        bbolt(20, 16, MAGIC_LITTLE),
    ];
    for doubling in 0..=PAGE_SIZE_DOUBLINGS {
        let offset = (1024_usize << doubling) + 16;
        files.push(bbolt(offset + 4, offset, MAGIC_BIG));
    }
    for file in files {
        for name in [
            "x",
            "grafana.db",
            "static_kuberesources_2024-11-02_030000.tar.gz",
        ] {
            assert_eq!(
                kind_of(name, &file)?,
                ObjectKind::Snapshot,
                "{name}, {} bytes",
                file.len()
            );
        }
    }
    Ok(())
}

#[test]
fn a_name_of_a_snapshot_is_enough_to_be_judged_as_one() -> Outcome {
    for name in [
        "snapshot.db",
        "x_2024-11-02_030000.db",
        "1730516400.db",
        "snapshot_x.db",
    ] {
        for content in [&b""[..], b"no bbolt", SQLITE_MAGIC] {
            assert_eq!(kind_of(name, content)?, ObjectKind::Snapshot, "{name}");
        }
    }
    assert_eq!(
        kind_of("snapshot_2024-11-02_030000.db.part", b"")?,
        ObjectKind::Partial
    );
    Ok(())
}

#[test]
fn other_database_files_are_left_alone() -> Outcome {
    let expected = ObjectKind::Unrecognised {
        reason: "SQLite database",
    };
    assert_eq!(kind_of("grafana.db", SQLITE_MAGIC)?, expected);
    assert_eq!(
        kind_of("grafana.db", b"")?,
        ObjectKind::Unrecognised {
            reason: "empty file"
        }
    );
    assert!(is_unrecognised(kind_of("notes.txt", &vec![b'x'; 200_000])?));
    // Whatever lies in an archive shows when it is looked into.
    let archive = tar("must-gather/version", 3);
    assert_eq!(
        kind_of("must-gather.tar.gz", &gzip(&archive))?,
        ObjectKind::Archive
    );
    assert_eq!(
        kind_of("notes", &gzip(&gzip(&archive)))?,
        ObjectKind::Archive
    );
    Ok(())
}

#[test]
fn packed_snapshots_are_known_by_what_is_inside() -> Outcome {
    let snapshot = bbolt(200_000, 16, MAGIC_LITTLE);
    let zstd = zstd::encode_all(snapshot.as_slice(), 1)?;
    let packed = |compression| ObjectKind::CompressedSnapshot(compression);
    for name in [
        "a",
        "snapshot_2024-11-02_030000.db",
        "snapshot_2024-11-02_030000.db.gz",
    ] {
        assert_eq!(
            kind_of(name, &gzip(&snapshot))?,
            packed(Compression::Gzip),
            "{name}"
        );
        assert_eq!(kind_of(name, &zstd)?, packed(Compression::Zstd), "{name}");
    }
    assert_eq!(
        kind_of("snapshot_2024-11-02_030000.db.gz", b"")?,
        packed(Compression::Gzip)
    );
    Ok(())
}

#[test]
fn static_pod_resources_are_known_by_the_first_member() -> Outcome {
    let long = format!("static-pod-resources/{}", "x".repeat(200));
    for member in [
        "static-pod-resources/etcd-pod-3/x",
        "./static-pod-resources/x",
        &long,
    ] {
        assert_eq!(
            kind_of("renamed", &gzip(&tar(member, 700)))?,
            ObjectKind::Kuberesources,
            "{member}"
        );
    }
    let combined = "snapshot_db_kuberesources_2020-02-01_030000.tar.gz";
    assert_eq!(
        kind_of(combined, &gzip(&tar("static-pod-resources/x", 1)))?,
        ObjectKind::Combined
    );
    let named = "static_kuberesources_2024-11-02_030000.tar.gz";
    assert_eq!(kind_of(named, b"not gzip")?, ObjectKind::Kuberesources);
    Ok(())
}

#[test]
fn bombs_and_broken_streams_end_at_once() -> Outcome {
    let bomb = gzip(&vec![0; 64 * 1024 * 1024]);
    assert!(is_unrecognised(kind_of("bomb", &bomb)?));
    for content in [
        &b"\x1f\x8b"[..],
        b"\x1f\x8b\x08\xff\xff\xff",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd\xff\xff",
    ] {
        assert!(is_unrecognised(kind_of("broken", content)?));
    }
    let mut endless = tar("x", 0);
    for byte in endless.iter_mut().skip(156).take(1) {
        *byte = b'x';
    }
    assert!(is_unrecognised(kind_of(
        "endless",
        &gzip(&endless.repeat(20))
    )?));
    Ok(())
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
        let _kind = content_kind(&bytes);
        let _name = first_tar_name(&bytes);
        let _kind = content_kind(&gzip(&bytes));
    }
}
