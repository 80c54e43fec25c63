//! Text that was saved in the place of an object: what a server or a tool said instead of giving it, or where it is.
//!
//! What is told of it are known words alone: a text may hold secrets.

use super::recognised::{Foreign, ForeignKind};
use crate::bytes::to_u64;

/// Bytes looked at.
const LOOKED_AT: usize = 4096;
/// Of an error's name.
const MAX_NAME: usize = 40;

pub(super) fn recognise(head: &[u8]) -> Option<Foreign> {
    let head = head.get(..LOOKED_AT).unwrap_or(head);
    let text = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    pointer(text)
        .or_else(|| answer(text))
        .or_else(|| is_text(text).then(words))
}

/// Of programs that keep large files elsewhere.
fn pointer(text: &[u8]) -> Option<Foreign> {
    let is = |what: &str, remedy: &str| Some(Foreign::new(ForeignKind::Pointer, what, remedy));
    if text.starts_with(b"version https://git-lfs.github.com/spec/") {
        let size =
            field(text, b"\nsize ").map_or_else(String::new, |size| format!(" of {size} bytes"));
        return is(
            &format!("a Git LFS pointer to a file{size}, not the file"),
            "bring the file: git lfs pull",
        );
    }
    if text.starts_with(b"/annex/objects/") || contains(text, b".git/annex/objects/") {
        return is(
            "a git-annex pointer, not the file",
            "bring the file: git annex get FILE",
        );
    }
    if text.starts_with(b"[InternetShortcut]") || text.starts_with(b"[Desktop Entry]") {
        return is(
            "a shortcut to a file, not the file",
            "copy the file that it leads to",
        );
    }
    if text.starts_with(b"XSym\n")
        || text.starts_with(b"IntxLNK\x01")
        || text.starts_with(b"!<symlink>")
    {
        return is(
            "a symbolic link that became a file on its way, not the file that it leads to",
            "copy the file that it leads to, with links followed (cp -L, rsync -L)",
        );
    }
    None
}

/// Of servers and tools.
fn answer(text: &[u8]) -> Option<Foreign> {
    let is = |what: String| Some(Foreign::new(ForeignKind::ErrorPage, what, AGAIN));
    let lower = text.get(..64).unwrap_or(text).to_ascii_lowercase();
    if contains(text, b"<Error>") && contains(text, b"<Code>") {
        let code = between(text, b"<Code>", b"</Code>").and_then(name);
        let code = code.map_or_else(String::new, |code| format!(": {code}"));
        return is(format!(
            "an error of an object store, saved in the place of the object{code}"
        ));
    }
    if lower.starts_with(b"<!doctype html")
        || lower.starts_with(b"<html")
        || lower.starts_with(b"<head")
    {
        return is(
            "an HTML page, such as a login or an error page, saved in the place of the file"
                .to_owned(),
        );
    }
    if lower.starts_with(b"<?xml") {
        return is("an XML document, saved in the place of the file".to_owned());
    }
    if lower.starts_with(b"http/1.") || lower.starts_with(b"http/2") {
        return is("the headers of an HTTP answer, saved in the place of the file".to_owned());
    }
    if text.starts_with(b"{") && is_text(text) {
        let reason =
            field_of_json(text, b"\"reason\"").or_else(|| field_of_json(text, b"\"code\""));
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        return is(format!(
            "a JSON document, such as the answer of a server, saved in the place of the file{reason}"
        ));
    }
    let tool = [
        (&b"error from server"[..], "oc or kubectl"),
        (b"error: ", "oc or another tool"),
        (b"starting pod/", "oc debug"),
        (b"temporary namespace ", "oc debug"),
        (b"usage: ", "a tool"),
        (b"fatal error: ", "aws s3"),
        (b"an error occurred (", "aws"),
        (b"cat: ", "cat"),
        (b"bash: ", "bash"),
        (b"curl: ", "curl"),
        (b"permission denied", "a tool"),
        (b"accessdenied", "an object store"),
    ];
    let found = tool.iter().find(|(start, _)| lower.starts_with(start));
    found.filter(|_| is_text(text)).and_then(|(_, tool)| {
        is(format!(
            "a message of {tool}, saved in the place of the file"
        ))
    })
}

const AGAIN: &str = "there is no backup in it: fetch the file again, and look at what the transfer says (curl --fail, exit codes)";

fn words() -> Foreign {
    Foreign::new(
        ForeignKind::Text,
        "text, and no database",
        "there is no backup in it: find out what wrote it in the place of the file",
    )
}

/// Printable ASCII and white space alone, and some of it.
fn is_text(bytes: &[u8]) -> bool {
    let is_printable = |byte: &u8| matches!(*byte, b'\t' | b'\n' | b'\r' | 0x1B | b' '..=b'~');
    !bytes.is_empty() && bytes.iter().all(is_printable)
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    position(text, words).is_some()
}

fn position(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}

fn behind<'t>(text: &'t [u8], words: &[u8]) -> Option<&'t [u8]> {
    text.get(position(text, words)?.checked_add(words.len())?..)
}

fn between<'t>(text: &'t [u8], start: &[u8], end: &[u8]) -> Option<&'t [u8]> {
    let rest = behind(text, start)?;
    rest.get(..position(rest, end)?)
}

/// The number behind some words.
fn field(text: &[u8], words: &[u8]) -> Option<u64> {
    let digits = behind(text, words)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    digits.take(18).try_fold(0_u64, |number, digit| {
        number
            .checked_mul(10)?
            .checked_add(to_u64(usize::from(digit.checked_sub(b'0')?)))
    })
}

/// A string behind a key, if it is the name of an error.
fn field_of_json(text: &[u8], key: &[u8]) -> Option<String> {
    let rest = behind(text, key)?.trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    name(rest.get(..position(rest, b"\"")?)?)
}

/// The name of an error: letters alone, as `AccessDenied`. Anything else could be anything.
fn name(bytes: &[u8]) -> Option<String> {
    let is_name =
        !bytes.is_empty() && bytes.len() <= MAX_NAME && bytes.iter().all(u8::is_ascii_alphabetic);
    is_name.then(|| String::from_utf8_lossy(bytes).into_owned())
}
