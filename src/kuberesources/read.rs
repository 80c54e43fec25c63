//! The pass itself: gzip inside a hash, tar inside gzip, members into facts, defects into findings.

use super::collect::Collector;
use super::facts::Kuberesources;
use super::findings::{combined, gzip_finding, left_out, plain_tar, size_finding, tar_finding};
use super::gzip::{GzipDefect, GzipReader};
use super::interest::Interest;
use super::limits::ArchiveLimits;
use super::member::{self, MemberPlace, shown};
use super::missing::missing;
use crate::finding::{Code, Finding};
use crate::kubernetes::encryption::KeyRing;
use crate::source::{
    ArchiveKind, PackedStream, TarDefect, TarMember, TarMemberKind, TarReader, TarStep,
};
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

/// Inflated bytes that wait for the tar walk: large enough that most members need no second look.
const BUFFER_BYTES: usize = 128 << 10;
/// Bytes that tell a tar.
const HEADER_BYTES: usize = 512;

/// The system refused to read on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("cannot read on at byte {offset}: {reason}")]
pub struct ArchiveReadError {
    /// Bytes read before.
    pub offset: u64,
    /// The system's words.
    pub reason: String,
}

/// Reads an archive from its first to its last byte and learns everything in that one pass; nothing is written.
///
/// What was packed once more is unpacked first: the facts are those of the archive inside. `size_bytes` is the length that
/// the file is said to have, where anybody says so. The keys come apart from the facts, which hold none.
/// Damage never ends in an error: what was readable before it is told, and the findings say the rest.
///
/// # Errors
///
/// The file itself could not be read on: half a reading is no content.
pub fn read(
    file: impl Read + Send,
    size_bytes: impl Into<Option<u64>>,
    limits: &ArchiveLimits,
) -> Result<(Kuberesources, Option<KeyRing>), ArchiveReadError> {
    let failed = |error: io::Error| ArchiveReadError {
        offset: 0,
        reason: error.to_string(),
    };
    let stream = PackedStream::new(file).unpack_to_archive();
    let mut stream = stream.map_err(failed)?;
    let size_bytes = size_bytes.into().filter(|_| !stream.is_unpacked());
    let head = stream.head(HEADER_BYTES).map_err(failed)?;
    let is_plain = ArchiveKind::of(head) == Some(ArchiveKind::Tar);
    let gzip = if is_plain {
        GzipReader::plain(stream, *limits)
    } else {
        GzipReader::new(stream, *limits)
    };
    let mut pass = ArchivePass::new(
        TarReader::new(BufReader::with_capacity(BUFFER_BYTES, gzip), limits.tar()),
        *limits,
    );
    pass.findings.extend(is_plain.then(plain_tar));
    pass.run();
    pass.finish(size_bytes)
}

struct ArchivePass<R: Read> {
    tar: TarReader<BufReader<GzipReader<R>>>,
    limits: ArchiveLimits,
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

impl<R: Read> ArchivePass<R> {
    fn new(tar: TarReader<BufReader<GzipReader<R>>>, limits: ArchiveLimits) -> Self {
        let collector = Collector::new(limits);
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
                TarStep::Member(member) => self.take(&member),
                TarStep::Defect(defect) => self.note(defect),
                TarStep::End => break,
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

    fn take(&mut self, member: &TarMember) {
        let has_snapshot_name = matches!(member.path.as_slice(), b"snapshot.db" | b"./snapshot.db");
        if has_snapshot_name && member.kind == TarMemberKind::File {
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
        let Some(place) = MemberPlace::of(&member.path) else {
            return;
        };
        self.collector.see(&place);
        if member.kind == TarMemberKind::File
            && let Some(interest) = Interest::of(&place)
        {
            self.read_file(member, &place, interest);
        }
    }

    fn read_file(&mut self, member: &TarMember, place: &MemberPlace<'_>, interest: Interest) {
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
        let data = match self.tar.read_data(max_bytes) {
            Ok(Some(data)) => data,
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

    fn finish(
        self,
        expected_bytes: Option<u64>,
    ) -> Result<(Kuberesources, Option<KeyRing>), ArchiveReadError> {
        let mut buffered = self.tar.into_inner();
        // The walk may have ended early: the rest is inflated all the same, so that CRC and length are checked.
        let is_too_many = |defect: &TarDefect| matches!(defect, TarDefect::Members { .. });
        let is_stopped = self.hit_limit || self.tar_defects.iter().any(is_too_many);
        if !is_stopped {
            let _ = io::copy(&mut buffered, &mut io::sink());
        }
        let gzip = buffered.into_inner();
        let is_broken = gzip.is_broken();
        let is_read_on = |defect: &TarDefect| {
            matches!(
                defect,
                TarDefect::BehindEnd { .. } | TarDefect::Header { .. }
            )
        };
        // What was not seen is not said to be missing.
        let is_seen_whole = !is_broken && !is_stopped && self.tar_defects.iter().all(is_read_on);
        let end = gzip.finish();
        if let Some(GzipDefect::Io { offset, text }) = end.defect {
            return Err(ArchiveReadError {
                offset,
                reason: text,
            });
        }

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
        findings.extend(expected_bytes.and_then(|expected_bytes| {
            size_finding(expected_bytes, end.size_bytes, end.defect.as_ref())
        }));

        let mut collector = self.collector;
        let mut told = collector.settle();
        findings.append(&mut told.findings);
        findings.extend(collector.finding());
        findings.extend(missing(&collector, &told, is_seen_whole));
        if collector.has_snapshot {
            findings.push(combined());
        }
        let facts = Kuberesources {
            sha256: end.sha256,
            size_bytes: end.size_bytes,
            revisions: collector.revisions(),
            node: told.node,
            control_plane_nodes: told.control_plane_nodes.into_iter().collect(),
            infrastructure_name: told.infrastructure_name,
            api_server_internal_url: told.api_server_internal_url,
            openshift_version: told.openshift_version,
            etcd_endpoints: told.etcd_endpoints,
            encryption_expected: told.encryption_expected,
            encryption: told.encryption,
            certificates: told.certificates.into(),
            findings,
        };
        Ok((facts, told.key_ring))
    }
}
