//! What a file is that no backup can be read from, by its first bytes and its name: encrypted, packed in a way that is not
//! read, a part of a whole, a page or a pointer saved in the place of an object, damaged on its way as text, or another
//! program's.
//!
//! People delete what is called damaged. So each is called what it is, with the way that leads to the backup.

mod damage;
mod encrypted;
mod packing;
mod parts;
pub(crate) mod product;
mod recognise;
mod recognised;
mod repository;
mod text;

pub(crate) use damage::{LeadingBytes, leading_bytes};
pub(crate) use parts::Parts;
pub(crate) use recognise::recognise;
pub use recognised::{Foreign, ForeignKind};
pub(crate) use repository::{Repository, repositories};

#[cfg(test)]
mod tests;
