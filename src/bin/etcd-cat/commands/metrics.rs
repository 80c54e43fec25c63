//! `etcd-cat metrics`: what a monitor is told, in a file, on an address or printed.

use super::{EMPTY, Invocation, leave, write_own};
use crate::args::MetricsArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::reply::Reply;
use crate::server::{Answered, Server};
use crate::terminal;
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::CatalogueDamage;
use etcd_cat::clusters::RunningCluster;
use etcd_cat::finding::Code;
use etcd_cat::metrics::{CONTENT_TYPE, FIRST_LINE, Measurement};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer holds: whoever asks more often gets the same one.
const HOLDS: Duration = Duration::from_secs(15);

/// How long a running cluster is taken for what it was.
const CLUSTER_HOLDS: Duration = Duration::from_secs(300);

pub(super) fn run(args: &MetricsArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    if args.from_cluster {
        invocation.needs_oc("metrics --from-cluster")?;
    }
    if let Some(address) = &args.listen {
        return serve(address, args, invocation);
    }
    let running = running(args, invocation)?;
    let accept = &args.accept.codes;
    let (text, backups) = match &args.to {
        Some(path) => {
            let backups = write(path, accept, running.as_ref(), invocation)?;
            (String::new(), backups)
        }
        None => {
            let running = running.as_ref();
            let (text, backups) = exposition(accept, invocation, running, invocation.damage)?;
            (text, leave(backups))
        }
    };
    let mut reply = Reply::verbatim(text, Exit::Good);
    if backups == 0 {
        reply.notes.push(EMPTY.to_owned());
    }
    Ok(reply)
}

/// Writes it into a file; returns of how many backups it tells.
pub(super) fn write(
    path: &Path,
    accept: &[Code],
    running: Option<&RunningCluster>,
    invocation: &Invocation<'_>,
) -> Result<usize, Failure> {
    let (text, backups) = exposition(accept, invocation, running, invocation.damage)?;
    write_own(path, &text, FIRST_LINE)?;
    Ok(leave(backups))
}

/// The text, and of which backups it is.
fn exposition(
    accept: &[Code],
    invocation: &Invocation<'_>,
    running: Option<&RunningCluster>,
    damage: &CatalogueDamage,
) -> Result<(String, Vec<Backup>), Failure> {
    let mut request = invocation.request(accept);
    // Served without end, "now" goes on.
    if invocation.global.as_of.is_none() {
        request.as_of = etcd_cat::instant::now();
    }
    request.damage = damage;
    let backups = engine::recall(&request)?;
    let runs = engine::runs(&request)?;
    let measurement = Measurement {
        program: env!("CARGO_PKG_VERSION"),
        backups: &backups,
        runs: &runs,
        damaged_records: damage.told().len(),
        running,
    };
    Ok((measurement.exposition(), backups))
}

fn running(
    args: &MetricsArgs,
    invocation: &Invocation<'_>,
) -> Result<Option<RunningCluster>, Failure> {
    if !args.from_cluster {
        return Ok(None);
    }
    let live = engine::live_cluster(&args.oc, invocation.progress)?;
    let version = live.version.map(|version| version.to_string());
    let cluster = live.id.zip(version);
    Ok(cluster.map(|(id, version)| RunningCluster { id, version }))
}

/// What was found out last, and when.
struct Kept<T>(Mutex<Option<(Instant, T)>>);

impl<T: Clone> Kept<T> {
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What was found out at most so long ago, else what `find` finds out; only one caller does at a time.
    fn or_find(&self, holds: Duration, find: impl FnOnce() -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((at, value)) if at.elapsed() < holds => value.clone(),
            _ => {
                let value = find();
                *kept = Some((Instant::now(), value.clone()));
                value
            }
        }
    }
}

fn serve(address: &str, args: &MetricsArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let server = Server::bind(address).map_err(|error| {
        let message = format!("cannot listen on {address}: {error}");
        Failure::new(code::IO, message)
    })?;
    if !invocation.global.quiet {
        let address = server.address();
        terminal::say(&format!("note: listening on http://{address}/metrics"));
    }
    let (clusters, texts) = (Kept::new(), Kept::new());
    let answer = || {
        let running = clusters.or_find(CLUSTER_HOLDS, || {
            let asked = running(args, invocation);
            asked.unwrap_or_else(|failure| {
                // The rest is worth telling without it; absence of the series is what alerts look for.
                complain("the running cluster does not answer", &failure);
                None
            })
        });
        texts.or_find(HOLDS, || {
            let damage = CatalogueDamage::default();
            let text = exposition(&args.accept.codes, invocation, running.as_ref(), &damage);
            text.map(|(text, _)| text).map_err(|failure| {
                complain("the catalogue cannot be read", &failure);
                // What went wrong may name paths: that is for the log of this machine.
                "the catalogue cannot be read; the log of etcd-cat says why\n".to_owned()
            })
        })
    };
    server.serve(&|path| match path {
        "/metrics" => Answered::text(CONTENT_TYPE, answer()),
        "/healthz" => Answered::text("text/plain", Ok("ok\n".to_owned())),
        _ => Answered::Nothing,
    });
    Ok(Reply::verbatim(String::new(), Exit::Good))
}

fn complain(what: &str, failure: &Failure) {
    terminal::say(&format!("error: {what}: {failure}"));
}
