//! Archives as they are made, as they are damaged, and as somebody would make them to do harm.

use etcd_cat::finding::Severity;
use etcd_cat::kuberesources::{Kuberesources, Limits, read, sniff};
use etcd_cat::kubernetes::encryption::KeyRing;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

const SECRET: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";

/// One member as raw blocks: the `tar` crate refuses to write hostile names.
fn member(name: &str, kind: u8, target: &str, data: &[u8]) -> Vec<u8> {
    raw_member(name.as_bytes(), kind, target.as_bytes(), data.len(), data)
}

fn raw_member(name: &[u8], kind: u8, target: &[u8], size: usize, data: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    {
        let old = header.as_old_mut();
        copy(&mut old.name, name);
        copy(&mut old.linkname, target);
        old.linkflag = [kind];
    }
    header.set_mode(0o600);
    header.set_mtime(1_700_000_000);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(u64::try_from(size).expect("fits"));
    header.set_cksum();
    let mut blocks = header.as_bytes().to_vec();
    blocks.extend_from_slice(data);
    blocks.resize(blocks.len().next_multiple_of(512), 0);
    blocks
}

fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

fn file(name: &str, data: &str) -> Vec<u8> {
    member(name, b'0', "", data.as_bytes())
}

fn end() -> Vec<u8> {
    vec![0; 1024]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut inflated)
        .expect("is sound");
    inflated
}

fn pod(revision: i64) -> String {
    format!(
        r#"{{"kind":"Pod","metadata":{{"labels":{{"revision":"{revision}"}}}},"spec":{{"containers":[{{"env":[
        {{"name":"ETCDCTL_CERT","value":"/x/etcd-peer-master-0.crt"}}]}}]}}}}"#
    )
}

fn configuration() -> String {
    format!(
        r#"{{"kind":"EncryptionConfiguration","resources":[{{"resources":["secrets"],"providers":[
        {{"aescbc":{{"keys":[{{"name":"7","secret":"{SECRET}"}}]}}}},{{"identity":{{}}}}]}}]}}"#
    )
}

/// The members of a whole archive, `prefix` in front of each name.
fn sound_members(prefix: &str) -> Vec<Vec<u8>> {
    let root = format!("{prefix}static-pod-resources");
    let mut members: Vec<Vec<u8>> = [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "etcd",
    ]
    .iter()
    .map(|component| {
        file(
            &format!("{root}/{component}-pod-7/{component}-pod.yaml"),
            &pod(7),
        )
    })
    .collect();
    let apiserver = format!("{root}/kube-apiserver-pod-7");
    members.push(file(
        &format!("{apiserver}/configmaps/config/config.yaml"),
        r#"{"apiServerArguments":{"encryption-provider-config":["/x/encryption-config"]}}"#,
    ));
    members.push(file(
        &format!("{apiserver}/secrets/encryption-config/encryption-config"),
        &configuration(),
    ));
    members
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    gzip(&[members.concat(), end()].concat())
}

fn learn(bytes: &[u8]) -> (Kuberesources, Option<KeyRing>) {
    let started = Instant::now();
    let learnt = read(
        bytes,
        u64::try_from(bytes.len()).expect("fits"),
        &Limits::default(),
    );
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "took {:?}",
        started.elapsed()
    );
    let shown = format!(
        "{learnt:?} {}",
        learnt
            .0
            .findings
            .iter()
            .map(|f| f.message.as_str())
            .collect::<String>()
    );
    assert!(
        !shown.contains(SECRET) && !shown.contains("AAAAAAAA"),
        "a secret was shown"
    );
    assert!(shown.len() < 200_000, "findings are not endless");
    learnt
}

fn codes(facts: &Kuberesources) -> Vec<&'static str> {
    let mut codes: Vec<&str> = facts
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    codes.dedup();
    codes
}

