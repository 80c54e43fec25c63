//! `etcd-cat index`: read what is new or changed, and remember it.

use super::{Invocation, report};
use crate::args::IndexArgs;
use crate::engine;
use crate::error::Failure;
use crate::reply::Reply;

pub(super) fn run(args: &IndexArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&args.accept.codes);
    let mut survey = engine::index(&args.locations, &request, invocation.progress)?;
    if args.selection.all {
        survey.include_gone();
    }
    let selection = args
        .selection
        .selection(invocation.style.now)
        .of_what_was_read();
    report(survey, &selection, invocation)
}
