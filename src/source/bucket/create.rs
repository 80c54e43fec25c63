//! Creates an object: never in the place of another one, whole or not at all, nothing new after a signal.

use super::super::{Created, NewObject, ObjectIdentity, read_full_at};
use super::opened::{Seen, look};
use super::request::Connection;
use super::runtime::{self, Pending};
use super::trouble::{Refusal, Trouble};
use super::upload::{Target, Upload};
use crate::bytes::{to_u64, to_usize};
use crate::monitor::Monitor;
use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a part, unless there would be too many of them. What is no longer goes in one request.
const PART_BYTES: u64 = 8 << 20;
/// No store takes more parts.
const MOST_PARTS: u64 = 10_000;
/// Parts on their way at a time.
const PARTS_IN_FLIGHT: usize = 4;
/// After a signal: how long a request that writes is waited for, because nobody knows otherwise what came of it.
const GRACE: Duration = Duration::from_secs(10);
/// How long parts are tried to be removed.
const GIVE_UP_WITHIN: Duration = Duration::from_secs(20);

/// Why nothing was created.
enum Stop {
    Trouble(Trouble),
    Local(io::Error),
    Interrupted,
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Local(error)
    }
}

/// Creates an object of this key.
pub(super) fn create(
    connection: Arc<Connection>,
    key: String,
    new: &NewObject<'_>,
    monitor: &dyn Monitor,
) -> io::Result<Created> {
    let creation = Creation {
        target: Target {
            connection,
            key,
            mark: mark(),
        },
        new,
        monitor,
        is_new_only: Cell::new(true),
        remains: Cell::new(None),
        interrupted_at: Cell::new(None),
    };
    creation.run()
}

/// Gives up the upload of a run that ended without doing so.
pub(super) fn give_up(connection: Arc<Connection>, key: String, id: &str) -> io::Result<()> {
    let target = Target {
        connection,
        key,
        mark: String::new(),
    };
    let upload = Upload {
        target,
        id: id.to_owned(),
    };
    Ok(given_up(upload)?)
}

/// May something be written under this key? An upload is begun and given up: nothing is ever seen of it.
pub(super) fn try_to_begin(connection: Arc<Connection>, key: String) -> io::Result<()> {
    let target = Target {
        connection,
        key,
        mark: mark(),
    };
    let (asked, begun) = (target.clone(), target);
    match runtime::start(async move { look(&asked.connection, &asked.key).await })?.wait()? {
        Ok(_) | Err(Trouble::Refused(Refusal { status: 404, .. })) => {}
        Err(trouble) => return Err(trouble.into()),
    }
    let upload = runtime::start(begun.begin())?.wait()??;
    Ok(given_up(upload)?)
}

/// No two of them are the same.
fn mark() -> String {
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

fn given_up(upload: Upload) -> Result<(), Trouble> {
    let host = upload.target.connection.host.clone();
    let no_answer = || Trouble::Network(format!("no answer from {host} in time"));
    let asked =
        runtime::start(async move { tokio::time::timeout(GIVE_UP_WITHIN, upload.give_up()).await });
    match asked.and_then(Pending::wait) {
        Ok(Ok(given_up)) => given_up,
        Ok(Err(_)) | Err(_) => Err(no_answer()),
    }
}

struct Creation<'c> {
    target: Target,
    new: &'c NewObject<'c>,
    monitor: &'c dyn Monitor,
    /// Cleared when the store does not know the condition.
    is_new_only: Cell<bool>,
    /// The upload whose parts could not be removed.
    remains: Cell<Option<String>>,
    interrupted_at: Cell<Option<Instant>>,
}

