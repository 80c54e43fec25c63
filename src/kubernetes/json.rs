//! JSON objects, checked from the first byte to the last without being built: is the text well formed, and which object
//! does it say it is.
//!
//! A scan asks for every custom resource of a snapshot, so nothing is allocated but for texts nested deeper than any
//! real one. Stricter than Go's decoder in one thing, which no API server writes: bytes that are not UTF-8.
//!
//! Source: RFC 8259; Go `encoding/json` for the depth.

/// Levels of arrays and objects; Go's decoder, and so every API server, refuses more.
const MAX_DEPTH: usize = 10_000;

/// What a JSON object says it is. Texts are as they stand between the quotes; `None` where there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct JsonHead<'v> {
    /// `apiVersion`.
    pub(crate) api_version: Option<&'v [u8]>,
    /// `kind`.
    pub(crate) kind: Option<&'v [u8]>,
    /// `metadata.name`.
    pub(crate) name: Option<&'v [u8]>,
    /// `metadata.namespace`.
    pub(crate) namespace: Option<&'v [u8]>,
}

/// Why a text is no JSON object.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum JsonDefect {
    /// Anything but what may stand there.
    #[error("JSON is malformed at byte {at}")]
    Malformed {
        /// Bytes from the start of the value.
        at: usize,
    },
    /// The text ends too early.
    #[error("JSON ends inside a value")]
    Short,
    /// Deeper than any API server reads.
    #[error("JSON is nested more than {MAX_DEPTH} deep")]
    Deep,
    /// Bytes that no API server writes.
    #[error("JSON is not UTF-8 at byte {at}")]
    Utf8 {
        /// Bytes from the start of the value.
        at: usize,
    },
}

/// Checks a whole text, and tells what the object says it is.
///
/// # Errors
///
/// The first defect.
pub(crate) fn check(text: &[u8]) -> Result<JsonHead<'_>, JsonDefect> {
    let mut reader = JsonReader {
        text,
        rest: text,
        nesting: Nesting::default(),
        is_in_metadata: false,
        awaited: None,
        head: JsonHead::default(),
    };
    reader.skip_space();
    if reader.rest.first() != Some(&b'{') {
        return Err(reader.malformed());
    }
    reader.value()?;
    reader.skip_space();
    if !reader.rest.is_empty() {
        return Err(reader.malformed());
    }
    match std::str::from_utf8(text) {
        Ok(_) => Ok(reader.head),
        Err(error) => Err(JsonDefect::Utf8 {
            at: error.valid_up_to(),
        }),
    }
}

/// A field of the head whose value comes next.
#[derive(Clone, Copy)]
enum HeadField {
    ApiVersion,
    Kind,
    Name,
    Namespace,
}

struct JsonReader<'v> {
    text: &'v [u8],
    rest: &'v [u8],
    nesting: Nesting,
    is_in_metadata: bool,
    awaited: Option<HeadField>,
    head: JsonHead<'v>,
}

impl<'v> JsonReader<'v> {
    /// Reads a value with all that it holds.
    fn value(&mut self) -> Result<(), JsonDefect> {
        loop {
            if self.opens()? {
                continue;
            }
            if self.closes()? {
                return Ok(());
            }
        }
    }

