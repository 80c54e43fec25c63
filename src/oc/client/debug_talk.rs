//! What `oc debug` says of its pod on stderr, and one that is kept running.

use super::process::{Process, ProcessEvent};
use super::words::without_klog;
use std::fmt::Write as _;
use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

/// After this long without the name of a pod, none was made.
const NAME_GRACE: Duration = Duration::from_secs(10);

/// How often an end is looked for.
const TICK: Duration = Duration::from_millis(50);

/// oc's own talk is short; more is not kept.
const TALK_LIMIT_BYTES: usize = 16 * 1024;

/// The talk of one `oc debug`, as it comes.
#[derive(Clone, Debug, Default)]
pub(crate) struct DebugTalk {
    text: String,
}

impl DebugTalk {
    pub(crate) fn hear(&mut self, stderr: &[u8]) {
        if self.text.len() < TALK_LIMIT_BYTES {
            // Writing to a String cannot fail.
            let _ = write!(self.text, "{}", String::from_utf8_lossy(stderr));
        }
    }

    /// All of it but the lines of oc's own log.
    pub(crate) fn text(&self) -> String {
        without_klog(self.text.trim())
    }

    /// The pod's name (every version since 4.1).
    ///
    /// ```text
    /// Starting pod/master-0-debug-x7k2p ...
    /// Starting pod/master-0-debug, command was: sleep 1800
    /// ```
    pub(crate) fn pod(&self) -> Option<String> {
        self.text.lines().find_map(|line| {
            let rest = line.strip_prefix("Starting pod/")?;
            let (name, _) = rest.split_once([' ', ','])?;
            is_name(name).then(|| name.to_owned())
        })
    }

    /// The pod, unless `oc debug` came to remove it: one that is ended by a signal leaves it running.
    pub(crate) fn pod_left(&self) -> Option<String> {
        let is_removed = self.text.contains("Removing debug pod")
            && !self.text.contains("unable to delete the debug pod");
        self.pod().filter(|_| !is_removed)
    }
}

/// A running `oc debug` that holds a pod.
#[derive(Debug)]
pub(crate) struct DebugProcess {
    process: Process,
    talk: DebugTalk,
}

impl DebugProcess {
    pub(crate) fn new(process: Process) -> Self {
        Self {
            process,
            talk: DebugTalk::default(),
        }
    }

    pub(crate) fn talk(&self) -> &DebugTalk {
        &self.talk
    }

    /// Takes what it says, for so long; how it ended, if it did.
    pub(crate) fn listen(&mut self, time: Duration) -> io::Result<Option<ExitStatus>> {
        loop {
            match self.process.next(time)? {
                ProcessEvent::Stdout(_) => {}
                ProcessEvent::Stderr(bytes) => self.talk.hear(&bytes),
                ProcessEvent::Nothing => return Ok(None),
                ProcessEvent::Ended(status) => return Ok(Some(status)),
            }
        }
    }

    /// Ends it; the pod that it leaves, if it came to make one.
    ///
    /// One that is about to make its pod is let do so: a pod whose name nobody heard is a pod that nobody removes.
    pub(crate) fn end(mut self) -> Option<String> {
        let begun = Instant::now();
        while self.talk.pod().is_none() && begun.elapsed() < NAME_GRACE {
            if !matches!(self.listen(TICK), Ok(None)) {
                break;
            }
        }
        self.talk.pod()
    }
}

/// Kubernetes names begin with a letter or digit, so none is ever taken for a flag.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    text.len() <= 253
        && text.bytes().all(is_plain)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> DebugTalk {
        let mut talk = DebugTalk::default();
        talk.hear(text.as_bytes());
        talk
    }

    #[test]
    fn the_pods_name_is_read_from_old_and_new_oc() {
        let rows = [
            (
                "Starting pod/master-0-debug-x7k2p ...\nTo use host binaries, run `chroot /host`\n",
                Some("master-0-debug-x7k2p"),
            ),
            (
                "Warning: x\nStarting pod/m-debug, command was: sleep 1800\n",
                Some("m-debug"),
            ),
            ("Starting pod/m-de", None),
            ("Starting pod/--all ...", None),
            ("error: nodes \"x\" not found", None),
        ];
        for (text, expected) in rows {
            assert_eq!(heard(text).pod().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_pod_that_was_not_removed_is_left() {
        let started = "Starting pod/n-debug-1 ...\n";
        assert_eq!(heard(started).pod_left().as_deref(), Some("n-debug-1"));
        let removed = format!("{started}\nRemoving debug pod ...\n");
        assert_eq!(heard(&removed).pod_left(), None);
        let failed = format!("{removed}error: unable to delete the debug pod \"n-debug-1\": x\n");
        assert_eq!(heard(&failed).pod_left().as_deref(), Some("n-debug-1"));
    }
}
