//! A reader of bbolt files that believes everything: for sound files, to find the place that is to be damaged.
#![expect(clippy::as_conversions, reason = "small numbers of made-up files")]

use etcd_cat::bytes::ByteOrder;
use etcd_cat::digest::fnv1a_64;
use sha2::{Digest, Sha256};
use std::ops::Range;

/// Bytes of the digest behind the data.
pub(crate) const TRAILER: usize = 32;
/// Bytes of a page header, and of an element.
pub(crate) const HEADER: usize = 16;

/// Buckets in name order, each with its keys and values in order.
pub(crate) type Content = Vec<(Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>)>;

/// A database in memory, without the digest.
#[derive(Clone)]
pub(crate) struct Bolt {
    pub(crate) bytes: Vec<u8>,
    pub(crate) page_size: usize,
    pub(crate) order: ByteOrder,
}

/// One element of a leaf or branch page.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    /// Offset of its 16 bytes.
    pub(crate) at: usize,
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
    /// Of a branch element.
    pub(crate) child: u64,
}

impl Bolt {
    /// Takes the first meta page at its word and cuts the digest off.
    pub(crate) fn open(file: &[u8]) -> Self {
        let order = if file[16] == 0xED {
            ByteOrder::Little
        } else {
            ByteOrder::Big
        };
        let mut bolt = Self {
            bytes: file.to_vec(),
            page_size: 0,
            order,
        };
        bolt.page_size = bolt.u32(24) as usize;
        if bolt.bytes.len() % 512 == TRAILER {
            bolt.bytes.truncate(file.len() - TRAILER);
        }
        bolt
    }

    /// The file with a digest that matches.
    pub(crate) fn sealed(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.extend(Sha256::digest(&bytes));
        bytes
    }

    pub(crate) fn u16(&self, at: usize) -> u16 {
        self.order
            .u16(self.bytes[at..at + 2].try_into().expect("two bytes"))
    }

    pub(crate) fn u32(&self, at: usize) -> u32 {
        self.order
            .u32(self.bytes[at..at + 4].try_into().expect("four bytes"))
    }

    pub(crate) fn u64(&self, at: usize) -> u64 {
        self.order
            .u64(self.bytes[at..at + 8].try_into().expect("eight bytes"))
    }

    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn put_u16(&mut self, at: usize, number: u16) {
        self.put(at, &super::write::u16_bytes(self.order, number));
    }

    pub(crate) fn put_u32(&mut self, at: usize, number: u32) {
        self.put(at, &super::write::u32_bytes(self.order, number));
    }

    pub(crate) fn put_u64(&mut self, at: usize, number: u64) {
        self.put(at, &super::write::u64_bytes(self.order, number));
    }

    /// Offset of the meta page that counts.
    pub(crate) fn meta(&self) -> usize {
        let txid = |meta: usize| self.u64(meta + 64);
        if txid(self.page_size) > txid(0) {
            self.page_size
        } else {
            0
        }
    }

    /// Makes the checksums of both meta pages match again.
    pub(crate) fn sign_metas(&mut self) {
        for meta in [0, self.page_size] {
            let checksum = fnv1a_64(&self.bytes[meta + 16..meta + 72]);
            self.put_u64(meta + 72, checksum);
        }
    }

    /// Changes one field of both meta pages and their checksums.
    pub(crate) fn put_metas(&mut self, field: usize, number: u64) {
        for meta in [0, self.page_size] {
            self.put_u64(meta + field, number);
        }
        self.sign_metas();
    }

    /// Offset of a page.
    pub(crate) fn page(&self, id: u64) -> usize {
        usize::try_from(id).expect("a small file") * self.page_size
    }

    /// Page of the root bucket.
    pub(crate) fn root(&self) -> u64 {
        self.u64(self.meta() + 32)
    }

    /// Pages of the file in use or free.
    pub(crate) fn high_water_mark(&self) -> u64 {
        self.u64(self.meta() + 56)
    }

