//! The pass itself: gzip inside a hash, tar inside gzip, members into facts, defects into findings.

use crate::finding::{Artifact, Code, Finding, Severity};
use crate::kuberesources::Kuberesources;
use crate::kuberesources::collect::{Collector, Interest};
use crate::kuberesources::gzip::{GzipDefect, GzipReader};
use crate::kuberesources::limits::Limits;
use crate::kuberesources::member::{self, Place, ROOT, shown};
use crate::kuberesources::tar::{Member, MemberKind, Step, TarDefect, TarReader};
use crate::kubernetes::encryption::KeyRing;
use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use zeroize::Zeroizing;

/// Inflated bytes that wait for the tar walk: large enough that most members need no second look.
const BUFFER_BYTES: usize = 128 << 10;

/// Reads an archive from its first to its last byte and learns everything in that one pass; nothing is written.
///
/// `size_bytes` is the length that the file is said to have. The keys come apart from the facts, which hold none.
/// Damage never ends in an error: what was readable before it is told, and the findings say the rest.
pub fn read(file: impl Read, size_bytes: u64, limits: &Limits) -> (Kuberesources, Option<KeyRing>) {
    let gzip = GzipReader::new(file, *limits);
    let mut pass = Pass::new(
        TarReader::new(BufReader::with_capacity(BUFFER_BYTES, gzip), *limits),
        *limits,
    );
    pass.run();
    pass.finish(size_bytes)
}

struct Pass<R: Read> {
    tar: TarReader<BufReader<GzipReader<R>>>,
    limits: Limits,
    collector: Collector,
    read_bytes: u64,
    /// Bytes of all members so far, but for a snapshot at the top.
    other_bytes: u64,
    hit_limit: bool,
    texts: u64,
    tar_defects: Vec<TarDefect>,
    findings: Vec<Finding>,
    /// Findings of each code that were left out.
    left_out: BTreeMap<Code, u64>,
}

impl<R: Read> Pass<R> {
    fn new(tar: TarReader<BufReader<GzipReader<R>>>, limits: Limits) -> Self {
        let collector = Collector::default();
        let (findings, tar_defects) = (Vec::new(), Vec::new());
        Self {
            tar,
            limits,
            collector,
            read_bytes: 0,
            other_bytes: 0,
            hit_limit: false,
            texts: 0,
            tar_defects,
            findings,
            left_out: BTreeMap::new(),
        }
    }

    fn run(&mut self) {
        // The readers below end instead of failing, so an error here is one that was already noted.
        while !self.hit_limit
            && let Ok(step) = self.tar.step()
        {
            match step {
                Step::Member(member) => self.take(&member),
                Step::Defect(defect) => self.note(defect),
                Step::End => break,
            }
        }
    }

    fn note(&mut self, defect: TarDefect) {
        if self.tar_defects.len() < self.limits.max_findings {
            self.tar_defects.push(defect);
        } else {
            *self.left_out.entry(Code::KuberesourcesCorrupt).or_default() += 1;
        }
    }

    fn take(&mut self, member: &Member) {
        let has_snapshot_name = matches!(member.path.as_slice(), b"snapshot.db" | b"./snapshot.db");
        if has_snapshot_name && member.kind == MemberKind::File {
            self.collector.has_snapshot = true;
            return;
        }
        self.other_bytes = self.other_bytes.saturating_add(member.size_bytes);
        if self.other_bytes > self.limits.max_other_bytes {
            let limit = self.limits.max_other_bytes;
            self.push_unsafe(
                &member.path,
                &format!("with it there are more than {limit} bytes: not read any further"),
            );
            self.hit_limit = true;
            return;
        }
        if let Some(danger) = member::danger(member) {
            self.push_unsafe(&member.path, &danger);
            return;
        }
        self.collector.is_below_root |= member::is_below_root(&member.path);
        let Some(place) = Place::of(&member.path) else {
            return;
        };
        self.collector.see(&place);
        if member.kind == MemberKind::File
            && let Some(interest) = Interest::of(&place)
        {
            self.read_file(member, &place, interest);
        }
    }

