//! From notes to a tree: which pages are alive, and everything that is wrong with them.

use super::element::{InlineBucket, Leaf, LeafElement};
use super::key_store::Key;
use super::meta::Layout;
use super::note::{Notes, PageNote};
use super::page::{PageDefect, Pgid};
use super::page_set::PageSet;
use crate::bytes::{ByteOrder, to_u64};
use crate::digest::{Crc32c, CrcJoiner};

/// Defects that are described one by one; of the others only the number is kept.
const MAX_DESCRIBED: usize = 256;
/// Deepest tree that is walked. A branch page holds dozens of children, so a real tree has five levels at most.
const MAX_DEPTH: usize = 32;

/// Something wrong with the tree, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TreeDefect {
    /// The page it is about.
    pub page: Pgid,
    /// Pages from the root of the bucket down to it, itself excluded.
    pub path: Vec<Pgid>,
    /// Bucket whose tree it stands in; `None` for the root bucket and the freelist.
    pub bucket: Option<Vec<u8>>,
    /// Keys that are lost or out of reach with it: from (inclusive), to (exclusive).
    pub keys: (Option<Vec<u8>>, Option<Vec<u8>>),
    /// What is wrong.
    pub kind: TreeDefectKind,
}

/// What can be wrong with the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeDefectKind {
    /// A page in use is malformed.
    #[error("{0}")]
    Page(PageDefect),
    /// Keys on the page do not ascend.
    #[error("keys on the page do not ascend")]
    NotAscending,
    /// First key smaller than the parent says.
    #[error("first key is smaller than the key of the page in its parent")]
    BelowRange,
    /// Last key not smaller than the next page's key in the parent.
    #[error("last key is not smaller than the key of the next page in the parent")]
    AboveRange,
    /// A reference to page 0, 1, or behind the high water mark.
    #[error("page id lies outside the file's {pages} pages")]
    OutOfRange {
        /// Pages that a reference may lead to.
        pages: u64,
    },
    /// Reached a second time: two parents, a cycle, or the run of another page.
    #[error("page is used twice")]
    Twice,
    /// Branches below branches without end.
    #[error("page lies deeper in the tree than any that bbolt writes")]
    TooDeep,
    /// In use and in the freelist.
    #[error("page is in use and free at once")]
    UsedAndFree,
    /// The stored freelist cannot be read.
    #[error("freelist: {0}")]
    Freelist(PageDefect),
    /// Ids of the freelist out of order, twice, or out of range.
    #[error("freelist names page {0} out of order, twice, or outside the file")]
    FreelistId(Pgid),
    /// A freelist is stored and does not name the page, and no tree reaches it.
    #[error("page is neither in use nor free, and {others} others")]
    Lost {
        /// How many more such pages there are.
        others: u64,
    },
}

/// A bucket and where its elements are.
#[derive(Debug)]
pub struct Bucket<'n> {
    /// Name in the root bucket.
    pub name: Vec<u8>,
    /// False when a part of its tree cannot be reached.
    pub is_complete: bool,
    content: BucketContent<'n>,
}

#[derive(Debug)]
enum BucketContent<'n> {
    Inline(Leaf<'n>),
    /// Positions of the notes of its leaf pages, in key order.
    Leaves(Vec<u32>),
}

/// A leaf page of a bucket, in key order.
#[derive(Clone, Copy, Debug)]
pub struct LeafRef {
    /// Its page id.
    pub page: Pgid,
    /// What the observer of the scan tagged it with.
    pub tag: u64,
    /// Elements on it.
    pub count: u16,
}

/// The tree of a file, as far as it is sound.
#[derive(Debug)]
pub struct Tree<'n> {
    notes: &'n Notes,
    order: ByteOrder,
    /// Buckets in name order.
    pub buckets: Vec<Bucket<'n>>,
    /// Everything wrong with it, in the order of the walk.
    pub defects: Vec<TreeDefect>,
    /// Defects beyond those described.
    pub undescribed_defects: u64,
    /// False when a part of the root bucket cannot be reached.
    pub is_root_complete: bool,
}

impl<'n> Tree<'n> {
    /// Walks from the root bucket over everything that is in use.
    pub fn prove(layout: &Layout, notes: &'n Notes) -> Self {
        let mut walk = Walk::new(layout, notes);
        walk.check_freelist();
        let (root_leaves, is_root_complete) = walk.tree(layout.meta.root, None);
        let mut buckets = Vec::new();
        for position in root_leaves {
            walk.buckets_on(position, &mut buckets);
        }
        walk.check_lost();
        let Walk {
            defects,
            undescribed,
            ..
        } = walk;
        Tree {
            notes,
            order: layout.order,
            buckets,
            defects,
            undescribed_defects: undescribed,
            is_root_complete,
        }
    }

