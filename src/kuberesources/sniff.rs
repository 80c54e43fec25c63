//! Is a file of any name a kuberesources archive? Told from its first bytes.

use crate::kuberesources::limits::Limits;
use crate::kuberesources::member::is_below_root;
use crate::kuberesources::tar::{Step, TarReader};
use flate2::bufread::GzDecoder;
use std::io::{BufReader, Read};

/// Inflated bytes that are looked at: members outside of `static-pod-resources` may come first.
const MAX_INFLATED_BYTES: u64 = 4 << 20;

/// True when `start`, the first bytes of a file (64 KiB are plenty), is gzip around a tar with a member in
/// `static-pod-resources`, with or without `./` in front.
pub fn sniff(start: &[u8]) -> bool {
    let inflated = GzDecoder::new(start).take(MAX_INFLATED_BYTES);
    let mut tar = TarReader::new(BufReader::new(inflated), Limits::default());
    // Ends at the first error: `start` is cut somewhere.
    while let Ok(Step::Member(member)) = tar.step() {
        if is_below_root(&member.path) {
            return true;
        }
    }
    false
}
