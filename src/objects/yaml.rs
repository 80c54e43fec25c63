//! YAML in block style, as `oc` prints it: two spaces a level, lists as far left as their name, texts without quotes
//! where nobody could take them for something else, and several lines as a literal block.

use super::character::is_plain;
use super::value::{Map, Value};
use std::fmt::Write as _;

/// Longest name that stands on one line with its value; YAML allows 1024 characters.
const MAX_NAME_BYTES: usize = 512;

/// One document, with a newline at its end.
pub fn print(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Map(map) if !map.is_empty() => write_map(&mut text, map, 0),
        Value::List(items) if !items.is_empty() => write_list(&mut text, items, 0),
        scalar => {
            write_scalar(&mut text, scalar, 0);
            text.push('\n');
        }
    }
    text
}

/// Writes entries at this indent; the first one stands where the text ends.
fn write_map(text: &mut String, map: &Map, indent: usize) {
    for (index, (name, value)) in map.iter().enumerate() {
        if index > 0 {
            spaces(text, indent);
        }
        write_name(text, name, indent);
        match value {
            Value::Map(map) if !map.is_empty() => {
                text.push('\n');
                spaces(text, indent + 2);
                write_map(text, map, indent + 2);
            }
            Value::List(items) if !items.is_empty() => {
                text.push('\n');
                spaces(text, indent);
                write_list(text, items, indent);
            }
            scalar => {
                text.push(' ');
                write_scalar(text, scalar, indent);
                text.push('\n');
            }
        }
    }
}

fn write_list(text: &mut String, items: &[Value], indent: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            spaces(text, indent);
        }
        text.push_str("- ");
        match item {
            Value::Map(map) if !map.is_empty() => write_map(text, map, indent + 2),
            Value::List(items) if !items.is_empty() => write_list(text, items, indent + 2),
            scalar => {
                write_scalar(text, scalar, indent);
                text.push('\n');
            }
        }
    }
}

fn write_name(text: &mut String, name: &str, indent: usize) {
    if name.len() > MAX_NAME_BYTES {
        text.push_str("? ");
        double_quoted(text, name);
        text.push('\n');
        spaces(text, indent);
    } else {
        write_line(text, name);
    }
    text.push(':');
}

/// `indent` is that of the line on which the value begins.
fn write_scalar(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(number),
        Value::Text(string) if is_block(string) => write_block(text, string, indent + 2),
        Value::Text(string) => write_line(text, string),
        Value::Masked(masked) => write_line(text, &masked.to_string()),
        Value::List(_) => text.push_str("[]"),
        Value::Map(_) => text.push_str("{}"),
    }
}

/// Several lines that can be seen as they are. A blank at the very end could not.
fn is_block(string: &str) -> bool {
    let is_shown = |character| is_plain(character) || matches!(character, '\n' | '\t');
    string.contains('\n') && string.chars().all(is_shown) && !string.ends_with([' ', '\t'])
}

fn write_block(text: &mut String, string: &str, indent: usize) {
    text.push('|');
    if string.starts_with([' ', '\n', '\t']) {
        // Where the text itself begins with blanks, the indent must be told.
        text.push('2');
    }
    let without = string.strip_suffix('\n');
    match without {
        None => text.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => text.push('+'),
        Some(_) => {}
    }
    for line in without.unwrap_or(string).split('\n') {
        text.push('\n');
        if !line.is_empty() {
            spaces(text, indent);
            text.push_str(line);
        }
    }
}

/// A text on one line: without quotes, in single ones, or in double ones with escapes.
fn write_line(text: &mut String, string: &str) {
    if !string.chars().all(is_plain) || is_other_type(string) {
        double_quoted(text, string);
    } else if needs_quotes(string) {
        let _ = write!(text, "'{}'", string.replace('\'', "''"));
    } else {
        text.push_str(string);
    }
}

fn double_quoted(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\x1B' => text.push_str("\\e"),
            plain if is_plain(plain) => text.push(plain),
            other => {
                let code = u32::from(other);
                // Writing into memory cannot fail.
                let _ = match code {
                    0..=0xFF => write!(text, "\\x{code:02X}"),
                    0x100..=0xFFFF => write!(text, "\\u{code:04X}"),
                    _ => write!(text, "\\U{code:08X}"),
                };
            }
        }
    }
    text.push('"');
}

/// Would it mean something else than a text of these characters?
fn needs_quotes(string: &str) -> bool {
    let mut characters = string.chars();
    let (first, second) = (
        characters.next().unwrap_or(' '),
        characters.next().unwrap_or(' '),
    );
    let is_sign = match first {
        '-' | '?' | ':' => second == ' ',
        ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
        | '@' | '`' | ' ' => true,
        _ => false,
    };
    is_sign
        || string.ends_with([' ', ':'])
        || string.contains(": ")
        || string.contains(" #")
        || string.starts_with("---")
        || string.starts_with("...")
}

