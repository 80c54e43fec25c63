//! Chance that is the same in each run.

/// Numbers that look random (a linear congruence), from a seed on.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A length or an index below `limit`.
    pub(crate) fn length(&mut self, limit: u64) -> usize {
        usize::try_from(self.roll(limit)).expect("31 bits")
    }
}
