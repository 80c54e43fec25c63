//! Bytes that were packed: a few of them stand for a thousand times as many, so those that hold no database have an end.

use crate::bbolt::Layout;
use crate::bytes::to_u64;
use std::io::{self, Cursor, Read};

/// Both meta pages, whatever the size of a page.
const HEAD_BYTES: usize = 128 << 10;
/// Bytes that are unpacked of what begins with no valid meta page: enough to tell it from others.
const MAX_WITHOUT_DATABASE: u64 = 64 << 20;

/// The same bytes, ended early where they hold no database.
pub(crate) fn bounded<'r>(mut unpacked: Box<dyn Read + Send + 'r>) -> Box<dyn Read + Send + 'r> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let read = unpacked
        .by_ref()
        .take(to_u64(HEAD_BYTES))
        .read_to_end(&mut head);
    let has_database = Layout::find(&head).is_ok();
    let head = Cursor::new(head);
    match read {
        Err(error) => Box::new(head.chain(Failed(Some(error)))),
        Ok(_) if has_database => Box::new(head.chain(unpacked)),
        Ok(_) => Box::new(head.chain(unpacked).take(MAX_WITHOUT_DATABASE)),
    }
}

/// Fails as what it stands for did.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::{Failed, MAX_WITHOUT_DATABASE, bounded};
    use std::io::{self, Read as _};

    #[test]
    fn what_holds_no_database_ends() -> io::Result<()> {
        let endless = Box::new(io::repeat(0));
        let length = io::copy(&mut bounded(endless), &mut io::sink())?;
        assert_eq!(length, MAX_WITHOUT_DATABASE);
        Ok(())
    }

    #[test]
    fn a_failure_comes_behind_what_was_read() {
        let failing = io::repeat(7)
            .take(100)
            .chain(Failed(Some(io::Error::other("gone"))));
        let mut found = Vec::new();
        let read = bounded(Box::new(failing)).read_to_end(&mut found);
        assert_eq!((found.len(), read.is_err()), (100, true));
    }
}
