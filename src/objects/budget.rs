//! What decoding one object may take.

use super::defect::{DecodeDefect, DecodeError};

/// Deepest nesting of values: of the objects seen, definitions go deepest, with some thirty levels.
pub(super) const MAX_DEPTH: usize = 160;
/// Values that an object of no bytes may have: API types print some fields that are not stored.
const FREE_VALUES: usize = 4096;
/// Values of the largest object that is decoded: some hundred megabytes of them.
const MAX_VALUES: usize = 1 << 20;

/// What decoding one object may still take, and what was learnt on the way.
pub(super) struct Budget {
    values: usize,
    depth: usize,
    pub(super) unknown_fields: Vec<String>,
}

impl Budget {
    /// For a stored value of this length: every value that is really stored takes a byte or more.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            values: (bytes + FREE_VALUES).min(MAX_VALUES),
            depth: 0,
            unknown_fields: Vec::new(),
        }
    }

    /// Counts one value.
    pub(super) fn spend(&mut self) -> Result<(), DecodeDefect> {
        self.values = self.values.checked_sub(1).ok_or(DecodeDefect::Fields)?;
        Ok(())
    }

    /// Goes one level down.
    pub(super) fn descend<T>(
        &mut self,
        decode: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth >= MAX_DEPTH {
            return Err(DecodeDefect::Depth { limit: MAX_DEPTH }.into());
        }
        self.depth += 1;
        let decoded = decode(self);
        self.depth -= 1;
        decoded
    }
}
