//! What a text may ask of a parser: looked at before the parser sees it, in one pass over the bytes.
//!
//! A parser keeps some hundred bytes for every mark, and YAML has ways to take more than the text pays for: an alias is
//! a copy of what its anchor names, and every open bracket and every directive is looked at again and again.

use super::text_error::TextError;
use std::collections::BTreeSet;

/// Commas, colons, brackets, list items and lines. A kube-apiserver's manifest has some two thousand.
pub(super) const MAX_MARKS: usize = 50_000;
/// Deepest flow nesting that the YAML parser is given: it looks at every open bracket for every token. Manifests nest
/// some twenty deep, and scripts in them hold a few loose ones.
pub(super) const MAX_BRACKETS: usize = 100;
/// Lines that begin with a percent sign. Kubernetes writes none.
const MAX_DIRECTIVES: usize = 8;

/// Is the text one that a parser of JSON can be given?
pub(super) fn check(text: &str) -> Result<(), TextError> {
    let mut marks = 0_usize;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let is_mark = match byte {
            b'[' | b']' | b'{' | b'}' | b',' | b':' | b'?' | b'\n' | b'\r' => true,
            b'-' => bytes.peek().is_none_or(u8::is_ascii_whitespace),
            _ => false,
        };
        marks += usize::from(is_mark);
    }
    if marks > MAX_MARKS {
        return Err(TextError::Marks);
    }
    Ok(())
}

/// Is it one that a parser of YAML can be given, too?
pub(super) fn check_yaml(text: &str) -> Result<(), TextError> {
    if max_open_brackets(text) > MAX_BRACKETS || directives(text) > MAX_DIRECTIVES {
        return Err(TextError::Nesting);
    }
    if names_after(text, b'*')
        .intersection(&names_after(text, b'&'))
        .next()
        .is_some()
    {
        return Err(TextError::Alias);
    }
    Ok(())
}

fn max_open_brackets(text: &str) -> usize {
    let mut open = 0_usize;
    let mut most = 0;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

fn directives(text: &str) -> usize {
    text.split(['\n', '\r'])
        .filter(|line| line.starts_with('%'))
        .count()
}

/// What an anchor or an alias may be called, behind every such sign wherever it stands: scripts hold both signs, but
/// not before one and the same word.
fn names_after(text: &str, sign: u8) -> BTreeSet<&[u8]> {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let parts = text.as_bytes().split(move |&byte| byte == sign).skip(1);
    parts
        .map(|part| {
            let length = part.iter().take_while(|byte| is_of_name(byte)).count();
            part.get(..length).unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_BRACKETS, MAX_MARKS, check, check_yaml};
    use crate::kubernetes::text_error::TextError;

    #[test]
    fn scripts_and_globs_are_no_aliases() {
        let sound = [
            "args: [a && b & c, '*.crt', x*y, **]\n",
            "run: |\n  sleep 1 & wait *foo >&2\n",
            "kept: &anchor value\n",
            "a: 100%\nb: '%d'\n",
        ];
        for text in sound {
            assert_eq!(check_yaml(text), Ok(()), "{text}");
        }
        let repeating = [
            "a: &x [b]\nc: *x\n",
            "[&x a,*x]",
            "{? &x-1 a : ?*x-1 }",
            "- *later\n- &later b\n",
        ];
        for text in repeating {
            assert_eq!(check_yaml(text), Err(TextError::Alias), "{text}");
        }
    }

    #[test]
    fn what_a_parser_would_be_long_at_is_refused() {
        let over = |mark: &str| mark.repeat(MAX_MARKS + 1);
        for mark in ["[", "{},", "\n", "\r", "- ", "? ", ":", ","] {
            assert_eq!(check(&over(mark)), Err(TextError::Marks), "{mark:?}");
        }
        assert_eq!(check(&"x-".repeat(1 << 20)), Ok(()));
        let deep = "[".repeat(MAX_BRACKETS + 1);
        assert_eq!(check_yaml(&deep), Err(TextError::Nesting));
        let directives = "%TAG ! a\n".repeat(9);
        assert_eq!(check_yaml(&directives), Err(TextError::Nesting));
    }
}