/// Would YAML 1.1 or 1.2 read a null, a boolean, a number, a date or a merge?
fn is_other_type(string: &str) -> bool {
    const WORDS: [&str; 12] = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "<<", "=",
    ];
    string.is_empty()
        || WORDS.iter().any(|word| string.eq_ignore_ascii_case(word))
        || is_number(string)
        || is_date(string)
}

fn is_number(string: &str) -> bool {
    let digits = string.replace('_', "").to_ascii_lowercase();
    let digits = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
    if matches!(digits, ".inf" | ".nan") {
        return true;
    }
    let radix = |prefix, radix| {
        let digits = digits.strip_prefix(prefix).unwrap_or_default();
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    if radix("0x", 16) || radix("0o", 8) || radix("0b", 2) {
        return true;
    }
    let begins = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    begins && (digits.parse::<f64>().is_ok() || is_sexagesimal(digits))
}

/// Numbers to the base of 60, such as `12:30:00`, are YAML 1.1.
fn is_sexagesimal(digits: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let fraction = fraction.is_empty() || is_digits(fraction);
    whole.contains(':') && whole.split(':').all(is_digits) && fraction
}

/// `2025-01-31`, alone or with a time behind it.
fn is_date(string: &str) -> bool {
    let mut parts = string.splitn(3, '-');
    let mut digits = |least: usize, most: usize| {
        let part = parts.next().unwrap_or_default();
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let rest = part.get(digits..).unwrap_or_default();
        ((least..=most).contains(&digits), rest)
    };
    let (year, month, day) = (digits(4, 4), digits(1, 2), digits(1, 2));
    let is_time = day.1.is_empty() || day.1.starts_with(['T', 't', ' ', '\t']);
    year == (true, "") && month == (true, "") && day.0 && is_time
}

fn spaces(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use super::super::budget::Budget;
    use super::super::json;
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Value {
        json::parse(text.as_bytes(), &mut Budget::new(text.len())).expect("is JSON")
    }

    #[test]
    fn objects_look_as_oc_prints_them() {
        let object = parsed(
            r#"{"apiVersion":"v1","metadata":{"name":"a","labels":{}},"list":[{"a":1,"b":[]},[1,["x"]],"*"],
            "script":"a\nb\n","keep":"a\n\n","strip":" a\nb","empty":"","none":null}"#,
        );
        let expected = concat!(
            "apiVersion: v1\n",
            "metadata:\n",
            "  name: a\n",
            "  labels: {}\n",
            "list:\n",
            "- a: 1\n",
            "  b: []\n",
            "- - 1\n",
            "  - - x\n",
            "- '*'\n",
            "script: |\n",
            "  a\n",
            "  b\n",
            "keep: |+\n",
            "  a\n",
            "\n",
            "strip: |2-\n",
            "   a\n",
            "  b\n",
            "empty: \"\"\n",
            "none: null\n",
        );
        assert_eq!(print(&object), expected);
    }

    #[test]
    fn texts_that_look_like_something_else_are_quoted() {
        let line = |string: &str| {
            let mut text = String::new();
            write_line(&mut text, string);
            text
        };
        for string in [
            "true",
            "Yes",
            "n",
            "null",
            "~",
            "",
            "1",
            "-1.5e3",
            "0x1F",
            "1_000",
            ".5",
            "12:30",
            "2025-01-31",
            "2025-01-31T00:00:00Z",
            ".inf",
        ] {
            assert_eq!(line(string), format!("\"{string}\""));
        }
        for string in ["*", "a: b", "a #b", "- a", "{}", "@a", "a:", " a", "#"] {
            assert_eq!(line(string), format!("'{string}'"));
        }
        for string in [
            "4.17.3", "10.0.0.1", "--flag", "-a", "a:b", "a#b", "0a", "1h30m", "100m", "v1", "e1",
            "it's", "2025-01",
        ] {
            assert_eq!(line(string), string);
        }
        assert_eq!(
            line("\x1B[2J\u{9B}\u{202E}\u{E0041}"),
            "\"\\e[2J\\x9B\\u202E\\U000E0041\""
        );
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[-+.:0-9eExX_ #'\"|>\n\t\\[\\]{}!&*%@?,~]{0,8}",
            "[ \n]{0,2}[a-z \n]{0,12}[ \n]{0,2}",
        ]
    }

    proptest! {
        #[test]
        fn any_text_survives(string in texts()) {
            let mut map = Map::default();
            map.push(string.clone(), Value::Text(string.clone()));
            let list = Value::List(vec![Value::Text(string.clone())]);
            map.push("list of it".to_owned() + &string, list);
            let printed = print(&Value::Map(map));
            let read: std::collections::BTreeMap<String, yaml_serde::Value> =
                yaml_serde::from_str(&printed).map_err(|error| TestCaseError::fail(format!("{error}: {printed:?}")))?;
            let text = yaml_serde::Value::String(string.clone());
            prop_assert_eq!(read.get(&string), Some(&text), "{:?}", printed);
            let list = yaml_serde::Value::Sequence(vec![text]);
            prop_assert_eq!(read.get(&("list of it".to_owned() + &string)), Some(&list), "{:?}", printed);
        }
    }
}
