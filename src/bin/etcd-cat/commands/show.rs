//! `etcd-cat show`: everything known about one backup.

use super::{Invocation, find};
use crate::args::ShowArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{self, Answer};

pub(super) fn run(args: &ShowArgs, invocation: &Invocation<'_>) -> Result<Answer, Failure> {
    let backups = engine::recall(&invocation.request(&args.accept.codes))?;
    let backup = find(&args.backup, &backups)?;
    let exit = if backup.verdict.is_usable() {
        Exit::Good
    } else {
        Exit::Bad
    };
    Ok(Answer::new(
        output::show::render(backup, &invocation.style)?,
        exit,
    ))
}
