//! What is said of a file whose digest proves what happened to it.

use super::how::{MendHow, Mended};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Finding};

/// `opened-since` or `mended`.
pub(crate) fn mended(mended: &Mended) -> Finding {
    let digest = mended.digest.to_string();
    let (code, what) = match mended.how {
        MendHow::Opened { by, .. } => (
            Code::OpenedSince,
            format!(
                "a tool opened the file for writing after it was saved (etcdutl hashkv does), and the transaction numbers \
                 of its meta pages rose by {by}"
            ),
        ),
        MendHow::MetaPage { page, .. } => (
            Code::Mended,
            format!("meta page {page} was changed; it follows from the other one"),
        ),
        MendHow::Cut { start: 0 } => (
            Code::Mended,
            "other bytes stand behind the trailer".to_owned(),
        ),
        MendHow::Cut { start } => (
            Code::Mended,
            format!("{start} other bytes stand before the data"),
        ),
        MendHow::LineEnds => (
            Code::Mended,
            "a transfer in text mode put a carriage return before every line feed".to_owned(),
        ),
        MendHow::Trailer => (
            Code::Mended,
            "the digest behind the data was lost, and the checksum recorded beside the file covers both"
                .to_owned(),
        ),
    };
    let message = format!("{what}: undone, its SHA-256 is {digest}, as it was saved");
    let finding = Finding::new(code, message)
        .with("digest", digest)
        .with("sizeBytes", mended.size_bytes);
    match mended.how {
        MendHow::Opened { txid, by, .. } => {
            finding.with("transaction", txid).with("transactions", by)
        }
        MendHow::MetaPage { page, .. } => finding.with("page", page),
        MendHow::Cut { start } => finding.with("startsAt", start),
        MendHow::LineEnds | MendHow::Trailer => finding,
    }
}

/// What a file without a trailer was, where a checksum that was recorded is that of its data and their digest.
pub(crate) fn lost_trailer(data: Sha256Digest, data_bytes: u64) -> Mended {
    Mended {
        how: MendHow::Trailer,
        digest: data,
        size_bytes: data_bytes.saturating_add(32),
    }
}
