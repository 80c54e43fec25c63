//! From notes to a tree: which pages are alive, and everything that is wrong with them.

use super::element::{InlineBucket, Leaf, LeafElement};
use super::meta::Layout;
use super::note::PageNotes;
use super::page::{PageDefect, Pgid};
use super::page_use::PageUse;
use super::tree::{Bucket, BucketContent, Tree};
use super::tree_defect::{TreeDefect, TreeDefectKind, TreeDefects};
use super::visit::PageVisit;
use crate::bytes::ByteOrder;

/// Walks from the root bucket over everything that is in use.
pub(crate) fn prove<'n>(layout: &Layout, notes: &'n PageNotes) -> Tree<'n> {
    let mut walk = TreeWalk {
        notes,
        order: layout.order,
        pages: PageUse::new(layout, notes),
        defects: TreeDefects::default(),
    };
    walk.pages.read_freelist(&mut walk.defects);
    let (root_leaves, is_root_complete) = walk.tree(layout.meta.root, None);
    let mut buckets = Vec::new();
    for position in root_leaves {
        walk.buckets_on(position, &mut buckets);
    }
    walk.pages.check_lost(&mut walk.defects);
    Tree {
        notes,
        order: layout.order,
        buckets,
        defects: walk.defects.described,
        undescribed_defects: walk.defects.undescribed,
        is_root_complete,
    }
}

/// The walk, under way.
struct TreeWalk<'n> {
    notes: &'n PageNotes,
    order: ByteOrder,
    pages: PageUse<'n>,
    defects: TreeDefects,
}

impl<'n> TreeWalk<'n> {
    /// Walks one tree; positions of its leaves in key order, and whether all of it could be reached.
    fn tree(&mut self, root: Pgid, bucket: Option<&[u8]>) -> (Vec<u32>, bool) {
        let mut leaves = Vec::new();
        let mut is_complete = true;
        let mut path = Vec::new();
        let mut visits = vec![PageVisit::of_root(root)];
        while let Some(visit) = visits.pop() {
            path.truncate(visit.depth);
            let found = self.pages.enter(visit.page, &mut self.defects);
            let checked = found.and_then(|found| visit.check_depth(found.1).map(|()| found));
            let (position, note) = match checked {
                Ok(found) => found,
                Err(kind) => {
                    is_complete = false;
                    self.defects.report(visit.defect(&path, bucket, kind));
                    continue;
                }
            };
            if let Err(kind) = visit.check_order(note, self.notes) {
                self.defects.report(visit.defect(&path, bucket, kind));
            }
            if note.has_buckets && bucket.is_some() {
                is_complete = false;
                let kind = TreeDefectKind::Page(PageDefect::NestedBucket);
                self.defects.report(visit.defect(&path, bucket, kind));
            }
            if note.is_branch {
                path.push(visit.page);
                visit.push_children(note, self.notes, &mut visits);
            } else {
                leaves.push(position);
            }
        }
        (leaves, is_complete)
    }

    /// Adds the buckets on a leaf page of the root bucket.
    fn buckets_on(&mut self, position: u32, buckets: &mut Vec<Bucket<'n>>) {
        let Some(note) = self.notes.at(position).filter(|note| note.count > 0) else {
            return;
        };
        let page = Pgid(u64::from(note.id));
        let Some(bytes) = self.notes.kept(note.id) else {
            // No element of it is a bucket, or buckets fill more pages than any file of etcd has.
            let kind = TreeDefectKind::Page(PageDefect::Bucket { index: 0 });
            return self.defects.report_page(page, kind);
        };
        let elements = Leaf::new(bytes, note.count, self.order)
            .elements()
            .map_while(Result::ok);
        for (index, element) in (0_u16..).zip(elements) {
            match self.bucket(page, element) {
                Some(bucket) => buckets.push(bucket),
                None => {
                    let kind = TreeDefectKind::Page(PageDefect::Bucket { index });
                    self.defects.report_page(page, kind);
                }
            }
        }
    }

    /// The bucket in an element of the root bucket; `None` when it is none.
    fn bucket(&mut self, page: Pgid, element: LeafElement<'n>) -> Option<Bucket<'n>> {
        let name = element.key;
        let parsed = element
            .is_bucket
            .then(|| InlineBucket::parse(element.value, self.order))
            .flatten()?;
        let (content, is_complete) = match parsed {
            InlineBucket::Root(root) => {
                let (leaves, is_complete) = self.tree(root, Some(name));
                (BucketContent::Leaves(leaves), is_complete)
            }
            InlineBucket::Inline(leaf) => {
                if let Some(kind) = inline_defect(leaf) {
                    self.defects.report(TreeDefect {
                        bucket: Some(name.to_vec()),
                        ..TreeDefect::of_page(page, kind)
                    });
                }
                (BucketContent::Inline(leaf), is_readable(leaf))
            }
        };
        Some(Bucket {
            name: name.to_vec(),
            is_complete,
            content,
        })
    }
}

/// Are all elements of an inline bucket values?
fn is_readable(leaf: Leaf<'_>) -> bool {
    leaf.elements()
        .all(|element| element.is_ok_and(|element| !element.is_bucket))
}

fn inline_defect(leaf: Leaf<'_>) -> Option<TreeDefectKind> {
    let elements = match leaf.read() {
        Ok(elements) => elements,
        Err(defect) => return Some(TreeDefectKind::Page(defect)),
    };
    if elements.iter().any(|element| element.is_bucket) {
        return Some(TreeDefectKind::Page(PageDefect::NestedBucket));
    }
    let is_ascending = elements
        .windows(2)
        .all(|pair| matches!(pair, [left, right] if left.key < right.key));
    (!is_ascending).then_some(TreeDefectKind::NotAscending)
}
