//! `etcd-cat ls`: what is in a backup.

use super::Invocation;
use super::inside::{Named, subject};
use crate::args::LsArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{Listed, ObjectList, SourceLine};
use crate::reply::Reply;
use etcd_cat::inspect::{NamePattern, ObjectRow, Subject, Wanted};

pub(super) fn run(args: &LsArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let Some(backup) = &args.backup else {
        let message = "ls shows what is in a backup, and none is named";
        return Err(Failure::new(code::USAGE, message).hint(
            "etcd-cat list shows the backups; then etcd-cat ls BACKUP, such as etcd-cat ls latest",
        ));
    };
    let subject = subject(backup, &args.inside, invocation)?;
    if args.size {
        return sizes(&subject, args, invocation);
    }
    match &args.kind {
        Some(kind) => objects(&subject, kind, args, invocation),
        None => kinds(&subject, args, invocation),
    }
}

fn kinds(subject: &Subject, args: &LsArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&[]);
    let trust = args.inside.trust();
    let (contents, kinds) = engine::kinds(subject, trust, &request, invocation.progress)?;
    let list = ObjectList {
        source: SourceLine::of(&contents),
        listed: Listed::Kinds(&kinds),
    };
    Reply::new(&list, &invocation.style, Exit::Good)
}

fn sizes(subject: &Subject, args: &LsArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&[]);
    let trust = args.inside.trust();
    let sizes = engine::sizes(subject, trust, &request, invocation.progress)?;
    let list = ObjectList {
        source: SourceLine::of(&sizes.contents),
        listed: Listed::Sizes {
            largest: &sizes.largest,
            most_written: &sizes.most_written,
        },
    };
    Reply::new(&list, &invocation.style, Exit::Good)
}

fn objects(
    subject: &Subject,
    kind: &str,
    args: &LsArgs,
    invocation: &Invocation<'_>,
) -> Result<Reply, Failure> {
    let named = Named::of(kind, &args.names, args.namespace.namespace.as_ref());
    let wanted = Wanted {
        kinds: named.kinds,
        namespace: named.namespace,
        patterns: named
            .names
            .iter()
            .map(|name| NamePattern::new(name))
            .collect(),
        has_values: args.namespace.selector.is_some(),
        ..Wanted::default()
    };
    let request = invocation.request(&[]);
    let trust = args.inside.trust();
    let found = engine::objects(subject, &wanted, trust, &request, invocation.progress)?;
    let (rows, unread) = match &args.namespace.selector {
        Some(selector) => {
            let mut unread = 0_u64;
            let rows = found.objects().filter_map(|(row, object)| match object {
                Ok(object) => selector.matches(&object).then_some(row),
                Err(_) => {
                    unread += 1;
                    None
                }
            });
            let rows: Vec<ObjectRow> = rows.collect();
            (rows, unread)
        }
        None => (found.rows(), 0),
    };
    let list = ObjectList {
        source: SourceLine::of(&found.contents),
        listed: Listed::Objects(&rows),
    };
    let mut reply = Reply::new(&list, &invocation.style, Exit::Good)?;
    if rows.is_empty() {
        reply
            .notes
            .push(nothing_found(&found.kinds(), wanted.namespace.as_deref()));
    }
    if unread > 0 {
        let message = format!("the labels of {unread} objects cannot be read");
        let hint =
            "encrypted ones need their keys: --keys LOCATION; list without -l to see them all";
        reply.failure = Some(
            Failure::new(code::SEALED, message)
                .exit(Exit::Bad)
                .hint(hint),
        );
    }
    Ok(reply)
}

/// As `kubectl` says it.
pub(super) fn nothing_found(kind: &str, namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("no {kind} found in namespace {namespace}"),
        None => format!("no {kind} found"),
    }
}
