//! `etcd-cat explain`: what a finding means and what to do about it.

use super::Context;
use crate::args::ExplainArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{Answer, explanation};

pub(super) fn run(args: &ExplainArgs, context: &Context<'_>) -> Result<Answer, Failure> {
    let text = match args.code {
        Some(code) => explanation::one(code, &context.look)?,
        None => explanation::all(&context.look)?,
    };
    Ok(Answer::new(text, Exit::Good))
}