/// Every sample that a script made is read without a finding, and opens what its snapshot holds.
#[test]
fn samples_are_sound() {
    let mut samples = 0;
    for entry in walkdir::WalkDir::new("testdata/backups")
        .into_iter()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy();
        if !name.starts_with("static_kuberesources_") {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("sample is readable");
        let (facts, ring) = learn(&bytes);
        assert_eq!(codes(&facts), [""; 0], "{name}: {}", text(&facts));
        assert_eq!(facts.revisions.len(), 4, "{name}");
        assert!(
            facts
                .node
                .is_some_and(|node| facts.control_plane_nodes.contains(&node)),
            "{name}"
        );
        assert!(
            facts.infrastructure_name.is_some() && facts.api_server_internal_url.is_some(),
            "{name}"
        );
        assert!(
            !facts.certificates.is_empty() && !facts.etcd_endpoints.is_empty(),
            "{name}"
        );
        assert_eq!(facts.encryption_expected, ring.is_some(), "{name}");
        assert!(sniff(bytes.get(..512).unwrap_or_default()), "{name}");
        samples += 1;
    }
    // There are none in a package without its test data.
    assert!(samples > 0 || !std::path::Path::new("testdata").exists());
}

fn text(facts: &Kuberesources) -> String {
    facts
        .findings
        .iter()
        .map(|finding| format!("{}: {}\n", finding.code, finding.message))
        .collect()
}

#[test]
fn a_sound_archive_tells_its_facts_and_nothing_else() {
    let (facts, ring) = learn(&archive(&sound_members("")));
    assert_eq!(codes(&facts), [""; 0], "{}", text(&facts));
    assert_eq!(
        facts.revisions.values().copied().collect::<Vec<_>>(),
        [7, 7, 7, 7]
    );
    assert_eq!(facts.node.as_deref(), Some("master-0"));
    assert!(facts.encryption_expected);
    let providers = facts.encryption.expect("there is a configuration");
    assert_eq!(
        providers
            .first()
            .map(|p| (p.provider.as_str(), p.key_name.as_str())),
        Some(("aescbc", "7"))
    );
    assert_eq!(format!("{ring:?}"), "Some(KeyRing(1 entries, 2 providers))");
}

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

