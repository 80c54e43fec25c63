//! One pass over a kuberesources archive: gzip and tar fully read and checked, nothing extracted.

mod collect;
mod facts;
mod gzip;
mod limits;
mod member;
mod pod;
mod read;
mod tar;

pub use facts::{ConfiguredProvider, Kuberesources};
pub use limits::Limits;
pub use read::read;
