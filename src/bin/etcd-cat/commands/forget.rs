//! `etcd-cat forget`: drop records, never files.

use super::{Invocation, find};
use crate::args::ForgetArgs;
use crate::engine;
use crate::error::Failure;
use crate::exit::Exit;
use crate::output::{BackupList, units};
use crate::reply::Reply;
use etcd_cat::backup::Backup;
use etcd_cat::selection::Selected;

pub(super) fn run(args: &ForgetArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&[]);
    let backups = engine::recall(&request)?;
    // All references are resolved before the first record is dropped.
    let mut forgotten: Vec<&Backup> = Vec::new();
    for reference in &args.backups {
        let backup = find(reference, &backups)?;
        if !forgotten.contains(&backup) {
            forgotten.push(backup);
        }
    }
    if !args.dry_run {
        engine::forget(&forgotten, &request)?;
    }
    let shown: Vec<Selected> = forgotten.into_iter().cloned().map(unjudged).collect();
    let mut reply = Reply::new(&BackupList(&shown), &invocation.style, Exit::Good)?;
    let verb = if args.dry_run {
        "would forget"
    } else {
        "forgot"
    };
    reply.notes.push(format!(
        "{verb} {}; no file was touched",
        records(shown.len())
    ));
    Ok(reply)
}

fn records(number: usize) -> String {
    units::count(u64::try_from(number).unwrap_or(u64::MAX), "record")
}

fn unjudged(backup: Backup) -> Selected {
    Selected {
        backup,
        reasons_against: None,
        is_recommended: false,
    }
}