fn gzip_fast(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).expect("writes to memory");
    encoder.finish().expect("writes to memory")
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
    let limits = Limits {
        max_other_bytes: 10_000,
        ..Limits::default()
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
    );
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
fn long_names_of_gnu_and_pax_are_followed() {
    let long = format!(
        "static-pod-resources/etcd-pod-7/secrets/etcd-all-certs/etcd-peer-{}.crt",
        "a".repeat(60)
    );
    let record = |body: String| format!("{} {body}", body.len() + 4);
    let pax = record(format!("path={}\n", long.replace("peer-a", "peer-b")));
    let mut members = sound_members("");
    members.extend([
        member("././@LongLink", b'L', "", format!("{long}\0").as_bytes()),
        file("cut", ""),
        member("pax", b'x', "", pax.as_bytes()),
        file("cut", ""),
    ]);
    let (facts, _) = learn(&archive(&members));
    assert_eq!(codes(&facts), [""; 0], "{}", text(&facts));
    assert_eq!(
        facts.control_plane_nodes.len(),
        3,
        "{:?}",
        facts.control_plane_nodes
    );
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
fn what_the_restore_would_stumble_over_is_incomplete() {
    struct Row {
        name: &'static str,
        members: Vec<Vec<u8>>,
        expected: &'static str,
    }
    let without = |word: &str| {
        let keeps = |member: &Vec<u8>| {
            !String::from_utf8_lossy(member.get(..100).expect("a header")).contains(word)
        };
        sound_members("")
            .into_iter()
            .filter(keeps)
            .collect::<Vec<_>>()
    };
    let with = |extra: Vec<u8>| [sound_members(""), vec![extra]].concat();
    let rows = [
        Row {
            name: "dot names",
            members: sound_members("./"),
            expected: "begin with ./",
        },
        Row {
            name: "no etcd",
            members: without("etcd-pod.yaml"),
            expected: "etcd-pod-<revision> is not in",
        },
        Row {
            name: "no manifest",
            members: [
                without("scheduler"),
                vec![file("static-pod-resources/kube-scheduler-pod-3/x", "")],
            ]
            .concat(),
            expected: "kube-scheduler-pod-3/kube-scheduler-pod.yaml is not in",
        },
        Row {
            name: "manifest is no pod",
            members: [
                without("scheduler"),
                vec![file(
                    "static-pod-resources/kube-scheduler-pod-3/kube-scheduler-pod.yaml",
                    "{]",
                )],
            ]
            .concat(),
            expected: "text is not understood",
        },
        Row {
            name: "two revisions",
            members: with(file(
                "static-pod-resources/etcd-pod-8/etcd-pod.yaml",
                &pod(8),
            )),
            expected: "2 revision directories of etcd (7, 8)",
        },
        Row {
            name: "revisions disagree",
            members: [
                without("scheduler"),
                vec![file(
                    "static-pod-resources/kube-scheduler-pod-3/kube-scheduler-pod.yaml",
                    &pod(4),
                )],
            ]
            .concat(),
            expected: "says revision 4, its directory says 3",
        },
    ];
    for Row {
        name,
        members,
        expected,
    } in rows
    {
        let (facts, _) = learn(&archive(&members));
        assert!(
            codes(&facts).contains(&"kuberesources-incomplete"),
            "{name}"
        );
        assert!(text(&facts).contains(expected), "{name}: {}", text(&facts));
    }
}

#[test]
fn keys_that_are_expected_and_not_there_are_missed() {
    let mut members = sound_members("");
    members.pop();
    let (facts, ring) = learn(&archive(&members));
    assert_eq!(codes(&facts), ["encryption-config-missing"]);
    assert!(ring.is_none() && facts.encryption.is_none());

    let broken = configuration().replace("\"secret\":", "\"secret\":7,\"x\":");
    members.push(file(
        "static-pod-resources/kube-apiserver-pod-7/secrets/encryption-config/encryption-config",
        &broken,
    ));
    let (facts, ring) = learn(&archive(&members));
    assert_eq!(
        codes(&facts),
        ["encryption-config-missing"],
        "{}",
        text(&facts)
    );
    assert!(ring.is_none());
}

#[test]
fn the_whole_backup_of_4_3_0_in_one_file_is_recognised() {
    let members = [
        sound_members("").into_iter().take(1).collect(),
        vec![file("snapshot.db", "bytes")],
    ]
    .concat();
    let (facts, _) = learn(&archive(&members));
    assert_eq!(facts.findings.len(), 1, "{}", text(&facts));
    assert_eq!(
        facts.findings.first().map(|finding| finding.severity),
        Some(Severity::Info)
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

#[test]
fn an_archive_is_known_by_its_first_bytes() {
    let sound = archive(&sound_members(""));
    let start = sound.get(..600.min(sound.len())).expect("inside");
    assert!(sniff(start));
    assert!(sniff(&archive(&sound_members("./"))));
    assert!(sniff(&archive(
        &[vec![member("./", b'5', "", b"")], sound_members("./")].concat()
    )));
    assert!(!sniff(&archive(&[file("other/a", "x")])));
    assert!(!sniff(&gzip(b"text that is no tar")));
    assert!(!sniff(&gzip(&[0; 100_000])));
    assert!(!sniff(b"\x1F\x8B"));
    assert!(!sniff(b""));
    assert!(!sniff(&[0xFF; 65_536]));
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
fn a_disk_that_fails_is_unreadable_not_corrupt() {
    let sound = archive(&sound_members(""));
    let half = sound.get(..sound.len() / 2).expect("inside");
    let (facts, _) = read(Failing(half), 0, &Limits::default());
    assert!(codes(&facts).contains(&"unreadable"), "{}", text(&facts));
    assert!(
        !codes(&facts).contains(&"kuberesources-corrupt"),
        "{}",
        text(&facts)
    );
    let (facts, _) = read(Failing(&sound), 0, &Limits::default());
    assert_eq!(codes(&facts), ["unreadable"], "{}", text(&facts));
}

#[test]
fn a_file_that_grew_is_told() {
    let sound = archive(&sound_members(""));
    let (facts, _) = read(sound.as_slice(), 5, &Limits::default());
    assert_eq!(codes(&facts), ["changed-while-reading"]);
}
