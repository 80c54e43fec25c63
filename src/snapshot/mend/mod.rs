//! A digest that does not match proves more than damage: where a known change explains it, the change is undone in one
//! extra pass, and when the digest then matches, the data is proven to be what was saved.
//!
//! Nothing is believed without that proof, and no file is changed: `stage` writes what was saved.

mod attempt;
mod finding;
mod how;
mod line_ends;
mod reader;
mod suspicion;

pub(crate) use attempt::{is_to_be_read_again, mend, mend_at_once};
pub(crate) use finding::{lost_trailer, mended as finding_of};
pub use how::{MendHow, Mended};
pub(crate) use reader::mended;
pub(super) use suspicion::{Suspect, suspects};

#[cfg(test)]
mod tests;