    /// Reads a scalar, or the beginning of an array or object that is not empty; true for the latter: a value follows.
    fn opens(&mut self) -> Result<bool, JsonDefect> {
        self.skip_space();
        let Some((&first, rest)) = self.rest.split_first() else {
            return Err(JsonDefect::Short);
        };
        match first {
            b'"' => {
                self.rest = rest;
                let string = self.string()?;
                self.note(string);
            }
            b'{' => {
                self.rest = rest;
                self.awaited = None;
                self.nesting.push(Container::Object)?;
                self.skip_space();
                if self.rest.first() != Some(&b'}') {
                    return self.key().map(|()| true);
                }
            }
            b'[' => {
                self.rest = rest;
                self.awaited = None;
                self.nesting.push(Container::Array)?;
                self.skip_space();
                if self.rest.first() != Some(&b']') {
                    return Ok(true);
                }
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            _ => return Err(self.malformed()),
        }
        Ok(false)
    }

    /// Behind a value: ends what ends here; true when nothing is open any more, false when another value follows.
    fn closes(&mut self) -> Result<bool, JsonDefect> {
        self.awaited = None;
        loop {
            let Some(open) = self.nesting.top() else {
                return Ok(true);
            };
            self.skip_space();
            let Some((&next, rest)) = self.rest.split_first() else {
                return Err(JsonDefect::Short);
            };
            match (open, next) {
                (Container::Object, b'}') | (Container::Array, b']') => self.nesting.pop(),
                (Container::Array, b',') => {
                    self.rest = rest;
                    return Ok(false);
                }
                (Container::Object, b',') => {
                    self.rest = rest;
                    return self.key().map(|()| false);
                }
                _ => return Err(self.malformed()),
            }
            self.rest = rest;
        }
    }

    /// Reads a key and the colon behind it.
    fn key(&mut self) -> Result<(), JsonDefect> {
        self.skip_space();
        self.expect(b'"')?;
        let key = self.string()?;
        self.skip_space();
        self.expect(b':')?;
        match self.nesting.depth {
            1 => {
                self.is_in_metadata = key == b"metadata";
                self.awaited = match key {
                    b"apiVersion" => Some(HeadField::ApiVersion),
                    b"kind" => Some(HeadField::Kind),
                    _ => None,
                };
            }
            2 if self.is_in_metadata => {
                self.awaited = match key {
                    b"name" => Some(HeadField::Name),
                    b"namespace" => Some(HeadField::Namespace),
                    _ => None,
                };
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, string: &'v [u8]) {
        let field = match self.awaited {
            None => return,
            Some(HeadField::ApiVersion) => &mut self.head.api_version,
            Some(HeadField::Kind) => &mut self.head.kind,
            Some(HeadField::Name) => &mut self.head.name,
            Some(HeadField::Namespace) => &mut self.head.namespace,
        };
        *field = Some(string);
    }

    /// The text up to the closing quote; the opening one has been read.
    fn string(&mut self) -> Result<&'v [u8], JsonDefect> {
        let text = self.rest;
        loop {
            self.skip(plain_bytes(self.rest));
            let Some((&next, rest)) = self.rest.split_first() else {
                return Err(JsonDefect::Short);
            };
            match next {
                b'"' => {
                    let length = text.len() - self.rest.len();
                    self.rest = rest;
                    return Ok(text.get(..length).unwrap_or_default());
                }
                b'\\' => {
                    self.rest = rest;
                    self.escape()?;
                }
                _ => return Err(self.malformed()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), JsonDefect> {
        let Some((&next, rest)) = self.rest.split_first() else {
            return Err(JsonDefect::Short);
        };
        match (next, rest.split_first_chunk::<4>()) {
            (b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', _) => self.rest = rest,
            (b'u', Some((digits, rest))) if digits.iter().all(u8::is_ascii_hexdigit) => {
                self.rest = rest;
            }
            _ => return Err(self.malformed()),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonDefect> {
        self.skip_one_of(b"-");
        if !self.skip_one_of(b"0") {
            self.digits()?;
        }
        if self.skip_one_of(b".") {
            self.digits()?;
        }
        if self.skip_one_of(b"eE") {
            self.skip_one_of(b"+-");
            self.digits()?;
        }
        Ok(())
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Result<(), JsonDefect> {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        let digits = self.rest.iter().take_while(is_digit).count();
        if digits == 0 {
            return Err(self.malformed());
        }
        self.skip(digits);
        Ok(())
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), JsonDefect> {
        self.rest = self
            .rest
            .strip_prefix(literal)
            .ok_or_else(|| self.malformed())?;
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonDefect> {
        if self.skip_one_of(&[byte]) {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    /// Skips the next byte if it is one of these.
    #[inline]
    fn skip_one_of(&mut self, bytes: &[u8]) -> bool {
        let is_one = self.rest.first().is_some_and(|first| bytes.contains(first));
        if is_one {
            self.skip(1);
        }
        is_one
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some((b' ' | b'\n' | b'\t' | b'\r', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    #[inline]
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn malformed(&self) -> JsonDefect {
        if self.rest.is_empty() {
            return JsonDefect::Short;
        }
        JsonDefect::Malformed {
            at: self.text.len() - self.rest.len(),
        }
    }
}

/// Bytes before the first quote, backslash or control character: eight at a time.
#[inline]
fn plain_bytes(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The lowest bit that is set tells the first byte that is zero; higher ones may be wrong.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut rest = text;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let special = quotes | backslashes | controls;
        if special != 0 {
            let bytes = special.trailing_zeros() / 8;
            return text.len() - rest.len() + usize::try_from(bytes).unwrap_or_default();
        }
        rest = behind;
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    text.len() - rest.len() + rest.iter().take_while(is_plain).count()
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Container {
    Array,
    Object,
}

/// What is open, a bit for each level.
#[derive(Default)]
struct Nesting {
    depth: usize,
    /// The 64 levels or fewer on top.
    word: u64,
    /// All below them.
    words: Vec<u64>,
}

impl Nesting {
    #[inline]
    fn push(&mut self, container: Container) -> Result<(), JsonDefect> {
        if self.depth >= MAX_DEPTH {
            return Err(JsonDefect::Deep);
        }
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.words.push(self.word);
        }
        self.word = self.word << 1 | u64::from(container == Container::Object);
        self.depth += 1;
        Ok(())
    }

    #[inline]
    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.word >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.word = self.words.pop().unwrap_or_default();
        }
    }

    #[inline]
    fn top(&self) -> Option<Container> {
        if self.depth == 0 {
            None
        } else if self.word & 1 == 1 {
            Some(Container::Object)
        } else {
            Some(Container::Array)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{JsonDefect, JsonHead, MAX_DEPTH, check};
    use proptest::prelude::*;

    #[test]
    fn an_object_says_what_it_is() {
        let text = br#" { "kind" : "Widget", "status": {"kind": {"a": "no"}}, "spec": {"name": "no", "metadata": {"name": "no"}, "x": [1, {"kind": "no"}]},
            "metadata": {"labels": {"name": "no"}, "name": "w6", "namespace": "team-a"}, "apiVersion":"shop.example.com/v1"}
"#;
        let expected = JsonHead {
            api_version: Some(b"shop.example.com/v1"),
            kind: Some(b"Widget"),
            name: Some(b"w6"),
            namespace: Some(b"team-a"),
        };
        assert_eq!(check(text), Ok(expected));
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        let malformed = |at| JsonDefect::Malformed { at };
        let rows: [(&[u8], JsonDefect); 16] = [
            (b"", JsonDefect::Short),
            (b"[]", malformed(0)),
            (b"{", JsonDefect::Short),
            (b"{}}", malformed(2)),
            (b"{\"a\":1,}", malformed(7)),
            (b"{\"a\" 1}", malformed(5)),
            (b"{\"a\":[1,]}", malformed(8)),
            (b"{\"a\":01}", malformed(6)),
            (b"{\"a\":-}", malformed(6)),
            (b"{\"a\":1.}", malformed(7)),
            (b"{\"a\":tru}", malformed(5)),
            (b"{\"a\":\"\x1F\"}", malformed(6)),
            (b"{\"a\":\"\\x\"}", malformed(7)),
            (b"{\"a\":\"\\u12g4\"}", malformed(7)),
            (b"{\"a\":[1}", malformed(7)),
            (b"{\"a\":\"\xFF\"}", JsonDefect::Utf8 { at: 6 }),
        ];
        for (text, expected) in rows {
            assert_eq!(check(text), Err(expected), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn depth_has_an_end_and_costs_next_to_nothing() {
        let nested = |depth: usize| {
            let (open, close) = ("[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
            format!("{{\"a\":{open}1{close}}}")
        };
        assert!(check(nested(MAX_DEPTH - 2).as_bytes()).is_ok());
        for text in [nested(MAX_DEPTH + 2), "{\"a\":".repeat(1 << 20)] {
            assert_eq!(check(text.as_bytes()), Err(JsonDefect::Deep));
        }
    }

    /// A JSON text as serde_json writes it.
    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<f64>().prop_map(serde_json::Value::from),
            ".*".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
                prop::collection::btree_map(".{0,20}", inner, 0..8)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_agrees_with_another_reader(value in json(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)) {
            let mut text = serde_json::json!({"a": value}).to_string().into_bytes();
            for (index, byte) in flips {
                let length = text.len();
                if let Some(at) = text.get_mut(index.index(length)) {
                    *at = byte;
                }
            }
            // The other reader refuses numbers that no double holds; they are well formed all the same.
            let other = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&text);
            let is_out_of_range = other.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
            // It also refuses halves of surrogate pairs, of which Go makes replacement characters.
            let is_half = other.as_ref().is_err_and(|error| error.to_string().contains("surrogate") || error.to_string().contains("hex escape"));
            if !is_out_of_range && !is_half {
                prop_assert_eq!(check(&text).is_ok(), other.is_ok(), "{}", text.escape_ascii());
            }
        }

        #[test]
        fn any_bytes_end_without_panic(text: Vec<u8>) {
            let _ = check(&text);
        }
    }
}
