//! Writes a database as bbolt on another machine would: page size, byte order, stored freelist, stale pages.
#![expect(clippy::as_conversions, reason = "small numbers of made-up files")]

use super::bolt::{Bolt, Content, HEADER};
use etcd_cat::bytes::ByteOrder;

/// How a database is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) page_size: usize,
    pub(crate) order: ByteOrder,
    /// A freelist page is stored.
    pub(crate) store_freelist: bool,
    /// Every so many pages, a free one that still holds an old leaf page; 0 for none.
    pub(crate) stale_every: u64,
}

impl Default for Form {
    /// As etcd on amd64 writes it.
    fn default() -> Self {
        Self {
            page_size: 4096,
            order: ByteOrder::Little,
            store_freelist: false,
            stale_every: 0,
        }
    }
}

pub(crate) fn u16_bytes(order: ByteOrder, number: u16) -> [u8; 2] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

pub(crate) fn u32_bytes(order: ByteOrder, number: u32) -> [u8; 4] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

pub(crate) fn u64_bytes(order: ByteOrder, number: u64) -> [u8; 8] {
    match order {
        ByteOrder::Little => number.to_le_bytes(),
        ByteOrder::Big => number.to_be_bytes(),
    }
}

/// The same buckets, keys and values in another form.
pub(crate) fn transcode(file: &[u8], form: Form) -> Bolt {
    database(&Bolt::open(file).content(), form)
}

/// Writes a database: entries stay in the order given, even a wrong one.
pub(crate) fn database(content: &Content, form: Form) -> Bolt {
    let mut writer = Writer {
        form,
        pages: Vec::new(),
        free: Vec::new(),
        last_leaf: None,
    };
    let buckets = content.iter().map(|(name, entries)| {
        let value = writer.bucket(entries);
        Item {
            flags: 1,
            key: name.clone(),
            value,
        }
    });
    let buckets: Vec<Item> = buckets.collect();
    let root = writer.tree(&buckets);
    writer.finish(root)
}

struct Item {
    flags: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Item {
    fn size(&self) -> usize {
        16 + self.key.len() + self.value.len()
    }
}

struct Writer {
    form: Form,
    /// From page 2 on.
    pages: Vec<u8>,
    free: Vec<u64>,
    last_leaf: Option<Vec<u8>>,
}

impl Writer {
    fn next_id(&self) -> u64 {
        (self.pages.len() / self.form.page_size) as u64 + 2
    }

    /// The value of a bucket element: inline when it is small.
    fn bucket(&mut self, entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let item = |(key, value): &(Vec<u8>, Vec<u8>)| Item {
            flags: 0,
            key: key.clone(),
            value: value.clone(),
        };
        let items: Vec<Item> = entries.iter().map(item).collect();
        let size = HEADER + items.iter().map(Item::size).sum::<usize>();
        let is_inline = size <= self.form.page_size / 4;
        let root = if is_inline { 0 } else { self.tree(&items) };
        let mut value = u64_bytes(self.form.order, root).to_vec();
        value.extend([0; 8]);
        if is_inline {
            value.extend(self.leaf(0, &items, 0));
        }
        value
    }

    /// Writes leaves and the branches above them; the root's id.
    fn tree(&mut self, items: &[Item]) -> u64 {
        let mut level: Vec<(Vec<u8>, u64)> = Vec::new();
        for items in split(items, self.form.page_size, Item::size) {
            let id = self.next_id();
            let leaf = self.leaf(id, items, self.form.page_size);
            self.push(leaf.clone());
            self.last_leaf = Some(leaf);
            level.push((
                items.first().map_or_else(Vec::new, |item| item.key.clone()),
                id,
            ));
        }
        while level.len() > 1 {
            let size = |(key, _): &(Vec<u8>, u64)| 16 + key.len();
            let parents = split(&level, self.form.page_size, size);
            let parents = parents
                .into_iter()
                .map(|children| (children[0].0.clone(), self.branch(children)));
            level = parents.collect();
        }
        level[0].1
    }

    fn header(&self, id: u64, flags: u16, count: usize, overflow: usize) -> Vec<u8> {
        let order = self.form.order;
        let mut header = u64_bytes(order, id).to_vec();
        header.extend(u16_bytes(order, flags));
        header.extend(u16_bytes(
            order,
            u16::try_from(count).expect("few elements"),
        ));
        header.extend(u32_bytes(
            order,
            u32::try_from(overflow).expect("few pages"),
        ));
        header
    }

