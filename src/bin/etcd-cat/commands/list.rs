//! `etcd-cat list`: what is in the catalogue, newest first.

use super::{EMPTY, Invocation, hidden_note, not_looked_at_note, one_cluster};
use crate::args::ListArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{BackupList, BriefList, Style};
use crate::reply::Reply;
use etcd_cat::selection::{Candidate, Outcome, Selection};
use std::mem::ManuallyDrop;

pub(super) fn run(args: &ListArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&args.accept.codes);
    let (selection, style) = (
        args.selection.selection(invocation.style.now),
        &invocation.style,
    );
    if style.format.needs_whole_backups() || args.first_seen.is_some() {
        let mut backups = engine::recall(&request)?;
        if let Some(since) = args.first_seen {
            // When a backup was seen is by the clock of the machine, whatever counts as now for its age.
            let since = since.instant(chrono::Utc::now());
            backups.retain(|backup| backup.first_seen_at.is_some_and(|seen| seen >= since));
        }
        let is_nothing_new = backups.is_empty() && args.first_seen.is_some();
        let mut reply = reply(backups, 0, &selection, style, |outcome, exit| {
            Reply::of_many(BackupList(outcome.shown), style, exit)
        })?;
        if is_nothing_new {
            reply.notes = vec!["no backup was first seen since then".to_owned()];
        }
        Ok(reply)
    } else {
        let glance = engine::glance_to_list(&selection, &request)?;
        let (summaries, others) = (glance.summaries, glance.left_out);
        let mut reply = reply(summaries, others, &selection, style, |outcome, exit| {
            // Nothing comes after it but the end of the process.
            let outcome = ManuallyDrop::new(outcome);
            Reply::new(&BriefList(&outcome.shown), style, exit)
        })?;
        reply.notes.extend(not_looked_at_note(
            glance.not_looked_at,
            "--cluster or --since",
        ));
        Ok(reply)
    }
}

/// What `selection` shows of `backups`, to which come as many `others` that it does not show.
pub(super) fn reply<B: Candidate>(
    backups: Vec<B>,
    others: usize,
    selection: &Selection,
    style: &Style,
    tell: impl FnOnce(Outcome<B>, Exit) -> Result<Reply, Failure>,
) -> Result<Reply, Failure> {
    let known = backups.len().saturating_add(others);
    one_cluster(selection, &backups)?;
    let mut outcome = selection.apply(backups, style.now);
    outcome.left_out = others;
    let mut notes = outcome.notes.clone();
    let is_page = style.format.is_page();
    if known == 0 && is_page {
        notes.push(EMPTY.to_owned());
    } else if outcome.shown.is_empty() && outcome.not_shown() == 0 && is_page {
        notes.push("no backup matches".to_owned());
    }
    if is_page && outcome.qualified() > 1 {
        let note = "* is what etcd-cat check recommends: the newest without a risk, unless it is much older";
        notes.push(note.to_owned());
    }
    notes.extend(hidden_note(selection, &outcome));
    if selection.valid_for.is_none() && outcome.not_shown() > 0 && is_page {
        notes.push(format!(
            "{} more not shown; --all shows everything in reach",
            outcome.not_shown()
        ));
    }
    let exit = Exit::of_selection(selection, &outcome);
    let reply = tell(outcome, exit)?;
    Ok(Reply { notes, ..reply })
}
