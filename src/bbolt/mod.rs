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
mod meta_edit;
mod note;
mod page;
mod page_set;
mod page_use;
mod proof;
mod scan;
mod tree;
mod tree_defect;
mod visit;

pub(crate) use element::LeafElement;
pub(crate) use meta::{Layout, MetaDefect};
pub(crate) use meta_edit::{with_newest, with_rebuilt};
pub(crate) use note::PageNotes;
pub(crate) use page::Pgid;
pub(crate) use page_set::PageSet;
pub(crate) use proof::prove;
pub(crate) use scan::{LeafObserver, Observation, Scan};
pub(crate) use tree::{Bucket, LeafRef, Tree};
pub(crate) use tree_defect::{TreeDefect, TreeDefectKind};
