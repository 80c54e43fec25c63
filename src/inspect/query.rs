//! Which keys a question is about, told from the key alone.

use super::contents::is_definition;
use crate::kubernetes::storage_key::resource_of;
use crate::objects::{Place, Resource, Resources};
use crate::snapshot::{KeyFilter, StoredEntry};
use std::collections::BTreeSet;

/// Shortest word of which the plural is guessed.
const MIN_GUESSED: usize = 3;

/// Keys of one kind, as far as its name tells before the cluster's definitions are known.
#[derive(Clone, Debug)]
pub(super) enum KindQuery {
    /// The kind is known, and so is where its objects lie.
    Known(Vec<Vec<u8>>),
    /// A custom resource, perhaps, of this name and group.
    Guessed { name: String, group: Option<String> },
}

impl KindQuery {
    /// What a word may mean.
    pub(super) fn of_word(word: &str) -> Self {
        if let Ok(resource) = Resources::new([]).find(word) {
            return Self::of(resource);
        }
        let lower = word.to_lowercase();
        match lower.split_once('.') {
            Some((name, group)) => Self::Guessed {
                name: name.to_owned(),
                group: Some(group.to_owned()),
            },
            None => Self::Guessed {
                name: lower,
                group: None,
            },
        }
    }

    /// The keys of a resource.
    pub(super) fn of(resource: &Resource) -> Self {
        let prefixes = resource.storage_prefixes();
        Self::Known(prefixes.into_iter().map(String::into_bytes).collect())
    }

    /// May the object at this key be of the kind?
    pub(super) fn may_have(&self, storage_key: &[u8]) -> bool {
        match self {
            Self::Known(prefixes) => prefixes
                .iter()
                .any(|prefix| storage_key.starts_with(prefix)),
            Self::Guessed { name, group } => resource_of(storage_key).is_some_and(|resource| {
                is_plural_of(resource.plural, name)
                    && group.as_ref().is_none_or(|group| {
                        let own = resource.group.unwrap_or_default();
                        group.as_bytes().ends_with(own)
                    })
            }),
        }
    }

    /// Does it have all keys of this resource?
    pub(super) fn covers(&self, resource: &Resource) -> bool {
        let prefixes = resource.storage_prefixes();
        let mut keys = prefixes.iter().map(|prefix| format!("{prefix}name"));
        keys.all(|key| self.may_have(key.as_bytes()))
    }
}

/// `widgets` of `widgets` and `widget`, `policies` of `policy`.
fn is_plural_of(plural: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    let stem = word.split_last().map_or(word, |(_, stem)| stem);
    plural == word || (word.len() >= MIN_GUESSED && plural.starts_with(stem))
}

/// Keys of the objects in a namespace, and of the definitions, which tell what they are; without one, all keys.
pub(super) fn keys_of(namespace: Option<&str>) -> KeyFilter {
    let Some(namespace) = namespace.map(str::to_owned) else {
        return KeyFilter::All;
    };
    KeyFilter::matching(move |key| is_definition(key) || is_in(key, &namespace))
}

/// Leaves the objects in a namespace; without one, all.
pub(super) fn retain_namespace(entries: &mut Vec<StoredEntry>, namespace: Option<&str>) {
    if let Some(namespace) = namespace {
        entries.retain(|entry| is_in(&entry.key, namespace));
    }
}

fn is_in(storage_key: &[u8], namespace: &str) -> bool {
    let place = Place::of(storage_key);
    place.is_some_and(|place| place.namespace.as_deref() == Some(namespace))
}

/// Objects by namespace and name.
#[derive(Clone, Debug, Default)]
pub(super) struct PlaceFilter {
    pub(super) namespace: Option<String>,
    pub(super) names: BTreeSet<String>,
    pub(super) patterns: Vec<NamePattern>,
}

impl PlaceFilter {
    /// True when every object passes.
    fn is_open(&self) -> bool {
        self.namespace.is_none() && self.names.is_empty() && self.patterns.is_empty()
    }

    /// Does the object at this key pass?
    pub(super) fn has_key(&self, storage_key: &[u8]) -> bool {
        self.is_open() || Place::of(storage_key).is_some_and(|place| self.has(&place))
    }

    fn has(&self, place: &Place) -> bool {
        let is_there = match (&self.namespace, &place.namespace) {
            (Some(wanted), Some(own)) => wanted == own,
            // Objects without a namespace are in none, whatever was asked for: as `kubectl` has it.
            _ => true,
        };
        let is_named = self.names.is_empty() || self.names.contains(&place.name);
        let patterns = &self.patterns;
        let is_like = patterns.is_empty() || patterns.iter().any(|one| one.matches(&place.name));
        is_there && is_named && is_like
    }
}

/// What is left of a pattern, and of a name.
type Parts<'p> = (&'p [char], &'p [char]);

/// A pattern of names: `*` stands for any text, `?` for any character.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamePattern(Vec<char>);

impl NamePattern {
    /// Any text is a pattern.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.chars().collect())
    }

    /// Does a name match from its beginning to its end?
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut pattern, mut rest) = (&*self.0, &*name);
        // Behind the last `*`, and what of the name it has not swallowed yet.
        let mut retry = None;
        loop {
            match (pattern.split_first(), rest.split_first()) {
                (Some(('*', behind)), _) => {
                    retry = Some((behind, rest));
                    pattern = behind;
                }
                (Some((wanted, behind)), Some((own, after))) if *wanted == '?' || wanted == own => {
                    (pattern, rest) = (behind, after);
                }
                (None, None) => return true,
                _ => {
                    let Some((behind, from)): Option<Parts<'_>> = retry else {
                        return false;
                    };
                    let Some((_, after)) = from.split_first() else {
                        return false;
                    };
                    retry = Some((behind, after));
                    (pattern, rest) = (behind, after);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let rows = [
            ("web", "web", true),
            ("web", "web-1", false),
            ("web-*", "web-1", true),
            ("*web*", "my-web-1", true),
            ("w?b", "web", true),
            ("*-*-1", "a-b-c-1", true),
            ("*-*-1", "a-b-c-2", false),
            ("*", "", true),
            ("?", "", false),
        ];
        for (pattern, name, expected) in rows {
            assert_eq!(
                NamePattern::new(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn a_custom_kind_is_guessed_from_its_plural_and_singular() {
        let key = b"/kubernetes.io/example.com/policies/ns/n";
        let rows = [
            ("policies", true),
            ("policy", true),
            ("policies.example.com", true),
            ("policies.v1.example.com", true),
            ("policies.other.org", false),
            ("pol", true),
            ("pl", false),
            ("widgets", false),
        ];
        for (word, expected) in rows {
            assert_eq!(KindQuery::of_word(word).may_have(key), expected, "{word}");
        }
    }

    #[test]
    fn a_built_in_kind_is_known_by_any_name() {
        for word in ["deploy", "deployments.apps", "Deployment"] {
            let query = KindQuery::of_word(word);
            assert!(
                query.may_have(b"/kubernetes.io/deployments/shop/web"),
                "{word}"
            );
            assert!(!query.may_have(b"/kubernetes.io/pods/shop/web"), "{word}");
        }
    }
}
