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
    if args.missing {
        return forget_missing(args, invocation);
    }
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

/// Everything whose files were removed.
fn forget_missing(args: &ForgetArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&[]);
    let missing = engine::missing(&request)?;
    if !args.dry_run {
        engine::forget_missing(&missing, &request)?;
    }
    let backups = missing.backups.into_iter();
    let shown: Vec<Selected> = backups.map(unjudged).collect();
    let mut reply = Reply::new(&BackupList(&shown), &invocation.style, Exit::Good)?;
    let verb = if args.dry_run {
        "would forget"
    } else {
        "forgot"
    };
    let copies = match missing.copies.len() {
        0 => String::new(),
        number => format!(" and {}", copies(number)),
    };
    let forgotten = format!(
        "{verb} {}{copies}; no file was touched",
        records(shown.len())
    );
    reply.notes.push(forgotten);
    if let Some(first) = missing.spared.iter().find_map(|backup| backup.path()) {
        reply.notes.push(format!(
            "{} left alone, the first lay at {}: nothing that is known is there any more, so a mount may be lost; name \
             them to forget them",
            records(missing.spared.len()),
            crate::output::text::path(first)
        ));
    }
    Ok(reply)
}

fn copies(number: usize) -> String {
    match number {
        1 => "1 copy of another backup".to_owned(),
        _ => format!("{number} copies of other backups"),
    }
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
