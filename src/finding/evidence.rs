//! The place and the numbers of a finding.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::ops::Index;

/// One value of a finding's evidence.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Evidence {
    /// A name, a path, a key, a digest, an instant.
    Text(String),
    /// A count, a page id, a revision, an offset.
    Number(i64),
    /// Several names.
    List(Vec<String>),
}

impl From<&str> for Evidence {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Evidence {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Evidence {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Evidence {
    /// Numbers past `i64::MAX` (member ids, hostile page ids) are kept as text.
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or_else(|_| Self::Text(number.to_string()), Self::Number)
    }
}

impl From<u32> for Evidence {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<Vec<String>> for Evidence {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

/// Evidence by name, ascending. A list: a finding has a few, and a hundred thousand files have a few findings each.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EvidenceByName(Vec<(Cow<'static, str>, Evidence)>);

impl EvidenceByName {
    /// Sets what stands under a name.
    pub(crate) fn insert(&mut self, name: impl Into<Cow<'static, str>>, value: Evidence) {
        let name = name.into();
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(found) => {
                if let Some((_, known)) = self.0.get_mut(found) {
                    *known = value;
                }
            }
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (name, value));
            }
        }
    }

    /// What stands under a name.
    pub fn get(&self, name: &str) -> Option<&Evidence> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// True when something stands under a name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it, ascending by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Evidence)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl Index<&str> for EvidenceByName {
    type Output = Evidence;

    /// An empty list where nothing stands under the name.
    fn index(&self, name: &str) -> &Evidence {
        static NONE: Evidence = Evidence::List(Vec::new());
        self.get(name).unwrap_or(&NONE)
    }
}

impl Serialize for EvidenceByName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for EvidenceByName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = EvidenceByName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("evidence by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EvidenceByName, A::Error> {
                let mut evidence = EvidenceByName::default();
                while let Some((name, value)) = map.next_entry::<String, Evidence>()? {
                    evidence.insert(name, value);
                }
                Ok(evidence)
            }
        }
        deserializer.deserialize_map(ByName)
    }
}