    /// Page of the stored freelist.
    pub(crate) fn freelist(&self) -> u64 {
        self.u64(self.meta() + 48)
    }

    pub(crate) fn is_branch(&self, id: u64) -> bool {
        self.u16(self.page(id) + 8) == 1
    }

    /// Elements of a page.
    pub(crate) fn elements(&self, id: u64) -> Vec<Element> {
        self.elements_at(self.page(id), self.is_branch(id))
    }

    fn elements_at(&self, page: usize, is_branch: bool) -> Vec<Element> {
        let count = usize::from(self.u16(page + 10));
        (0..count)
            .map(|index| self.element(page + HEADER + index * 16, is_branch))
            .collect()
    }

    fn element(&self, at: usize, is_branch: bool) -> Element {
        let number = |offset| self.u32(at + offset) as usize;
        if is_branch {
            let key = at + number(0)..at + number(0) + number(4);
            let value = key.end..key.end;
            return Element {
                at,
                key,
                value,
                child: self.u64(at + 8),
            };
        }
        let key = at + number(4)..at + number(4) + number(8);
        let value = key.end..key.end + number(12);
        Element {
            at,
            key,
            value,
            child: 0,
        }
    }

    /// Writes other children on a branch page.
    pub(crate) fn rewrite_branch(&mut self, id: u64, children: &[(Vec<u8>, u64)]) {
        let at = self.page(id);
        self.put_u16(at + 10, u16::try_from(children.len()).expect("few"));
        let mut data = at + HEADER + 16 * children.len();
        for (index, (key, child)) in children.iter().enumerate() {
            let element = at + HEADER + 16 * index;
            self.put_u32(element, u32::try_from(data - element).expect("small"));
            self.put_u32(element + 4, u32::try_from(key.len()).expect("small"));
            self.put_u64(element + 8, *child);
            self.put(data, key);
            data += key.len();
        }
    }

    /// Pages of a tree from its root down, parents first.
    pub(crate) fn pages(&self, root: u64) -> Vec<u64> {
        let mut pages = vec![root];
        if self.is_branch(root) {
            pages.extend(
                self.elements(root)
                    .iter()
                    .flat_map(|element| self.pages(element.child)),
            );
        }
        pages
    }

    /// Leaf pages of a tree in key order.
    pub(crate) fn leaves(&self, root: u64) -> Vec<u64> {
        let mut leaves = self.pages(root);
        leaves.retain(|&page| !self.is_branch(page));
        leaves
    }

    /// The element of a bucket in the root bucket.
    pub(crate) fn bucket(&self, name: &str) -> Element {
        let leaves = self.leaves(self.root());
        let mut elements = leaves.into_iter().flat_map(|leaf| self.elements(leaf));
        let found = elements.find(|element| self.bytes[element.key.clone()] == *name.as_bytes());
        found.unwrap_or_else(|| panic!("bucket {name}"))
    }

    /// Root page of a bucket, 0 when it is inline.
    pub(crate) fn bucket_root(&self, name: &str) -> u64 {
        self.u64(self.bucket(name).value.start)
    }

    /// All buckets with all their keys and values.
    pub(crate) fn content(&self) -> Content {
        let leaves = self.leaves(self.root());
        let buckets = leaves.into_iter().flat_map(|leaf| self.elements(leaf));
        buckets
            .map(|bucket| {
                (
                    self.bytes[bucket.key.clone()].to_vec(),
                    self.entries(&bucket),
                )
            })
            .collect()
    }

    fn entries(&self, bucket: &Element) -> Vec<(Vec<u8>, Vec<u8>)> {
        let elements = match self.u64(bucket.value.start) {
            0 => self.elements_at(bucket.value.start + 16, false),
            root => {
                let leaves = self.leaves(root).into_iter();
                leaves.flat_map(|leaf| self.elements(leaf)).collect()
            }
        };
        let bytes = |range: &Range<usize>| self.bytes[range.clone()].to_vec();
        elements
            .iter()
            .map(|element| (bytes(&element.key), bytes(&element.value)))
            .collect()
    }
}
