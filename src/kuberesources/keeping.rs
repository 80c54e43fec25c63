//! What is kept of an archive, within limits: an archive may name without end what a real one names a few times.

use super::facts::ConfiguredProvider;
use super::limits::ArchiveLimits;
use crate::finding::{Code, Finding};
use crate::kubernetes::certificate::Certificate;

/// Counts what is kept, and remembers that something was not.
#[derive(Debug)]
pub(super) struct Keeping {
    limits: ArchiveLimits,
    kept_bytes: usize,
    /// What was not kept first, and the limit it met.
    refused: Option<String>,
}

impl Keeping {
    pub(super) fn new(limits: ArchiveLimits) -> Self {
        Self {
            limits,
            kept_bytes: 0,
            refused: None,
        }
    }

    /// A name or an address, unless it is longer than any.
    pub(super) fn text(&mut self, text: Option<String>) -> Option<String> {
        text.filter(|text| {
            let limit = self.limits.max_text_bytes;
            self.is_within(text.len(), limit, "bytes in one name")
                && self.has_room(text.len() + size_of::<String>())
        })
    }

    /// Room for one more node beside those that are known?
    pub(super) fn node(&mut self, known: usize, name: &str) -> bool {
        let (most, longest) = (self.limits.max_nodes, self.limits.max_text_bytes);
        self.is_within(known + 1, most, "nodes")
            && self.is_within(name.len(), longest, "bytes in one name")
            && self.has_room(name.len() + size_of::<String>())
    }

    /// Room for one more provider of a resource beside those that are known?
    pub(super) fn provider(&mut self, provider: &ConfiguredProvider, known: usize) -> bool {
        let texts = provider.resource.len() + provider.key_name.len();
        let most = self.limits.max_providers;
        self.is_within(known + 1, most, "encryption providers")
            && self.has_room(texts + size_of::<ConfiguredProvider>())
    }

    /// Room for one more certificate?
    pub(super) fn certificate(&mut self, certificate: &Certificate) -> bool {
        let texts = [
            &certificate.place,
            &certificate.subject,
            &certificate.issuer,
        ];
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        self.has_room(bytes + size_of::<Certificate>())
    }

    /// Of so many nodes, how many are kept.
    pub(super) fn nodes(&mut self, found: usize) -> usize {
        let most = self.limits.max_nodes;
        self.is_within(found, most, "nodes");
        found.min(most)
    }

    /// Of so many providers, how many are kept.
    pub(super) fn providers(&mut self, found: usize) -> usize {
        let most = self.limits.max_providers;
        self.is_within(found, most, "encryption providers");
        found.min(most)
    }

    /// What is to be said when not everything was kept.
    pub(super) fn finding(&mut self) -> Option<Finding> {
        let refused = self.refused.take()?;
        let message =
            format!("it has more than {refused}, which no real one has: the rest is not kept");
        Some(Finding::new(Code::KuberesourcesUnsafe, message))
    }

    fn has_room(&mut self, bytes: usize) -> bool {
        let kept = self.kept_bytes.saturating_add(bytes);
        let limit = self.limits.max_kept_bytes;
        let has_room = self.is_within(kept, limit, "bytes of names and certificates");
        if has_room {
            self.kept_bytes = kept;
        }
        has_room
    }

    fn is_within(&mut self, found: usize, limit: usize, what: &str) -> bool {
        if found > limit {
            self.refused
                .get_or_insert_with(|| format!("{limit} {what}"));
        }
        found <= limit
    }
}

#[cfg(test)]
mod tests {
    use super::{ArchiveLimits, Keeping};

    #[test]
    fn what_is_beyond_a_limit_is_told_once() {
        let limits = ArchiveLimits {
            max_nodes: 2,
            max_text_bytes: 10,
            max_kept_bytes: 70,
            ..ArchiveLimits::default()
        };
        let mut keeping = Keeping::new(limits);
        assert!(keeping.node(0, "a") && keeping.finding().is_none());
        assert!(!keeping.node(2, "c"));
        assert_eq!(keeping.text(Some("x".repeat(11))), None);
        let told = keeping.finding().map(|finding| finding.message);
        let expected = "it has more than 2 nodes, which no real one has: the rest is not kept";
        assert_eq!(told.as_deref(), Some(expected));
        assert!(keeping.text(Some("b".to_owned())).is_some());
        assert_eq!(keeping.text(Some("c".to_owned())), None);
        let told = keeping.finding().map(|finding| finding.message);
        assert!(told.is_some_and(|told| told.contains("70 bytes")));
    }
}
