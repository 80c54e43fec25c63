//! What the keys of some directories begin with: a share of a listing for a store that cannot begin behind a key.

use super::super::page::{Entry, Page};
use super::super::service::ListQuery;
use super::Share;

/// All keys that begin so, but for those of the level above the directories: they are known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Beginning {
    text: String,
    /// Length of what the directories lie in.
    level: usize,
    /// How the store goes on from the page before.
    token: Option<String>,
}

impl Share for Beginning {
    fn query(&self, whole: &ListQuery) -> ListQuery {
        ListQuery {
            prefix: self.text.clone(),
            token: self.token.clone(),
            ..whole.clone()
        }
    }

    fn without(self, page: Page) -> Option<(Vec<Entry>, Option<Self>)> {
        let Page {
            mut entries, token, ..
        } = page;
        let is_below = |key: &str| key.get(self.level..).is_some_and(|rest| rest.contains('/'));
        if !entries
            .iter()
            .all(|entry| entry.key.starts_with(&self.text))
        {
            return None;
        }
        entries.retain(|entry| is_below(&entry.key));
        let rest = token.map(|token| Self {
            token: Some(token),
            ..self
        });
        Some((entries, rest))
    }
}

/// What all keys in some directories of one level begin with: at most so many beginnings, of about as many directories each.
/// None of them begins with another.
pub(super) fn beginnings(level: &str, directories: Vec<String>, most: usize) -> Vec<Beginning> {
    let mut groups = vec![(level.to_owned(), directories)];
    while let Some(parts) = take_largest(&mut groups, most) {
        groups.extend(parts);
    }
    let of_group = |(text, _)| Beginning {
        text,
        level: level.len(),
        token: None,
    };
    groups.into_iter().map(of_group).collect()
}

type Group = (String, Vec<String>);

/// Takes out the group of most directories, in parts by the next character in which they differ; `None`, and nothing is taken
/// out, where it has but one, or these were too many.
fn take_largest(groups: &mut Vec<Group>, most: usize) -> Option<Vec<Group>> {
    let sizes = groups.iter().map(|(_, directories)| directories.len());
    let (index, _) = sizes.enumerate().max_by_key(|(_, size)| *size)?;
    let (_, directories) = groups.get(index)?;
    let common = common_beginning(directories);
    let mut parts: Vec<Group> = Vec::new();
    for directory in directories {
        let next = directory.get(common.len()..)?.chars().next()?;
        let text = format!("{common}{next}");
        match parts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, part)) => part.push(directory.clone()),
            None => parts.push((text, vec![directory.clone()])),
        }
    }
    let is_cut = parts.len() > 1 && groups.len() + parts.len() <= most + 1;
    is_cut.then(|| {
        groups.swap_remove(index);
        parts
    })
}

fn common_beginning(texts: &[String]) -> &str {
    let Some((first, others)) = texts.split_first() else {
        return "";
    };
    let shared = |other: &String| {
        let pairs = first.char_indices().zip(other.chars());
        let mut differing = pairs.filter(|((_, one), two)| one != two);
        let shorter = first.len().min(other.len());
        differing.next().map_or(shorter, |((index, _), _)| index)
    };
    let length = others.iter().map(shared).min().unwrap_or(first.len());
    first.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::super::page::identity;
    use super::*;

    fn texts(beginnings: &[Beginning]) -> Vec<&str> {
        let mut texts: Vec<&str> = beginnings.iter().map(|one| one.text.as_str()).collect();
        texts.sort_unstable();
        texts
    }

    #[test]
    fn each_directory_begins_with_one_of_them() {
        let clusters = (0..500).map(|number| format!("fleet/cluster-{number:03}/"));
        let odd = ["fleet/\u{e9}/", "fleet/\u{e8}x/", "fleet//", "fleet/C/"];
        let directories: Vec<String> = clusters.chain(odd.map(str::to_owned)).collect();
        for most in 1..60 {
            let found = beginnings("fleet/", directories.clone(), most);
            assert!((1..=most).contains(&found.len()), "{found:?}");
            for directory in &directories {
                let of = found.iter().filter(|one| directory.starts_with(&one.text));
                assert_eq!(of.count(), 1, "{directory}: {found:?}");
            }
        }
        let found = beginnings("fleet/", directories, 24);
        assert!(found.len() > 10, "{found:?}");
    }

    #[test]
    fn what_cannot_be_cut_is_one() {
        let one = beginnings("a/", vec!["a/b/".to_owned()], 24);
        assert_eq!(texts(&one), ["a/"]);
        // More by one character than there may be.
        let many = "abcdefgh".chars().map(|name| format!("a/{name}/"));
        assert_eq!(texts(&beginnings("a/", many.collect(), 7)), ["a/"]);
    }

    #[test]
    fn a_page_holds_what_lies_below_and_is_gone_on_with() {
        let page = |keys: &[&str], token: Option<&str>| Page {
            entries: keys
                .iter()
                .map(|key| Entry {
                    key: (*key).to_owned(),
                    identity: identity("t", 1, "2024-11-02T03:00:07Z").expect("a time"),
                    is_archived: false,
                })
                .collect(),
            prefixes: Vec::new(),
            token: token.map(str::to_owned),
        };
        let directories = vec!["a/x1/".to_owned(), "a/y/".to_owned()];
        let first = beginnings("a/", directories, 24).into_iter();
        let first = first.min_by_key(|one| one.text.clone()).expect("one");
        assert_eq!(first.text, "a/x");
        let found = first
            .clone()
            .without(page(&["a/x1/k", "a/x.txt"], Some("t")));
        let (entries, rest) = found.expect("is as it was asked for");
        assert_eq!(entries.len(), 1);
        let query = rest.expect("goes on").query(&ListQuery::default());
        assert_eq!(
            (query.prefix.as_str(), query.token.as_deref()),
            ("a/x", Some("t"))
        );
        assert_eq!(first.without(page(&["a/y/k"], None)), None);
    }
}
