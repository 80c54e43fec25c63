//! How long work tells of its progress without knowing who listens.

use std::path::Path;

/// Listener of a run over files. All methods may be called from several threads.
pub trait Monitor: Send + Sync {
    /// Work of this many files and bytes is ahead (may be called again as more is found).
    fn expect(&self, _files: u64, _bytes: u64) {}
    /// A file is being read.
    fn begin(&self, _path: &Path, _bytes: u64) {}
    /// More bytes of some file have been read.
    fn advance(&self, _bytes: u64) {}
    /// A file is done.
    fn finish(&self, _path: &Path) {}
    /// Something to tell at once, on its own line.
    fn note(&self, _text: &str) {}
    /// True when the run is to stop at the next file or buffer.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {}
