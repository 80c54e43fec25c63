//! Writing HTML such that no text can become markup.

use crate::output::text::safe;
use std::fmt::{Display, Write as _};

/// A page while it is written.
#[derive(Debug, Default)]
pub(super) struct Html {
    text: String,
}

impl Html {
    /// Markup of our own: only what stands in the source can be given here.
    pub(super) fn raw(&mut self, markup: &'static str) {
        self.text.push_str(markup);
    }

    /// A number.
    pub(super) fn number(&mut self, number: impl Numeric) {
        // Writing to memory cannot fail.
        let _ = write!(self.text, "{number}");
    }

    /// Text, or the value of an attribute in quotes: whatever it holds, it stays text.
    pub(super) fn text(&mut self, text: &str) {
        // What a terminal must not see has no place in a page either: it would turn text around.
        for character in safe(text).chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&#39;"),
                other => self.text.push(other),
            }
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// What cannot hold markup.
pub(super) trait Numeric: Copy + Display {}

impl Numeric for u64 {}
impl Numeric for i64 {}
impl Numeric for usize {}