    fn read_file(&mut self, member: &Member, place: &Place<'_>, interest: Interest) {
        let text = u64::from(interest.is_text());
        if self.texts + text > self.limits.max_texts {
            self.push_unsafe(
                &member.path,
                &format!("more than {} texts to parse", self.limits.max_texts),
            );
            return;
        }
        let max_bytes = self
            .limits
            .max_file_bytes
            .min(self.limits.max_read_bytes - self.read_bytes);
        // Wiped when dropped: it may be the encryption configuration.
        let data = match self.tar.read_data(max_bytes) {
            Ok(Some(data)) => Zeroizing::new(data),
            Ok(None) => {
                let danger = format!("it has {} bytes, more than any real one", member.size_bytes);
                self.push_unsafe(&member.path, &danger);
                return;
            }
            Err(_) => return,
        };
        self.texts += text;
        self.read_bytes += u64::try_from(data.len()).unwrap_or(u64::MAX).min(max_bytes);
        if self.tar.has_unread_data() && interest != Interest::Certificate {
            // Cut short: the walk reports it. A bundle's first certificates are still good.
            return;
        }
        self.collector
            .take(&shown(&member.path), place, interest, &data);
    }

    fn push_unsafe(&mut self, path: &[u8], danger: &str) {
        let count = self
            .findings
            .iter()
            .filter(|finding| finding.code == Code::KuberesourcesUnsafe)
            .count();
        if count >= self.limits.max_findings {
            *self.left_out.entry(Code::KuberesourcesUnsafe).or_default() += 1;
            return;
        }
        let path = shown(path);
        let message = format!("member {path:?}: {danger}");
        self.findings
            .push(Finding::new(Code::KuberesourcesUnsafe, message).with("member", path));
    }

    fn finish(self, expected_bytes: u64) -> (Kuberesources, Option<KeyRing>) {
        let mut buffered = self.tar.into_inner();
        // The walk may have ended early: the rest is inflated all the same, so that CRC and length are checked.
        let is_too_many = |defect: &TarDefect| matches!(defect, TarDefect::Members { .. });
        if !self.hit_limit && !self.tar_defects.iter().any(is_too_many) {
            let _ = std::io::copy(&mut buffered, &mut std::io::sink());
        }
        let gzip = buffered.into_inner();
        let is_broken = gzip.is_broken();
        let end = gzip.finish();

        let mut findings: Vec<Finding> = end.defect.iter().map(gzip_finding).collect();
        // Where gzip ends early, so does tar: that is one damage, not two.
        let is_echo = |defect: &TarDefect| {
            matches!(
                defect,
                TarDefect::Truncated { .. } | TarDefect::EndMissing { .. }
            )
        };
        let own = self
            .tar_defects
            .iter()
            .filter(|defect| !(is_broken && is_echo(defect)));
        findings.extend(own.map(tar_finding));
        findings.extend(self.findings);
        findings.extend(
            self.left_out
                .into_iter()
                .map(|(code, count)| left_out(code, count)),
        );
        findings.extend(size_finding(
            expected_bytes,
            end.size_bytes,
            end.defect.as_ref(),
        ));

        let mut collector = self.collector;
        findings.append(&mut collector.findings);
        findings.extend(collector.missing());
        if collector.has_snapshot {
            findings.push(combined());
        }
        let facts = Kuberesources {
            sha256: end.sha256,
            size_bytes: end.size_bytes,
            revisions: collector.revisions(),
            node: collector.node,
            control_plane_nodes: collector.control_plane_nodes.into_iter().collect(),
            infrastructure_name: collector.infrastructure_name,
            api_server_internal_url: collector.api_server_internal_url,
            openshift_version: collector.openshift_version,
            etcd_endpoints: collector.etcd_endpoints,
            encryption_expected: collector.encryption_expected,
            encryption: collector.encryption,
            certificates: collector.certificates.into(),
            findings,
        };
        (facts, collector.key_ring)
    }
}

