//! `etcd-cat stage`: copy one verified pair into an empty directory.

use super::{Invocation, find, stage_call};
use crate::args::StageArgs;
use crate::engine::{self, Request};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::StageRun;
use crate::reply::Reply;
use etcd_cat::backup::Backup;
use etcd_cat::finding::Code;
use etcd_cat::monitor::Monitor;
use etcd_cat::restore::{Hosts, Plan, PlanRequest, StageError, stage_backup};
use etcd_cat::source::Store as _;

pub(super) fn run(args: &StageArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&args.accept.codes);
    let backups = known(args, &request, invocation.progress)?;
    let backup = find(&args.backup, &backups)?;
    let disaster = args.disaster.disaster();
    // What does not fit is said before anything is written.
    Hosts::of(backup, &disaster)?;
    let stores = engine::stores(invocation.global);
    let staged = stage_backup(backup, &args.to, &stores, invocation.progress).map_err(failed)?;
    let request = PlanRequest {
        staged: Some(&staged.directory),
        disaster: &disaster,
        stage_call: &stage_call(&args.accept.codes, invocation),
        now: invocation.style.now,
    };
    let plan = Plan::of(backup, &request)?;
    let run = StageRun {
        backup,
        staged,
        plan,
    };
    let mut reply = Reply::new(&run, &invocation.style, Exit::Good)?;
    reply.notes.extend(accepted(backup));
    Ok(reply)
}

/// What the catalogue knows; a file that it does not know is verified first.
fn known(
    args: &StageArgs,
    request: &Request<'_>,
    monitor: &dyn Monitor,
) -> Result<Vec<Backup>, Failure> {
    if !args.locations.is_empty() {
        return Ok(engine::verify(&args.locations, request, monitor)?.backups);
    }
    let reference = args.backup.as_str();
    let backups = engine::recall(request)?;
    let stores = engine::stores(request.global);
    let id = engine::resolve(reference, &stores);
    let is_file = stores.stat(&id).is_ok();
    if find(reference, &backups).is_ok() || !is_file {
        return Ok(backups);
    }
    Ok(engine::verify(&[id], request, monitor)?.backups)
}

/// The directory looks like any other afterwards: what was passed over must be said now.
fn accepted(backup: &Backup) -> Option<String> {
    let codes: Vec<&str> = backup.accepted.iter().map(|code| code.as_str()).collect();
    let id = backup.id().unwrap_or_default();
    (!codes.is_empty()).then(|| {
        format!(
            "backup {id} is used although {} was found, as accepted",
            codes.join(", ")
        )
    })
}

fn failed(error: StageError) -> Failure {
    match &error {
        StageError::NotUsable {
            id,
            verdict,
            reasons,
        } => {
            let (hint, exit) = (way_out(id, reasons), Exit::of_verdict(*verdict));
            Failure::new(code::REFERENCE, error).hint(hint).exit(exit)
        }
        StageError::NoSnapshot => Failure::new(code::REFERENCE, error),
        _ => Failure::new(code::IO, error),
    }
}

fn way_out(id: &str, reasons: &[Code]) -> String {
    if reasons.is_empty() {
        return format!("verify it again: etcd-cat verify {id}");
    }
    let accept: Vec<String> = reasons
        .iter()
        .map(|code| format!("--accept {code}"))
        .collect();
    format!(
        "see etcd-cat show {id}; to stage it all the same add {}",
        accept.join(" ")
    )
}
