//! A part of a listing: all keys behind one and up to another one.

use super::page::{Entry, Page};
use super::service::ListQuery;

/// Keys that were not listed yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Part {
    /// They lie behind this one.
    after: String,
    /// The last one that belongs to it; `None`: up to the end.
    until: Option<String>,
    /// How the store goes on from the page before; without it, `after` says where to begin.
    token: Option<String>,
    /// Bytes that neighbours have in common: only these tell where others may lie.
    in_common: usize,
}

impl Part {
    /// All that lies behind the first page; `None` where that says nothing of it.
    pub(super) fn behind(first: &Page) -> Option<Self> {
        let last = first.entries.last()?;
        first.token.as_ref()?;
        is_ascending(&first.entries, "").then(|| Self {
            after: last.key.clone(),
            until: None,
            token: first.token.clone(),
            in_common: in_common(&first.entries),
        })
    }

    /// How its first page is asked for.
    pub(super) fn query(&self, whole: &ListQuery) -> ListQuery {
        ListQuery {
            token: self.token.clone(),
            after: self.token.is_none().then(|| self.after.clone()),
            ..whole.clone()
        }
    }

    /// What a page holds of it, and what is left of it then. `None`: the page is not what was asked for, in order.
    pub(super) fn without(self, page: Page) -> Option<(Vec<Entry>, Option<Self>)> {
        let Page { mut entries, token } = page;
        if !is_ascending(&entries, &self.after) {
            return None;
        }
        let in_common = in_common(&entries).max(self.in_common);
        let after = entries.last().map_or(self.after, |last| last.key.clone());
        let is_in = |key: &String| self.until.as_ref().is_none_or(|until| key <= until);
        let is_over = token.is_none() || !is_in(&after);
        entries.retain(|entry| is_in(&entry.key));
        let rest = (!is_over).then_some(Self {
            after,
            until: self.until,
            token,
            in_common,
        });
        Some((entries, rest))
    }

    /// Cuts it into at most so many pieces: small ones at its beginning, where keys are known to lie, and the last one half of
    /// all that is possible. Most of it may be empty; that shows at the first answer.
    pub(super) fn cut(self, prefix: usize, pieces: usize) -> Vec<Self> {
        let borders = self.borders(prefix);
        let mut chosen = Vec::new();
        let mut index = borders.len();
        while chosen.len().saturating_add(1) < pieces && index > 0 {
            index /= 2;
            chosen.extend(borders.get(index));
        }
        let mut parts = Vec::new();
        let mut until = self.until.clone();
        for border in chosen {
            parts.push(Self {
                after: border.clone(),
                until: until.replace(border.clone()),
                token: None,
                in_common: self.in_common,
            });
        }
        parts.push(Self { until, ..self });
        parts
    }

    /// Where it may be cut, ascending: keys as the one that it begins behind, with one later letter at a place where neighbours
    /// differ or in front of it, and nothing behind that.
    fn borders(&self, prefix: usize) -> Vec<String> {
        let places = self.after.char_indices();
        let places: Vec<(usize, char)> = places
            .filter(|(place, _)| (prefix..=self.in_common).contains(place))
            .collect();
        let mut borders = Vec::new();
        for (place, letter) in places.into_iter().rev() {
            let Some(head) = self.after.get(..place) else {
                continue;
            };
            let is_in = |border: &String| self.until.as_ref().is_none_or(|until| border < until);
            let later = later(letter).map(|letter| format!("{head}{letter}"));
            borders.extend(later.filter(is_in));
        }
        borders
    }
}

/// The letters that may stand in the place of this one further on.
fn later(letter: char) -> impl Iterator<Item = char> {
    let others = match letter {
        '0'..='9' => "123456789AGNTagnt",
        'A'..='Z' => "BCDEFGHIJKLMNOPQRSTUVWXYZagnt",
        'a'..='z' => "bcdefghijklmnopqrstuvwxyz",
        _ => "0Aa",
    };
    others.chars().filter(move |other| *other > letter)
}

