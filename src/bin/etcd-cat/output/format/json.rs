//! JSON that may be shown on any terminal.

use crate::output::text::is_unsafe;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use serde_json::value::RawValue;
use std::io::{self, Write};

/// Of most backups.
const RENDERED_BYTES: usize = 8 << 10;

/// Writes a document on lines of its own.
pub(super) fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serialize(document, PrettyFormatter::new(), out)
}

/// Writes a document as one line.
pub(crate) fn write_line(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serialize(document, CompactFormatter, out)
}

/// Things of a list as they stand in a document, `depth` lists and maps deep. Each may cost milliseconds: whoever has
/// thousands renders them on several threads.
pub(crate) fn rendered(thing: &impl Serialize, depth: usize) -> io::Result<Box<RawValue>> {
    let mut formatter = Inert(PrettyFormatter::new());
    for _ in 0..depth {
        formatter.begin_object(&mut io::sink())?;
    }
    let mut text = Vec::with_capacity(RENDERED_BYTES);
    thing.serialize(&mut serde_json::Serializer::with_formatter(
        &mut text, formatter,
    ))?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    Ok(RawValue::from_string(text)?)
}

fn serialize(
    document: &impl Serialize,
    formatter: impl Formatter,
    mut out: &mut dyn Write,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Inert(formatter));
    document.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Escapes also what JSON allows in strings and a terminal would act upon.
struct Inert<F>(F);

impl<F: Formatter> Formatter for Inert<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly every text: told without asking for each character's meaning.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return writer.write_all(fragment.as_bytes());
        }
        for part in fragment.split_inclusive(is_unsafe) {
            let last = part.chars().next_back().filter(|last| is_unsafe(*last));
            let plain = last.map_or(part, |last| part.strip_suffix(last).unwrap_or(part));
            writer.write_all(plain.as_bytes())?;
            let mut units = [0_u16; 2];
            let units = last.map(|last| last.encode_utf16(&mut units));
            for unit in units.into_iter().flatten() {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const HOSTILE: &str =
        "a\u{1b}[0m \u{9b}2J \u{202e}x \u{e0001} \u{7f}\u{7f} \"\\ \u{e9}\n\u{feff}";

    #[test]
    fn json_means_the_same_after_escaping() {
        let document = BTreeMap::from([(HOSTILE, vec![HOSTILE, ""])]);
        for write in [write, write_line] {
            let mut json = Vec::new();
            write(&document, &mut json).expect("a map is a document");
            let json = String::from_utf8(json).expect("UTF-8");
            let is_bad = |character: char| character != '\n' && is_unsafe(character);
            assert!(!json.chars().any(is_bad), "{json:?}");
            let back: BTreeMap<String, Vec<String>> = serde_json::from_str(&json).expect("JSON");
            let expected =
                BTreeMap::from([(HOSTILE.to_owned(), vec![HOSTILE.to_owned(), String::new()])]);
            assert_eq!(back, expected);
        }
    }

    #[test]
    fn nothing_else_is_changed() {
        let document =
            serde_json::json!({"a": [1, {"b": null, "c": "\u{e9}\t\\"}], "d": {}, "e": []});
        let mut json = Vec::new();
        write(&document, &mut json).expect("a document");
        let expected = serde_json::to_string_pretty(&document).expect("a document") + "\n";
        assert_eq!(String::from_utf8(json).expect("UTF-8"), expected);
    }
}
