//! Parts of a file that was split, by their names: `split` (`aa`, `ab`, `00`, `01`), 7-Zip and others (`.001`, `.002`).

use super::recognised::{Foreign, ForeignKind, is_plain};
use std::collections::BTreeMap;
use std::ffi::OsStr;

/// One part, by its name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Part {
    /// The name of the whole, with the separator.
    pub(crate) stem: Vec<u8>,
    /// Which one, from 0.
    pub(crate) number: u64,
    /// Letters or digits, and how many.
    style: (bool, usize),
}

/// The parts of one file that lie in one directory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Parts {
    /// Their numbers, and where each is in the list that was given.
    found: BTreeMap<u64, usize>,
    /// Their numbers are letters.
    is_lettered: bool,
    /// How many letters or digits.
    width: usize,
}

/// What a name says of being a part.
pub(crate) fn part(name: &OsStr) -> Option<Part> {
    let name = name.as_encoded_bytes();
    let is_suffix = |byte: &&u8| byte.is_ascii_digit();
    let digits = name.iter().rev().take_while(is_suffix).count();
    if (2..=5).contains(&digits) {
        return numbered(name, digits);
    }
    [2, 3]
        .into_iter()
        .find_map(|letters| lettered(name, letters))
}

/// `.001`, `.part-01`, `.part02`, `_00`.
fn numbered(name: &[u8], digits: usize) -> Option<Part> {
    let (stem, suffix) = name.split_at_checked(name.len().checked_sub(digits)?)?;
    let number = std::str::from_utf8(suffix).ok()?.parse().ok()?;
    is_separated(stem).then(|| Part {
        stem: stem.to_vec(),
        number,
        style: (false, digits),
    })
}

/// `.aa`, `.part-aa`, `_aa`, `.dbaa`.
fn lettered(name: &[u8], letters: usize) -> Option<Part> {
    let (stem, suffix) = name.split_at_checked(name.len().checked_sub(letters)?)?;
    let number = suffix.iter().try_fold(0_u64, |number, letter| {
        letter
            .is_ascii_lowercase()
            .then(|| number * 26 + u64::from(letter - b'a'))
    })?;
    // Few files are split into more than that, and many names end in two letters.
    let is_early = number < 100;
    let is_of_split = is_separated(stem) || ends_like_a_backup(stem);
    (is_early && is_of_split).then(|| Part {
        stem: stem.to_vec(),
        number,
        style: (true, letters),
    })
}

/// Names that people split.
fn ends_like_a_backup(stem: &[u8]) -> bool {
    let endings: [&[u8]; 8] = [
        b".db", b".gz", b".tgz", b".tar", b".zst", b".xz", b".enc", b".gpg",
    ];
    endings.iter().any(|ending| stem.ends_with(ending))
}

/// Behind the name of a whole file, and `part` or a separator.
fn is_separated(stem: &[u8]) -> bool {
    let without = stem
        .strip_suffix(b".")
        .or_else(|| stem.strip_suffix(b"-"))
        .or_else(|| stem.strip_suffix(b"_"));
    let base = without.unwrap_or(stem);
    let base = base
        .strip_suffix(b".part")
        .or_else(|| base.strip_suffix(b"-part"))
        .or_else(|| base.strip_suffix(b"_part"))
        .unwrap_or(base);
    base.len() < stem.len() && ends_like_a_backup(base)
}

impl Parts {
    /// Groups the parts among some names; the key tells whose parts they are.
    pub(crate) fn among<'n, K: Ord>(names: impl Iterator<Item = (K, &'n OsStr)>) -> Vec<Self> {
        let mut groups: BTreeMap<(K, Part), Self> = BTreeMap::new();
        for (index, (key, name)) in names.enumerate() {
            if let Some(mut part) = part(name) {
                let number = std::mem::take(&mut part.number);
                let style = part.style;
                let group = groups.entry((key, part)).or_default();
                group.found.insert(number, index);
                (group.is_lettered, group.width) = style;
            }
        }
        groups.into_values().collect()
    }

    /// What is said of one of them; `number` counts those that are there.
    pub(crate) fn told(&self, path: &str, number: usize) -> Foreign {
        let count = self.count();
        let place = number.saturating_add(1);
        let gap = match (self.has_first(), self.is_gapless()) {
            (false, _) => "; the first part is not here",
            (true, false) => "; parts between them are not here",
            (true, true) => "",
        };
        let what = format!("part {place} of {count} of a file that was split{gap}");
        let suffix = self.width;
        let class = if self.is_lettered { "[a-z]" } else { "[0-9]" };
        let stem = path
            .len()
            .checked_sub(suffix)
            .and_then(|end| path.get(..end));
        let pipe = format!(
            "cat {}{} | etcd-cat verify -",
            stem.filter(|stem| is_plain(stem)).unwrap_or("FILE"),
            class.repeat(suffix)
        );
        Foreign::new(
            ForeignKind::PartOfSplit,
            what,
            format!("put the parts together: {pipe}"),
        )
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Where they are in the list that was given, in their order.
    pub(crate) fn members(&self) -> impl Iterator<Item = usize> + '_ {
        self.found.values().copied()
    }

    /// The first one is there: `split` begins at 0, others at 1.
    pub(crate) fn has_first(&self) -> bool {
        self.found
            .first_key_value()
            .is_some_and(|(number, _)| *number <= 1)
    }

    /// None is missing between the first and the last that are there.
    pub(crate) fn is_gapless(&self) -> bool {
        let (Some((first, _)), Some((last, _))) =
            (self.found.first_key_value(), self.found.last_key_value())
        else {
            return false;
        };
        usize::try_from(last - first).is_ok_and(|steps| steps + 1 == self.found.len())
    }
}
