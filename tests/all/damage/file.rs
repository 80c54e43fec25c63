//! The file as a whole: its length, its digest, its two meta pages.

use super::{SAMPLE, assert_codes, damaged, sample};
use crate::support::{codes, findings_of, read, samples, told};

fn cut(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes[..bytes.len() - length].to_vec()
}

fn longer(bytes: &[u8], tail: &[u8]) -> Vec<u8> {
    [bytes, tail].concat()
}

#[test]
fn what_is_no_database_is_named_so() {
    assert_codes("empty", b"", &["truncated"]);
    assert_codes("one byte", b"x", &["not-a-snapshot"]);
    assert_codes("zeros", &[0; 100_000], &["not-a-snapshot"]);
    assert_codes("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03", &["not-a-snapshot"]);
    let mut both = sample();
    both.bytes[16] ^= 1;
    both.bytes[4096 + 72] ^= 1;
    assert_codes("both meta pages", &both.sealed(), &["not-a-snapshot"]);
}

#[test]
fn a_cut_file_is_truncated() {
    let whole = samples::bytes(SAMPLE);
    assert_codes("whole", &whole, &[]);
    for length in [1, 2, 31] {
        assert_codes(
            &format!("cut by {length}"),
            &cut(&whole, length),
            &["truncated"],
        );
    }
    // What is left is a database as it lies in a data directory: nothing says that there was a digest.
    assert_codes("cut by 32", &cut(&whole, 32), &["digest-missing"]);
    // The root page is the last one.
    let expected = ["truncated", "structure-reference"];
    assert_codes("cut by 33", &cut(&whole, 33), &expected);
    for length in [512, 4096, 8192] {
        let reading = read(&cut(&whole, length));
        let found = codes(&reading);
        assert!(
            found.starts_with(&["truncated", "digest-mismatch"]),
            "cut by {length}: {found:?}"
        );
        let message = &findings_of(&reading, "truncated")[0].message;
        assert!(
            message.contains(&format!("{} bytes", whole.len() - length)),
            "{message}"
        );
    }
    for length in [whole.len() / 2, whole.len() - 20_000] {
        let reading = read(&cut(&whole, length));
        let found = codes(&reading);
        assert_eq!(found[0], "truncated", "{found:?}");
        assert!(found.contains(&"structure-reference"), "{}", told(&reading));
        assert_eq!(
            reading.snapshot.status.hash, None,
            "a part cannot be summed up"
        );
    }
    assert_codes(
        "meta page 1 cut off",
        &whole[..4096 + 40],
        &["truncated", "meta-invalid", "structure-reference"],
    );
    assert_codes("meta page 0 cut off", &whole[..60], &["not-a-snapshot"]);
}

#[test]
fn bytes_behind_the_trailer_are_told_with_the_way_to_cut_them_off() {
    let whole = samples::bytes(SAMPLE);
    let page_less_trailer = [0; 4096 - 32];
    let rows: [(&str, &[u8], &[&str]); 6] = [
        ("one byte", b"\n", &["trailing-data"]),
        ("32 bytes", &[0; 32], &["trailing-data"]),
        ("480 bytes", &[0; 480], &["trailing-data"]),
        (
            "padded to whole pages",
            &page_less_trailer,
            &["trailing-data"],
        ),
        (
            "512 bytes",
            &[0; 512],
            &["trailing-data", "digest-mismatch"],
        ),
        ("a page", &[7; 4096], &["trailing-data", "digest-mismatch"]),
    ];
    for (name, tail, expected) in rows {
        let file = longer(&whole, tail);
        assert_codes(name, &file, expected);
        let remedy = &findings_of(&read(&file), "trailing-data")[0].remedy.clone();
        assert!(
            remedy.contains(&format!("head -c {}", whole.len())),
            "{name}: {remedy}"
        );
    }
    let mut flipped = longer(&whole, b"\n");
    flipped[100_000] ^= 1;
    let reading = read(&flipped);
    let remedy = &findings_of(&reading, "trailing-data")[0].remedy;
    assert!(
        !remedy.contains("head -c"),
        "what is left would not be sound: {remedy}"
    );
}

#[test]
fn a_raw_copy_grown_ahead_is_only_without_digest() {
    let database = sample().bytes;
    assert_codes("raw", &database, &["digest-missing"]);
    assert_codes(
        "grown by a page",
        &longer(&database, &[0; 4096]),
        &["digest-missing"],
    );
    assert_codes(
        "grown by 1 MiB",
        &longer(&database, &vec![0; 1 << 20]),
        &["digest-missing"],
    );
}

#[test]
fn a_flip_anywhere_breaks_the_digest() {
    let whole = samples::bytes(SAMPLE);
    let places = (0..whole.len() - 32)
        .step_by(40_009)
        .chain([whole.len() - 33]);
    for at in places {
        let mut file = whole.clone();
        file[at] ^= 1 << (at % 8);
        let reading = read(&file);
        assert!(
            codes(&reading).contains(&"digest-mismatch"),
            "flip at {at}{}",
            told(&reading)
        );
    }
    for at in [whole.len() - 32, whole.len() - 1] {
        let mut file = whole.clone();
        file[at] ^= 0x80;
        assert_codes(
            &format!("trailer flipped at {at}"),
            &file,
            &["digest-mismatch"],
        );
    }
}

#[test]
fn the_unused_rest_of_a_page_counts_for_the_digest_alone() {
    let bolt = sample();
    let leaf = bolt.leaves(bolt.root())[0];
    let end = bolt.elements(leaf).last().expect("ten buckets").value.end;
    assert!(
        end < bolt.page(leaf) + 4096,
        "there is room behind the last value"
    );
    let mut file = samples::bytes(SAMPLE);
    file[end] ^= 1;
    assert_codes("digest as it was", &file, &["digest-mismatch"]);
    assert_codes(
        "digest remade",
        &damaged(&bolt, |bolt| bolt.bytes[end] ^= 1),
        &[],
    );
}

#[test]
fn one_invalid_meta_page_is_a_warning() {
    let bolt = sample();
    let fields = [
        ("magic", 16),
        ("version", 20),
        ("page size", 24),
        ("root", 32),
        ("checksum", 72),
    ];
    for meta in [0, 4096] {
        for (name, field) in fields {
            let file = damaged(&bolt, |bolt| bolt.bytes[meta + field] ^= 0x40);
            let name = format!("{name} of the meta page at {meta}");
            assert_codes(&name, &file, &["meta-invalid"]);
            let reading = read(&file);
            let finding = findings_of(&reading, "meta-invalid")[0];
            assert!(
                finding
                    .message
                    .contains(&format!("meta page {}", meta / 4096)),
                "{}",
                finding.message
            );
        }
    }
    let file = damaged(&bolt, |bolt| bolt.bytes[4096..8192].fill(0));
    assert_codes("meta page 1 zeroed", &file, &["meta-invalid"]);
    let file = damaged(&bolt, |bolt| bolt.bytes[..4096].fill(0xFF));
    assert_codes("meta page 0 overwritten", &file, &["meta-invalid"]);
}
