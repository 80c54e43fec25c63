//! `etcd-cat diff`: what came, went and changed between two backups.

use super::Invocation;
use super::inside::{Named, subject};
use crate::args::DiffArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{DifferenceAnswer, unified};
use crate::reply::Reply;
use etcd_cat::inspect::{Differences, FoundObjects, Other, Subject, Wanted};
use etcd_cat::objects::{Masker, Object, clean, yaml};

pub(super) fn run(args: &DiffArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let from = subject(&args.from, &args.inside, invocation)?;
    // Without --live the second one is required.
    let Some(to) = args.to.as_ref().filter(|_| !args.live) else {
        return live(&from, args, invocation);
    };
    let both = [from, subject(to, &args.inside, invocation)?];
    match args.object.as_slice() {
        [kind, name] => object(&both, [&args.from, to], [kind, name], args, invocation),
        _ => all(&both, args, invocation),
    }
}

fn all(
    [from, to]: &[Subject; 2],
    args: &DiffArgs,
    invocation: &Invocation<'_>,
) -> Result<Reply, Failure> {
    let request = invocation.request(&[]);
    let differences = engine::differences(
        from,
        to,
        args.namespace.as_deref(),
        args.inside.trust(),
        &request,
        invocation.progress,
    )?;
    let mut reply = reply(&differences, args, invocation)?;
    if differences.is_same_cluster == Some(false) {
        let note = "these are backups of two clusters: what both have under one name is compared";
        reply.notes.push(note.to_owned());
    }
    Ok(reply)
}

/// Against the cluster as it is now.
fn live(from: &Subject, args: &DiffArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    invocation.needs_oc("diff --live")?;
    let request = invocation.request(&[]);
    let differences = engine::live_differences(
        from,
        &args.oc,
        args.namespace.as_deref(),
        args.inside.trust(),
        &request,
        invocation.progress,
    )?;
    let mut reply = reply(&differences, args, invocation)?;
    if differences.is_same_cluster.is_none() {
        let note = "nothing tells whether the live cluster is the one of the backup: revisions of another one mean nothing";
        reply.notes.push(note.to_owned());
    }
    reply.notes.extend(went_back(&differences));
    Ok(reply)
}

fn reply(
    differences: &Differences,
    args: &DiffArgs,
    invocation: &Invocation<'_>,
) -> Result<Reply, Failure> {
    let answer = DifferenceAnswer {
        differences,
        has_names: args.names,
    };
    Reply::new(&answer, &invocation.style, Exit::Good)
}

/// A cluster that was restored counts its revisions anew from an earlier one.
fn went_back(differences: &Differences) -> Option<String> {
    let Other::Live(live) = &differences.to else {
        return None;
    };
    let (newest, own) = live.newest_revision.zip(live.newest_in_backup)?;
    (newest < own).then(|| {
        format!(
            "the newest change in the live cluster is revision {newest}, in the backup {own}: if the cluster was restored \
             since, equal revisions need not be equal objects"
        )
    })
}

/// One object as a unified diff of what `get --clean` prints.
fn object(
    subjects: &[Subject; 2],
    [from, to]: [&String; 2],
    [kind, name]: [&str; 2],
    args: &DiffArgs,
    invocation: &Invocation<'_>,
) -> Result<Reply, Failure> {
    let named = Named::of(&format!("{kind}/{name}"), &[], args.namespace.as_ref());
    let wanted = Wanted {
        kinds: named.kinds,
        namespace: named.namespace,
        names: named.names,
        has_values: true,
        ..Wanted::default()
    };
    let request = invocation.request(&[]);
    let trust = args.inside.trust();
    let mut found = Vec::new();
    for subject in subjects {
        found.push(engine::objects(
            subject,
            &wanted,
            trust,
            &request,
            invocation.progress,
        )?);
    }
    // Whichever of the two encrypts ConfigMaps: both are shown alike.
    let mut options = etcd_cat::objects::MaskOptions::default();
    for one in &found {
        options.config_maps |= one.contents.mask_options().config_maps;
    }
    let mut masker = Masker::new(options);
    let mut texts = Vec::new();
    for one in &found {
        texts.push(text(one, &mut masker)?);
    }
    let [own, other] = texts.as_slice() else {
        return Ok(Reply::verbatim(String::new(), Exit::Good));
    };
    if own.is_empty() && other.is_empty() {
        let message = format!("{kind} {name:?} is in neither of them");
        return Err(Failure::new(code::NOT_FOUND, message).exit(Exit::Bad));
    }
    let text = unified([(from, own), (to, other)]);
    Ok(Reply::verbatim(text, Exit::Good))
}

/// Clean YAML of the object, masked; empty where there is none.
fn text(found: &FoundObjects, masker: &mut Masker) -> Result<String, Failure> {
    let mut text = String::new();
    for (_, object) in found.objects() {
        let mut object: Object = object.map_err(|error| {
            Failure::new(code::SEALED, format!("cannot compare: {error}"))
                .exit(Exit::Bad)
                .hint("encrypted ones need the keys of the backup's other half: --keys LOCATION")
        })?;
        masker.mask(&mut object);
        clean(&mut object);
        text.push_str(&yaml::print(&object.fields));
    }
    Ok(text)
}
