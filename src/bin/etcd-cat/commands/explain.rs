//! `etcd-cat explain`: what a finding means and what to do about it.

use super::Invocation;
use crate::args::ExplainArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{Answer, explanation};

pub(super) fn run(args: &ExplainArgs, invocation: &Invocation<'_>) -> Result<Answer, Failure> {
    let text = match args.code {
        Some(code) => explanation::one(code, &invocation.style)?,
        None => explanation::all(&invocation.style)?,
    };
    Ok(Answer::new(text, Exit::Good))
}
