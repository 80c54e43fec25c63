//! Resources: the names that people and API servers have for a kind, and the path its objects lie at.

use std::fmt;
use std::sync::LazyLock;

static TABLE: &str = include_str!("resources.txt");

/// A resource and all its names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// Such as `pods`.
    pub plural: String,
    /// API group; empty for the core group.
    pub group: String,
    /// Such as `Pod`.
    pub kind: String,
    /// Such as `pod`.
    pub singular: String,
    /// Such as `po`.
    pub short_names: Vec<String>,
    /// Whether its objects have a namespace.
    pub scope: Scope,
}

/// Whether objects have a namespace.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Scope {
    /// They have none.
    Cluster,
    /// Each lies in one.
    Namespaced,
}

impl Resource {
    /// Is this one of its names? `word` is in lower case and without a group.
    pub(super) fn is_called(&self, word: &str) -> bool {
        self.plural == word
            || self.singular == word
            || self.kind.eq_ignore_ascii_case(word)
            || self.short_names.iter().any(|name| name == word)
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.plural.escape_debug())?;
        if self.group.is_empty() {
            return Ok(());
        }
        write!(f, ".{}", self.group.escape_debug())
    }
}

/// Where the objects of a built-in resource lie, and its names.
#[derive(Debug)]
pub(super) struct BuiltIn {
    /// API server's prefix.
    pub(super) root: Root,
    /// Path behind the prefix.
    pub(super) path: &'static str,
    pub(super) plural: &'static str,
    /// Empty for the core group.
    pub(super) group: &'static str,
    kind: &'static str,
    scope: Scope,
    short_names: Vec<&'static str>,
}

/// Under which prefix an API server stores.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Root {
    /// kube-apiserver: `/kubernetes.io`, or `/registry` outside OpenShift.
    Kubernetes,
    /// openshift-apiserver and oauth-apiserver: `/openshift.io`.
    OpenShift,
}

impl BuiltIn {
    /// All of them; where two share a name, the first is meant.
    ///
    /// Source: kubernetes `pkg/registry/*/rest/storage_*.go`, `pkg/registry/*/*/storage/storage.go` (short names);
    /// the registries of openshift-apiserver and oauth-apiserver.
    pub(super) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<BuiltIn>> =
            LazyLock::new(|| TABLE.lines().filter_map(BuiltIn::parse).collect());
        &ALL
    }

    /// `None` for a comment.
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ').filter(|_| !line.starts_with('#'));
        let path = words.next()?;
        let (root, path) = match path.strip_prefix("openshift.io:") {
            Some(path) => (Root::OpenShift, path),
            None => (Root::Kubernetes, path),
        };
        Some(Self {
            root,
            path,
            plural: words.next()?,
            group: words.next().map(|group| group.trim_start_matches('-'))?,
            kind: words.next()?,
            scope: match words.next()? {
                "cluster" => Scope::Cluster,
                _ => Scope::Namespaced,
            },
            short_names: words.collect(),
        })
    }

    pub(super) fn has_namespaces(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    pub(super) fn resource(&self) -> Resource {
        let short_names = self.short_names.iter();
        Resource {
            plural: self.plural.to_owned(),
            group: self.group.to_owned(),
            kind: self.kind.to_owned(),
            singular: self.kind.to_lowercase(),
            short_names: short_names.map(|&name| name.to_owned()).collect(),
            scope: self.scope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(BuiltIn::all().len(), lines.clone().count());
        for line in lines {
            let scope = line.split(' ').nth(4);
            assert!(matches!(scope, Some("cluster" | "namespaced")), "{line}");
        }
    }
}