fn gzip_finding(defect: &GzipDefect) -> Finding {
    let corrupt = |message: String, offset: u64| {
        Finding::new(Code::KuberesourcesCorrupt, message).with("offset", offset)
    };
    match defect {
        GzipDefect::Io { offset, text } => {
            let message = format!("cannot read on at byte {offset}: {text}");
            Finding::new(Code::Unreadable, message)
                .artifact(Artifact::Kuberesources)
                .with("offset", *offset)
        }
        GzipDefect::Truncated { offset: 0 } => corrupt("the file is empty".to_owned(), 0),
        GzipDefect::Truncated { offset } => corrupt(
            format!("file ends inside the gzip stream, at byte {offset}"),
            *offset,
        ),
        GzipDefect::Damaged { offset, text } => corrupt(
            format!("gzip stream is damaged near byte {offset}: {text}"),
            *offset,
        ),
        GzipDefect::TrailingGarbage { offset } => corrupt(
            format!(
                "bytes behind the gzip stream, from byte {offset}: tar unpacks it and exits 2, which stops cluster-restore.sh"
            ),
            *offset,
        ),
        GzipDefect::ZeroPadding { offset } => {
            let message = format!(
                "zero bytes behind the gzip stream, from byte {offset}: gzip passes over them"
            );
            corrupt(message, *offset).severity(Severity::Warning)
        }
        GzipDefect::TooLarge { limit_bytes } => {
            let message =
                format!("inflates to more than {limit_bytes} bytes: not read any further");
            Finding::new(Code::KuberesourcesUnsafe, message).with("limitBytes", *limit_bytes)
        }
        GzipDefect::Ratio { ratio, limit } => {
            let message = format!(
                "inflates to {ratio} times its size, expected at most {limit}: not read any further"
            );
            Finding::new(Code::KuberesourcesUnsafe, message).with("ratio", *ratio)
        }
    }
}

fn tar_finding(defect: &TarDefect) -> Finding {
    let corrupt = |message: String, offset: u64| {
        Finding::new(Code::KuberesourcesCorrupt, message).with("inflatedOffset", offset)
    };
    match *defect {
        TarDefect::Header { offset } => {
            corrupt(format!("no tar header at inflated byte {offset}"), offset)
        }
        TarDefect::Truncated { offset } => corrupt(
            format!("tar ends inside a member, at inflated byte {offset}"),
            offset,
        ),
        TarDefect::EndMissing { offset } => {
            let message = format!(
                "tar ends at inflated byte {offset} without its two end blocks: members may be missing"
            );
            corrupt(message, offset)
        }
        TarDefect::BehindEnd { offset } => corrupt(
            format!("bytes behind the end of the tar, from inflated byte {offset}"),
            offset,
        ),
        TarDefect::Name { offset, size_bytes } => {
            let message =
                format!("name or extended header of {size_bytes} bytes at inflated byte {offset}");
            Finding::new(Code::KuberesourcesUnsafe, message).with("inflatedOffset", offset)
        }
        TarDefect::Members { limit } => {
            let message = format!("more than {limit} members: not read any further");
            Finding::new(Code::KuberesourcesUnsafe, message).with("limit", limit)
        }
    }
}

fn left_out(code: Code, count: u64) -> Finding {
    Finding::new(code, format!("{count} more of this kind")).with("count", count)
}

fn size_finding(expected: u64, found: u64, defect: Option<&GzipDefect>) -> Option<Finding> {
    let is_io = matches!(defect, Some(GzipDefect::Io { .. }));
    if expected == found || is_io {
        return None;
    }
    let message = format!("file had {expected} bytes and {found} were read");
    let finding =
        Finding::new(Code::ChangedWhileReading, message).artifact(Artifact::Kuberesources);
    Some(finding.with("expected", expected).with("found", found))
}

fn combined() -> Finding {
    let message = format!(
        "snapshot.db lies in the archive beside {ROOT}: a whole backup in one file, as OpenShift 4.3.0 and 4.3.1 wrote it"
    );
    let remedy = "unpack snapshot.db from the archive and let it be verified as a file of its own";
    Finding::new(Code::KuberesourcesIncomplete, message)
        .severity(Severity::Info)
        .remedy(remedy)
}
