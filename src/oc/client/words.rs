//! What `oc` and the programs behind it said, without what says nothing: klog lines, oc's own talk, line ends.

/// A line longer than this is not repeated in full.
const SHOWN_CHARS: usize = 600;

/// oc's own talk around a command, which is never the reason for anything.
const TALK: [&str; 6] = [
    "Starting pod/",
    "To use host binaries",
    "Removing debug pod",
    "error: non-zero exit code from debug container",
    "command terminated with exit code",
    "If you don't see a command prompt",
];

/// The lines that tell something. Where only klog spoke, the last of its messages.
///
/// ```text
/// E1128 05:00:41.804817   14556 memcache.go:265] "Unhandled Error" err="couldn't get current server API group list: ..."
/// ```
pub(super) fn without_klog(stderr: &str) -> String {
    let is_true = |line: &&str| klog_message(line).is_none() && !line.trim().is_empty();
    let lines: Vec<&str> = stderr.lines().filter(is_true).map(str::trim_end).collect();
    match (
        lines.is_empty(),
        stderr.lines().rev().find_map(klog_message),
    ) {
        (true, Some(message)) => message.to_owned(),
        _ => lines.join("\n"),
    }
}

/// What a klog line says behind its head; `None` when it is none.
fn klog_message(line: &str) -> Option<&str> {
    let (head, message) = line.split_once("] ")?;
    let mut words = head.split_ascii_whitespace();
    let (level, time) = (words.next()?, words.next()?);
    let (kind, date) = level.split_at_checked(1)?;
    let is_level = matches!(kind, "I" | "W" | "E" | "F");
    let is_date = date.len() == 4 && date.bytes().all(|byte| byte.is_ascii_digit());
    let is_place = words.last()?.contains(".go:");
    (is_level && is_date && time.contains(':') && is_place).then_some(message)
}

/// True for a line of oc's own around what a command said.
pub(crate) fn is_talk(line: &str) -> bool {
    TALK.iter().any(|talk| line.trim_start().starts_with(talk))
}

/// The same in one line, as it stands in a sentence: the lines that tell something, or what there is.
pub(crate) fn one_line(text: &str) -> String {
    let told = |keeps: &dyn Fn(&str) -> bool| {
        let lines = text.lines().map(str::trim);
        let lines: Vec<&str> = lines
            .filter(|line| !line.is_empty() && keeps(line))
            .collect();
        lines.join("; ")
    };
    let without_talk = told(&|line| !is_talk(line));
    let line = if without_talk.is_empty() {
        told(&|_| true)
    } else {
        without_talk
    };
    line.chars()
        .filter(|character| !character.is_control())
        .take(SHOWN_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KLOG: &str = "E1128 05:00:41.804817   14556 memcache.go:265] \"Unhandled Error\" err=\"couldn't get it\"\n";

    #[test]
    fn a_wall_of_klog_lines_leaves_the_one_true_line() {
        let text = format!("{KLOG}{KLOG}error: You must be logged in to the server\n");
        assert_eq!(
            without_klog(&text),
            "error: You must be logged in to the server"
        );
        assert_eq!(
            without_klog(KLOG),
            "\"Unhandled Error\" err=\"couldn't get it\""
        );
        let array = "Error: [a] b";
        assert_eq!(without_klog(array), array);
    }

    #[test]
    fn a_sentence_has_no_line_ends_and_no_talk() {
        let talk = "Starting pod/n-debug-1 ...\n\nRemoving debug pod ...\nerror: non-zero exit code from debug container";
        assert_eq!(one_line(&format!("rm: x\n{talk}")), "rm: x");
        assert_eq!(
            one_line("command terminated with exit code 7"),
            "command terminated with exit code 7"
        );
        assert_eq!(one_line("a:\n\n\n  1. b\n"), "a:; 1. b");
    }
}
