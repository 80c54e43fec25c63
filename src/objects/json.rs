//! JSON in and out: order and digits stay as they are, depth is bounded, and what a terminal would obey is escaped.
//!
//! The usual crates turn numbers into `f64` or sort names; API servers store numbers beyond 2^53 in custom resources.

use super::budget::Budget;
use super::character::is_plain;
use super::defect::{DecodeDefect, DecodeError};
use super::value::{Map, Value};
use std::fmt::Write as _;

/// Spaces of one level: those of `oc get -o json`.
const INDENT: usize = 4;

/// Reads one JSON text, such as an API server's answer.
///
/// # Errors
///
/// It is malformed, nests too deep, or is followed by something.
pub fn read(text: &[u8]) -> Result<Value, DecodeError> {
    parse(text, &mut Budget::new(text.len()))
}

/// Reads one JSON text, and nothing behind it.
pub(super) fn parse(text: &[u8], budget: &mut Budget) -> Result<Value, DecodeError> {
    let mut parser = Parser { text, offset: 0 };
    let value = parser.value(budget)?;
    parser.skip_space();
    if parser.offset < text.len() {
        return Err(parser.defect());
    }
    Ok(value)
}

struct Parser<'t> {
    text: &'t [u8],
    offset: usize,
}

impl<'t> Parser<'t> {
    fn value(&mut self, budget: &mut Budget) -> Result<Value, DecodeError> {
        budget.spend()?;
        self.skip_space();
        match self.peek() {
            Some(b'{') => budget.descend(|budget| self.map(budget)),
            Some(b'[') => budget.descend(|budget| self.list(budget)),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'n') => self.word(b"null", Value::Null),
            _ => Err(self.defect()),
        }
    }

    fn map(&mut self, budget: &mut Budget) -> Result<Value, DecodeError> {
        let mut map = Map::default();
        self.offset += 1;
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Map(map));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            let value = self.value(budget).map_err(|error| error.below(&name))?;
            map.push(name, value);
            self.skip_space();
            if self.take(b'}') {
                map.keep_last();
                return Ok(Value::Map(map));
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self, budget: &mut Budget) -> Result<Value, DecodeError> {
        let mut items = Vec::new();
        self.offset += 1;
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            let index = items.len();
            let item = self
                .value(budget)
                .map_err(|error| error.below_item(index))?;
            items.push(item);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<String, DecodeError> {
        self.expect(b'"')?;
        let mut string = String::new();
        loop {
            string.push_str(self.unescaped()?);
            if self.take(b'"') {
                return Ok(string);
            }
            self.expect(b'\\')?;
            string.push(self.escape()?);
        }
    }

    /// Text up to the next quote, backslash or control character.
    fn unescaped(&mut self) -> Result<&'t str, DecodeError> {
        let rest = self.rest();
        let is_end = |&byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
        let end = rest.iter().position(is_end).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        let text = std::str::from_utf8(text).map_err(|_| DecodeDefect::Utf8)?;
        self.offset += end;
        Ok(text)
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, DecodeError> {
        let letter = self.peek().ok_or_else(|| self.defect())?;
        self.offset += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\x08',
            b'f' => '\x0C',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return Err(self.defect()),
        })
    }

    /// Four hex digits, or twice four for a character beyond the first plane. Half a pair is U+FFFD, as in Go.
    fn unicode(&mut self) -> Result<char, DecodeError> {
        let first = self.hex()?;
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let behind_first = self.offset;
        if self.take(b'\\') && self.take(b'u') {
            let second = self.hex()?;
            if (0xDC00..0xE000).contains(&second) {
                let scalar = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.offset = behind_first;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, DecodeError> {
        let digits = self.rest().get(..4).unwrap_or_default();
        let is_hex = digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
        let digits = std::str::from_utf8(digits).ok().filter(|_| is_hex);
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let number = number.ok_or_else(|| self.defect())?;
        self.offset += 4;
        Ok(number)
    }

    /// Sign, digits, fraction, exponent: kept as they are.
    fn number(&mut self) -> Result<Value, DecodeError> {
        let start = self.offset;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let number = self.text.get(start..self.offset).unwrap_or_default();
        let number = std::str::from_utf8(number).map_err(|_| DecodeDefect::Utf8)?;
        Ok(Value::Number(number.into()))
    }

    fn digits(&mut self) -> Result<(), DecodeError> {
        let rest = self.rest().iter();
        let digits = rest.take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Err(self.defect());
        }
        self.offset += digits;
        Ok(())
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, DecodeError> {
        if !self.rest().starts_with(word) {
            return Err(self.defect());
        }
        self.offset += word.len();
        Ok(value)
    }

    fn skip_space(&mut self) {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.offset += self.rest().iter().take_while(is_space).count();
    }

    fn expect(&mut self, byte: u8) -> Result<(), DecodeError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.defect())
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.offset += usize::from(is_next);
        is_next
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.offset).copied()
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn defect(&self) -> DecodeError {
        let offset = self.offset;
        DecodeDefect::Json { offset }.into()
    }
}

