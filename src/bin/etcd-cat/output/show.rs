//! Everything known about one backup, in sections.

use super::findings::{advice, findings};
use super::list::{age_of, cluster, id, version};
use super::text::{safe, safe_path};
use super::units::{age, size};
use super::views::BackupView;
use super::words::{ABSENT, coloured, or_absent};
use super::wrap::paragraph;
use super::{Answer, Style, name};
use chrono::{DateTime, Utc};
use etcd_cat::backup::{Backup, Located, PairingBasis, TakenAtSource};
use etcd_cat::finding::{Finding, Severity};
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::judgement::{EncryptionProof, EncryptionSummary, certificate_ends};
use etcd_cat::kuberesources::Kuberesources;
use etcd_cat::kubernetes::encryption::{EncryptionUse, KeyOutcome};
use etcd_cat::pairing::evidence;
use etcd_cat::selection::KnownCluster;
use etcd_cat::snapshot::Snapshot;
use etcd_cat::source::ObjectId;
use serde::Serialize;

/// Verifications shown; older ones when details are asked for, and in the documents.
const SHOWN_VERIFICATIONS: usize = 5;

/// Certificates shown that a restore can do without, those that end first; the others likewise.
const SHOWN_CERTIFICATES: usize = 5;

/// Versions of the update history shown; older ones likewise.
const SHOWN_HISTORY: usize = 5;

/// Everything known about one backup.
#[derive(Debug)]
pub(crate) struct BackupDetails<'b>(pub(crate) &'b Backup);

impl Answer for BackupDetails<'_> {
    fn document(&self, style: &Style) -> impl Serialize {
        BackupView::new(self.0, style.now)
    }

    fn names(&self) -> Vec<String> {
        name(self.0).into_iter().collect()
    }

    fn page(&self, style: &Style) -> String {
        DetailsPage::new(style).of(self.0)
    }
}

/// Text that grows line by line.
struct DetailsPage<'a> {
    style: &'a Style,
    text: String,
}

impl<'a> DetailsPage<'a> {
    fn new(style: &'a Style) -> Self {
        Self {
            style,
            text: String::new(),
        }
    }

    fn of(mut self, backup: &Backup) -> String {
        self.summary(backup);
        self.identity(backup);
        if let Some(half) = &backup.snapshot {
            self.snapshot(half);
        }
        if let Some(half) = &backup.kuberesources {
            self.kuberesources(half);
        }
        self.pairing(backup);
        self.encryption(backup);
        self.certificates(backup);
        self.provenance(backup);
        self.findings(backup);
        self.verifications(backup);
        self.text
    }

    fn section(&mut self, title: &str) {
        self.text.push_str(&format!("\n{title}\n"));
    }

    fn line(&mut self, label: &str, value: &str) {
        self.text.push_str(&paragraph(
            &format!("  {label:<15} "),
            value,
            self.style.width,
        ));
    }

    /// A line with text of the backup's own making.
    fn safe_line(&mut self, label: &str, value: Option<&str>) {
        self.line(label, &or_absent(value));
    }

    fn summary(&mut self, backup: &Backup) {
        let verdict = coloured(backup.verdict.as_str(), backup.verdict, self.style);
        self.text
            .push_str(&format!("backup {}: {verdict}\n", id(backup)));
        if !backup.accepted.is_empty() {
            let codes: Vec<&str> = backup.accepted.iter().map(|code| code.as_str()).collect();
            self.line("accepted", &codes.join(", "));
        }
    }

    fn identity(&mut self, backup: &Backup) {
        self.line("cluster", &cluster(backup));
        let known = KnownCluster::of(backup);
        self.safe_line(
            "cluster id",
            known.and_then(|cluster| cluster.id).as_deref(),
        );
        let facts = backup.snapshot.as_ref().map(|half| &half.facts.cluster);
        self.safe_line(
            "API server",
            facts.and_then(|facts| facts.api_server_url.as_deref()),
        );
        self.line("version", &version(backup));
        let taken = backup.taken_at.map(|at| {
            let known_from = backup.taken_at_source.map_or("unknown", source);
            format!(
                "{} ({} ago; known from {known_from})",
                rfc3339_seconds(at),
                age_of(backup, self.style)
            )
        });
        self.line("taken", taken.as_deref().unwrap_or(ABSENT));
        self.line("named", &instant_or_absent(backup.named_at));
        for entry in facts
            .iter()
            .flat_map(|facts| &facts.history)
            .take(self.style.at_most(SHOWN_HISTORY))
        {
            let completed = entry.completed_at.map_or_else(String::new, rfc3339_seconds);
            let update = format!("{} {} {completed}", entry.version, entry.state);
            self.line("history", &safe(&update));
        }
    }