impl Creation<'_> {
    fn run(&self) -> io::Result<Created> {
        let written = self.refuse_taken().and_then(|()| {
            if self.new.size_bytes <= PART_BYTES {
                self.whole()
            } else {
                self.in_parts()
            }
        });
        let settled = self.settle(written);
        settled.map_err(|stop| self.told(stop))
    }

    /// Not every store heeds the condition: this spares them the question, and everybody the bytes.
    fn refuse_taken(&self) -> Result<(), Stop> {
        match self.look()? {
            Some(_) => Err(Trouble::Refused(Refusal {
                status: 412,
                is_writing: true,
                ..Refusal::default()
            })
            .into()),
            None => Ok(()),
        }
    }

    /// What lies there now, and its mark.
    fn look(&self) -> Result<Option<Seen>, Stop> {
        let target = self.target.clone();
        let looked = runtime::start(async move { look(&target.connection, &target.key).await })?;
        let looked = looked.wait_unless(|| self.is_over())?;
        match looked.ok_or(Stop::Interrupted)? {
            Ok(seen) => Ok(Some(seen)),
            Err(Trouble::Refused(Refusal { status: 404, .. })) => Ok(None),
            Err(trouble) => Err(trouble.into()),
        }
    }

    fn whole(&self) -> Result<(), Stop> {
        self.check()?;
        let bytes = self.read(0, self.new.size_bytes)?;
        let length = to_u64(bytes.len());
        self.conditionally(|is_new_only| {
            let (target, bytes) = (self.target.clone(), bytes.clone());
            self.wait(async move { target.put(bytes, is_new_only).await })
        })?;
        self.monitor.advance(length);
        Ok(())
    }

    fn in_parts(&self) -> Result<(), Stop> {
        self.check()?;
        let upload = self.wait(self.target.clone().begin())?;
        let begun = (self.new.begun)(&upload.id).map_err(Stop::from);
        let written = begun
            .and_then(|()| self.parts(&upload))
            .and_then(|parts| self.complete(&upload, &parts));
        if written.is_err() && given_up(upload.clone()).is_err() {
            self.remains.set(Some(upload.id));
        }
        written
    }

    fn parts(&self, upload: &Upload) -> Result<Vec<String>, Stop> {
        let size = self.new.size_bytes;
        let part_bytes = PART_BYTES.max(size.div_ceil(MOST_PARTS));
        let mut in_flight: VecDeque<(u64, Pending<Result<String, Trouble>>)> = VecDeque::new();
        let (mut parts, mut next, mut number) = (Vec::new(), 0, 0);
        loop {
            while next < size && in_flight.len() < PARTS_IN_FLIGHT {
                self.check()?;
                let length = part_bytes.min(size - next);
                let bytes = self.read(next, length)?;
                number += 1;
                let upload = upload.clone();
                let sent = runtime::start(async move { upload.part(number, bytes).await })?;
                in_flight.push_back((length, sent));
                next += length;
            }
            let Some((length, sent)) = in_flight.pop_front() else {
                return Ok(parts);
            };
            let sent = sent.wait_unless(|| self.monitor.is_interrupted())?;
            parts.push(sent.ok_or(Stop::Interrupted)??);
            self.monitor.advance(length);
        }
    }

    fn complete(&self, upload: &Upload, parts: &[String]) -> Result<(), Stop> {
        let is_conditional = self.target.connection.service.is_new_only_in_parts();
        self.is_new_only
            .set(self.is_new_only.get() && is_conditional);
        if !self.is_new_only.get() {
            self.refuse_taken()?;
        }
        self.check()?;
        self.conditionally(|is_new_only| {
            let (upload, parts) = (upload.clone(), parts.to_vec());
            self.wait(async move { upload.complete(&parts, is_new_only).await })
        })
    }

    /// Once more without the condition, where the store says that it knows none.
    fn conditionally(&self, write: impl Fn(bool) -> Result<(), Stop>) -> Result<(), Stop> {
        match write(self.is_new_only.get()) {
            Err(Stop::Trouble(Trouble::Refused(Refusal { status: 501, .. })))
                if self.is_new_only.replace(false) =>
            {
                self.refuse_taken()?;
                write(false)
            }
            written => written,
        }
    }

    /// What lies there in the end decides: an answer that was lost says nothing.
    fn settle(&self, written: Result<(), Stop>) -> Result<Created, Stop> {
        let is_open = match &written {
            Ok(()) | Err(Stop::Trouble(_)) => true,
            Err(Stop::Local(_) | Stop::Interrupted) => false,
        };
        if !is_open {
            return Err(written.err().unwrap_or(Stop::Interrupted));
        }
        let looked = match self.look() {
            Ok(looked) => looked,
            Err(stop) => return Err(written.err().unwrap_or(stop)),
        };
        let Some(seen) = looked else {
            let gone = || Trouble::Lie("what was written is not there".to_owned()).into();
            return Err(written.err().unwrap_or_else(gone));
        };
        let is_ours = match &seen.mark {
            Some(mark) => *mark == self.target.mark,
            // Not every store keeps what is said beside an object.
            None => written.is_ok(),
        };
        if !is_ours || seen.identity.size_bytes != self.new.size_bytes {
            let replaced = || Stop::Trouble(Trouble::Replaced);
            return Err(written.err().unwrap_or_else(replaced));
        }
        Ok(Created {
            identity: ObjectIdentity::Tagged(seen.identity),
            version: seen.version,
            is_new_only: self.is_new_only.get(),
        })
    }

    fn told(&self, stop: Stop) -> io::Error {
        let error = match stop {
            Stop::Trouble(trouble) => trouble.into(),
            Stop::Local(error) => error,
            Stop::Interrupted => io::Error::new(ErrorKind::Interrupted, "interrupted"),
        };
        let Some(id) = self.remains.take() else {
            return error;
        };
        let words = format!(
            "{error}; parts of it are still there: have the store abort the upload {id} of {}",
            self.target.key
        );
        io::Error::new(error.kind(), words)
    }

    fn read(&self, start: u64, length: u64) -> Result<Vec<u8>, Stop> {
        let mut bytes = vec![0; to_usize(length)];
        let read = read_full_at(self.new.bytes, &mut bytes, start)?;
        if read < bytes.len() {
            let shorter = "it is shorter than it was";
            return Err(io::Error::new(ErrorKind::UnexpectedEof, shorter).into());
        }
        Ok(bytes)
    }

    fn check(&self) -> Result<(), Stop> {
        match self.monitor.is_interrupted() {
            true => Err(Stop::Interrupted),
            false => Ok(()),
        }
    }

    /// Waits for a request that writes; after a signal for a while only.
    fn wait<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Stop> {
        let answer = runtime::start(request)?.wait_unless(|| self.is_over())?;
        Ok(answer.ok_or(Stop::Interrupted)??)
    }

    fn is_over(&self) -> bool {
        if !self.monitor.is_interrupted() {
            return false;
        }
        let since = self.interrupted_at.get().unwrap_or_else(Instant::now);
        self.interrupted_at.set(Some(since));
        since.elapsed() >= GRACE
    }
}

#[cfg(test)]
mod tests;
