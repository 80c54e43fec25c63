//! One range of an object on its way: a body that is gone on with where it breaks off, and given out piece by piece as it comes.

use super::opened::Opened;
use super::pieces::{PIECE_BYTES, Piece};
use super::runtime::{self, Pending, broke_off};
use super::trouble::Trouble;
use crate::bytes::{to_u64, to_usize};
use futures_util::StreamExt as _;
use std::io::{self, Read};
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How often in a row a body may end without a single byte.
const MOST_EMPTY_ANSWERS: u32 = 4;

/// A range on its way. Dropped, it is no longer asked for.
#[derive(Debug)]
pub(super) struct Range {
    pieces: Receiver<Result<Piece, Trouble>>,
    _task: Pending<()>,
    /// What is being given out, and how far.
    current: Option<(Piece, usize)>,
    length: u64,
    /// Bytes that were not given out yet.
    left: u64,
}

impl Range {
    /// Asks for it. No more than `most_ahead` bytes wait to be read: the store waits then.
    pub(super) fn start(
        opened: Arc<Opened>,
        start: u64,
        length: u64,
        most_ahead: u64,
    ) -> io::Result<Self> {
        let ahead = length.min(most_ahead).div_ceil(to_u64(PIECE_BYTES)).max(1);
        let (sender, pieces) = channel(to_usize(ahead));
        let body = Body {
            opened,
            next: start,
            end: start.saturating_add(length),
            piece: Piece::for_some_of(length),
            sender,
        };
        Ok(Self {
            pieces,
            _task: runtime::start(body.send_all())?,
            current: None,
            length,
            left: length,
        })
    }

    /// How long it is.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// All of it was given out.
    pub(super) fn is_over(&self) -> bool {
        self.left == 0
    }

    fn receive(&mut self) -> io::Result<(Piece, usize)> {
        let piece = self.pieces.blocking_recv().ok_or_else(broke_off)?;
        Ok((piece?, 0))
    }
}

impl Read for Range {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.is_over() {
            return Ok(0);
        }
        let (piece, mut position) = match self.current.take() {
            Some(current) => current,
            None => self.receive()?,
        };
        let mut rest = piece.filled().get(position..).unwrap_or_default();
        let length = rest.read(buffer)?;
        let is_used_up = rest.is_empty();
        position = position.saturating_add(length);
        self.left = self.left.saturating_sub(to_u64(length));
        self.current = (!is_used_up).then_some((piece, position));
        Ok(length)
    }
}

/// What is still to be sent of a range.
struct Body {
    opened: Arc<Opened>,
    /// The next byte that is to come.
    next: u64,
    end: u64,
    /// What is being filled.
    piece: Piece,
    sender: Sender<Result<Piece, Trouble>>,
}

/// Nobody wants any more of it.
struct Gone;

impl Body {
    async fn send_all(mut self) {
        if let Err(trouble) = self.try_to_send_all().await {
            // Whoever read it may have gone.
            let _ = self.sender.send(Err(trouble)).await;
        }
    }

    /// A body that breaks off is gone on with, not begun again.
    async fn try_to_send_all(&mut self) -> Result<(), Trouble> {
        let mut empty_answers = 0;
        while self.next < self.end {
            let before = self.next;
            let answer = self.opened.get(before, self.end).await?;
            let mut bodies = answer.into_pieces();
            let mut end_of_body = None;
            while let Some(bytes) = bodies.next().await {
                let bytes = match &bytes {
                    Ok(bytes) => bytes.as_ref(),
                    Err(error) => {
                        end_of_body = Some(self.opened.connection.trouble(error));
                        break;
                    }
                };
                if to_u64(bytes.len()) > self.end.saturating_sub(self.next) {
                    return Err(Trouble::Lie("more bytes than were asked for".to_owned()));
                }
                if let Err(Gone) = self.fill(bytes).await {
                    return Ok(());
                }
            }
            if self.next > before {
                empty_answers = 0;
            } else if empty_answers < MOST_EMPTY_ANSWERS {
                empty_answers += 1;
            } else {
                return Err(
                    end_of_body.unwrap_or_else(|| Trouble::Lie("bodies without bytes".to_owned()))
                );
            }
        }
        Ok(())
    }

    /// Takes bytes that came, and sends each piece that is full; the last one is as long as what is left.
    async fn fill(&mut self, mut bytes: &[u8]) -> Result<(), Gone> {
        while !bytes.is_empty() {
            let rest = self.piece.fill(bytes);
            self.next = self
                .next
                .saturating_add(to_u64(bytes.len().saturating_sub(rest.len())));
            bytes = rest;
            if self.piece.is_full() || self.next == self.end {
                let next = Piece::for_some_of(self.end.saturating_sub(self.next));
                let full = std::mem::replace(&mut self.piece, next);
                self.sender.send(Ok(full)).await.map_err(|_| Gone)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{BUCKET, Served};
    use super::*;
    use crate::source::ObjectId;
    use std::time::{Duration, Instant};

    #[test]
    fn no_more_of_it_waits_than_may() -> io::Result<()> {
        let bytes: Vec<u8> = (0..251_u8).cycle().take(9_000_001).collect();
        let served = Served::plain();
        served.server.put("x.db", &bytes);
        let id = ObjectId::from(format!("s3://{BUCKET}/x.db").as_str());
        let opened = Arc::new(served.store.head(&id)?);
        let mut range = Range::start(opened, 1, 9_000_000, 2 << 20)?;
        let since = Instant::now();
        while range.pieces.len() < 2 && since.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(range.pieces.len(), 2);
        let mut read = Vec::new();
        range.read_to_end(&mut read)?;
        assert!(read == bytes.get(1..).unwrap_or_default() && range.is_over());
        Ok(())
    }
}
