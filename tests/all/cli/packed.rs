//! Snapshots that somebody packed after they were taken, by the tools that shops have: xz, bzip2, lz4, zstd.
//!
//! The files were packed by those tools from one snapshot that a real etcd wrote (`testdata/cases/README.md`).

use crate::cli::environment::{Ran, TestEnv};
use crate::support::samples;

const ENDINGS: [&str; 4] = ["xz", "bz2", "lz4", "zst"];
const ARCHIVE: &str = "cases/packed/static_kuberesources_2025-05-13_080917.tar.gz";
const AS_OF: &str = "2025-05-13T09:00:00Z";

fn packed(ending: &str) -> String {
    format!("cases/packed/snapshot_2025-05-13_080917.db.{ending}")
}

/// Verifies one file and its kuberesources.
fn verify(env: &TestEnv) -> Ran {
    let directory = env.path("data").display().to_string();
    let arguments = [
        "verify",
        &directory,
        "--no-catalogue",
        "-o",
        "json",
        "--as-of",
        AS_OF,
    ];
    env.run(&arguments)
}

#[test]
fn a_packed_snapshot_is_read_and_proven_whatever_packed_it() {
    let mut ids = Vec::new();
    for ending in ENDINGS {
        let env = TestEnv::new();
        env.copy(&packed(ending), "data");
        env.copy(ARCHIVE, "data");
        let report: crate::cli::contract::VerifyReport = verify(&env).ends_with(0).json();
        let backup = report.only();
        assert_eq!(
            backup.version.openshift.as_deref(),
            Some("4.18.11"),
            "{ending}"
        );
        assert_eq!(backup.snapshot().digest.state, "match", "{ending}");
        ids.push(backup.id.clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "the same data however it is packed");
}

#[test]
fn the_content_tells_how_it_is_packed_and_not_the_name() {
    for (ending, name) in [("xz", "bz2"), ("lz4", "gz"), ("zst", "xz")] {
        let env = TestEnv::new();
        let name = format!("data/snapshot_2025-05-13_080917.db.{name}");
        env.put(&name, samples::bytes(&packed(ending)));
        env.copy(ARCHIVE, "data");
        let report: crate::cli::contract::VerifyReport = verify(&env).ends_with(0).json();
        assert_eq!(report.only().snapshot().digest.state, "match", "{ending}");
    }
}

#[test]
fn a_packed_snapshot_that_is_cut_is_never_valid() {
    for ending in ENDINGS {
        let bytes = samples::bytes(&packed(ending));
        for length in [bytes.len() - 1, bytes.len() / 2, 40] {
            let env = TestEnv::new();
            let name = format!("data/snapshot_2025-05-13_080917.db.{ending}");
            env.put(&name, bytes.get(..length).expect("shorter"));
            env.copy(ARCHIVE, "data");
            let ran = verify(&env);
            assert_ne!(ran.code, Some(0), "{ending} cut to {length} bytes");
        }
    }
}

#[test]
fn an_xz_file_that_claims_a_huge_dictionary_is_refused_with_a_clear_word() {
    let mut bytes = samples::bytes(&packed("xz"));
    // Stream header of 12 bytes; block header: size, flags, filter id, size of its property, the dictionary's size.
    let property = 16;
    assert_eq!(bytes.get(14..16), Some([0x21, 1].as_slice()));
    bytes[property] = 40;
    let header = 12..12 + (usize::from(bytes[12]) + 1) * 4 - 4;
    let crc = crc32(&bytes[header.clone()]);
    bytes[header.end..header.end + 4].copy_from_slice(&crc.to_le_bytes());
    let env = TestEnv::new();
    env.put("data/snapshot_2025-05-13_080917.db.xz", bytes);
    let ran = verify(&env);
    assert_ne!(ran.code, Some(0));
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains("memory"), "{told}");
}

/// CRC-32 of xz, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1 == 1;
            crc >>= 1;
            if carry {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    !crc
}
