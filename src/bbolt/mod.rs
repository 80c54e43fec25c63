//! The file format of bbolt, and nothing of etcd: pages, meta pages, elements, buckets.
//!
//! A file is read once, front to back. [`scan`] keeps a note of each page that could be alive;
//! [`proof`] then walks the tree from the meta page over these notes and reports every defect in it.
//!
#![doc = include_str!("format.md")]

mod element;
mod freelist;
mod key_store;
mod meta;
mod note;
mod page;
mod page_set;
pub mod proof;
pub mod scan;

pub use element::{Branch, BranchElement, InlineBucket, Leaf, LeafElement};
pub use meta::{Layout, Meta, MetaDefect};
pub use page::{PageDefect, PageHeader, PageKind, Pgid};
pub use page_set::PageSet;
