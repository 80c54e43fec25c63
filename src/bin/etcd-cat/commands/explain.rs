//! `etcd-cat explain`: what a finding means and what to do about it.

use super::Invocation;
use crate::args::ExplainArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{Explanation, ExplanationList};
use crate::reply::Reply;

pub(super) fn run(args: &ExplainArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    match args.code {
        Some(code) => Reply::new(&Explanation(code), &invocation.style, Exit::Good),
        None => Reply::new(&ExplanationList, &invocation.style, Exit::Good),
    }
}
