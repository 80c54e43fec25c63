//! JSON and YAML: the same document in two spellings.

use crate::args::Format;
use crate::error::{Failure, code};
use crate::output::text::is_unsafe;
use serde::Serialize;
use std::fmt::Write as _;

/// Renders `view` as JSON or YAML, with a final newline.
pub(crate) fn render(view: &impl Serialize, format: Format) -> Result<String, Failure> {
    if format == Format::Yaml {
        let yaml = yaml_serde::to_string(view).map_err(|error| Failure::new(code::IO, error))?;
        if !yaml
            .chars()
            .any(|character| character != '\n' && is_unsafe(character))
        {
            return Ok(yaml);
        }
        // YAML's plain texts cannot escape what reorders or hides characters. JSON can, and is YAML.
    }
    let json = serde_json::to_string_pretty(view).map_err(|error| Failure::new(code::IO, error))?;
    Ok(escape_rest(&json) + "\n")
}

/// Escapes what JSON allows in strings and a terminal would act upon; syntax is never affected.
pub(crate) fn escape_rest(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_unsafe(character) {
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_means_the_same_after_escaping() {
        let hostile = "a\u{1b}[0m \u{9b}2J \u{202e}x \u{e0001} \u{7f} \"\\ \u{e9}";
        let json = render(&hostile, Format::Json).expect("a string is a document");
        assert!(!json.trim_end().chars().any(is_unsafe), "{json:?}");
        let back: String = serde_json::from_str(&json).expect("JSON");
        assert_eq!(back, hostile);
    }

    #[test]
    fn yaml_means_the_same_and_is_inert() {
        for hostile in [
            "a\u{1b}[0m \u{9b}2J \u{7f} no: yes",
            "x\u{202e}y",
            "123456789012",
            "12345678e901",
            "0x1f",
            "no",
            "~",
        ] {
            let yaml = render(&hostile, Format::Yaml).expect("a string is a document");
            assert!(!yaml.trim_end().chars().any(is_unsafe), "{yaml:?}");
            let back: String = yaml_serde::from_str(&yaml).expect("YAML");
            assert_eq!(back, hostile);
            let untyped: serde_json::Value = yaml_serde::from_str(&yaml).expect("YAML");
            assert!(untyped.is_string(), "{yaml:?}");
        }
    }
}