/// Each key lies behind the one before, the first behind `after`.
fn is_ascending(entries: &[Entry], after: &str) -> bool {
    let keys = entries.iter().map(|entry| entry.key.as_str());
    let before = std::iter::once(after).chain(keys.clone());
    before.zip(keys).all(|(before, key)| before < key)
}

/// How many bytes all of them begin with.
fn in_common(entries: &[Entry]) -> usize {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return 0;
    };
    let pairs = first.key.bytes().zip(last.key.bytes());
    pairs.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::super::page::identity;
    use super::*;

    fn page(keys: &[&str], token: Option<&str>) -> Page {
        let entries = keys.iter().map(|key| Entry {
            key: (*key).to_owned(),
            identity: identity("t", 1, "2024-11-02T03:00:07Z").expect("a time"),
            is_archived: false,
        });
        Page {
            entries: entries.collect(),
            token: token.map(str::to_owned),
        }
    }

    fn behind(keys: &[&str]) -> Part {
        Part::behind(&page(keys, Some("t"))).expect("there is more")
    }

    #[test]
    fn parts_follow_each_other_without_a_gap() {
        let whole = behind(&["prod/2024-11-01/x.db", "prod/2024-11-29/x.db"]);
        for pieces in 1..9 {
            let mut parts = whole.clone().cut(5, pieces);
            assert_eq!(parts.len(), pieces);
            parts.reverse();
            let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
                panic!("at least one");
            };
            assert_eq!((&first.after, &last.until), (&whole.after, &None));
            assert_eq!(first.token.as_deref(), Some("t"));
            for (one, next) in parts.iter().zip(parts.iter().skip(1)) {
                assert_eq!(one.until.as_ref(), Some(&next.after));
                assert!(one.after < next.after && next.token.is_none(), "{parts:?}");
            }
        }
    }

    #[test]
    fn it_is_cut_where_others_may_lie() {
        let borders = behind(&["prod/2024-11-01/x.db", "prod/2024-11-29/x.db"]).borders(5);
        for border in [
            "prod/2024-11-3",
            "prod/2024-12",
            "prod/2025",
            "prod/3",
            "prod/a",
        ] {
            assert!(
                borders.iter().any(|one| one == border),
                "{border}: {borders:?}"
            );
        }
        assert!(borders.is_sorted(), "{borders:?}");
        assert!(
            borders.iter().all(|one| one.starts_with("prod/")),
            "{borders:?}"
        );
        // Nothing is known of what is no letter, and no letter is cut in two.
        let odd = behind(&["a/\u{e9}\u{e9}", "a/\u{e9}\u{ea}"]);
        assert_eq!(odd.borders(2), [""; 0]);
    }

    #[test]
    fn what_is_not_in_order_is_no_part() {
        assert_eq!(Part::behind(&page(&["b", "a"], Some("t"))), None);
        assert_eq!(Part::behind(&page(&["a"], None)), None);
        let part = || behind(&["a", "b"]);
        assert_eq!(
            part().without(page(&["a", "c"], None)),
            None,
            "begins before it"
        );
        assert_eq!(part().without(page(&["d", "c"], None)), None);
    }

    #[test]
    fn a_page_that_goes_beyond_a_part_ends_it() {
        let mut part = behind(&["a", "b"]);
        part.until = Some("d".to_owned());
        let (entries, rest) = part
            .clone()
            .without(page(&["c", "d"], Some("u")))
            .expect("in order");
        assert_eq!(entries.len(), 2);
        assert_eq!(
            rest.map(|rest| (rest.after, rest.token)),
            Some(("d".to_owned(), Some("u".to_owned())))
        );
        let (entries, rest) = part
            .without(page(&["c", "e"], Some("u")))
            .expect("in order");
        assert_eq!((entries.len(), rest), (1, None));
    }
}