    fn snapshot(&mut self, half: &Located<Snapshot>) {
        self.section("SNAPSHOT");
        self.places(half);
        let facts = &half.facts;
        self.line(
            "size",
            &format!("{} ({} bytes)", size(facts.size_bytes), facts.size_bytes),
        );
        self.line("modified", &instant_or_absent(half.modified_at));
        self.line(
            "SHA-256",
            &format!("{} ({})", facts.computed, super::views::digest_state(facts)),
        );
        if let Some(trailer) = facts.trailer.filter(|_| !facts.digest_matches()) {
            self.line("recorded", &trailer.to_string());
        }
        let status = facts.status;
        self.line("hash", &number(status.hash.map(u64::from)));
        self.line(
            "revision",
            &status.revision.map_or_else(absent, |one| one.to_string()),
        );
        self.line("total keys", &number(status.total_key));
        self.line("total size", &number(status.total_size));
        self.line("live keys", &number(facts.live_keys));
        self.line(
            "compacted",
            &facts
                .compact_revision
                .map_or_else(absent, |one| one.to_string()),
        );
        self.line("page size", &number(facts.page_size.map(u64::from)));
        self.safe_line("etcd", super::views::etcd_minor(facts).as_deref());
        for member in &facts.members {
            let learner = if member.is_learner { " (learner)" } else { "" };
            let urls = member.peer_urls.join(" ");
            self.line(
                "member",
                &safe(&format!(
                    "{:016x} {} {urls}{learner}",
                    member.id, member.name
                )),
            );
        }
    }

    fn kuberesources(&mut self, half: &Located<Kuberesources>) {
        self.section("KUBERESOURCES");
        self.places(half);
        let facts = &half.facts;
        self.line(
            "size",
            &format!("{} ({} bytes)", size(facts.size_bytes), facts.size_bytes),
        );
        self.line("modified", &instant_or_absent(half.modified_at));
        self.line("SHA-256", &facts.sha256.to_string());
        self.safe_line("node", facts.node.as_deref());
        for (component, revision) in &facts.revisions {
            self.line("revision", &safe(&format!("{component} {revision}")));
        }
    }

    fn places<T>(&mut self, half: &Located<T>) {
        let gone = if half.is_present {
            ""
        } else {
            " (no longer there)"
        };
        self.text.push_str(&format!(
            "  {:<15} {}{gone}\n",
            "path",
            safe_path(&half.path)
        ));
        self.custody(half, &half.path);
        for copy in &half.copies {
            self.text
                .push_str(&format!("  {:<15} {}\n", "copy", safe_path(copy)));
            self.custody(half, copy);
        }
    }

    /// How its store keeps what lies at one place.
    fn custody<T>(&mut self, half: &Located<T>, place: &ObjectId) {
        let Some(custody) = half.custody.get(place) else {
            return;
        };
        if let Some(version) = &custody.version {
            self.line("version id", &safe(version));
        }
        if let Some(lock) = &custody.lock {
            let until = rfc3339_seconds(lock.until);
            let state = match custody.lock_at(self.style.now) {
                Some(_) => format!("locked until {until}"),
                None => format!("lock ended {until}"),
            };
            self.line("retention", &safe(&format!("{state} ({})", lock.mode)));
        }
        if custody.has_legal_hold {
            self.line(
                "legal hold",
                "on: nobody can delete it before that is taken off",
            );
        }
    }

    fn pairing(&mut self, backup: &Backup) {
        self.section("PAIRING");
        self.line(
            "decided by",
            match backup.pairing {
                PairingBasis::Content => "content",
                PairingBasis::Name => "name only",
                PairingBasis::None => "nothing: there is no pair",
            },
        );
        for evidence in evidence(backup) {
            self.line("evidence", &safe(&evidence));
        }
    }

    fn encryption(&mut self, backup: &Backup) {
        self.section("ENCRYPTION");
        let summary = EncryptionSummary::of(backup);
        self.line("provider", &safe(&summary.provider));
        if summary.proof != EncryptionProof::NotNeeded {
            self.line("keys used", &list(&summary.keys_used));
            self.line("keys found", &list(&summary.keys_found));
        }
        self.line("proof", summary.proof.as_str());
        for one in backup.key_proof.iter().flat_map(|proof| &proof.lines) {
            let outcome = outcome(one.outcome);
            let uses = backup
                .snapshot
                .iter()
                .flat_map(|half| &half.facts.encryption);
            let is_of = |usage: &&EncryptionUse| {
                usage.resource == one.resource
                    && usage.provider == one.provider
                    && usage.key_name == one.key_name
            };
            let values: u64 = uses.filter(is_of).map(|usage| usage.values).sum();
            let line = format!(
                "{} of {}, {}: {outcome} ({} of {values} tried)",
                one.key_name, one.resource, one.provider, one.tried
            );
            self.line("key", &safe(&line));
        }
    }

