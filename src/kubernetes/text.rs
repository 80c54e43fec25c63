//! JSON and YAML texts as Kubernetes writes them into files: read leniently, and silent about what they hold.
//!
//! Pod manifests are one-line JSON, in old releases YAML; configuration files are either. A parser's own error text
//! repeats values, which may be secret, so only the position is kept.

use super::text_budget;
pub(crate) use super::text_error::TextError;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, Visitor};
use std::fmt;

/// Reads one JSON or YAML document. A UTF-8 byte order mark is passed over.
///
/// # Errors
///
/// It is not UTF-8, neither JSON nor YAML, of another shape than `T`, or asks more of a parser than any real one.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, TextError> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| TextError::Encoding {
        offset: error.valid_up_to(),
    })?;
    text_budget::check(text)?;
    if !text.trim_start().starts_with('{') {
        return yaml(text);
    }
    match serde_json::from_str(text) {
        Ok(document) => Ok(document),
        // YAML's flow mappings also begin with a brace and need no quotes.
        Err(error) if error.is_syntax() => yaml(text),
        Err(error) => Err(TextError::Shape {
            line: error.line(),
            column: error.column(),
        }),
    }
}

fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, TextError> {
    text_budget::check_yaml(text)?;
    yaml_serde::from_str(text).map_err(|error| match error.location() {
        Some(place) => TextError::Shape {
            line: place.line(),
            column: place.column(),
        },
        None => TextError::Unplaced,
    })
}

/// A scalar as text: YAML takes an unquoted `7` for a number where Kubernetes means a text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Scalar(pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyScalar;
        impl Visitor<'_> for AnyScalar {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a scalar")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_string<E: Error>(self, text: String) -> Result<Scalar, E> {
                Ok(Scalar(text))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_bool<E: Error>(self, truth: bool) -> Result<Scalar, E> {
                Ok(Scalar(truth.to_string()))
            }
            fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::default())
            }
        }
        deserializer.deserialize_any(AnyScalar)
    }
}

/// One text or a list of them: how command-line arguments stand in configuration files.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum OneOrManyText {
            Many(Vec<Scalar>),
            One(Scalar),
        }
        Ok(match OneOrManyText::deserialize(deserializer)? {
            OneOrManyText::Many(list) => Self(list.into_iter().map(|scalar| scalar.0).collect()),
            OneOrManyText::One(scalar) => Self(vec![scalar.0]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_and_lists_are_read_in_all_their_spellings() {
        let rows = [
            ("[a, 1, true]", vec!["a", "1", "true"]),
            ("x", vec!["x"]),
            ("{\"a\": 1}", vec![]),
        ];
        for (text, expected) in rows {
            let found = parse::<OneOrMany>(text.as_bytes()).map(|list| list.0);
            match found {
                Ok(list) => assert_eq!(list, expected, "{text}"),
                Err(_) => assert!(expected.is_empty(), "{text}"),
            }
        }
    }

    #[test]
    fn deep_and_repeating_texts_end_soon() {
        let bomb: String = (0..30).fold("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, n| {
            let alias = format!("*a{n},").repeat(10);
            format!("{text}a{}: &a{} [{alias}]\n", n + 1, n + 1)
        });
        let texts = [
            "[".repeat(1 << 20),
            "{".repeat(1 << 20),
            "- ".repeat(1 << 20),
            "? ".repeat(1 << 20),
            bomb,
        ];
        for text in texts {
            let started = std::time::Instant::now();
            let _ =
                parse::<std::collections::BTreeMap<String, serde::de::IgnoredAny>>(text.as_bytes());
            assert!(
                started.elapsed().as_secs() < 5,
                "{}",
                text.get(..10).unwrap_or_default()
            );
        }
    }
}