/// One document over several lines, without a newline at its end.
pub fn print(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, Some(0));
    text
}

/// One document on one line.
pub fn print_line(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value, None);
    text
}

/// `depth` is that of the value; `None` keeps everything on one line.
fn write_value(text: &mut String, value: &Value, depth: Option<usize>) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(number),
        Value::Text(string) => quote(text, string),
        Value::Masked(masked) => quote(text, &masked.to_string()),
        Value::List(items) => {
            let items = items.iter().map(|item| (None, item));
            write_all(text, ['[', ']'], items, depth);
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(name, value)| (Some(name), value));
            write_all(text, ['{', '}'], entries, depth);
        }
    }
}

fn write_all<'v>(
    text: &mut String,
    [open, close]: [char; 2],
    entries: impl Iterator<Item = (Option<&'v str>, &'v Value)>,
    depth: Option<usize>,
) {
    let inner = depth.map(|depth| depth + 1);
    text.push(open);
    let mut is_empty = true;
    for (name, value) in entries {
        if !is_empty {
            text.push(',');
        }
        is_empty = false;
        new_line(text, inner);
        if let Some(name) = name {
            quote(text, name);
            text.push(':');
            if depth.is_some() {
                text.push(' ');
            }
        }
        write_value(text, value, inner);
    }
    if !is_empty {
        new_line(text, depth);
    }
    text.push(close);
}

fn new_line(text: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', depth * INDENT));
    }
}

/// Writes a text in quotes; only ASCII and plain characters come out.
pub(super) fn quote(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            plain if is_plain(plain) => text.push(plain),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing into memory cannot fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::super::budget::MAX_DEPTH;
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Result<Value, DecodeDefect> {
        let mut budget = Budget::new(text.len());
        parse(text.as_bytes(), &mut budget).map_err(|error| error.defect)
    }

    fn printed(text: &str) -> Result<String, DecodeDefect> {
        parsed(text).map(|value| print_line(&value))
    }

    #[test]
    fn order_and_digits_stay_as_they_are() {
        for text in [
            r#"{"b":1,"a":[true,false,null],"c":{}}"#,
            "123456789012345678901234567890",
            "-0.10e+05",
            r#"["","x y"]"#,
            "[]",
        ] {
            assert_eq!(printed(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn escapes_are_read_and_what_a_terminal_obeys_is_escaped() {
        assert_eq!(
            parsed(r#""\u0041\n\/\ud83d\ude00\ud83dx""#),
            Ok(Value::Text("A\n/\u{1F600}\u{FFFD}x".to_owned()))
        );
        assert_eq!(
            printed("\"\u{9B}2J\u{202E}\u{10FFFF}\"").as_deref(),
            Ok(r#""\u009b2J\u202e\udbff\udfff""#)
        );
    }

    #[test]
    fn of_equal_names_the_last_counts() {
        assert_eq!(
            printed(r#"{"a":1,"b":2,"a":3}"#).as_deref(),
            Ok(r#"{"b":2,"a":3}"#)
        );
    }

    #[test]
    fn malformed_texts_are_refused_at_their_place() {
        for (text, offset) in [
            ("", 0),
            ("{", 1),
            ("[1,]", 3),
            ("01", 1),
            ("1.", 2),
            ("\"\x1B\"", 1),
            ("\"\\x\"", 3),
            ("nul", 0),
            ("{} x", 3),
            ("{\"a\" 1}", 5),
        ] {
            assert_eq!(parsed(text), Err(DecodeDefect::Json { offset }), "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parsed(&deep(MAX_DEPTH)).is_ok());
        let refused = Err(DecodeDefect::Depth { limit: MAX_DEPTH });
        assert_eq!(parsed(&deep(MAX_DEPTH + 1)), refused);
        assert_eq!(parsed(&"[".repeat(1 << 20)), refused);
    }

    #[test]
    fn several_lines_are_indented_as_oc_does() {
        let value = parsed(r#"{"a":[1,{}],"b":{"c":[]}}"#).expect("is JSON");
        let expected = "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": {\n        \"c\": []\n    }\n}";
        assert_eq!(print(&value), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_end_without_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes, &mut Budget::new(bytes.len()));
        }

        #[test]
        fn any_text_survives(text: String) {
            let mut quoted = String::new();
            quote(&mut quoted, &text);
            prop_assert_eq!(parsed(&quoted), Ok(Value::Text(text.clone())));
            let other: String = serde_json::from_str(&quoted).expect("is JSON");
            prop_assert_eq!(other, text);
        }
    }
}
