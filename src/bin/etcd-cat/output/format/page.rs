//! Text for people.

use crate::output::{Answer, Style};
use std::io;

/// Takes the place of what was written before, which is nothing: a page can be long, and is there once.
pub(super) fn write(answer: &impl Answer, style: &Style, out: &mut Vec<u8>) -> io::Result<()> {
    *out = answer.page(style).into_bytes();
    Ok(())
}
