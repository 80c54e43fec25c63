//! Archives cut, flipped and followed by what does not belong to them.

use crate::kuberesources::build::{archive, end, gzip, gzip_fast, inflate, sound_members};
use crate::kuberesources::{codes, learn, text};
use etcd_cat::finding::Severity;
use etcd_cat::kuberesources::{ArchiveLimits, read};
use std::io::{self, Read};

#[test]
fn the_digest_is_that_of_the_whole_file_whatever_is_wrong_with_it() {
    use sha2::{Digest, Sha256};
    let sound = archive(&sound_members(""));
    let garbage = [sound.as_slice(), b"behind"].concat();
    let cut = sound.get(..sound.len() / 2).expect("half").to_vec();
    let mut damaged = sound.clone();
    damaged
        .iter_mut()
        .skip(300)
        .take(50)
        .for_each(|byte| *byte ^= 0x55);
    for bytes in [
        sound,
        garbage,
        cut,
        damaged,
        b"no gzip at all".to_vec(),
        Vec::new(),
    ] {
        let (facts, _) = learn(&bytes);
        assert_eq!(facts.sha256.0, <[u8; 32]>::from(Sha256::digest(&bytes)));
        assert_eq!(facts.size_bytes, u64::try_from(bytes.len()).expect("fits"));
    }
}

#[test]
fn what_stands_behind_the_gzip_stream_is_judged_as_tar_would() {
    let sound = archive(&sound_members(""));
    let behind = |bytes: &[u8]| learn(&[sound.as_slice(), bytes].concat()).0;
    let garbage = behind(b"x");
    assert_eq!(codes(&garbage), ["kuberesources-corrupt"]);
    assert!(
        garbage
            .findings
            .iter()
            .all(|finding| finding.severity == Severity::Error)
    );
    let padding = behind(&[0; 300_000]);
    assert_eq!(codes(&padding), ["kuberesources-corrupt"]);
    assert!(
        padding
            .findings
            .iter()
            .all(|finding| finding.severity == Severity::Warning)
    );
    let padding_then_garbage = behind(&[vec![0; 300_000], b"x".to_vec()].concat());
    assert!(
        padding_then_garbage
            .findings
            .iter()
            .all(|finding| finding.severity == Severity::Error)
    );
    assert_eq!(codes(&behind(&[0x1F, 0])), ["kuberesources-corrupt"]);
}

#[test]
fn several_gzip_streams_are_one_archive() {
    let tar = [sound_members("").concat(), end()].concat();
    let (first, second) = tar.split_at(tar.len() / 3);
    let (facts, ring) = learn(&[gzip(first), gzip(second)].concat());
    assert_eq!(codes(&facts), [""; 0], "{}", text(&facts));
    assert!(ring.is_some());
}

#[test]
fn a_wrong_checksum_or_length_of_the_gzip_stream_is_found() {
    let sound = archive(&sound_members(""));
    for back in 1..=8 {
        let mut bytes = sound.clone();
        let position = bytes.len() - back;
        *bytes.get_mut(position).expect("inside") ^= 1;
        assert_eq!(
            codes(&learn(&bytes).0),
            ["kuberesources-corrupt"],
            "{back} from the end"
        );
    }
}

#[test]
fn an_archive_cut_anywhere_is_corrupt_and_still_tells_what_came_before() {
    let sound = archive(&sound_members(""));
    for length in 0..sound.len() {
        let (facts, _) = learn(sound.get(..length).expect("inside"));
        assert!(
            codes(&facts).contains(&"kuberesources-corrupt"),
            "{length}: {}",
            text(&facts)
        );
    }
    let tar = sound_members("").concat();
    for length in (0..tar.len())
        .step_by(97)
        .chain([tar.len() - 512, tar.len()])
    {
        let (facts, _) = learn(&gzip(tar.get(..length).expect("inside")));
        assert!(
            codes(&facts).contains(&"kuberesources-corrupt"),
            "{length}: {}",
            text(&facts)
        );
        assert_eq!(
            facts.revisions.contains_key("kube-apiserver"),
            length >= 512,
            "{length}"
        );
    }
}

#[test]
fn a_flipped_bit_in_the_file_never_passes() {
    let sound = archive(&sound_members(""));
    for position in 10..sound.len() {
        let mut bytes = sound.clone();
        *bytes.get_mut(position).expect("inside") ^= 1 << (position % 8);
        let (facts, _) = learn(&bytes);
        // A run of zeros can be copied from one byte back or from two: another file, the same archive.
        assert!(
            !facts.findings.is_empty() || inflate(&bytes) == inflate(&sound),
            "byte {position}"
        );
    }
}

#[test]
fn a_flipped_bit_in_the_tar_never_panics() {
    let tar = [sound_members("").concat(), end()].concat();
    for position in 0..tar.len() {
        let mut bytes = tar.clone();
        *bytes.get_mut(position).expect("inside") ^= 1 << (position % 8);
        learn(&gzip_fast(&bytes));
    }
}

#[test]
fn members_behind_a_damaged_header_are_still_found() {
    let mut members = sound_members("");
    *members
        .get_mut(1)
        .and_then(|member| member.get_mut(3))
        .expect("is a header") ^= 1;
    let (facts, ring) = learn(&archive(&members));
    assert_eq!(
        codes(&facts),
        ["kuberesources-corrupt", "kuberesources-incomplete"],
        "{}",
        text(&facts)
    );
    assert!(text(&facts).contains("kube-controller-manager-pod"));
    assert!(ring.is_some() && facts.node.is_some());
}

/// Fails after some bytes, as a disk does.
struct Failing<'b>(&'b [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(io::Error::other("input/output error")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_disk_that_fails_is_no_content() {
    let sound = archive(&sound_members(""));
    let half = sound.get(..sound.len() / 2).expect("inside");
    for bytes in [half, &sound] {
        let failed = read(Failing(bytes), 0, &ArchiveLimits::default()).expect_err("it fails");
        assert_eq!(failed.offset, u64::try_from(bytes.len()).expect("fits"));
        assert_eq!(failed.reason, "input/output error");
    }
}

#[test]
fn a_file_that_grew_is_told() {
    let sound = archive(&sound_members(""));
    let (facts, _) =
        read(sound.as_slice(), 5, &ArchiveLimits::default()).expect("memory can be read");
    assert_eq!(codes(&facts), ["changed-while-reading"]);
}
