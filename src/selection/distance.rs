//! How much two names differ.

/// Levenshtein distance: single characters to insert, drop or replace.
pub fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut next = vec![index.saturating_add(1)];
        for ((to, above), diagonal) in right.iter().zip(row.iter().skip(1)).zip(&row) {
            let beside = next.last().copied().unwrap_or_default();
            let replaced = diagonal.saturating_add(usize::from(from != *to));
            next.push(
                replaced
                    .min(above.saturating_add(1))
                    .min(beside.saturating_add(1)),
            );
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
