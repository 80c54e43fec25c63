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
    if is_gardener_delta(name) {
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

/// `Incr-<first revision>-<last revision>-<unix seconds>`.
fn is_gardener_delta(name: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(b"Incr-") else {
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
