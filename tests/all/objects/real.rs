//! What real servers wrote, below `testdata/real/`.

use lzma_rust2::XzReader;
use std::io::Read;
use std::path::PathBuf;

pub(crate) fn path(name: &str) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/real");
    PathBuf::from(root).join(name)
}

/// A packed file, unpacked.
pub(crate) fn unpacked(name: &str) -> Vec<u8> {
    let packed = std::fs::File::open(path(name)).expect("the file is there");
    let mut bytes = Vec::new();
    let read = if name.ends_with(".xz") {
        XzReader::new(packed, true).read_to_end(&mut bytes)
    } else {
        flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes)
    };
    read.expect("the file is sound");
    bytes
}