    /// A leaf page, padded to whole pages unless it is inline (`page_size` 0).
    fn leaf(&self, id: u64, items: &[Item], page_size: usize) -> Vec<u8> {
        let size = HEADER + items.iter().map(Item::size).sum::<usize>();
        let pages = if page_size == 0 {
            1
        } else {
            size.div_ceil(page_size)
        };
        let mut page = self.header(id, 2, items.len(), pages - 1);
        let mut data = HEADER + 16 * items.len();
        for (index, item) in items.iter().enumerate() {
            let start = HEADER + 16 * index;
            let numbers = [
                item.flags as usize,
                data - start,
                item.key.len(),
                item.value.len(),
            ];
            for number in numbers {
                page.extend(u32_bytes(
                    self.form.order,
                    u32::try_from(number).expect("small"),
                ));
            }
            data += item.key.len() + item.value.len();
        }
        for item in items {
            page.extend(&item.key);
            page.extend(&item.value);
        }
        page.resize(page.len().max(pages * page_size), 0);
        page
    }

    fn branch(&mut self, children: &[(Vec<u8>, u64)]) -> u64 {
        let id = self.next_id();
        let size = HEADER
            + children
                .iter()
                .map(|(key, _)| 16 + key.len())
                .sum::<usize>();
        let pages = size.div_ceil(self.form.page_size);
        let mut page = self.header(id, 1, children.len(), pages - 1);
        let mut data = HEADER + 16 * children.len();
        for (index, (key, child)) in children.iter().enumerate() {
            let numbers = [data - HEADER - 16 * index, key.len()];
            for number in numbers {
                page.extend(u32_bytes(
                    self.form.order,
                    u32::try_from(number).expect("small"),
                ));
            }
            page.extend(u64_bytes(self.form.order, *child));
            data += key.len();
        }
        children.iter().for_each(|(key, _)| page.extend(key));
        page.resize(pages * self.form.page_size, 0);
        self.push(page);
        id
    }

    /// Appends a run, and now and then a stale copy of the last leaf behind it.
    fn push(&mut self, run: Vec<u8>) {
        self.pages.extend(run);
        let id = self.next_id();
        if self.form.stale_every > 0 && id.is_multiple_of(self.form.stale_every) {
            let mut stale = self
                .last_leaf
                .clone()
                .unwrap_or_else(|| vec![0; self.form.page_size]);
            stale.truncate(self.form.page_size);
            stale[..8].copy_from_slice(&u64_bytes(self.form.order, id));
            self.pages.extend(stale);
            self.free.push(id);
        }
    }

    fn finish(mut self, root: u64) -> Bolt {
        let (order, page_size) = (self.form.order, self.form.page_size);
        let freelist = if self.form.store_freelist {
            self.store_freelist()
        } else {
            u64::MAX
        };
        let high_water_mark = self.next_id();
        let mut bytes = Vec::new();
        for (id, txid) in [(0, 7), (1, 6)] {
            bytes.extend(self.header(id, 4, 0, 0));
            bytes.extend(u32_bytes(order, 0xED0C_DAED));
            bytes.extend(u32_bytes(order, 2));
            bytes.extend(u32_bytes(order, u32::try_from(page_size).expect("small")));
            bytes.extend([0; 4]);
            for number in [root, 0, freelist, high_water_mark, txid, 0] {
                bytes.extend(u64_bytes(order, number));
            }
            bytes.resize((bytes.len()).next_multiple_of(page_size), 0);
        }
        bytes.extend(&self.pages);
        let mut bolt = Bolt {
            bytes,
            page_size,
            order,
        };
        bolt.sign_metas();
        bolt
    }

    fn store_freelist(&mut self) -> u64 {
        let id = self.next_id();
        let size = HEADER + 8 * self.free.len();
        // bbolt allocates size / page size + 1 pages, so one more than needed when it fits exactly.
        let pages = size / self.form.page_size + 1;
        let mut page = self.header(id, 0x10, self.free.len(), pages - 1);
        for &free in &self.free {
            page.extend(u64_bytes(self.form.order, free));
        }
        page.resize(pages * self.form.page_size, 0);
        self.pages.extend(page);
        id
    }
}

/// Cuts a list into parts that fit on a page; what does not fit stands alone (and overflows).
fn split<T>(items: &[T], page_size: usize, size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, HEADER);
    for (index, item) in items.iter().enumerate() {
        if index > start && used + size(item) > page_size {
            parts.push(&items[start..index]);
            (start, used) = (index, HEADER);
        }
        used += size(item);
    }
    parts.push(&items[start..]);
    parts
}
