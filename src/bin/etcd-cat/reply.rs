//! What a command leaves for `main` to print, and how it ends.

use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{Answer, Style, render};

/// What a command has to say: data for stdout, the rest for stderr, and how to end.
#[derive(Debug)]
pub(crate) struct Reply {
    /// For stdout, with its final newline.
    pub(crate) text: String,
    /// For stderr, one line each; not with `--quiet`.
    pub(crate) notes: Vec<String>,
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What could not be done, although there is an answer.
    pub(crate) failure: Option<Failure>,
}

impl Reply {
    /// An answer in the form that was asked for, without notes.
    pub(crate) fn new(answer: &impl Answer, style: &Style, exit: Exit) -> Result<Self, Failure> {
        Ok(Self::verbatim(render(answer, style)?, exit))
    }

    /// Text that is the same in every form.
    pub(crate) fn verbatim(text: String, exit: Exit) -> Self {
        Self {
            text,
            notes: Vec::new(),
            exit,
            failure: None,
        }
    }
}
