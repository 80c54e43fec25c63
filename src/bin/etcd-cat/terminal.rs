//! What can be known about the terminal before anything is written.

use crate::args::{Color, GlobalArgs};
use crate::output::Style;
use crate::output::text::safe;
use anstream::AutoStream;
use anstream::ColorChoice;
use chrono::{DateTime, Utc};
use std::io::{IsTerminal as _, Write as _};

/// How answers are to look on this stdout.
pub(crate) fn style(global: &GlobalArgs, now: DateTime<Utc>) -> Style {
    Style {
        format: global.output,
        width: width(),
        is_coloured: is_coloured(global.color),
        is_verbose: global.verbose > 0,
        now,
    }
}

/// Columns of the terminal, `COLUMNS` first; on a pipe there is no width.
fn width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse::<usize>().ok());
    let measured = || {
        terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
    };
    told.filter(|columns| *columns > 0).or_else(measured)
}

/// `--color` first; then `NO_COLOR`, `CLICOLOR`, `TERM` and whether stdout is a terminal.
fn is_coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
    }
}

/// Whether progress bars can be drawn: a terminal on stderr, a person who reads, and nobody asked for silence.
pub(crate) fn shows_progress(global: &GlobalArgs) -> bool {
    let is_wanted = !global.quiet && !global.no_progress && !global.output.is_document();
    let is_capable = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    is_wanted && is_capable && std::io::stderr().is_terminal()
}

/// Tells a line on stderr while a command goes on.
pub(crate) fn say(line: &str) {
    // Without stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", safe(line));
}
