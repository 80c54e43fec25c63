//! Running `oc`: which command lines there are, how one is run and bounded, what can go wrong with it.
//!
//! [`Oc`] is the only one that starts the program; who holds none cannot call it.

pub(crate) mod commands;
mod error;
mod oc;
mod process;

pub use commands::shell_line;
pub(crate) use commands::{Call, HostAccess};
pub use error::RunError;
pub use oc::{ClientOptions, Oc};
pub(crate) use oc::{OutputChunk, RunLimits};
pub(crate) use process::{Process, ProcessEvent};
