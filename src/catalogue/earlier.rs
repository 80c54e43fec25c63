//! Decodes what an earlier program wrote, where it knew fewer fields: those have their default value.
//!
//! The encoding is postcard's, which writes the fields of a struct one after the other. A struct whose field came later
//! is taken to end before that field, and `#[serde(default)]` does the rest.

use super::error::RecordError;
use postcard::de_flavors::Slice;
use serde::de::{
    DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer};

/// A field that records have had since some version of their table. It stands at the end of its struct.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AddedField {
    /// The first version with it.
    pub(crate) since: u8,
    /// The struct.
    pub(crate) structure: &'static str,
    /// The field.
    pub(crate) field: &'static str,
}

/// Decodes a whole value of this version.
pub(super) fn decode<T: DeserializeOwned>(
    version: u8,
    added: &'static [AddedField],
    value: &[u8],
) -> Result<T, RecordError> {
    let mut postcard = postcard::Deserializer::from_bytes(value);
    let mut earlier = Earlier {
        postcard: &mut postcard,
        version,
        added,
    };
    let decoded = T::deserialize(&mut earlier);
    whole(decoded.and_then(|value| Ok((value, postcard.finalize()?))))
}

/// The value, when there is nothing behind it.
pub(super) fn whole<T>(decoded: postcard::Result<(T, &[u8])>) -> Result<T, RecordError> {
    match decoded {
        Ok((value, [])) => Ok(value),
        Ok((_, more)) => Err(RecordError::Shape(format!("{} bytes too many", more.len()))),
        Err(error) => Err(RecordError::Shape(error.to_string())),
    }
}

/// Values one by one from postcard, and what holds values by the fields of the time.
struct Earlier<'p, 'de> {
    postcard: &'p mut postcard::Deserializer<'de, Slice<'de>>,
    version: u8,
    added: &'static [AddedField],
}

impl Earlier<'_, '_> {
    /// How many of the fields of a struct this version had.
    fn known(&self, structure: &str, fields: &[&str]) -> usize {
        let is_later = |field: &str| {
            self.added.iter().any(|added| {
                added.since > self.version && added.structure == structure && added.field == field
            })
        };
        fields.iter().take_while(|field| !is_later(field)).count()
    }
}

