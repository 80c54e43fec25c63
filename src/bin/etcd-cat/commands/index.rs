//! `etcd-cat index`: read what is new or changed, and remember it.

use super::{Context, report};
use crate::args::IndexArgs;
use crate::engine;
use crate::error::Failure;
use crate::output::Answer;

pub(super) fn run(args: &IndexArgs, context: &Context<'_>) -> Result<Answer, Failure> {
    let request = context.request(&args.accept.codes);
    let mut survey = engine::index(&request, &args.locations, context.progress)?;
    let selection = args
        .selection
        .selection(context.look.now)
        .of_what_was_read();
    report(&mut survey, &selection, &context.look)
}
