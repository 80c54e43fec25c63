//! What other products, and macOS, keep beside backups.

use super::recognised::{Foreign, ForeignKind};
use std::ffi::OsStr;

/// AppleSingle and AppleDouble, RFC 1740.
const APPLE: [&[u8]; 2] = [b"\0\x05\x16\x07\0\x02\0\0", b"\0\x05\x16\0\0\x02\0\0"];

pub(super) fn recognise(head: &[u8]) -> Option<Foreign> {
    let is_apple = APPLE.iter().any(|start| head.starts_with(start));
    is_apple.then(|| {
        Foreign::new(
            ForeignKind::ResourceFork,
            "what macOS keeps of a file beside it (AppleDouble), not the file itself",
            "nothing: the file itself has the same name without ._ in front",
        )
    })
}

/// What a name says that is another product's and holds no snapshot.
pub(crate) fn by_name(name: &OsStr) -> Option<Foreign> {
    let name = name.as_encoded_bytes();
    let other = |what, remedy| Some(Foreign::new(ForeignKind::OtherProduct, what, remedy));
    if is_gardener(name, b"Incr-") {
        return other(
            "changes since a full snapshot, as Gardener's etcd-backup-restore keeps them",
            "restore it with etcdbrctl restore, which applies them to the Full- snapshot before them; that one is judged here",
        );
    }
    if name.starts_with(b"pki-") && (name.ends_with(b".tar.gz") || name.ends_with(b".tgz")) {
        return other(
            "certificates and keys of a kubeadm cluster, kept beside its snapshot",
            "keep it with the snapshot: a kubeadm cluster is not restored without it",
        );
    }
    None
}

/// Whose snapshot it is by its name, and how that product restores it.
pub(crate) fn of_snapshot(name: &OsStr) -> Option<(&'static str, &'static str)> {
    let name = name.as_encoded_bytes();
    let is_k3s = |start: &[u8]| {
        let rest = name.strip_prefix(start);
        rest.is_some_and(|rest| ends_in_seconds(rest.strip_suffix(b".zip").unwrap_or(rest)))
    };
    if name.starts_with(b"Full-") && is_gardener(name, b"Full-") {
        return Some((
            "a full snapshot of Gardener's etcd-backup-restore",
            "restore it with etcdbrctl restore, which applies the Incr- files behind it",
        ));
    }
    if is_k3s(b"etcd-snapshot-") || is_k3s(b"on-demand-") {
        return Some((
            "a snapshot of k3s or RKE2",
            "restore it with k3s server --cluster-reset --cluster-reset-restore-path=FILE (rke2 likewise)",
        ));
    }
    None
}

/// A name and `-<unix seconds>`.
fn ends_in_seconds(name: &[u8]) -> bool {
    let digits = name
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let before = name.len().checked_sub(digits.saturating_add(1));
    digits == 10 && before.is_some_and(|before| name.get(before) == Some(&b'-'))
}

/// `Incr-<first revision>-<last revision>-<unix seconds>`, and so `Full-`.
fn is_gardener(name: &[u8], start: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(start) else {
        return false;
    };
    let mut numbers = rest.splitn(3, |byte| *byte == b'-');
    let is_revision = |part: Option<&[u8]>| {
        part.is_some_and(|part| part.len() == 8 && part.iter().all(u8::is_ascii_digit))
    };
    let is_time = |part: Option<&[u8]>| {
        part.is_some_and(|part| part.len() >= 10 && part.iter().take(10).all(u8::is_ascii_digit))
    };
    is_revision(numbers.next()) && is_revision(numbers.next()) && is_time(numbers.next())
}
