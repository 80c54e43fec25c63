//! The text format 0.0.4: families one after the other, each with its help, its type and its series.

use super::family::Family;
use std::fmt::{Display, Write as _};

/// Longer values of labels are cut: a name in a snapshot may be as long as somebody liked.
const LONGEST: usize = 253;

/// The text while it is written.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

/// A family that is being written.
pub(super) struct Samples<'t> {
    text: &'t mut String,
    family: Family,
    is_begun: bool,
}

impl Exposition {
    /// Begins a family; one without a series leaves nothing behind.
    pub(super) fn family(&mut self, family: Family) -> Samples<'_> {
        Samples {
            text: &mut self.text,
            family,
            is_begun: false,
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Samples<'_> {
    /// A series with a whole number.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: i128) {
        self.write(labels, &value);
    }

    /// A series with a number of thousandths.
    pub(super) fn thousandths(&mut self, labels: &[(&str, &str)], value: u64) {
        let (whole, rest) = (value / 1000, value % 1000);
        self.write(labels, &format_args!("{whole}.{rest:03}"));
    }

    fn write(&mut self, labels: &[(&str, &str)], value: &dyn Display) {
        let name = self.family.name();
        if !self.is_begun {
            self.is_begun = true;
            let help = self.family.help();
            self.line(format_args!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        }
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        self.line(format_args!("{name}{labels} {value}\n"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to memory cannot fail.
        let _ = self.text.write_fmt(line);
    }
}

/// A value as a label takes it: short enough, and without characters that no terminal should see. Whatever tells two
/// series apart goes through this first.
pub(super) fn label(value: &str) -> String {
    let shown = value.chars().map(|one| match one {
        one if one.is_control() => char::REPLACEMENT_CHARACTER,
        one => one,
    });
    shown.take(LONGEST).collect()
}

/// The three characters that the format escapes.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text
}
