//! What a command leaves for `main` to print, and how it ends.

use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{Answer, Style, render, units};

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

    /// Says which records of the catalogue are damaged: an answer that was drawn from the rest is no whole answer,
    /// unless the command `is_mended` by has read again what they told.
    pub(crate) fn tell_damage(&mut self, damaged: &[String], is_mended: bool) {
        let Some(first) = damaged.first() else { return };
        let number = u64::try_from(damaged.len()).unwrap_or(u64::MAX);
        let records = units::count(number, "record");
        let verb = if number == 1 { "is" } else { "are" };
        let message = format!("{records} of the catalogue {verb} damaged, the first: {first}");
        if is_mended {
            let mended = "what they told of files was read again from the files";
            self.notes.push(format!("{message}; {mended}"));
        } else if self.failure.is_none() {
            let hint = "the answer lacks what they told: etcd-cat index reads it again from the files, \
                        etcd-cat index --rebuild makes the catalogue anew";
            self.failure = Some(Failure::new(code::CATALOGUE, message).hint(hint));
        }
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