/// What holds no struct is read as ever.
macro_rules! as_ever {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> postcard::Result<V::Value> {
            self.postcard.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Earlier<'_, 'de> {
    type Error = postcard::Error;

    as_ever! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_unit deserialize_identifier deserialize_ignored_any
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> postcard::Result<V::Value> {
        match u8::deserialize(&mut *self.postcard)? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(postcard::Error::DeserializeBadOption),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> postcard::Result<V::Value> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> postcard::Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> postcard::Result<V::Value> {
        let left = u64::deserialize(&mut *self.postcard)?;
        visitor.visit_seq(Elements { from: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> postcard::Result<V::Value> {
        let left = crate::bytes::to_u64(length);
        visitor.visit_seq(Elements { from: self, left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> postcard::Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> postcard::Result<V::Value> {
        let left = u64::deserialize(&mut *self.postcard)?;
        visitor.visit_map(Elements { from: self, left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> postcard::Result<V::Value> {
        let known = self.known(name, fields);
        self.deserialize_tuple(known, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> postcard::Result<V::Value> {
        visitor.visit_enum(self)
    }
}

/// The values in something that holds several.
struct Elements<'e, 'p, 'de> {
    from: &'e mut Earlier<'p, 'de>,
    left: u64,
}

impl<'de> Elements<'_, '_, 'de> {
    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> postcard::Result<Option<S::Value>> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.from).map(Some)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, '_, 'de> {
    type Error = postcard::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> postcard::Result<Option<S::Value>> {
        self.next(seed)
    }
}

impl<'de> MapAccess<'de> for Elements<'_, '_, 'de> {
    type Error = postcard::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> postcard::Result<Option<S::Value>> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> postcard::Result<S::Value> {
        seed.deserialize(&mut *self.from)
    }
}

impl<'de> EnumAccess<'de> for &mut Earlier<'_, 'de> {
    type Error = postcard::Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> postcard::Result<(S::Value, Self)> {
        let variant = u32::deserialize(&mut *self.postcard)?;
        let variant = IntoDeserializer::<postcard::Error>::into_deserializer(variant);
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Earlier<'_, 'de> {
    type Error = postcard::Error;

    fn unit_variant(self) -> postcard::Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> postcard::Result<S::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> postcard::Result<V::Value> {
        self.deserialize_tuple(length, visitor)
    }

    /// Fields of variants are not added to: another variant is.
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> postcard::Result<V::Value> {
        self.deserialize_tuple(fields.len(), visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::{AddedField, RecordError, decode};
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    /// Names of structs are what counts: one in `then` is the one in `now` as it was.
    mod then {
        use super::{BTreeMap, DateTime, Serialize, Utc};

        #[derive(Serialize)]
        pub(super) struct Whole {
            pub(super) name: String,
            pub(super) parts: Vec<Part>,
            pub(super) by_name: BTreeMap<String, Part>,
            pub(super) kind: Kind,
            pub(super) kinds: Vec<Kind>,
            #[serde(with = "crate::instant")]
            pub(super) at: DateTime<Utc>,
        }

        #[derive(Clone, Serialize)]
        pub(super) struct Part {
            pub(super) number: i64,
            pub(super) digest: [u8; 3],
            pub(super) inner: Option<Box<Self>>,
        }

        #[derive(Clone, Serialize)]
        pub(super) enum Kind {
            Unit,
            Newtype(Part),
            Tuple(bool, u8),
            Struct { text: String, part: Option<Part> },
        }
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Whole {
        name: String,
        parts: Vec<Part>,
        by_name: BTreeMap<String, Part>,
        kind: Kind,
        kinds: Vec<Kind>,
        #[serde(with = "crate::instant")]
        at: DateTime<Utc>,
        #[serde(default)]
        note: Option<String>,
        #[serde(default)]
        parent: Option<Part>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Part {
        number: i64,
        digest: [u8; 3],
        inner: Option<Box<Self>>,
        #[serde(default)]
        size: u64,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    enum Kind {
        Unit,
        Newtype(Part),
        Tuple(bool, u8),
        Struct { text: String, part: Option<Part> },
    }

    const ADDED: &[AddedField] = &[
        AddedField {
            since: 2,
            structure: "Part",
            field: "size",
        },
        AddedField {
            since: 2,
            structure: "Whole",
            field: "note",
        },
        AddedField {
            since: 3,
            structure: "Whole",
            field: "parent",
        },
    ];

    fn part_then(number: i64) -> then::Part {
        then::Part {
            number,
            digest: [1, 2, 3],
            inner: None,
        }
    }

    fn part(number: i64) -> Part {
        Part {
            number,
            digest: [1, 2, 3],
            inner: None,
            size: 0,
        }
    }

    #[test]
    fn added_fields_have_their_default_however_deep_they_lie() {
        let outer = |inner| then::Part {
            inner: Some(Box::new(inner)),
            ..part_then(-7)
        };
        let text = "text".to_owned();
        let written = then::Whole {
            name: "name".to_owned(),
            parts: vec![part_then(1), outer(part_then(2))],
            by_name: BTreeMap::from([("a".to_owned(), part_then(3))]),
            kind: then::Kind::Newtype(part_then(4)),
            kinds: vec![
                then::Kind::Unit,
                then::Kind::Tuple(true, 255),
                then::Kind::Struct {
                    text: text.clone(),
                    part: Some(part_then(5)),
                },
            ],
            at: DateTime::UNIX_EPOCH,
        };
        let bytes = postcard::to_stdvec(&written).expect("plain values encode");
        let expected = Whole {
            name: "name".to_owned(),
            parts: vec![
                part(1),
                Part {
                    inner: Some(Box::new(part(2))),
                    ..part(-7)
                },
            ],
            by_name: BTreeMap::from([("a".to_owned(), part(3))]),
            kind: Kind::Newtype(part(4)),
            kinds: vec![
                Kind::Unit,
                Kind::Tuple(true, 255),
                Kind::Struct {
                    text,
                    part: Some(part(5)),
                },
            ],
            at: DateTime::UNIX_EPOCH,
            note: None,
            parent: None,
        };
        assert_eq!(decode(1, ADDED, &bytes), Ok(expected));
        assert!(decode::<Whole>(2, ADDED, &bytes).is_err());
    }

    #[test]
    fn a_version_has_the_fields_that_came_before_it() {
        type Second = (u8, Option<u8>);
        #[derive(Debug, Deserialize, PartialEq)]
        struct Whole {
            number: u8,
            #[serde(default)]
            note: Option<u8>,
            #[serde(default)]
            parent: Option<u8>,
        }
        let second: Second = (1, Some(2));
        let bytes = postcard::to_stdvec(&second).expect("plain values encode");
        let expected = Whole {
            number: 1,
            note: Some(2),
            parent: None,
        };
        assert_eq!(decode(2, ADDED, &bytes), Ok(expected));
    }

    #[test]
    fn no_cut_and_no_byte_too_many_goes_unnoticed() {
        let bytes = postcard::to_stdvec(&part_then(300)).expect("plain values encode");
        for length in 0..bytes.len() {
            let cut = bytes.get(..length).expect("shorter");
            assert!(decode::<Part>(1, ADDED, cut).is_err(), "{length} bytes");
        }
        let long = [bytes.as_slice(), &[0]].concat();
        assert_eq!(
            decode::<Part>(1, ADDED, &long),
            Err(RecordError::Shape("1 bytes too many".to_owned()))
        );
    }
}
