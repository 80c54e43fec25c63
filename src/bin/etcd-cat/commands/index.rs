//! `etcd-cat index`: read what is new or changed, and remember it.

use super::{Invocation, report};
use crate::args::IndexArgs;
use crate::engine::{self, Request};
use crate::error::Failure;
use crate::output::text::safe_path;
use crate::output::units;
use crate::reply::Reply;
use etcd_cat::catalogue::RebuiltCatalogue;

pub(super) fn run(args: &IndexArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = Request {
        decrypt: args.decrypt.decrypt.into(),
        shard: args.shard,
        ..invocation.request(&args.accept.codes)
    };
    let (locations, progress) = (&args.locations, invocation.progress);
    let (rebuilt, mut survey) = if args.rebuild {
        let (rebuilt, survey) = engine::rebuild(locations, &request, progress)?;
        (Some(rebuilt), survey)
    } else {
        (None, engine::index(locations, &request, progress)?)
    };
    if args.selection.all {
        survey.include_gone();
    }
    let selection = args
        .selection
        .selection(invocation.style.now)
        .of_what_was_read();
    let mut reply = report(survey, &selection, invocation)?;
    reply.notes.extend(rebuilt.as_ref().map(made_anew));
    Ok(reply)
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
