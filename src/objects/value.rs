//! A value with named fields in the order of the API, numbers as they were written.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// A value that is not to be seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Masked {
    /// Its length.
    pub size_bytes: usize,
    /// Equal values have equal numbers, different ones different numbers; in the order of appearance, from 1.
    pub number: usize,
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size_bytes, number } = self;
        let s = if *size_bytes == 1 { "" } else { "s" };
        write!(f, "<masked #{number}: {size_bytes} byte{s}>")
    }
}

/// A JSON value. Numbers keep their digits: no detour through `f64` rounds one.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as JSON spells it.
    Number(Box<str>),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Self>),
    /// Named values in order.
    Map(Map),
    /// A value that is not to be seen.
    Masked(Masked),
}

impl Value {
    /// An integer.
    pub fn integer(number: impl Into<i128>) -> Self {
        Self::Number(number.into().to_string().into())
    }

    /// The text; `None` for any other kind of value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The named values; `None` for any other kind of value.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The named values, to change them.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The values of a list; none for any other kind of value.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The values of a list, to change them.
    pub fn items_mut(&mut self) -> &mut [Self] {
        match self {
            Self::List(items) => items,
            _ => &mut [],
        }
    }

    /// The value at the end of a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |value, name| value.as_map()?.get(name))
    }

    /// The value at the end of a path of names, to change it.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter()
            .try_fold(self, |value, name| value.as_map_mut()?.get_mut(name))
    }
}

impl fmt::Debug for Value {
    /// Shape alone: any text may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(_) => f.write_str("a boolean"),
            Self::Number(_) => f.write_str("a number"),
            Self::Text(text) => write!(f, "a text of {} bytes", text.len()),
            Self::List(items) => write!(f, "a list of {}", items.len()),
            Self::Map(map) => map.fmt(f),
            Self::Masked(masked) => masked.fmt(f),
        }
    }
}

/// Name of a field: mostly out of the table.
pub(super) type Name = Cow<'static, str>;

/// Named values in order.
#[derive(Clone, Default, PartialEq)]
pub struct Map(Vec<(Name, Value)>);

impl Map {
    /// The value with this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut entries = self.0.iter();
        entries.find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The value with this name, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let mut entries = self.0.iter_mut();
        entries.find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The text with this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// Puts a value in the place of the one with this name, or at the end.
    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: Value) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(own) => *own = value,
            None => self.0.push((name, value)),
        }
    }

    /// Puts a value at the end; the caller knows that the name is new.
    pub(super) fn push(&mut self, name: impl Into<Cow<'static, str>>, value: Value) {
        self.0.push((name.into(), value));
    }

    /// Puts a value behind the first `position` ones.
    pub(super) fn insert(&mut self, position: usize, name: &'static str, value: Value) {
        let position = position.min(self.0.len());
        self.0.insert(position, (name.into(), value));
    }

    /// Takes the value with this name out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let position = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.remove(position).1)
    }

    /// Keeps the entries that are wanted.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|(name, value)| is_wanted(name, value));
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Names and values in order, to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.0.iter_mut().map(|(name, value)| {
            let name: &Name = name;
            (name.as_ref(), value)
        })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sorts by a key of the names; entries with equal keys keep their order.
    pub(super) fn sort_by_key(&mut self, key: impl Fn(&str) -> usize) {
        self.0.sort_by_key(|(name, _)| key(name));
    }

    /// Of several entries with one name the last one stays where it is, as readers in Go have it.
    pub(super) fn keep_last(&mut self) {
        let mut names = HashSet::with_capacity(self.0.len());
        let is_last: Vec<bool> = self
            .0
            .iter()
            .rev()
            .map(|(name, _)| names.insert(name))
            .collect();
        if is_last.contains(&false) {
            let mut is_last = is_last.into_iter().rev();
            self.0.retain(|_| is_last.next().unwrap_or(true));
        }
    }

    /// Sorts by name; of several entries with one name the last one stays, as in a map of Go.
    pub(super) fn sort(&mut self) {
        self.0.reverse();
        self.0.sort_by(|left, right| left.0.cmp(&right.0));
        self.0.dedup_by(|later, first| later.0 == first.0);
    }
}

impl FromIterator<(Name, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl fmt::Debug for Map {
    /// Names are no secret, values may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|(name, _)| name);
        f.write_str("map of ")?;
        f.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_keep_their_order() {
        let mut map = Map::default();
        map.set("b", Value::Null);
        map.set("a", Value::integer(1));
        map.set("b", Value::integer(2));
        let names: Vec<&str> = map.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(map.get("b"), Some(&Value::integer(2)));
    }

    #[test]
    fn of_equal_names_the_last_value_stays_when_sorted() {
        let mut map = Map::default();
        for (name, number) in [("b", 1), ("a", 2), ("b", 3)] {
            map.push(name, Value::integer(number));
        }
        map.sort();
        let sorted: Vec<_> = map
            .iter()
            .map(|(name, value)| (name, value.clone()))
            .collect();
        assert_eq!(sorted, [("a", Value::integer(2)), ("b", Value::integer(3))]);
    }

    #[test]
    fn of_equal_names_the_last_value_stays() {
        let mut map = Map::default();
        for (name, number) in [("b", 1), ("a", 2), ("b", 3)] {
            map.push(name, Value::integer(number));
        }
        map.keep_last();
        let kept: Vec<_> = map
            .iter()
            .map(|(name, value)| (name, value.clone()))
            .collect();
        assert_eq!(kept, [("a", Value::integer(2)), ("b", Value::integer(3))]);
    }

    #[test]
    fn debug_tells_no_value() {
        let mut map = Map::default();
        map.set("password", Value::Text("hunter2".to_owned()));
        assert_eq!(format!("{map:?}"), "map of [\"password\"]");
        assert_eq!(
            format!("{:?}", map.get("password")),
            "Some(a text of 7 bytes)"
        );
    }
}
