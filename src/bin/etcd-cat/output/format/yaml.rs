//! YAML: the document of JSON in another spelling.

use super::json;
use crate::output::text::is_unsafe;
use serde::Serialize;
use std::io::{self, Write};

pub(super) fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let yaml = yaml_serde::to_string(document).map_err(io::Error::other)?;
    let is_inert = |character: char| character == '\n' || !is_unsafe(character);
    if yaml.chars().all(is_inert) {
        return out.write_all(yaml.as_bytes());
    }
    // YAML's plain texts cannot escape what reorders or hides characters. JSON can, and is YAML.
    json::write(document, out)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut yaml = Vec::new();
            write(&hostile, &mut yaml).expect("a string is a document");
            let yaml = String::from_utf8(yaml).expect("UTF-8");
            assert!(!yaml.trim_end().chars().any(is_unsafe), "{yaml:?}");
            let back: String = yaml_serde::from_str(&yaml).expect("YAML");
            assert_eq!(back, hostile);
            let untyped: serde_json::Value = yaml_serde::from_str(&yaml).expect("YAML");
            assert!(untyped.is_string(), "{yaml:?}");
        }
    }
}
