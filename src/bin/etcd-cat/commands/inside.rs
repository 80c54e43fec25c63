//! What the commands share that look inside a backup.

use super::{Invocation, find};
use crate::args::InsideArgs;
use crate::engine;
use crate::error::Failure;
use etcd_cat::inspect::Subject;
use etcd_cat::source::ObjectId;
use std::path::Path;

/// The snapshot that is meant: what exists as a file is one, anything else is a backup in the catalogue.
pub(super) fn subject(
    reference: &str,
    args: &InsideArgs,
    invocation: &Invocation<'_>,
) -> Result<Subject, Failure> {
    let request = invocation.request(&[]);
    let is_path = reference.contains('/') && !reference.starts_with("backup/");
    let subject = if is_path || Path::new(reference).exists() {
        // A snapshot can be looked into wherever there is no catalogue.
        let known = engine::recall(&request).unwrap_or_default();
        Subject::at(&ObjectId::parse(reference.as_ref()), &known)
    } else {
        let known = engine::recall(&request)?;
        let backup = find(reference, &known)?;
        Subject::of_backup(backup, &known).ok_or(etcd_cat::inspect::InspectError::NoHalf)?
    };
    Ok(subject.with_keys(&args.keys))
}

/// Kinds and names as `kubectl` takes them: `pods`, `pods,services`, `deployment/web`, and `deployment/shop/web` as
/// `-o name` prints it.
pub(super) struct Named {
    pub(super) kinds: Vec<String>,
    pub(super) namespace: Option<String>,
    pub(super) names: Vec<String>,
}

impl Named {
    pub(super) fn of(kind: &str, names: &[String], namespace: Option<&String>) -> Self {
        let mut named = Self {
            kinds: kind.split(',').map(str::to_owned).collect(),
            namespace: namespace.cloned(),
            names: names.to_vec(),
        };
        if let Some((kind, name)) = kind.split_once('/') {
            named.kinds = vec![kind.to_owned()];
            let name = match name.split_once('/') {
                Some((namespace, name)) if named.namespace.is_none() => {
                    named.namespace = Some(namespace.to_owned());
                    name
                }
                _ => name,
            };
            named.names.insert(0, name.to_owned());
        }
        named
    }
}
