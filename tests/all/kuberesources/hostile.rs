//! Archives as somebody would make them to do harm.

use crate::kuberesources::build::{
    archive, file, gzip, gzip_fast, member, raw_member, sound_members,
};
use crate::kuberesources::{codes, learn, text};
use etcd_cat::kuberesources::{ArchiveLimits, read};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Read, Write};

#[test]
fn what_could_reach_outside_is_unsafe_and_all_of_it_is_named() {
    let mut members = sound_members("");
    members.extend([
        member("/etc/shadow", b'0', "", b"x"),
        member("static-pod-resources/../../etc/shadow", b'0', "", b"x"),
        member("static-pod-resources/link", b'2', "/etc", b""),
        member("static-pod-resources/up", b'2', "../../etc", b""),
        member("static-pod-resources/self", b'2', "self", b""),
        member("static-pod-resources/hard", b'1', "/etc/shadow", b""),
        member("static-pod-resources/tty", b'3', "", b""),
        member("static-pod-resources/disk", b'4', "", b""),
        member("static-pod-resources/fifo", b'6', "", b""),
    ]);
    let (facts, _) = learn(&archive(&members));
    assert_eq!(codes(&facts), ["kuberesources-unsafe"]);
    assert_eq!(facts.findings.len(), 8, "{}", text(&facts));
}

#[test]
fn endless_unsafe_members_make_a_short_report() {
    let bad = member("../x", b'0', "", b"");
    let (facts, _) = learn(&archive(&vec![bad; 5000]));
    assert!(facts.findings.len() < 40, "{}", facts.findings.len());
    assert!(text(&facts).contains("4980 more"));
}

#[test]
fn more_members_than_any_real_archive_end_the_reading() {
    let (facts, _) = learn(&gzip_fast(&member("a", b'5', "", b"").repeat(100_010)));
    assert!(
        codes(&facts).contains(&"kuberesources-unsafe"),
        "{}",
        text(&facts)
    );
}

/// Zeros without end, as a file of this many bytes.
struct Bomb {
    left: u64,
}

impl Read for Bomb {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.left.min(u64::try_from(out.len()).expect("fits"));
        self.left -= count;
        let count = usize::try_from(count).expect("not more than asked for");
        out.iter_mut().take(count).for_each(|byte| *byte = 0);
        Ok(count)
    }
}

#[test]
fn a_bomb_is_left_alone_soon() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let size = 1_usize << 30;
    encoder
        .write_all(&raw_member(b"static-pod-resources/x", b'0', b"", size, b""))
        .expect("writes to memory");
    io::copy(&mut Bomb { left: 1 << 30 }, &mut encoder).expect("writes to memory");
    let (facts, _) = learn(&encoder.finish().expect("writes to memory"));
    assert!(
        codes(&facts).contains(&"kuberesources-unsafe"),
        "{}",
        text(&facts)
    );
    assert!(text(&facts).contains("times its size"));
}

#[test]
fn more_bytes_than_any_real_archive_end_the_reading() {
    let limits = ArchiveLimits {
        max_other_bytes: 10_000,
        ..ArchiveLimits::default()
    };
    let members = [
        sound_members(""),
        vec![file("big", &"x".repeat(20_000))],
        sound_members(""),
    ]
    .concat();
    let bytes = archive(&members);
    let (facts, ring) = read(
        bytes.as_slice(),
        u64::try_from(bytes.len()).expect("fits"),
        &limits,
    )
    .expect("memory can be read");
    assert_eq!(codes(&facts), ["kuberesources-unsafe"], "{}", text(&facts));
    assert!(ring.is_some());
}

#[test]
fn names_and_files_as_long_as_memory_are_not_read() {
    let name = "n".repeat(10 << 20);
    let manifest = "static-pod-resources/etcd-pod-7/etcd-pod.yaml";
    let noise: Vec<u8> = (0_u32..3 << 20)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0])
        .collect();
    let members = [
        member("././@LongLink", b'L', "", name.as_bytes()),
        member("x", b'0', "", b""),
        member("pax", b'x', "", name.as_bytes()),
        member("x", b'0', "", b""),
        member("global", b'g', "", name.as_bytes()),
        member(manifest, b'0', "", &noise),
    ];
    let (facts, _) = learn(&archive(&members));
    assert!(
        codes(&facts).contains(&"kuberesources-unsafe"),
        "{}",
        text(&facts)
    );
    assert!(
        text(&facts).contains("10485760 bytes") && text(&facts).contains("3145728 bytes"),
        "{}",
        text(&facts)
    );
}

#[test]
fn sizes_past_the_end_of_numbers_are_refused() {
    let name = b"static-pod-resources/etcd-pod-1/etcd-pod.yaml";
    for size in [usize::MAX, usize::MAX - 511, 1 << 40] {
        let facts = learn(&gzip(&raw_member(name, b'0', b"", size, b"abc"))).0;
        // The largest ones are no number in a header: there it is the header that is refused.
        let is_refused =
            |code: &&str| matches!(*code, "kuberesources-corrupt" | "kuberesources-unsafe");
        assert!(
            codes(&facts).iter().any(is_refused),
            "{size}: {}",
            text(&facts)
        );
    }
}

#[test]
fn names_that_are_not_text_are_shown_escaped() {
    let name = b"static-pod-resources/\xFF\x1B[2J/../../x";
    let (facts, _) = learn(&archive(&[raw_member(name, b'0', b"", 0, b"")]));
    assert!(
        text(&facts).contains("\\xff") && !text(&facts).contains('\u{1B}'),
        "{}",
        text(&facts)
    );
}

#[test]
fn a_yaml_bomb_is_not_understood_and_that_is_all() {
    let bomb = (0..40).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
        format!(
            "{text}a{}: &a{} [{}]\n",
            n + 1,
            n + 1,
            format!("*a{n},").repeat(10)
        )
    });
    let deep = "[".repeat(1 << 20);
    for text in [
        format!("{bomb}spec: *a40\n"),
        format!("metadata: {deep}\nspec: 1\n"),
    ] {
        let manifest = "static-pod-resources/etcd-pod-7/etcd-pod.yaml";
        let (facts, _) = learn(&archive(&[file(manifest, &text)]));
        assert!(codes(&facts).contains(&"kuberesources-incomplete"));
    }
}
