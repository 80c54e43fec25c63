//! `etcd-cat explain`: what a finding means and what to do about it.

use super::Invocation;
use crate::args::ExplainArgs;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{CodeList, TopicDetails};
use crate::reply::Reply;

pub(super) fn run(args: &ExplainArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    match args.code {
        Some(topic) => Reply::new(&TopicDetails(topic), &invocation.style, Exit::Good),
        None => Reply::new(&CodeList, &invocation.style, Exit::Good),
    }
}
