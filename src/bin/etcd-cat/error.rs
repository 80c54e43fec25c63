//! Why a command could not be done, printed once and in one shape.

use crate::exit::Exit;
use crate::output::json;
use crate::output::text::safe;
use crate::output::views::LeftoverView;
use etcd_cat::oc::Leftover;
use serde::Serialize;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};

/// A command that could not be done: what, why, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Stable kebab-case name for scripts.
    pub(crate) code: &'static str,
    /// How the program ends.
    pub(crate) exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    details: Vec<String>,
    hint: Option<String>,
    remains: Vec<Leftover>,
}

/// Stable names of failures: `code` of the JSON error.
pub(crate) mod code {
    /// The command line is wrong.
    pub(crate) const USAGE: &str = "usage";
    /// A reference names no backup, or several.
    pub(crate) const REFERENCE: &str = "reference";
    /// The catalogue is locked, damaged or not given.
    pub(crate) const CATALOGUE: &str = "catalogue";
    /// A file or directory could not be read or written.
    pub(crate) const IO: &str = "io";
    /// `oc` failed.
    pub(crate) const OC: &str = "oc";
    /// The backup cannot be stored where it is to go, or did not reach each of its destinations.
    pub(crate) const DESTINATION: &str = "destination";
    /// The backup is complete and recorded, and something of the run is still in the cluster.
    pub(crate) const REMAINS: &str = "remains";
    /// A named reason speaks against it: try later, or override the reason.
    pub(crate) const REFUSED: &str = "refused";
    /// The bytes of a file are not proven: nothing of them is shown.
    pub(crate) const UNPROVEN: &str = "unproven";
    /// There is no object of that name.
    pub(crate) const NOT_FOUND: &str = "not-found";
    /// Objects that cannot be decrypted or decoded.
    pub(crate) const SEALED: &str = "unreadable-object";
    /// Stopped by a signal.
    pub(crate) const INTERRUPTED: &str = "interrupted";
}

impl Failure {
    /// A failure that ends the program with code 2.
    pub(crate) fn new(code: &'static str, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code,
            exit: Exit::Failed,
            error: error.into(),
            details: Vec::new(),
            hint: None,
            remains: Vec::new(),
        }
    }

    /// Stopped by a signal; there is nothing to explain.
    pub(crate) fn interrupted(signal: u8) -> Self {
        Self {
            exit: Exit::Interrupted { signal },
            ..Self::new(code::INTERRUPTED, "interrupted")
        }
    }

    /// The same run stopped by a signal: its failure was our own doing, its hint still counts.
    pub(crate) fn stopped_by(self, signal: u8) -> Self {
        Self {
            hint: self
                .hint
                .filter(|_| matches!(self.code, code::OC | code::DESTINATION)),
            details: if self.code == code::DESTINATION {
                self.details
            } else {
                Vec::new()
            },
            remains: self.remains,
            ..Self::interrupted(signal)
        }
    }

    /// Ends the program with this code instead.
    pub(crate) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Of a worker in a job: whatever is wrong with how it was called fails the job at once, everything else is tried again.
    pub(crate) fn of_job(self) -> Self {
        let exit = match (self.exit, self.code) {
            (Exit::Failed, code::USAGE | code::REFERENCE) => Exit::Misused,
            (Exit::Failed, _) => Exit::Troubled,
            (exit, _) => exit,
        };
        self.exit(exit)
    }

    /// The same failure of a command that no job watches.
    pub(crate) fn of_no_job(self) -> Self {
        let exit = match self.exit {
            Exit::Misused | Exit::Troubled => Exit::Failed,
            exit => exit,
        };
        self.exit(exit)
    }

    /// Adds what there is to choose from, one line each.
    pub(crate) fn details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    /// Adds what else is wrong, in one line.
    pub(crate) fn beside(mut self, other: Option<String>) -> Self {
        self.details.extend(other);
        self
    }

    /// Adds what to do: a sentence that names a command or a file.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what is still in the cluster, with the commands that remove it.
    pub(crate) fn remains(self, remains: Vec<Leftover>) -> Self {
        Self { remains, ..self }
    }

    /// Writes `error:`, each `caused by:`, the details and `hint:`.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "error: {}", safe(&self.error.to_string()))?;
        for cause in self.causes() {
            writeln!(out, "  caused by: {}", safe(&cause))?;
        }
        for detail in &self.details {
            writeln!(out, "    {}", safe(detail))?;
        }
        for leftover in &self.remains {
            writeln!(out, "  still there: {}", safe(&leftover.what))?;
            if let Some(reason) = &leftover.reason {
                writeln!(out, "    because: {}", safe(reason))?;
            }
            writeln!(out, "    remove it with: {}", safe(&leftover.command))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(out, "  hint: {}", safe(hint))?;
        }
        Ok(())
    }

    /// Writes the same as one line of JSON.
    pub(crate) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut message = self.to_string();
        if !self.details.is_empty() {
            message = format!("{message}: {}", self.details.join("; "));
        }
        write_json(self.code, &message, &self.remains, out)
    }

    fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut source = self.error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        causes
    }
}

/// The last line of stderr on failure: `code` is stable, `message` is for people.
#[derive(Serialize)]
struct ErrorView<'m> {
    /// Always `Error`.
    kind: &'static str,
    /// Stable name.
    code: &'static str,
    /// The error with its causes, in words.
    message: &'m str,
    /// What a run of `backup` could not remove from the cluster.
    remains: Vec<LeftoverView>,
}

/// Writes an error as one line of JSON.
pub(crate) fn write_json(
    code: &'static str,
    message: &str,
    remains: &[Leftover],
    out: &mut dyn Write,
) -> io::Result<()> {
    let view = ErrorView {
        remains: remains.iter().map(LeftoverView::new).collect(),
        kind: "Error",
        code,
        message,
    };
    json::write_line(&view, out)
}

impl fmt::Display for Failure {
    /// The whole chain in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        self.causes()
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl From<io::Error> for Failure {
    /// Only the answer is written without a path: everything else carries one.
    fn from(error: io::Error) -> Self {
        Self::new(code::IO, format!("cannot write the answer: {error}"))
    }
}

/// True when the reader of our output has gone: that is no error.
pub(crate) fn is_broken_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read /b/\u{1b}[31mx.db")]
    struct Outer(#[source] io::Error);

    fn failure() -> Failure {
        Failure::new(code::IO, Outer(io::Error::other("no such device"))).hint("mount /b")
    }

    #[test]
    fn a_failure_is_what_then_why_then_what_to_do() {
        let mut out = Vec::new();
        failure()
            .write(&mut out)
            .expect("a buffer takes everything");
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(
            text,
            "error: cannot read /b/\\x1b[31mx.db\n  caused by: no such device\n  hint: mount /b\n"
        );
    }

    #[test]
    fn a_failure_in_json_is_one_line() {
        let mut out = Vec::new();
        failure()
            .write_json(&mut out)
            .expect("a buffer takes everything");
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(text.matches('\n').count(), 1);
        assert!(
            text.starts_with(r#"{"kind":"Error","code":"io","message":"cannot read /b/"#),
            "{text}"
        );
    }
}
