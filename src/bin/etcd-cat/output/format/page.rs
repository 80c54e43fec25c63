//! Text for people.

use crate::output::{Answer, Style};
use std::io::{self, Write};

pub(super) fn write(answer: &impl Answer, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(answer.page(style).as_bytes())
}
