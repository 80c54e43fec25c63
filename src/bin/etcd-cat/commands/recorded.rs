//! Remembers what came of a run, for whoever watches the machine that makes it.

use super::Invocation;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::reply::{Reply, Tally};
use etcd_cat::catalogue::Run;
use std::time::Instant;

/// Does the work, and has the catalogue remember how it went. A run that somebody stopped is none.
pub(super) fn recorded(
    name: &str,
    invocation: &Invocation<'_>,
    work: impl FnOnce() -> Result<Reply, Failure>,
) -> Result<Reply, Failure> {
    let begun = Instant::now();
    let mut result = work();
    let (exit, tally) = match &result {
        Ok(reply) => {
            let failed = reply.failure.as_ref().map(|failure| failure.exit);
            (failed.unwrap_or(reply.exit), reply.tally.clone())
        }
        // A catalogue that is held or damaged is not to be waited for once more.
        Err(failure) if failure.code == code::CATALOGUE => return result,
        Err(failure) => (failure.exit, Tally::default()),
    };
    if invocation.progress.signal().is_some() || matches!(exit, Exit::Interrupted { .. }) {
        return result;
    }
    let passed_over = tally.passed_over.into_iter();
    let run = Run {
        ended_at: etcd_cat::instant::now(),
        milliseconds: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        bytes: tally.bytes,
        exit_code: exit.code(),
        is_success: exit.is_success_of(name),
        passed_over: passed_over
            .map(|(kind, count)| (kind.to_owned(), count))
            .collect(),
    };
    let kept = engine::record_run(name, &run, invocation.global);
    // Where nothing can be remembered, that was told already.
    if let (Ok(reply), Err(failure)) = (&mut result, kept)
        && reply.failure.is_none()
        && reply.notes.is_empty()
    {
        let note = format!("metrics will not tell of this run: {failure}");
        reply.notes.push(note);
    }
    result
}