    /// True when every page in use was reached and is sound.
    pub fn is_complete(&self) -> bool {
        self.is_root_complete && self.buckets.iter().all(|bucket| bucket.is_complete)
    }

    /// True when no keys were found out of order.
    pub fn is_ordered(&self) -> bool {
        use TreeDefectKind as K;
        let is_order = |kind| matches!(kind, K::NotAscending | K::BelowRange | K::AboveRange);
        self.undescribed_defects == 0 && !self.defects.iter().any(|defect| is_order(defect.kind))
    }

    /// The bucket of this name.
    pub fn bucket(&self, name: &[u8]) -> Option<&Bucket<'n>> {
        self.buckets.iter().find(|bucket| bucket.name == name)
    }

    /// Leaf pages of a bucket in key order; none for an inline bucket.
    pub fn leaves<'t>(&'t self, bucket: &'t Bucket<'n>) -> impl Iterator<Item = LeafRef> {
        let positions = match &bucket.content {
            BucketContent::Leaves(positions) => positions.as_slice(),
            BucketContent::Inline(_) => &[],
        };
        let notes = positions
            .iter()
            .filter_map(|&position| self.notes.at(position));
        notes.map(|note| LeafRef {
            page: Pgid(u64::from(note.id)),
            tag: note.tag(),
            count: note.count,
        })
    }

    /// The leaf pages of a bucket.
    pub fn leaf_pages(&self, bucket: &Bucket<'n>) -> PageSet {
        let mut pages = PageSet::new(self.notes.file_pages);
        for leaf in self.leaves(bucket) {
            pages.add(leaf.page);
        }
        pages
    }

    /// Keys and values of a bucket whose pages were kept whole (small buckets and inline ones).
    ///
    /// `None` when a page was not kept.
    pub fn entries(&self, bucket: &Bucket<'n>) -> Option<Vec<LeafElement<'n>>> {
        match &bucket.content {
            BucketContent::Inline(leaf) => leaf.read().ok(),
            BucketContent::Leaves(positions) => {
                let mut entries = Vec::new();
                for &position in positions {
                    let note = self.notes.at(position)?;
                    if note.count == 0 {
                        continue;
                    }
                    let leaf = Leaf::new(self.notes.kept(note.id)?, note.count, self.order);
                    entries.extend(leaf.elements().map_while(Result::ok));
                }
                Some(entries)
            }
        }
    }

    /// Number of elements of a bucket.
    pub fn count(&self, bucket: &Bucket<'n>) -> u64 {
        match &bucket.content {
            BucketContent::Inline(leaf) => to_u64(leaf.elements().filter(Result::is_ok).count()),
            BucketContent::Leaves(_) => self.leaves(bucket).map(|leaf| u64::from(leaf.count)).sum(),
        }
    }

    /// CRC-32C over the bucket's keys and values in key order.
    pub fn checksum(&self, bucket: &Bucket<'n>, joiner: &CrcJoiner) -> Crc32c {
        match &bucket.content {
            BucketContent::Inline(leaf) => leaf
                .elements()
                .map_while(Result::ok)
                .fold(Crc32c::default(), |crc, element| {
                    crc.followed_by(element.key).followed_by(element.value)
                }),
            BucketContent::Leaves(positions) => positions
                .iter()
                .filter_map(|&position| self.notes.at(position))
                .fold(Crc32c::default(), |crc, note| {
                    joiner.join(crc, note.content())
                }),
        }
    }
}

/// A page to visit and the range that its keys must lie in.
struct Visit<'n> {
    page: Pgid,
    depth: usize,
    from: Option<Key<'n>>,
    to: Option<Key<'n>>,
}

struct Walk<'n> {
    notes: &'n Notes,
    order: ByteOrder,
    /// Pages that may be referred to: below the high water mark and inside the file.
    pages: u64,
    used: PageSet,
    free: PageSet,
    freelist_page: Option<Pgid>,
    is_freelist_sound: bool,
    defects: Vec<TreeDefect>,
    undescribed: u64,
}

impl<'n> Walk<'n> {
    fn new(layout: &Layout, notes: &'n Notes) -> Self {
        let pages = layout.meta.high_water_mark.0.min(notes.file_pages);
        Self {
            notes,
            order: layout.order,
            pages,
            used: PageSet::new(pages),
            free: PageSet::new(pages),
            freelist_page: layout.meta.freelist,
            is_freelist_sound: false,
            defects: Vec::new(),
            undescribed: 0,
        }
    }

