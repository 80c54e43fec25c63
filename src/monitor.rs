//! How long work tells of its progress without knowing who listens.

use std::ffi::OsStr;

/// Listener of a run over files. All methods may be called from several threads.
pub trait Monitor: Send + Sync {
    /// Work of this many files and bytes is ahead (may be called again as more is found).
    fn expect(&self, _files: u64, _bytes: u64) {}
    /// An object is being read, by this path or URL.
    fn begin(&self, _name: &OsStr, _bytes: u64) {}
    /// More bytes of some file have been read.
    fn advance(&self, _bytes: u64) {}
    /// An object is done.
    fn finish(&self, _name: &OsStr) {}
    /// Somebody else is waited for from here on, such as a cluster that was asked something.
    fn begin_step(&self, _what: &str) {}
    /// That is over.
    fn finish_step(&self, _what: &str) {}
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

/// Something that is waited for, until it is dropped.
pub(crate) struct Step<'m> {
    monitor: &'m dyn Monitor,
    what: String,
}

impl<'m> Step<'m> {
    pub(crate) fn begin(monitor: &'m dyn Monitor, what: impl Into<String>) -> Self {
        let what = what.into();
        monitor.begin_step(&what);
        Self { monitor, what }
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        self.monitor.finish_step(&self.what);
    }
}
