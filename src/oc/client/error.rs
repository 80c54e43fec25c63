//! What went wrong with one run of `oc`.

use super::words::{is_talk, one_line};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What went wrong with one run of `oc`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No such program.
    #[error(
        "`{program}` was not found, expected the OpenShift command line on PATH or given by --oc"
    )]
    NotFound {
        /// As it was asked for.
        program: String,
    },
    /// The program is there and does not start.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// Path of the program.
        program: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It ended with a status other than 0.
    #[error("`{command}` ended with {status}{}", after_colon(stderr))]
    Failed {
        /// The command as a shell line.
        command: String,
        /// Exit code or signal, in words.
        status: String,
        /// Exit code; `None` when a signal ended it.
        code: Option<i32>,
        /// Last KiB of stderr.
        stderr: String,
    },
    /// It printed something else than the JSON expected. The text is not repeated: it may hold anything.
    #[error(
        "`{command}` printed another shape (line {line}, column {column}), expected {expected}"
    )]
    Shape {
        /// The command as a shell line.
        command: String,
        /// What the text should have been.
        expected: &'static str,
        /// Line of the first surprise, from 1; 0 when unknown.
        line: usize,
        /// Column of the first surprise, from 1; 0 when unknown.
        column: usize,
    },
    /// It ran past its deadline and was stopped.
    #[error("`{command}` was stopped after {} s", after.as_secs())]
    TooLong {
        /// The command as a shell line.
        command: String,
        /// The deadline.
        after: Duration,
    },
    /// It printed nothing for too long and was stopped.
    #[error("`{command}` was silent for {} s and was stopped", after.as_secs())]
    Stalled {
        /// The command as a shell line.
        command: String,
        /// The longest silence allowed.
        after: Duration,
    },
    /// It printed more than any real answer.
    #[error("`{command}` printed more than {limit_bytes} bytes")]
    TooMuch {
        /// The command as a shell line.
        command: String,
        /// The limit.
        limit_bytes: usize,
    },
    /// Less came through the log of a pod than was written to it.
    #[error("`{command}` brought {found} of {expected} bytes: the log of its pod was cut")]
    LogCut {
        /// The command as a shell line.
        command: String,
        /// Bytes asked for.
        expected: u64,
        /// Bytes that came and could be read.
        found: u64,
    },
    /// The consumer of its output gave up (a local file could not be written).
    #[error("`{command}` was stopped: {reason}")]
    Refused {
        /// The command as a shell line.
        command: String,
        /// Why.
        reason: String,
    },
    /// Ctrl-C or SIGTERM.
    #[error("`{command}` was interrupted")]
    Interrupted {
        /// The command as a shell line.
        command: String,
    },
}

impl RunError {
    /// The command as a shell line; the program where it was not started.
    pub(crate) fn command(&self) -> &str {
        match self {
            Self::NotFound { program } => program,
            Self::Spawn { .. } => "oc",
            Self::Failed { command, .. }
            | Self::Shape { command, .. }
            | Self::TooLong { command, .. }
            | Self::Stalled { command, .. }
            | Self::TooMuch { command, .. }
            | Self::LogCut { command, .. }
            | Self::Refused { command, .. }
            | Self::Interrupted { command } => command,
        }
    }

    /// The same with what the command said on the stream that carries both, where its stderr tells nothing but oc's talk.
    pub(crate) fn with_words(self, said: &str) -> Self {
        match self {
            Self::Failed {
                command,
                status,
                code,
                stderr,
            } if stderr
                .lines()
                .all(|line| line.trim().is_empty() || is_talk(line)) =>
            {
                Self::Failed {
                    stderr: format!("{}\n{stderr}", said.trim()),
                    command,
                    status,
                    code,
                }
            }
            error => error,
        }
    }

    /// Its stderr, where it has one.
    pub fn stderr(&self) -> &str {
        match self {
            Self::Failed { stderr, .. } => stderr,
            _ => "",
        }
    }

    /// `Error from server (NotFound): ...`
    pub(crate) fn is_missing_object(&self) -> bool {
        self.stderr().contains("(NotFound)")
    }

    /// `Error from server (Forbidden): ... is forbidden: User "u" cannot get resource ...`
    pub(crate) fn is_forbidden(&self) -> bool {
        self.stderr().contains("(Forbidden)")
    }

    /// `error: the server doesn't have a resource type "clusterversions"`
    pub(crate) fn is_unknown_kind(&self) -> bool {
        self.stderr()
            .contains("the server doesn't have a resource type")
    }

    /// `tls: failed to verify certificate: x509: certificate signed by unknown authority`
    pub(crate) fn is_certificate_refused(&self) -> bool {
        self.stderr().contains("x509:")
    }

    /// The server knows no such object, no such kind, or may not tell.
    pub(crate) fn is_no_answer(&self) -> bool {
        self.is_unknown_kind() || self.is_missing_object() || self.is_forbidden()
    }

    /// Nothing was heard of the API server.
    ///
    /// ```text
    /// Unable to connect to the server: dial tcp 192.0.2.1:6443: connect: no route to host
    /// The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?
    /// ```
    pub(crate) fn is_cut_off(&self) -> bool {
        [
            "Unable to connect to the server",
            "The connection to the server",
        ]
        .iter()
        .any(|text| self.stderr().contains(text))
    }

    /// No credentials, or credentials that are no longer good.
    ///
    /// ```text
    /// error: You must be logged in to the server (Unauthorized)
    /// error: Missing or incomplete configuration info.  Please point to an existing, complete config file:
    /// The connection to the server localhost:8080 was refused - did you specify the right host or port?
    /// ```
    pub(crate) fn is_not_logged_in(&self) -> bool {
        // Without any configuration, kubectl's code talks to localhost:8080: no API server is there.
        [
            "(Unauthorized)",
            "must be logged in",
            "Missing or incomplete configuration",
            "localhost:8080",
        ]
        .iter()
        .any(|text| self.stderr().contains(text))
    }
}

fn after_colon(stderr: &str) -> String {
    let text = one_line(stderr);
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}
