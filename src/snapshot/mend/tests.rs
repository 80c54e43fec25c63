use super::attempt::mend;
use super::how::MendHow;
use super::line_ends::LineFeeds;
use super::reader::mended;
use crate::finding::Code;
use crate::monitor::Silent;
use crate::snapshot::{EntryRequest, HashOn, Snapshot, read};
use std::io::{Cursor, Read};
use std::path::Path;

fn sample() -> Vec<u8> {
    let path = "testdata/backups/prod/snapshot_2024-11-02_030000.db";
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the sample is there")
}

/// As a text-mode transfer writes it.
fn with_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let ends = |byte: &u8| {
        let is_feed = *byte == b'\n';
        is_feed.then_some(b'\r').into_iter().chain([*byte])
    };
    bytes.iter().flat_map(ends).collect()
}

fn learn(bytes: &[u8]) -> Snapshot {
    let mut source = Cursor::new(bytes.to_vec());
    let first = read(&mut source, HashOn::SameThread, &Silent).expect("it is in memory");
    let again =
        || -> std::io::Result<Box<dyn Read + Send>> { Ok(Box::new(Cursor::new(bytes.to_vec()))) };
    mend(first, &EntryRequest::default(), again, &Silent)
        .expect("it is in memory")
        .snapshot
}

/// What it was, as `stage` would write it.
fn saved(bytes: &[u8], facts: &Snapshot) -> Option<Vec<u8>> {
    let how = facts.mended?;
    let mut saved = Vec::new();
    let bytes: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.to_vec()));
    mended(bytes, &how).ok()?.read_to_end(&mut saved).ok()?;
    Some(saved)
}

/// Both meta pages as `opens` transactions later.
fn opened(bytes: &[u8], opens: u64) -> Vec<u8> {
    use crate::bbolt::Layout;
    let layout = Layout::find(bytes).expect("a database");
    let txid = layout.meta.txid + opens;
    let head = crate::bbolt::with_newest(bytes, &layout, txid).expect("two pages");
    let mut opened = bytes.to_vec();
    opened.splice(..head.len(), head);
    opened
}

#[test]
fn what_is_known_and_reversible_is_undone_and_proven() {
    let whole = sample();
    let behind = [whole.as_slice(), b"removing debug pod\r\n"].concat();
    let before = [b"Starting pod/x ...\r\n", whole.as_slice()].concat();
    let both = [b"Starting pod/x ...\r\n", whole.as_slice(), b"Removing\n"].concat();
    let mut first = whole.clone();
    first.iter_mut().take(4096).for_each(|byte| *byte = 7);
    let mut halves = whole.clone();
    if let Some((left, right)) = halves
        .get_mut(4096..8192)
        .and_then(|page| page.split_at_mut_checked(2048))
    {
        left.swap_with_slice(right);
    }
    let rows = [
        ("opened once", opened(&whole, 1), Code::OpenedSince),
        ("opened eight times", opened(&whole, 8), Code::OpenedSince),
        ("bytes behind", behind, Code::Mended),
        ("bytes before", before, Code::Mended),
        ("bytes on both sides", both, Code::Mended),
        ("meta page 0 overwritten", first, Code::Mended),
        ("halves of meta page 1 exchanged", halves, Code::Mended),
        ("line ends", with_carriage_returns(&whole), Code::Mended),
    ];
    let sound = learn(&whole);
    assert_eq!(sound.mended, None);
    for (what, bytes, code) in rows {
        let facts = learn(&bytes);
        assert!(
            facts.findings.iter().any(|finding| finding.code == code),
            "{what}: {:#?}",
            facts.findings
        );
        assert_eq!(
            facts.mended.map(|mended| Some(mended.digest)),
            Some(sound.trailer),
            "{what}"
        );
        assert_eq!(saved(&bytes, &facts).as_ref(), Some(&whole), "{what}");
        assert_eq!(facts.status, sound.status, "{what}");
        assert_eq!(facts.cluster, sound.cluster, "{what}");
        assert_eq!(
            facts.size_bytes,
            u64::try_from(bytes.len()).expect("small"),
            "{what}"
        );
        assert_ne!(
            facts.computed, sound.computed,
            "{what}: it is known by what lies there"
        );
    }
}

#[test]
fn nothing_is_mended_without_the_proof_of_the_digest() {
    let whole = sample();
    let spoilt = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes
            .iter_mut()
            .skip(middle)
            .take(1)
            .for_each(|byte| *byte ^= 1);
        bytes
    };
    let rows = [
        spoilt(whole.clone()),
        spoilt(opened(&whole, 2)),
        spoilt([b"words\n", whole.as_slice()].concat()),
        spoilt([whole.as_slice(), b"words\n"].concat()),
        spoilt(with_carriage_returns(&whole)),
        opened(&whole, 100),
    ];
    for bytes in rows {
        let facts = learn(&bytes);
        assert_eq!(facts.mended, None);
        let is_told = |code| facts.findings.iter().any(|finding| finding.code == code);
        assert!(!is_told(Code::Mended) && !is_told(Code::OpenedSince));
        assert!(facts.findings.iter().any(crate::finding::Finding::is_error));
    }
}

#[test]
fn a_carriage_return_goes_only_before_a_line_feed() {
    for (written, saved) in [
        (&b"a\r\nb\r\n"[..], &b"a\nb\n"[..]),
        (b"\r\r\n", b"\r\n"),
        (b"\ra\r", b"\ra\r"),
        (b"\n", b"\n"),
        (b"", b""),
    ] {
        for step in [1, 2, 100] {
            let chunks = written.chunks(step).map(|chunk| Ok(chunk.to_vec()));
            let mut found = Vec::new();
            LineFeeds::new(Chunks(chunks.collect()))
                .read_to_end(&mut found)
                .expect("it is in memory");
            assert_eq!(found, saved, "{written:?} in steps of {step}");
        }
    }
}

/// Gives one chunk a time.
struct Chunks(std::collections::VecDeque<std::io::Result<Vec<u8>>>);

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let chunk = self.0.pop_front().transpose()?.unwrap_or_default();
        chunk.as_slice().read(buffer)
    }
}

#[test]
fn what_is_not_what_was_proven_is_not_mended() {
    let whole = sample();
    let facts = learn(&opened(&whole, 1));
    assert!(matches!(
        facts.mended.map(|one| one.how),
        Some(MendHow::Opened { by: 1, .. })
    ));
    assert_eq!(saved(whole.get(..100).unwrap_or_default(), &facts), None);
    assert_eq!(saved(&vec![0; 10_000], &facts), None);
}
