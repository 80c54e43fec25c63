//! The object that was opened: each range is asked for on the condition that it is still this one.

use super::super::TaggedIdentity;
use super::page::{identity, quoted, unquoted};
use super::request::{Answer, Ask, Connection};
use super::trouble::{Refusal, Trouble};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The object that was opened, shared by all ranges of it that are on their way.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Arc<Connection>,
    pub(super) key: String,
    pub(super) identity: TaggedIdentity,
    pin: Mutex<Pin>,
    /// The first answer has told how it is kept; all others say the same.
    is_heard: AtomicBool,
    /// Answers with bytes of it.
    answers: AtomicUsize,
    /// One of them did not name what it is of.
    has_nameless: AtomicBool,
}

/// Is it asked for by its version?
#[derive(Clone, Debug, Eq, PartialEq)]
enum Pin {
    /// No answer has told it yet.
    Unknown,
    Version(String),
    /// There is none, or it may not be asked for.
    None,
}

impl Opened {
    pub(super) fn new(
        connection: Arc<Connection>,
        key: String,
        identity: TaggedIdentity,
        version: Option<String>,
    ) -> Self {
        let listed = identity.version.as_deref().map(str::to_owned);
        let pin = version.or(listed).map_or(Pin::Unknown, Pin::Version);
        Self {
            connection,
            key,
            identity,
            pin: Mutex::new(pin),
            is_heard: AtomicBool::new(false),
            answers: AtomicUsize::new(0),
            has_nameless: AtomicBool::new(false),
        }
    }

    /// Whatever was read of it came with one answer, by whose tag it is the object that was opened.
    pub(super) fn is_of_one_answer(&self) -> bool {
        self.answers.load(Ordering::Relaxed) == 1 && !self.has_nameless.load(Ordering::Relaxed)
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.identity.size_bytes
    }

    /// Asks for the bytes from one offset to before another one.
    pub(super) async fn get(&self, start: u64, end: u64) -> Result<Answer, Trouble> {
        let pin = self.pin();
        let mut asked = self.connection.ask(&self.question(start, end, &pin)).await;
        if let (Err(Trouble::Refused(Refusal { status: 403, .. })), Pin::Version(_)) =
            (&asked, &pin)
        {
            // Reading by version is a right of its own; the tag is as good.
            self.set_pin(Pin::None);
            asked = self
                .connection
                .ask(&self.question(start, end, &Pin::None))
                .await;
        }
        let answer = asked.map_err(|trouble| self.read_refusal(trouble, &pin))?;
        self.learn(&answer)?;
        self.check(&answer, start, end)?;
        Ok(answer)
    }

    fn question(&self, start: u64, end: u64, pin: &Pin) -> Ask {
        let mut headers = vec![("range", format!("bytes={start}-{}", end.saturating_sub(1)))];
        if !self.identity.tag.is_empty() {
            headers.push(("if-match", quoted(&self.identity.tag)));
        }
        let query = match pin {
            Pin::Version(version) => {
                let version = super::address::encoded(version, false);
                format!("{}={version}", self.connection.service.version_query())
            }
            _ => String::new(),
        };
        Ask {
            method: "GET",
            key: Some(self.key.clone()),
            query,
            headers,
            ..Ask::default()
        }
    }

    /// A condition that no longer holds, or an end that lies before the range: it is another object.
    fn read_refusal(&self, trouble: Trouble, pin: &Pin) -> Trouble {
        let Trouble::Refused(refusal) = &trouble else {
            return trouble;
        };
        let is_listed_version = self.identity.version.is_some() && *pin != Pin::None;
        match refusal.status {
            412 | 416 => Trouble::Replaced,
            404 if is_listed_version => Trouble::Replaced,
            _ => trouble,
        }
    }

    /// Not every store heeds the condition.
    fn learn(&self, answer: &Answer) -> Result<(), Trouble> {
        let known = &*self.identity.tag;
        match answer.header("etag").map(unquoted) {
            Some(tag) if !known.is_empty() && tag != known => return Err(Trouble::Replaced),
            Some(_) if !known.is_empty() => {}
            _ => self.has_nameless.store(true, Ordering::Relaxed),
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        if !self.is_heard.swap(true, Ordering::Relaxed) {
            let Connection {
                keeping, service, ..
            } = &*self.connection;
            let headers = service.custody_headers();
            keeping.hear(&self.key, headers, |name| answer.header(name));
        }
        if self.pin() == Pin::Unknown {
            self.set_pin(version_of(&self.connection, answer).map_or(Pin::None, Pin::Version));
        }
        Ok(())
    }

    fn check(&self, answer: &Answer, start: u64, end: u64) -> Result<(), Trouble> {
        let size = self.size_bytes();
        let asked = format!("bytes {start}-{}/{size}", end.saturating_sub(1));
        match (answer.status(), answer.header("content-range")) {
            (206, Some(range)) if range == asked => Ok(()),
            (200, _) if start == 0 && end == size => Ok(()),
            (206, _) => Err(Trouble::Lie(format!("another range than {asked}"))),
            _ => Err(Trouble::Lie(
                "the whole object where a range was asked for".to_owned(),
            )),
        }
    }

    fn pin(&self) -> Pin {
        self.pin
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_pin(&self, pin: Pin) {
        *self.pin.lock().unwrap_or_else(PoisonError::into_inner) = pin;
    }
}

/// What an object looks like now.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) identity: TaggedIdentity,
    pub(super) version: Option<String>,
    /// What we wrote beside it, if we wrote it.
    pub(super) mark: Option<String>,
}

/// Asks what an object looks like now.
pub(super) async fn look(connection: &Connection, key: &str) -> Result<Seen, Trouble> {
    let ask = Ask {
        method: "HEAD",
        key: Some(key.to_owned()),
        ..Ask::default()
    };
    let answer = connection.ask(&ask).await?;
    let headers = connection.service.custody_headers();
    let keeping = &connection.keeping;
    keeping.hear(key, headers, |name| answer.header(name));
    let header = |name| answer.header(name).unwrap_or_default();
    let size = header("content-length").parse();
    let size = size.map_err(|_| Trouble::Lie("an object without a length".to_owned()))?;
    let found = identity(header("etag"), size, header("last-modified"));
    let mut found = found.ok_or_else(|| Trouble::Lie("an object without a time".to_owned()))?;
    let version = version_of(connection, &answer);
    if connection.service.lists_versions() {
        found.version = version.as_deref().map(Into::into);
    }
    let mark = answer.header(connection.service.mark_header());
    Ok(Seen {
        identity: found,
        version,
        mark: mark.map(str::to_owned),
    })
}

/// `null` is what a bucket says that keeps no versions.
fn version_of(connection: &Connection, answer: &Answer) -> Option<String> {
    let version = answer.header(connection.service.version_header()?)?;
    (version != "null").then(|| version.to_owned())
}
