//! The identity of the rules: what was judged by other ones is judged again.

/// The number of the rules by which backups are paired, dated, judged and named.
///
/// Whoever changes what comes of any backup raises it: the catalogue keeps lists that were judged before, and believes
/// them only under the same number. `testdata/rules` says what comes of many backups under this number, and a test
/// compares.
pub const RULES: u32 = 9;
