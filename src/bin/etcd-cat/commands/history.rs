//! `etcd-cat history`: every version of one object that a snapshot still holds.

use super::Invocation;
use super::inside::{Named, subject};
use crate::args::HistoryArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{Listed, ObjectList, SourceLine};
use crate::reply::Reply;
use etcd_cat::inspect::{VersionRow, Wanted};

pub(super) fn run(args: &HistoryArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let names: Vec<String> = args.name.iter().cloned().collect();
    let named = Named::of(&args.kind, &names, args.namespace.as_ref());
    if named.names.len() != 1 {
        let message = "history is of one object, and its name is not given";
        return Err(Failure::new(code::USAGE, message)
            .hint("etcd-cat history BACKUP KIND -n NAMESPACE NAME"));
    }
    let wanted = Wanted {
        kinds: named.kinds,
        namespace: named.namespace,
        names: named.names,
        has_values: true,
        has_versions: true,
        ..Wanted::default()
    };
    let subject = subject(&args.backup, &args.inside, invocation)?;
    let request = invocation.request(&[]);
    let trust = args.inside.trust();
    let found = engine::objects(&subject, &wanted, trust, &request, invocation.progress)?;
    let versions = found.versions();
    if versions.is_empty() {
        let message = format!("no version of that name among the {}", found.kinds());
        let hint = format!("see what there is: etcd-cat ls BACKUP {}", found.kinds());
        return Err(Failure::new(code::NOT_FOUND, message)
            .exit(Exit::Bad)
            .hint(hint));
    }
    let list = ObjectList {
        source: SourceLine::of(&found.contents),
        listed: Listed::Versions(&versions),
    };
    let mut reply = Reply::new(&list, &invocation.style, Exit::Good)?;
    let errors = versions.iter().filter_map(told);
    reply.notes.extend(errors);
    Ok(reply)
}

/// Why the time of a version is only about right.
fn told(version: &VersionRow) -> Option<String> {
    let error = version.error.as_ref()?;
    let revision = version.row.revision;
    Some(format!("revision {revision}: {error}"))
}
