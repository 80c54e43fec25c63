//! `etcd-cat show`: everything known about one backup.

use super::{Invocation, find};
use crate::args::ShowArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::BackupDetails;
use crate::reply::Reply;

pub(super) fn run(args: &ShowArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let backups = engine::recall(&invocation.request(&args.accept.codes))?;
    let backup = find(&args.backup, &backups)?;
    let exit = Exit::of_verdict(backup.verdict);
    Reply::new(&BackupDetails(backup), &invocation.style, exit)
}
