//! `etcd-cat verify`: read every byte again and prove it.

use super::{Invocation, find, report};
use crate::args::VerifyArgs;
use crate::engine::{self, Request};
use crate::error::{Failure, code};
use crate::reply::Reply;
use etcd_cat::backup::Backup;
use etcd_cat::source::ObjectId;
use etcd_cat::survey::{Decrypt, STREAM};
use std::path::Path;

pub(super) fn run(args: &VerifyArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = Request {
        decrypt: if args.deep {
            Decrypt::All
        } else {
            args.decrypt.decrypt.into()
        },
        shard: args.shard,
        ..invocation.request(&args.accept.codes)
    };
    let is_lone = is_stream(&args.operands)?;
    let mut survey = if is_lone {
        engine::verify_stream(&request, invocation.progress)?
    } else {
        let locations = locations(&args.operands, &request)?;
        engine::verify(&locations, &request, invocation.progress)?
    };
    if args.selection.all {
        survey.include_gone();
    }
    let selection = args
        .selection
        .selection(invocation.style.now)
        .of_what_was_read();
    let mut reply = report(survey, &selection, invocation)?;
    if is_lone {
        let note = "the snapshot is judged alone: its other half (static_kuberesources, with the keys) was not looked for";
        reply.notes.push(note.to_owned());
    }
    Ok(reply)
}

/// Is it a round over whole locations, as a timer makes it? Somebody's look at one file says nothing of the rest.
pub(super) fn is_round(args: &VerifyArgs) -> bool {
    let is_location = |operand: &String| {
        let path = Path::new(operand);
        path.is_dir() || !path.exists() && is_meant_as_path(operand)
    };
    args.operands.iter().all(is_location)
}

/// Cannot be the name of a backup.
fn is_meant_as_path(operand: &str) -> bool {
    operand.contains('/') && !operand.starts_with("backup/")
}

/// Is the snapshot to come through standard input?
fn is_stream(operands: &[String]) -> Result<bool, Failure> {
    if !operands.iter().any(|operand| operand == STREAM) {
        return Ok(false);
    }
    if operands.len() > 1 {
        let message = "standard input (-) is given together with other operands";
        return Err(Failure::new(code::USAGE, message).hint("verify it in a run of its own"));
    }
    Ok(true)
}

/// What exists as a file is one; anything else is a backup in the catalogue.
fn locations(operands: &[String], request: &Request<'_>) -> Result<Vec<ObjectId>, Failure> {
    let mut locations = Vec::new();
    let mut known: Option<Vec<Backup>> = None;
    for operand in operands {
        let path = Path::new(operand);
        // A path that does not exist is still meant as a path, and the walk says so in its own words.
        if path.exists() || is_meant_as_path(operand) {
            locations.push(ObjectId::parse(operand.as_ref()));
            continue;
        }
        let backups = match known.take() {
            Some(backups) => backups,
            None => engine::recall(request)?,
        };
        let backup = find(operand, &backups).map_err(|failure| unknown(operand, failure))?;
        let halves = [
            backup.snapshot.as_ref().map(|half| half.path.clone()),
            backup.kuberesources.as_ref().map(|half| half.path.clone()),
            backup.unreadable_path.clone(),
        ];
        locations.extend(halves.into_iter().flatten());
        known = Some(backups);
    }
    Ok(locations)
}

/// What cannot be an id was most likely meant as a file.
fn unknown(operand: &str, failure: Failure) -> Failure {
    let is_id = operand.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id || operand.starts_with("latest") || operand.starts_with("backup/") {
        return failure;
    }
    Failure::new(
        code::REFERENCE,
        format!("{operand:?} is neither a file here nor a backup in the catalogue"),
    )
    .hint("give the path of a file or directory, or see what the catalogue holds: etcd-cat list --all")
}
