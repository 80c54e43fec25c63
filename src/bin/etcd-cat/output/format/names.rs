//! Names for other commands, one a line: what would begin another line, or steer a terminal, is written out.

use crate::output::Answer;
use crate::output::text::safe;
use std::io::{self, Write};

pub(super) fn write(answer: &impl Answer, out: &mut dyn Write) -> io::Result<()> {
    answer
        .names()
        .iter()
        .try_for_each(|name| writeln!(out, "{}", safe(name)))
}
