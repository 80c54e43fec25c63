//! Running `oc`: which command lines there are, how one is run and bounded, what can go wrong with it.
//!
//! [`Oc`] is the only one that starts the program; who holds none cannot call it.

mod away;
pub(crate) mod commands;
mod debug_talk;
mod error;
mod oc;
mod patience;
mod process;
mod together;
mod what;
mod words;

pub use commands::shell_line;
pub(crate) use commands::{Call, HostAccess};
pub(crate) use debug_talk::{DebugProcess, DebugTalk, is_name};
pub use error::RunError;
pub use oc::{ClientOptions, Oc};
pub(crate) use oc::{OutputChunk, RunLimits};
pub(crate) use patience::{Patience, Wait};
pub(crate) use words::{is_talk, one_line};
