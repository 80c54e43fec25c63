//! `etcd-cat index`: read what is new or changed, and remember it.

use super::{Invocation, hidden_note, one_cluster, report, unchanged_note, unread};
use crate::args::IndexArgs;
use crate::engine::{self, Request};
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::text::safe_path;
use crate::output::{Style, UnchangedReport, units};
use crate::reply::{Reply, Tally};
use etcd_cat::catalogue::RebuiltCatalogue;
use etcd_cat::selection::Selection;
use etcd_cat::survey::{Indexed, Unchanged};

pub(super) fn run(args: &IndexArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = Request {
        decrypt: args.decrypt.decrypt.into(),
        shard: args.shard,
        ..invocation.request(&args.accept.codes)
    };
    let (locations, progress) = (&args.locations, invocation.progress);
    let selection = args
        .selection
        .selection(invocation.style.now)
        .of_what_was_read();
    let (rebuilt, mut survey) = if args.rebuild {
        let (rebuilt, survey) = engine::rebuild(locations, &request, progress)?;
        (Some(rebuilt), survey)
    } else {
        let style = &invocation.style;
        // Whoever wants documents, or all that is known, wants the facts.
        let is_short =
            !style.format.needs_whole_backups() && !style.is_verbose && !args.selection.all;
        let is_enough = |unchanged: &Unchanged| {
            let shown = || selection.apply(unchanged.backups.clone(), style.now).shown;
            let is_same = || unchanged.changed().next().is_none();
            is_short && (is_same() || UnchangedReport::can_tell(&shown()))
        };
        match engine::index_in_short(locations, is_enough, &request, progress)? {
            Indexed::Whole(survey) => (None, *survey),
            Indexed::Unchanged(unchanged) => return nothing_new(unchanged, &selection, style),
        }
    };
    if args.selection.all {
        survey.include_gone();
    }
    let mut reply = report(survey, &selection, invocation)?;
    reply.notes.extend(rebuilt.as_ref().map(made_anew));
    Ok(reply)
}

fn nothing_new(
    mut unchanged: Unchanged,
    selection: &Selection,
    style: &Style,
) -> Result<Reply, Failure> {
    let backups = std::mem::take(&mut unchanged.backups);
    one_cluster(selection, &backups)?;
    let outcome = selection.apply(backups, style.now);
    let mut notes = outcome.notes.clone();
    notes.extend(hidden_note(selection, &outcome));
    notes.extend(unchanged_note(unchanged.files));
    let failure = unread(&unchanged.skipped);
    let tally = Tally::of_skipped(&unchanged.skipped);
    let exit = Exit::of_selection(selection, &outcome);
    let report = UnchangedReport { unchanged, outcome };
    Ok(Reply {
        notes,
        failure,
        tally,
        ..Reply::new(&report, style, exit)?
    })
}

fn made_anew(rebuilt: &RebuiltCatalogue) -> String {
    let saved = u64::try_from(rebuilt.saved).unwrap_or(u64::MAX);
    let records = units::count(saved, "record");
    match &rebuilt.kept_aside {
        Some(aside) => format!(
            "the catalogue is made anew, with {records} of the one before, which is kept as {}",
            safe_path(aside.as_os_str())
        ),
        None => "the catalogue is made anew; there was none before".to_owned(),
    }
}