    /// When what a restore brings back ends: the signers that nothing can be restored without, and the next others.
    fn certificates(&mut self, backup: &Backup) {
        let ends = certificate_ends(backup);
        if ends.is_empty() {
            return;
        }
        self.section("CERTIFICATES");
        let (vital, other): (Vec<_>, Vec<_>) = ends.iter().partition(|end| end.is_vital);
        let others = other.len();
        let at_most = self.style.at_most(SHOWN_CERTIFICATES);
        for (label, end) in vital
            .into_iter()
            .map(|end| ("needed", end))
            .chain(other.into_iter().take(at_most).map(|end| ("other", end)))
        {
            let state = if end.ends_at < self.style.now {
                "expired".to_owned()
            } else {
                format!("for {}", age(end.ends_at - self.style.now))
            };
            let ends_at = rfc3339_seconds(end.ends_at);
            self.line(label, &safe(&format!("{ends_at}  {}  ({state})", end.name)));
        }
        if others > at_most {
            let more = others - at_most;
            self.line("", &format!("{more} more; -v shows all"));
        }
    }

    fn provenance(&mut self, backup: &Backup) {
        let Some(provenance) = &backup.provenance else {
            return;
        };
        self.section(match &provenance.policy {
            Some(_) => "TAKEN BY THE CLUSTER'S OWN POLICY",
            None => "TAKEN BY ETCD-CAT",
        });
        self.line("at", &rfc3339_seconds(provenance.taken_at));
        self.line("on", &safe(&provenance.node));
        if let Some(directory) = &provenance.policy {
            self.safe_line("in", Some(directory));
        }
        self.safe_line("cluster", provenance.cluster_version.as_deref());
        self.safe_line("oc", provenance.oc_version.as_deref());
        for (label, value) in [("pod", &provenance.pod), ("image", &provenance.image)] {
            if value.is_some() {
                self.safe_line(label, value.as_deref());
            }
        }
        for reason in &provenance.forced {
            self.line("overridden", &safe(reason));
        }
        if self.style.is_verbose {
            for line in provenance.script_output.lines() {
                self.line("script", &safe(line));
            }
        }
    }

    fn findings(&mut self, backup: &Backup) {
        self.section("FINDINGS");
        if backup.findings.iter().all(Finding::is_advice) {
            self.text.push_str("  none\n");
        }
        let findings = findings(backup, Severity::Info, self.style);
        self.text.push_str(&findings);
        if backup.advice().next().is_some() {
            self.section("ADVICE");
            let advice = advice(backup, self.style);
            self.text.push_str(&advice);
        }
    }

    fn verifications(&mut self, backup: &Backup) {
        self.section("HISTORY");
        self.line("first seen", &instant_or_absent(backup.first_seen_at));
        self.line("last verified", &instant_or_absent(backup.verified_at));
        let verifications = backup.verifications.iter().rev();
        for one in verifications.take(self.style.at_most(SHOWN_VERIFICATIONS)) {
            self.line(
                "verified",
                &format!("{} {}", rfc3339_seconds(one.at), one.verdict.as_str()),
            );
        }
    }
}

fn absent() -> String {
    ABSENT.to_owned()
}

fn instant_or_absent(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(absent, rfc3339_seconds)
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(absent, |number| number.to_string())
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return absent();
    }
    safe(&names.join(", ")).into_owned()
}

fn outcome(outcome: KeyOutcome) -> &'static str {
    match outcome {
        KeyOutcome::Decrypted => "opens the values",
        KeyOutcome::ConfigMissing => "there is no encryption configuration",
        KeyOutcome::KeyMissing => "the key is missing",
        KeyOutcome::KeyWrong => "does not open the values",
        KeyOutcome::External => "cannot be proven offline",
        KeyOutcome::Unproven => "is there, no value could be tried",
    }
}

fn source(source: TakenAtSource) -> &'static str {
    match source {
        TakenAtSource::Lease => "the newest lease",
        TakenAtSource::Content => "its newest object",
        TakenAtSource::Name => "its name only",
        TakenAtSource::Mtime => "the file's modification time only",
    }
}
