//! An open object of a bucket, for whoever reads it.

use super::super::{Object, ObjectIdentity, Pace, ReadAt};
use super::opened::Opened;
use super::range::Range;
use super::ranges::RangeReader;
use crate::bytes::to_u64;
use std::io::{self, Read};
use std::sync::Arc;

/// An object for whoever reads it.
#[derive(Debug)]
pub(super) struct BucketObject {
    opened: Arc<Opened>,
    identity: ObjectIdentity,
}

impl BucketObject {
    pub(super) fn new(opened: Opened) -> Self {
        Self {
            identity: ObjectIdentity::Tagged(opened.identity.clone()),
            opened: Arc::new(opened),
        }
    }
}

impl ReadAt for BucketObject {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = self.opened.size_bytes().saturating_sub(offset);
        let length = rest.min(to_u64(buffer.len()));
        if length == 0 {
            return Ok(0);
        }
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

impl Object for BucketObject {
    fn identity(&self) -> &ObjectIdentity {
        &self.identity
    }

    /// What was opened never changes: only another object can take its name.
    fn identity_now(&self) -> io::Result<ObjectIdentity> {
        Ok(self.identity.clone())
    }

    fn reader(&self, pace: Pace) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(RangeReader::new(Arc::clone(&self.opened), pace)))
    }
}
