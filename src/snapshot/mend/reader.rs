//! The bytes of a file as they were.

use super::how::{MendHow, Mended};
use super::line_ends::LineFeeds;
use std::io::{self, Cursor, Read};

/// What was saved, of the bytes as they lie; of no other length.
///
/// # Errors
///
/// The source cannot be read, or is not what was proven.
pub(crate) fn mended<'r>(
    bytes: Box<dyn Read + Send + 'r>,
    mended: &Mended,
) -> io::Result<Box<dyn Read + Send + 'r>> {
    let whole = undone(bytes, mended.how)?;
    let whole: Box<dyn Read + Send + 'r> = match mended.how {
        MendHow::Trailer => Box::new(whole.chain(Cursor::new(mended.digest.0))),
        _ => whole,
    };
    Ok(Box::new(whole.take(mended.size_bytes)))
}

/// The same before it is known how long it was.
pub(super) fn undone<'r>(
    mut bytes: Box<dyn Read + Send + 'r>,
    how: MendHow,
) -> io::Result<Box<dyn Read + Send + 'r>> {
    match how {
        MendHow::Opened { .. } | MendHow::MetaPage { .. } => {
            let head = read_head(&mut bytes, how.head_bytes())?;
            let head = how
                .head(&head)
                .ok_or_else(|| io::Error::other("the meta pages are other ones than before"))?;
            Ok(Box::new(Cursor::new(head).chain(bytes)))
        }
        MendHow::Cut { start } => {
            let passed = io::copy(&mut bytes.by_ref().take(start), &mut io::sink())?;
            if passed < start {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(bytes)
        }
        MendHow::LineEnds => Ok(Box::new(LineFeeds::new(bytes))),
        MendHow::Trailer => Ok(bytes),
    }
}

/// Exactly so many bytes, or an error.
pub(super) fn read_head(bytes: &mut dyn Read, length: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    bytes.take(length).read_to_end(&mut head)?;
    if u64::try_from(head.len()) == Ok(length) {
        Ok(head)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
