//! Paragraphs that fit the terminal.

/// Narrower than this nothing readable fits, and lines run over.
const MIN_WIDTH: usize = 30;

/// Breaks `text` at blanks; the first line begins with `first`, the others with as many blanks.
///
/// Words longer than a line (paths, digests) are never broken: they are there to be copied. Without a width
/// the text is one line.
pub(super) fn paragraph(first: &str, text: &str, width: Option<usize>) -> String {
    let indent = first.chars().count();
    let room = match width {
        Some(width) => width.max(MIN_WIDTH).saturating_sub(indent),
        None => usize::MAX,
    };
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let used = lines.last().map_or(0, |line| line.chars().count());
        let needed = used.saturating_add(1).saturating_add(word.chars().count());
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if needed <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let blanks = " ".repeat(indent);
    let mut paragraph = String::new();
    for (index, line) in lines.iter().enumerate() {
        let start = if index == 0 { first } else { &blanks };
        paragraph.push_str(format!("{start}{line}").trim_end());
        paragraph.push('\n');
    }
    paragraph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_hang_below_the_first() {
        let text = paragraph("  error: ", "one two three four five six seven", Some(30));
        assert_eq!(
            text,
            "  error: one two three four\n         five six seven\n"
        );
    }

    #[test]
    fn long_words_stay_whole_and_a_pipe_is_never_wrapped() {
        let path = "/a/very/long/path/that/does/not/fit/anywhere.db";
        assert_eq!(paragraph("", path, Some(30)), format!("{path}\n"));
        let text = "word ".repeat(100);
        assert_eq!(paragraph("", &text, None).lines().count(), 1);
    }
}
