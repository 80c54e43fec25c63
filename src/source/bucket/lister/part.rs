//! A part of a listing: all keys behind one and up to another one.

use super::super::page::{Entry, Page};
use super::super::service::ListQuery;
use super::Share;

/// Keys that were not listed yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Part {
    /// They lie behind this one.
    after: String,
    /// The last one that belongs to it; `None`: up to the end.
    until: Option<String>,
    /// How the store goes on from the page before; without it, `after` says where to begin.
    token: Option<String>,
}

impl Part {
    /// All that lies behind the first page; `None` where there is nothing, or the store does not keep to the order of keys.
    pub(super) fn behind(first: &Page) -> Option<Self> {
        let last = first.entries.last()?;
        let token = first.token.clone()?;
        is_ascending(&first.entries, "").then(|| Self {
            after: last.key.clone(),
            until: None,
            token: Some(token),
        })
    }

    /// Cuts it at some of these borders, into at most so many pieces of as many borders each; the last piece comes first.
    pub(super) fn cut(self, mut borders: Vec<String>, pieces: usize) -> Vec<Self> {
        borders.sort_unstable();
        borders.retain(|border| *border > self.after);
        let each = borders.len().div_ceil(pieces.max(1)).max(1);
        let chosen = borders.iter().skip(each.saturating_sub(1)).step_by(each);
        let mut parts = Vec::new();
        let mut rest = self;
        for border in chosen {
            let behind = Self {
                after: border.clone(),
                until: rest.until.replace(border.clone()),
                token: None,
            };
            parts.push(std::mem::replace(&mut rest, behind));
        }
        parts.push(rest);
        parts.reverse();
        parts
    }
}

impl Share for Part {
    fn query(&self, whole: &ListQuery) -> ListQuery {
        ListQuery {
            token: self.token.clone(),
            after: self.token.is_none().then(|| self.after.clone()),
            ..whole.clone()
        }
    }

    fn without(self, page: Page) -> Option<(Vec<Entry>, Option<Self>)> {
        let Page {
            mut entries, token, ..
        } = page;
        if !is_ascending(&entries, &self.after) {
            return None;
        }
        let after = entries.last().map_or(self.after, |last| last.key.clone());
        let is_in = |key: &String| self.until.as_ref().is_none_or(|until| key <= until);
        let is_over = token.is_none() || !is_in(&after);
        entries.retain(|entry| is_in(&entry.key));
        let rest = (!is_over).then_some(Self {
            after,
            until: self.until,
            token,
        });
        Some((entries, rest))
    }
}

/// Each key lies behind the one before, the first behind `after`.
fn is_ascending(entries: &[Entry], after: &str) -> bool {
    let keys = entries.iter().map(|entry| entry.key.as_str());
    let before = std::iter::once(after).chain(keys.clone());
    before.zip(keys).all(|(before, key)| before < key)
}

#[cfg(test)]
mod tests {
    use super::super::super::page::identity;
    use super::*;

    fn page(keys: &[&str], token: Option<&str>) -> Page {
        let entries = keys.iter().map(|key| Entry {
            key: (*key).to_owned(),
            identity: identity("t", 1, "2024-11-02T03:00:07Z").expect("a time"),
            is_archived: false,
        });
        Page {
            entries: entries.collect(),
            prefixes: Vec::new(),
            token: token.map(str::to_owned),
        }
    }

    fn behind(keys: &[&str]) -> Part {
        Part::behind(&page(keys, Some("t"))).expect("there is more")
    }

    #[test]
    fn parts_follow_each_other_without_a_gap() {
        let whole = behind(&["c/03/x", "c/07/x"]);
        let borders: Vec<String> = (0..50).map(|number| format!("c/{number:02}/")).collect();
        for pieces in 1..20 {
            let mut parts = whole.clone().cut(borders.clone(), pieces);
            assert!((1..=pieces + 1).contains(&parts.len()), "{parts:?}");
            parts.reverse();
            let first = parts.first().expect("at least one");
            let last = parts.last().expect("at least one");
            assert_eq!((&first.after, &last.until), (&whole.after, &None));
            assert_eq!(first.token.as_deref(), Some("t"));
            for (one, next) in parts.iter().zip(parts.iter().skip(1)) {
                assert_eq!(one.until.as_ref(), Some(&next.after));
                assert!(one.after < next.after && next.token.is_none(), "{parts:?}");
            }
        }
        assert_eq!(
            whole.clone().cut(Vec::new(), 16),
            std::slice::from_ref(&whole)
        );
        // All of them lie in front of it.
        assert_eq!(whole.clone().cut(vec!["b/".to_owned()], 16), [whole]);
    }

    #[test]
    fn what_is_not_in_order_is_no_part() {
        assert_eq!(Part::behind(&page(&["b", "a"], Some("t"))), None);
        assert_eq!(Part::behind(&page(&["a"], None)), None);
        let part = || behind(&["a", "b"]);
        let early = part().without(page(&["a", "c"], None));
        assert_eq!(early, None, "it begins in front of the part");
        assert_eq!(part().without(page(&["d", "c"], None)), None);
    }

    #[test]
    fn a_page_that_goes_beyond_a_part_ends_it() {
        let mut part = behind(&["a", "b"]);
        part.until = Some("d".to_owned());
        let found = part.clone().without(page(&["c", "d"], Some("u")));
        let (entries, rest) = found.expect("in order");
        assert_eq!(entries.len(), 2);
        let rest = rest.map(|rest| (rest.after, rest.token));
        assert_eq!(rest, Some(("d".to_owned(), Some("u".to_owned()))));
        let found = part.without(page(&["c", "e"], Some("u")));
        let (entries, rest) = found.expect("in order");
        assert_eq!((entries.len(), rest), (1, None));
    }
}
