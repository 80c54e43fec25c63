//! One pass over a kuberesources archive: gzip and tar fully read and checked, nothing extracted.

mod facts;

pub use facts::{ConfiguredProvider, Kuberesources};
