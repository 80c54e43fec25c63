//! Names for other commands, one a line.

use crate::output::Answer;
use std::io::{self, Write};

pub(super) fn write(answer: &impl Answer, out: &mut dyn Write) -> io::Result<()> {
    answer
        .names()
        .iter()
        .try_for_each(|name| writeln!(out, "{name}"))
}
