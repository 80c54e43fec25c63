//! Many short lists in one piece of memory.

/// A list for each half of an inventory. Most have one entry: memory of its own for each would cost more than what is in it.
#[derive(Debug)]
pub(super) struct Rows<T> {
    values: Vec<T>,
    /// Where each row ends in `values`; it begins where the one before ends.
    ends: Vec<usize>,
}

impl<T> Rows<T> {
    /// Room for so many rows of one entry.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            values: Vec::with_capacity(rows),
            ends: Vec::with_capacity(rows),
        }
    }

    /// Adds a row at the end.
    pub(super) fn push(&mut self, row: impl IntoIterator<Item = T>) {
        self.values.extend(row);
        self.ends.push(self.values.len());
    }

    /// Adds the rows of another one behind its own.
    pub(super) fn append(&mut self, other: Self) {
        let behind = self.values.len();
        self.values.extend(other.values);
        let ends = other.ends.iter().map(|end| behind + end);
        self.ends.extend(ends);
    }

    /// One row; an empty one where there is none.
    pub(super) fn row(&self, number: usize) -> &[T] {
        let before = number.checked_sub(1);
        let start = before.map_or(Some(&0), |before| self.ends.get(before));
        let range = start.zip(self.ends.get(number));
        let row = range.and_then(|(start, end)| self.values.get(*start..*end));
        row.unwrap_or_default()
    }

    /// All rows in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[T]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let row = self.values.get(start..*end);
            start = *end;
            row.unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were_pushed() {
        let pushed: [&[u8]; 4] = [&[], &[1], &[], &[2, 3]];
        let mut rows = Rows::with_capacity(2);
        for row in pushed {
            rows.push(row.iter().copied());
        }
        assert_eq!(rows.iter().collect::<Vec<_>>(), pushed);
        for (number, row) in pushed.iter().enumerate() {
            assert_eq!(rows.row(number), *row);
        }
        assert!(rows.row(4).is_empty());
        let mut twice = Rows::with_capacity(0);
        for _ in 0..2 {
            let mut rows = Rows::with_capacity(0);
            for row in pushed {
                rows.push(row.iter().copied());
            }
            twice.append(rows);
        }
        assert_eq!(twice.iter().collect::<Vec<_>>(), [pushed, pushed].concat());
    }
}
