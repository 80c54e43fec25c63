//! An open object of a bucket, for whoever reads it.

use super::super::store::SMALL_BYTES;
use super::super::{Object, ObjectIdentity, Pace, ReadAt};
use super::opened::Opened;
use super::range::Range;
use super::ranges::RangeReader;
use crate::bytes::{to_u64, to_usize};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, OnceLock};

/// An object for whoever reads it.
#[derive(Debug)]
pub(super) struct BucketObject {
    opened: Arc<Opened>,
    identity: ObjectIdentity,
    /// All its bytes, if they were brought.
    whole: OnceLock<Arc<[u8]>>,
}

impl BucketObject {
    pub(super) fn new(opened: Opened) -> Self {
        Self {
            identity: ObjectIdentity::Tagged(opened.identity.clone()),
            opened: Arc::new(opened),
            whole: OnceLock::new(),
        }
    }

    fn is_small(&self) -> bool {
        (1..=SMALL_BYTES).contains(&self.opened.size_bytes())
    }

    /// Asks for these bytes, and for nothing beside them.
    fn ask_for(&self, buffer: &mut [u8], offset: u64, length: u64) -> io::Result<usize> {
        let mut range = Range::start(Arc::clone(&self.opened), offset, length, length)?;
        let mut read = 0;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match range.read(rest)? {
                0 => break,
                more => read += more,
            }
        }
        Ok(read)
    }
}

impl ReadAt for BucketObject {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let size = self.opened.size_bytes();
        let length = size.saturating_sub(offset).min(to_u64(buffer.len()));
        if length == 0 {
            return Ok(0);
        }
        if length == size {
            // All of it is asked for: nobody need ask for any of it again.
            self.bring()?;
        }
        match self.whole.get() {
            Some(whole) => whole.read_at(buffer, offset),
            None => self.ask_for(buffer, offset, length),
        }
    }
}

impl Object for BucketObject {
    fn identity(&self) -> &ObjectIdentity {
        &self.identity
    }

    /// What was opened never changes: only another object can take its name.
    fn identity_now(&self) -> io::Result<ObjectIdentity> {
        Ok(self.identity.clone())
    }

    fn reader(&self, pace: Pace) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self.whole.get() {
            Some(whole) => Box::new(Cursor::new(Arc::clone(whole))),
            None => Box::new(RangeReader::new(Arc::clone(&self.opened), pace)),
        })
    }

    fn bring(&self) -> io::Result<()> {
        if !self.is_small() || self.whole.get().is_some() {
            return Ok(());
        }
        let size = self.opened.size_bytes();
        let mut bytes = vec![0; to_usize(size)];
        let length = self.ask_for(&mut bytes, 0, size)?;
        bytes.truncate(length);
        // Whoever brought it at the same time has brought the same bytes.
        let _ = self.whole.set(bytes.into());
        Ok(())
    }

    fn came_at_once(&self) -> bool {
        self.whole.get().is_some() && self.opened.is_of_one_answer()
    }
}
