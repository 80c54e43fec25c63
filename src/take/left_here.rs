//! What earlier runs left on this machine on the way to a bucket: uploads that nobody ends, and files.

use super::work_directory::{LeftDirectory, Taken, left};
use crate::monitor::Monitor;
use crate::oc::shell_line;
use crate::source::{ObjectId, Store as _, Stores};
use std::ffi::OsStr;
use std::path::Path;

/// Gives up their uploads, and tells of their files. Nothing that could be a backup is removed.
pub(super) fn tidy(root: &Path, stores: &Stores, monitor: &dyn Monitor) {
    for directory in left(root) {
        let is_given_up = give_up(&directory, stores, monitor);
        if directory.files().is_empty() {
            if is_given_up {
                // One that cannot be removed is told by the next run.
                let _ = directory.remove();
            }
            continue;
        }
        let (what, way) = match directory.verified() {
            Some(_) => (
                "a verified backup that did not reach its destination",
                "`etcd-cat backup --resume` with the same --to and --keys-to brings it there, ",
            ),
            None => ("files that were not verified", ""),
        };
        let path = directory.path.display();
        let remove = ["rm", "-r", "--", &path.to_string()].map(str::to_owned);
        monitor.note(&format!(
            "an earlier run left {path}, {what}, with the encryption keys: {way}`{}` removes it",
            shell_line(&remove)
        ));
    }
}

/// The newest verified backup that an earlier run could not bring to its destination.
pub(super) fn resumable(root: &Path) -> Option<(LeftDirectory, Taken)> {
    let directories = left(root).into_iter().rev();
    let mut found = directories.filter_map(|directory| {
        let verified = directory.verified()?.clone();
        Some((directory, verified))
    });
    found.next()
}

pub(super) fn give_up(directory: &LeftDirectory, stores: &Stores, monitor: &dyn Monitor) -> bool {
    let mut is_all = true;
    for (url, upload) in &directory.note.uploads {
        let id = ObjectId::parse(OsStr::new(url));
        match stores.give_up(&id, upload) {
            Ok(()) => monitor.note(&format!(
                "gave up the upload of {id} that an earlier run had begun"
            )),
            Err(error) => {
                is_all = false;
                monitor.note(&format!(
                    "parts of {id} from an earlier run are still there, as upload {upload}: {error}"
                ));
            }
        }
    }
    is_all
}
