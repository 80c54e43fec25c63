//! Running `oc`: which command lines there are, how one is run and bounded, what can go wrong with it.

pub(crate) mod commands;
mod error;
mod oc;
mod process;

pub use commands::shell_line;
pub(crate) use commands::{Call, HostAccess};
pub use error::RunError;
pub(crate) use oc::{Chunk, Limits};
pub use oc::{ClientOptions, Oc};
pub(crate) use process::{Event, Process};
