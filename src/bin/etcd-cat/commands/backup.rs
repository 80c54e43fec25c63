//! `etcd-cat backup`: take a new backup, bring it here, verify it, remember it.

use super::Invocation;
use crate::args::BackupArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::Style;
use crate::reply::Reply;
use etcd_cat::selection::Candidate;
use etcd_cat::source::ObjectId;
use etcd_cat::take::{TakeOutcome, TakeReport};
use std::path::Path;

pub(super) fn run(args: &BackupArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    invocation.needs_oc("backup")?;
    let report = engine::take(args, &invocation.request(&[]), invocation.progress)?;
    reply(report, &invocation.style)
}

pub(super) fn reply(mut report: TakeReport, style: &Style) -> Result<Reply, Failure> {
    let mut reply = Reply::new(&report, style, Exit::of_run(&report))?;
    reply.failure = failure(&mut report);
    Ok(reply)
}

/// What could not be done although there is a backup.
fn failure(report: &mut TakeReport) -> Option<Failure> {
    let remains = report.taken.as_deref().map(|taken| taken.leftovers.clone());
    let remains = remains.unwrap_or_default();
    if let Some(error) = report.catalogue.take() {
        let hint = "the backup is complete and verified; remember it once the catalogue is well: etcd-cat index";
        let hint = format!("{hint} {}", places(report));
        let failure = Failure::from(error).hint(hint).details(missing(report));
        return Some(failure.remains(remains));
    }
    let missing = missing(report);
    if !missing.is_empty() {
        let mut failure = Failure::new(code::DESTINATION, unreached(report)).details(missing);
        if let Some(kept) = &report.kept {
            failure = failure.hint(format!(
                "the verified files stay in {}: `etcd-cat backup --resume` with the same --to and --keys-to brings them there; or copy them, read that with etcd-cat index, and remove the directory",
                kept.display()
            ));
        }
        return Some(failure.remains(remains));
    }
    let id = report.backup.as_ref().and_then(Candidate::id);
    let what = match (report.outcome, id) {
        (TakeOutcome::Taken, Some(id)) => format!("backup {id} is complete and recorded"),
        _ => "the run is over".to_owned(),
    };
    let message = format!("{what}, and something of it is still in the cluster");
    (!remains.is_empty()).then(|| Failure::new(code::REMAINS, message).remains(remains))
}

fn unreached(report: &TakeReport) -> String {
    let id = report.backup.as_ref().and_then(Candidate::id);
    let backup = id.map_or_else(|| "the backup".to_owned(), |id| format!("backup {id}"));
    match report.outcome {
        TakeOutcome::Undelivered => {
            format!("{backup} was taken and verified, and could not be stored where it is to go")
        }
        _ => format!("{backup} is complete and recorded, and did not reach each destination"),
    }
}

/// Why it does not lie where it should, and how each half gets there by hand.
fn missing(report: &TakeReport) -> Vec<String> {
    let failed = report.deliveries.iter().filter_map(|delivery| {
        let failure = delivery.failure.as_deref()?;
        let halves = [&delivery.kuberesources, &delivery.snapshot];
        let lines = halves.into_iter().map(|half| match half.is_stored {
            true => format!("{} lies there", half.id),
            false => format!("copy it with: {}", copy_line(&half.from, &half.id)),
        });
        Some(
            [failure.to_owned()]
                .into_iter()
                .chain(lines)
                .collect::<Vec<_>>(),
        )
    });
    failed.flatten().collect()
}

/// A command that copies a file to where it is to go, with the tool that each store has.
fn copy_line(from: &Path, to: &ObjectId) -> String {
    let to = to.to_string();
    let words: &[&str] = match to.split_once("://") {
        Some(("s3", _)) => &["aws", "s3", "cp"],
        Some(("gs", _)) => &["gcloud", "storage", "cp", "--no-clobber"],
        Some(("az", _)) => &["az", "storage", "blob", "upload", "--file"],
        _ => &["cp", "--no-clobber"],
    };
    let mut line: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    line.push(from.display().to_string());
    match to
        .strip_prefix("az://")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((container, name)) => {
            line.extend(["--container-name", container, "--name", name].map(str::to_owned));
        }
        None => line.push(to),
    }
    etcd_cat::oc::shell_line(&line)
}

/// Where the two files lie.
fn places(report: &TakeReport) -> String {
    let reached = report.deliveries.iter().filter(|one| one.failure.is_none());
    let halves = reached.flat_map(|one| [&one.snapshot.id, &one.kuberesources.id]);
    let mut places: Vec<String> = halves
        .filter_map(|id| Some(id.parent()?.to_string()))
        .collect();
    places.dedup();
    etcd_cat::oc::shell_line(&places)
}
