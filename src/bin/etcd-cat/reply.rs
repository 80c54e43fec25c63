//! What a command leaves for `main` to print, and how it ends.

use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{Answer, Style, render, units, write};
use etcd_cat::catalogue::CatalogueDamage;
use etcd_cat::discovery::Skipped;
use etcd_cat::survey::Survey;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem::ManuallyDrop;

/// What goes to stdout.
pub(crate) enum Body {
    /// With its final newline.
    Text(String),
    /// Put together as it is written: of many backups it is larger than all that is known of them.
    Document(Box<Document>),
}

type Document = dyn FnOnce(&mut dyn Write) -> io::Result<()>;

impl Body {
    /// Writes it to its end.
    pub(crate) fn write(self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Text(text) => out.write_all(text.as_bytes()),
            Self::Document(write) => write(out),
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Document(_) => f.write_str("Document"),
        }
    }
}

/// What a command has to say: data for stdout, the rest for stderr, and how to end.
#[derive(Debug)]
pub(crate) struct Reply {
    /// For stdout.
    pub(crate) body: Body,
    /// For stderr, one line each; not with `--quiet`.
    pub(crate) notes: Vec<String>,
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What could not be done, although there is an answer.
    pub(crate) failure: Option<Failure>,
    /// How much was done.
    pub(crate) tally: Tally,
}

/// How much a run did, for whoever watches the runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tally {
    /// Bytes of backups read.
    pub(crate) bytes: u64,
    /// Files passed over, by kind.
    pub(crate) passed_over: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Of a survey.
    pub(crate) fn of(survey: &Survey) -> Self {
        Self {
            bytes: survey.bytes,
            ..Self::of_skipped(&survey.skipped)
        }
    }

    /// Where nothing was read.
    pub(crate) fn of_skipped(skipped: &[Skipped]) -> Self {
        let mut passed_over = BTreeMap::new();
        for skipped in skipped {
            let count: &mut u64 = passed_over.entry(skipped.kind.as_str()).or_default();
            *count = count.saturating_add(1);
        }
        Self {
            bytes: 0,
            passed_over,
        }
    }
}

impl Reply {
    /// An answer in the form that was asked for, without notes.
    pub(crate) fn new(answer: &impl Answer, style: &Style, exit: Exit) -> Result<Self, Failure> {
        Ok(Self::verbatim(render(answer, style)?, exit))
    }

    /// An answer about any number of backups: a document of them is put together when it is printed.
    pub(crate) fn of_many(
        answer: impl Answer + 'static,
        style: &Style,
        exit: Exit,
    ) -> Result<Self, Failure> {
        // Nothing comes after it but the end of the process, and to take a hundred thousand backups apart piece by
        // piece is a tenth of the work.
        let answer = ManuallyDrop::new(answer);
        if !style.format.is_document() {
            return Self::new(&*answer, style, exit);
        }
        let style = *style;
        let document = move |out: &mut dyn Write| write(&*answer, &style, out);
        Ok(Self {
            body: Body::Document(Box::new(document)),
            ..Self::verbatim(String::new(), exit)
        })
    }

    /// Says what of the catalogue is damaged: an answer that was drawn from the rest is no whole answer. What was read
    /// again is told, and counts no longer.
    pub(crate) fn tell_damage(&mut self, damage: &CatalogueDamage) {
        if let Some(mended) = damage_told(&damage.mended(), "was") {
            let and = "what files tell was read again from them";
            self.notes.push(format!("{mended}; {and}"));
        }
        let Some(message) = damage_told(&damage.told(), "is") else {
            return;
        };
        match self.failure.take() {
            Some(failure) => self.failure = Some(failure.beside(Some(message))),
            None => {
                let hint = "the answer lacks what it told: etcd-cat index reads it again from the files, \
                            etcd-cat index --rebuild makes the catalogue anew";
                self.failure = Some(Failure::new(code::CATALOGUE, message).hint(hint));
            }
        }
    }

    /// Text that is the same in every form.
    pub(crate) fn verbatim(text: String, exit: Exit) -> Self {
        Self {
            body: Body::Text(text),
            notes: Vec::new(),
            exit,
            failure: None,
            tally: Tally::default(),
        }
    }
}

/// How much `damage` there is, and the first of it.
pub(crate) fn damage_told(damage: &[String], verb: &str) -> Option<String> {
    let first = damage.first()?;
    let places = match damage.len() {
        1 => "one place".to_owned(),
        number => units::count(u64::try_from(number).unwrap_or(u64::MAX), "place"),
    };
    let colon = if damage.len() == 1 {
        ":"
    } else {
        ", the first:"
    };
    Some(format!(
        "the catalogue {verb} damaged in {places}{colon} {first}"
    ))
}
