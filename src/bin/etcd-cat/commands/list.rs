//! `etcd-cat list`: what is in the catalogue, newest first.

use super::{Invocation, exit_of, hidden_note};
use crate::args::{Format, ListArgs};
use crate::engine;
use crate::error::Failure;
use crate::output::{self, Answer, Style};
use etcd_cat::selection::{Candidate, Selected, Selection};

pub(super) fn run(args: &ListArgs, invocation: &Invocation<'_>) -> Result<Answer, Failure> {
    let request = invocation.request(&args.accept.codes);
    let (selection, style) = (
        args.selection.selection(invocation.style.now),
        &invocation.style,
    );
    match style.format {
        Format::Table | Format::Name => {
            let summaries = engine::glance(&selection, &request)?;
            answer(summaries, &selection, style, |shown| {
                Ok(output::list::brief(shown, style))
            })
        }
        Format::Wide | Format::Json | Format::Yaml => {
            let backups = engine::recall(&request)?;
            answer(backups, &selection, style, |shown| {
                output::list::render(shown, style)
            })
        }
    }
}

pub(super) fn answer<B: Candidate>(
    backups: Vec<B>,
    selection: &Selection,
    style: &Style,
    render: impl FnOnce(&[Selected<B>]) -> Result<String, Failure>,
) -> Result<Answer, Failure> {
    let known = backups.len();
    let outcome = selection.apply(backups, style.now);
    let text = render(&outcome.shown)?;
    let mut answer = Answer::new(text, exit_of(selection, &outcome));
    answer.notes.clone_from(&outcome.notes);
    let is_read_by_people = matches!(style.format, Format::Table | Format::Wide);
    if known == 0 && is_read_by_people {
        answer
            .notes
            .push("the catalogue is empty; fill it with: etcd-cat index DIRECTORY".to_owned());
    } else if outcome.shown.is_empty() && outcome.hidden.is_empty() && is_read_by_people {
        answer.notes.push("no backup matches".to_owned());
    }
    answer.notes.extend(hidden_note(selection, &outcome));
    if selection.valid_for.is_none() && !outcome.hidden.is_empty() && is_read_by_people {
        answer.notes.push(format!(
            "{} more not shown; --all shows everything in reach",
            outcome.hidden.len()
        ));
    }
    Ok(answer)
}
