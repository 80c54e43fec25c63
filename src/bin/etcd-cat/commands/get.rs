//! `etcd-cat get`: objects as the API server would give them.

use super::Invocation;
use super::inside::{Named, subject};
use super::ls::nothing_found;
use crate::args::GetArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{ObjectsText, object_name};
use crate::reply::Reply;
use etcd_cat::inspect::{FoundObjects, ObjectRow, Wanted};
use etcd_cat::objects::{Masker, Object, clean};
use std::io::{IsTerminal as _, stdout};

/// Objects that cannot be shown are told one by one up to here.
const MAX_TOLD: usize = 20;

pub(super) fn run(args: &GetArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    if args.show_secrets && stdout().is_terminal() {
        let message = "--show-secrets prints to a file or a pipe only, and this is a terminal";
        return Err(Failure::new(code::USAGE, message).hint("append > FILE, or | COMMAND"));
    }
    let named = Named::of(&args.kind, &args.names, args.namespace.namespace.as_ref());
    let is_one = named.names.len() == 1 && named.kinds.len() == 1;
    let wanted = Wanted {
        kinds: named.kinds,
        namespace: named.namespace,
        names: named.names,
        has_values: true,
        revision: args.revision,
        ..Wanted::default()
    };
    let subject = subject(&args.backup, &args.inside, invocation)?;
    let request = invocation.request(&[]);
    let trust = args.inside.trust();
    let found = engine::objects(&subject, &wanted, trust, &request, invocation.progress)?;
    if is_one && !args.namespace.all_namespaces {
        one_place(&found, &wanted)?;
    }
    let missing = missing(&found, &wanted);
    let is_list = !is_one || found.rows().len() > 1;
    let shown = Shown::of(
        &found,
        args,
        ObjectsText::new(invocation.style.format, is_list),
    );
    let is_good = shown.failed.is_empty() && missing.is_empty();
    let exit = if is_good { Exit::Good } else { Exit::Bad };
    let mut reply = Reply::verbatim(shown.text.finish(), exit);
    reply.notes = shown.notes;
    if found.rows().is_empty() && wanted.names.is_empty() {
        let kind = found.kinds();
        reply
            .notes
            .push(nothing_found(&kind, wanted.namespace.as_deref()));
    }
    reply.failure = not_found(&found, &missing).or_else(|| unshown(shown.failed));
    Ok(reply)
}

/// What is shown, and what cannot be.
struct Shown {
    text: ObjectsText,
    notes: Vec<String>,
    failed: Vec<String>,
}

impl Shown {
    fn of(found: &FoundObjects, args: &GetArgs, text: ObjectsText) -> Self {
        let (notes, failed) = (Vec::new(), Vec::new());
        let mut shown = Self {
            text,
            notes,
            failed,
        };
        let mut masker = Masker::new(found.contents.mask_options());
        for (row, object) in found.objects() {
            let name = object_name(&row.resource, &row.place, &mut masker);
            match object {
                Ok(object) => shown.take(object, &name, args, &mut masker),
                Err(error) => shown.failed.push(format!("{name}: {error}")),
            }
        }
        shown
    }

    fn take(&mut self, mut object: Object, name: &str, args: &GetArgs, masker: &mut Masker) {
        let selector = args.namespace.selector.as_ref();
        if selector.is_some_and(|selector| !selector.matches(&object)) {
            return;
        }
        if !object.unknown_fields.is_empty() {
            let fields = object.unknown_fields.join(", ");
            self.notes.push(format!(
                "{name} has fields that this program does not know, shown by their numbers: {fields}"
            ));
        }
        if !args.show_secrets {
            masker.mask(&mut object);
        }
        if args.clean {
            clean(&mut object);
        }
        self.text.push(&object, name);
    }
}

/// A name alone may be in several namespaces: which one is meant only the user knows.
fn one_place(found: &FoundObjects, wanted: &Wanted) -> Result<(), Failure> {
    let rows = found.rows();
    let namespaces: Vec<String> = rows
        .iter()
        .filter_map(|row| row.place.namespace.clone())
        .collect();
    if namespaces.len() < 2 {
        return Ok(());
    }
    let name = wanted.names.first().map(String::as_str).unwrap_or_default();
    let message = format!(
        "{} {name:?} is in {} namespaces",
        found.kinds(),
        namespaces.len()
    );
    Err(Failure::new(code::REFERENCE, message)
        .details(namespaces)
        .hint("name one with -n, or take all with -A"))
}

/// Names that were asked for and are not there.
fn missing(found: &FoundObjects, wanted: &Wanted) -> Vec<String> {
    let rows: Vec<ObjectRow> = found.rows();
    let is_there = |name: &&String| rows.iter().any(|row| row.place.name == **name);
    let missing = wanted.names.iter().filter(|name| !is_there(name));
    missing.cloned().collect()
}

fn not_found(found: &FoundObjects, missing: &[String]) -> Option<Failure> {
    let first = missing.first()?;
    let kind = found.kinds();
    let mut groups = found.resources.iter().map(|resource| &*resource.group);
    let has_secret_names = groups.any(|group| group == "oauth.openshift.io");
    let message = match missing.len() {
        _ if has_secret_names => format!("{kind} of that name: not found"),
        1 => format!("{kind} {first:?} not found"),
        _ => format!("{kind} not found: {}", missing.join(", ")),
    };
    let hint = format!("see what there is: etcd-cat ls BACKUP {kind}");
    Some(
        Failure::new(code::NOT_FOUND, message)
            .exit(Exit::Bad)
            .hint(hint),
    )
}

fn unshown(mut failed: Vec<String>) -> Option<Failure> {
    let number = failed.len();
    if number == 0 {
        return None;
    }
    let message = match (number, failed.pop()) {
        (1, Some(only)) => format!("cannot show {only}"),
        (_, last) => {
            failed.extend(last);
            format!("cannot show {number} objects")
        }
    };
    failed.truncate(MAX_TOLD);
    let hint = "encrypted ones need the keys of the backup's other half: --keys LOCATION";
    Some(
        Failure::new(code::SEALED, message)
            .exit(Exit::Bad)
            .details(failed)
            .hint(hint),
    )
}
