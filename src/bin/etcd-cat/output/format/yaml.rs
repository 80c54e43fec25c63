//! YAML: the document of JSON in another spelling.

use super::json;
use crate::output::text::is_unsafe;
use serde::Serialize;
use std::io::{self, Write};

/// Writes a document, made twice over so that it need not be kept: whether it may be shown is known only at its end.
pub(super) fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut look = Look::default();
    emit(document, &mut look)?;
    if look.is_inert() {
        return emit(document, out);
    }
    // YAML's plain texts cannot escape what reorders or hides characters. JSON can, and is YAML.
    json::write(document, out)
}

fn emit(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut telling = Telling { out, refused: None };
    let emitted = yaml_serde::to_writer(&mut telling, document);
    match telling.refused {
        Some(refused) => Err(refused),
        None => emitted.map_err(io::Error::other),
    }
}

/// Keeps why nothing more could be written: the emitter would make a text of it.
struct Telling<'w> {
    out: &'w mut dyn Write,
    refused: Option<io::Error>,
}

impl Write for Telling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.refused = Some(again(error));
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn again(error: &io::Error) -> io::Error {
    let system = error.raw_os_error().map(io::Error::from_raw_os_error);
    system.unwrap_or_else(|| io::Error::new(error.kind(), error.to_string()))
}

/// Looks at each character that is written, and keeps none.
#[derive(Default)]
struct Look {
    is_harmful: bool,
    /// The first bytes of a character whose others are still to come.
    begun: Vec<u8>,
}

impl Look {
    fn is_inert(&self) -> bool {
        !self.is_harmful && self.begun.is_empty()
    }
}

impl Write for Look {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(cut) => cut.valid_up_to(),
        };
        let begun = self.begun.split_off(whole);
        let text = String::from_utf8_lossy(&self.begun);
        self.is_harmful |= text
            .chars()
            .any(|character| character != '\n' && is_unsafe(character));
        self.begun = begun;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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

    #[test]
    fn a_harmful_character_is_found_wherever_the_emitter_cuts() {
        for length in (16_000..16_400).chain([0, 40_000]) {
            let text = format!("{}\u{202e}", "x".repeat(length));
            let mut yaml = Vec::new();
            write(&[text.as_str()], &mut yaml).expect("a list is a document");
            let yaml = String::from_utf8(yaml).expect("UTF-8");
            assert!(yaml.ends_with("\\u202e\"\n]\n"), "{length}");
            let plain = text.replace('\u{202e}', "\u{e9}");
            let mut yaml = Vec::new();
            write(&[plain.as_str()], &mut yaml).expect("a list is a document");
            let back: Vec<String> = yaml_serde::from_slice(&yaml).expect("YAML");
            assert_eq!(back, [plain]);
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_told_as_such() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = write(&["x"], &mut Gone).expect_err("nobody reads it");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