    fn report(&mut self, defect: TreeDefect) {
        if self.defects.len() < MAX_DESCRIBED {
            self.defects.push(defect);
        } else {
            self.undescribed += 1;
        }
    }

    fn report_page(&mut self, page: Pgid, kind: TreeDefectKind) {
        self.report(TreeDefect {
            page,
            path: Vec::new(),
            bucket: None,
            keys: (None, None),
            kind,
        });
    }

    /// Walks one tree; positions of its leaves in key order, and whether all of it could be reached.
    fn tree(&mut self, root: Pgid, bucket: Option<&[u8]>) -> (Vec<u32>, bool) {
        let mut leaves = Vec::new();
        let mut is_complete = true;
        let mut path = Vec::new();
        let mut visits = vec![Visit {
            page: root,
            depth: 0,
            from: None,
            to: None,
        }];
        while let Some(visit) = visits.pop() {
            path.truncate(visit.depth);
            let found = self.enter(visit.page).and_then(|found| {
                check_place(found.1, visit.depth)?;
                Ok(found)
            });
            let (position, note) = match found {
                Ok(found) => found,
                Err(kind) => {
                    is_complete = false;
                    self.report(describe(&visit, &path, bucket, kind));
                    continue;
                }
            };
            if let Some(kind) = order_defect(self.notes, note, &visit) {
                self.report(describe(&visit, &path, bucket, kind));
            }
            if note.has_buckets && bucket.is_some() {
                is_complete = false;
                let kind = TreeDefectKind::Page(PageDefect::NestedBucket);
                self.report(describe(&visit, &path, bucket, kind));
            }
            if note.is_branch {
                path.push(visit.page);
                push_children(self.notes, note, &visit, &mut visits);
            } else {
                leaves.push(position);
            }
        }
        (leaves, is_complete)
    }

    /// Takes a page and its run into use.
    fn enter(&mut self, page: Pgid) -> Result<(u32, &'n PageNote), TreeDefectKind> {
        if page.0 < 2 || page.0 >= self.pages {
            return Err(TreeDefectKind::OutOfRange { pages: self.pages });
        }
        let notes = self.notes;
        let found = notes.page(page).map_err(TreeDefectKind::Page);
        let run = page.0..=page.0 + found.map_or(0, |(_, note)| u64::from(note.overflow_pages));
        for id in run.clone() {
            if self.used.has(Pgid(id)) {
                // Marked all the same: a second look at this run must not cost its whole length again.
                self.used.add(page);
                return Err(TreeDefectKind::Twice);
            }
        }
        let freelist = self.freelist_run();
        let is_free = run
            .clone()
            .any(|id| self.free.has(Pgid(id)) || freelist.contains(&id));
        for id in run {
            self.used.add(Pgid(id));
        }
        if is_free {
            // It is read all the same: what it holds is needed to learn the rest.
            self.report_page(page, TreeDefectKind::UsedAndFree);
        }
        found
    }

