//! Text that is safe to show: paths, names and messages may hold anything.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

/// A path or URL for documents: itself where it is UTF-8, else with each foreign byte as `\xNN`.
///
/// To stay unambiguous, a path that holds `\x` itself has its backslashes doubled; no other path is changed.
pub(crate) fn path(path: impl AsRef<OsStr>) -> String {
    let path = path.as_ref();
    match path.to_str() {
        Some(text) if !text.contains("\\x") => text.to_owned(),
        _ => escaped(path.as_bytes()),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Text for a terminal: on one line, and without anything that a terminal would act upon.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    // Nearly every text: told without a look at each character's meaning, and many bytes at a time.
    let is_plain = text.bytes().fold(true, |is_plain, byte| {
        is_plain & matches!(byte, b' '..=b'~')
    });
    if is_plain || !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other if is_unsafe(other) => {
                let code = u32::from(other);
                let _ = if code < 0x100 {
                    write!(shown, "\\x{code:02x}")
                } else {
                    write!(shown, "\\u{{{code:x}}}")
                };
            }
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

/// A path or URL for a terminal.
pub(crate) fn safe_path(path: impl AsRef<OsStr>) -> String {
    safe(&self::path(path)).into_owned()
}

/// Control characters, and those that reorder or hide what stands beside them.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0x00ad | 0x061c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfe00..=0xfe0f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_changed_only_when_it_must_be_and_never_ambiguously() {
        let cases: [(&[u8], &str); 5] = [
            (b"/b/snapshot.db", "/b/snapshot.db"),
            ("/b/\u{e9}t\u{e9}.db".as_bytes(), "/b/\u{e9}t\u{e9}.db"),
            (b"/b/a\\b", "/b/a\\b"),
            (b"/b/\xff\\.db", "/b/\\xff\\\\.db"),
            (b"/b/\\xff.db", "/b/\\\\xff.db"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(path(OsStr::from_bytes(bytes)), expected);
        }
    }

    #[test]
    fn nothing_that_a_terminal_acts_upon_gets_through() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a\u{1b}[2Jb", "a\\x1b[2Jb"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
            ("a\u{9b}31m", "a\\x9b31m"),
            ("gpj\u{202e}bd.", "gpj\\u{202e}bd."),
            ("a\u{0}b\u{7f}", "a\\x00b\\x7f"),
        ] {
            assert_eq!(safe(text), expected);
        }
    }
}