    /// Adds the buckets on a leaf page of the root bucket.
    fn buckets_on(&mut self, position: u32, buckets: &mut Vec<Bucket<'n>>) {
        let Some(note) = self.notes.at(position) else {
            return;
        };
        let page = Pgid(u64::from(note.id));
        if note.count == 0 {
            return;
        }
        let Some(bytes) = self.notes.kept(note.id) else {
            // No element of it is a bucket, or buckets fill more pages than any file of etcd has.
            return self.report_page(page, TreeDefectKind::Page(PageDefect::Bucket { index: 0 }));
        };
        let elements = Leaf::new(bytes, note.count, self.order)
            .elements()
            .map_while(Result::ok);
        for (index, element) in (0_u16..).zip(elements) {
            let parsed = element
                .is_bucket
                .then(|| InlineBucket::parse(element.value, self.order))
                .flatten();
            let bucket = match parsed {
                Some(InlineBucket::Root(root)) => {
                    let (leaves, is_complete) = self.tree(root, Some(element.key));
                    (BucketContent::Leaves(leaves), is_complete)
                }
                Some(InlineBucket::Inline(leaf)) => {
                    let sound = |element: Result<LeafElement<'_>, _>| {
                        element.is_ok_and(|element| !element.is_bucket)
                    };
                    let is_sound = leaf.elements().all(sound);
                    if let Some(kind) = inline_defect(leaf) {
                        self.report(TreeDefect {
                            page,
                            path: Vec::new(),
                            bucket: Some(element.key.to_vec()),
                            keys: (None, None),
                            kind,
                        });
                    }
                    (BucketContent::Inline(leaf), is_sound)
                }
                None => {
                    self.report_page(page, TreeDefectKind::Page(PageDefect::Bucket { index }));
                    continue;
                }
            };
            buckets.push(Bucket {
                name: element.key.to_vec(),
                is_complete: bucket.1,
                content: bucket.0,
            });
        }
    }

    fn check_freelist(&mut self) {
        let Some(page) = self.freelist_page else {
            return;
        };
        let ids = match &self.notes.freelist {
            Some(Ok(freelist)) => &freelist.ids,
            Some(Err(defect)) => return self.report_page(page, TreeDefectKind::Freelist(*defect)),
            None => {
                let defect = self.notes.page(page).err().unwrap_or(PageDefect::NoPage);
                return self.report_page(page, TreeDefectKind::Freelist(defect));
            }
        };
        self.is_freelist_sound = true;
        let mut previous = 1;
        for &id in ids {
            if id.0 <= previous || id.0 >= self.pages || !self.free.add(id) {
                self.is_freelist_sound = false;
                self.report_page(page, TreeDefectKind::FreelistId(id));
            }
            previous = id.0;
        }
    }

    /// The pages of the stored freelist itself; none where it is not stored.
    fn freelist_run(&self) -> std::ops::Range<u64> {
        let overflow_pages = match &self.notes.freelist {
            Some(Ok(freelist)) => u64::from(freelist.overflow_pages),
            _ => 0,
        };
        self.freelist_page.map_or(0..0, |page| {
            page.0..page.0.saturating_add(overflow_pages + 1)
        })
    }

    /// Where a freelist is stored, every page is in use or free. Pages lost below a defect are not told twice.
    fn check_lost(&mut self) {
        if !self.is_freelist_sound || !self.defects.is_empty() {
            return;
        }
        let own = self.freelist_run();
        let is_lost =
            |id: &u64| !self.used.has(Pgid(*id)) && !self.free.has(Pgid(*id)) && !own.contains(id);
        let mut lost = (2..self.pages).filter(is_lost);
        if let Some(first) = lost.next() {
            let others = to_u64(lost.count());
            self.report_page(Pgid(first), TreeDefectKind::Lost { others });
        }
    }
}

/// A page below the root must have elements, and the tree an end.
fn check_place(note: &PageNote, depth: usize) -> Result<(), TreeDefectKind> {
    if note.count == 0 && depth > 0 {
        Err(TreeDefectKind::Page(PageDefect::Empty))
    } else if depth > MAX_DEPTH {
        Err(TreeDefectKind::TooDeep)
    } else {
        Ok(())
    }
}

fn order_defect(notes: &Notes, note: &PageNote, visit: &Visit<'_>) -> Option<TreeDefectKind> {
    if !note.is_ascending {
        return Some(TreeDefectKind::NotAscending);
    }
    let (first, last) = if note.is_branch {
        let mut keys = notes.children(note).map(|(_, key)| key);
        let first = keys.next()?;
        let last = keys.last().unwrap_or_else(|| first.clone());
        (first, last)
    } else {
        notes.leaf_span(note)?
    };
    if visit
        .from
        .as_ref()
        .is_some_and(|from| first.as_slice() < from.as_slice())
    {
        return Some(TreeDefectKind::BelowRange);
    }
    let is_above = visit
        .to
        .as_ref()
        .is_some_and(|to| last.as_slice() >= to.as_slice());
    is_above.then_some(TreeDefectKind::AboveRange)
}

/// Pushes the children of a branch so that the smallest key is visited first.
fn push_children<'n>(
    notes: &'n Notes,
    note: &PageNote,
    visit: &Visit<'n>,
    visits: &mut Vec<Visit<'n>>,
) {
    let base = visits.len();
    for (page, key) in notes.children(note) {
        if let Some(previous) = visits.get_mut(base..).and_then(<[Visit<'n>]>::last_mut) {
            previous.to = Some(key.clone());
        }
        visits.push(Visit {
            page,
            depth: visit.depth + 1,
            from: Some(key),
            to: None,
        });
    }
    if let Some(children) = visits.get_mut(base..) {
        if let Some(last) = children.last_mut() {
            last.to.clone_from(&visit.to);
        }
        children.reverse();
    }
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

fn describe(
    visit: &Visit<'_>,
    path: &[Pgid],
    bucket: Option<&[u8]>,
    kind: TreeDefectKind,
) -> TreeDefect {
    let bytes = |key: &Option<Key<'_>>| key.as_ref().map(|key| key.as_slice().to_vec());
    TreeDefect {
        page: visit.page,
        path: path.to_vec(),
        bucket: bucket.map(<[u8]>::to_vec),
        keys: (bytes(&visit.from), bytes(&visit.to)),
        kind,
    }
}
