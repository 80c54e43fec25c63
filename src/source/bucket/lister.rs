//! A listing: its first page, and what lies behind that in parts, several pages at a time.
//!
//! A store gives out a thousand keys at a time, and only with them the way to the next ones: a hundred thousand objects are a
//! hundred answers to wait for. Most stores can begin behind any key, and tell which directories there are: so the rest is cut
//! between these into [`Part`]s. Azure cannot, but lists what begins so: there it is a [`Beginning`] for some of the
//! directories each. Where neither helps, or a store does not keep to the order of keys, pages are asked for one after the
//! other.

mod beginning;
mod part;

use super::page::{Entry, Page};
use super::request::{Ask, Connection};
use super::runtime::{self, LOOK_EVERY};
use super::service::ListQuery;
use super::trouble::Trouble;
use crate::monitor::Monitor;
use beginning::{Beginning, beginnings};
use part::Part;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use tokio::task::JoinSet;

/// Pages that are on their way at a time.
const AT_A_TIME: usize = 8;
/// Into how many parts a listing is cut: more than are asked for at a time, for some turn out to be longer than others.
const PARTS: usize = 24;
/// How many levels of directories are looked through for one that has several.
const LEVELS: usize = 6;

/// What is heard of a listing.
pub(super) enum Heard {
    /// Some of its entries, in no order.
    Entries(Vec<Entry>),
    /// What was heard so far counts no longer: all of it comes again.
    Again,
}

/// Hands all entries to `take`; false when the monitor asked to stop before the end.
pub(super) fn list_all(
    connection: &Arc<Connection>,
    query: ListQuery,
    monitor: &dyn Monitor,
    take: &mut dyn FnMut(Heard),
) -> io::Result<bool> {
    let (sender, heard) = channel();
    let lister = Lister {
        connection: Arc::clone(connection),
        query,
        sender,
    };
    let listed = runtime::start(lister.list())?;
    while !monitor.is_interrupted() {
        match heard.recv_timeout(LOOK_EVERY) {
            Ok(some) => take(some),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                listed.wait()??;
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Some of what is to be listed, of which a page is asked for at a time.
trait Share: Sized + Send + 'static {
    /// How its next page is asked for.
    fn query(&self, whole: &ListQuery) -> ListQuery;

    /// What a page holds of it, and what is left of it then. `None`: the page is not what was asked for, in order.
    fn without(self, page: Page) -> Option<(Vec<Entry>, Option<Self>)>;
}

struct Lister {
    connection: Arc<Connection>,
    query: ListQuery,
    sender: Sender<Heard>,
}

impl Lister {
    async fn list(self) -> Result<(), Trouble> {
        let first = page(Arc::clone(&self.connection), self.query.clone()).await?;
        let Some(token) = first.token.clone() else {
            self.tell(Heard::Entries(first.entries));
            return Ok(());
        };
        if self.query.is_flat {
            self.tell(Heard::Entries(first.entries));
        } else if self.connection.service.begins_anywhere() {
            let rest = Part::behind(&first);
            self.tell(Heard::Entries(first.entries));
            if let Some(rest) = rest {
                return self.list_behind(rest).await;
            }
        } else if let Some((entries, shares)) = self.beginnings().await? {
            // What the first page holds is among it.
            self.tell(Heard::Entries(entries));
            self.list_shares(shares).await?;
            return Ok(());
        } else {
            self.tell(Heard::Entries(first.entries));
        }
        self.list_one_by_one(Some(token)).await
    }

    async fn list_behind(&self, rest: Part) -> Result<(), Trouble> {
        let borders = self.directories().await?;
        if self.list_shares(rest.cut(borders, PARTS)).await? {
            return Ok(());
        }
        self.tell(Heard::Again);
        self.list_one_by_one(None).await
    }

    async fn list_one_by_one(&self, token: Option<String>) -> Result<(), Trouble> {
        let mut query = ListQuery {
            token,
            ..self.query.clone()
        };
        loop {
            let page = page(Arc::clone(&self.connection), query.clone()).await?;
            self.tell(Heard::Entries(page.entries));
            if page.token.is_none() {
                return Ok(());
            }
            is_another(&query, page.token.as_deref())?;
            query.token = page.token;
        }
    }

    /// The last ones first. False where the store does not keep to the order of keys.
    async fn list_shares<S: Share>(&self, mut waiting: Vec<S>) -> Result<bool, Trouble> {
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < AT_A_TIME
                && let Some(share) = waiting.pop()
            {
                let query = share.query(&self.query);
                let answer = page(Arc::clone(&self.connection), query.clone());
                asked.spawn(async move { (share, query, answer.await) });
            }
            let Some(answered) = asked.join_next().await else {
                return Ok(true);
            };
            let (share, query, answer) = answered.map_err(|_| broke_off())?;
            let page = answer?;
            is_another(&query, page.token.as_deref())?;
            let Some((entries, rest)) = share.without(page) else {
                return Ok(false);
            };
            self.tell(Heard::Entries(entries));
            waiting.extend(rest);
        }
    }

    /// The directories that the keys lie in, at the first level that has several; none where nobody may ask for them.
    async fn directories(&self) -> Result<Vec<String>, Trouble> {
        let mut prefix = self.query.prefix.clone();
        for _ in 0..LEVELS {
            let Some(level) = self.level(&prefix).await? else {
                return Ok(Vec::new());
            };
            match level.prefixes.as_slice() {
                [only] if only.len() > prefix.len() => prefix.clone_from(only),
                _ => return Ok(level.prefixes),
            }
        }
        Ok(Vec::new())
    }

    /// The objects down to the first level that has several directories, and what all keys below these begin with. `None`
    /// where nobody may ask for them, or it takes more than a page for a level.
    async fn beginnings(&self) -> Result<Option<(Vec<Entry>, Vec<Beginning>)>, Trouble> {
        let mut prefix = self.query.prefix.clone();
        let mut entries = Vec::new();
        for _ in 0..LEVELS {
            let Some(level) = self.level(&prefix).await? else {
                return Ok(None);
            };
            if level.token.is_some() {
                return Ok(None);
            }
            entries.extend(level.entries);
            match level.prefixes.as_slice() {
                [] => return Ok(None),
                [only] if only.len() > prefix.len() => prefix.clone_from(only),
                _ => return Ok(Some((entries, beginnings(&prefix, level.prefixes, PARTS)))),
            }
        }
        Ok(None)
    }

    /// What lies right below a prefix, as far as a page shows it; `None` where nobody may ask for that.
    async fn level(&self, prefix: &str) -> Result<Option<Page>, Trouble> {
        let query = ListQuery {
            prefix: prefix.to_owned(),
            is_flat: true,
            ..ListQuery::default()
        };
        match page(Arc::clone(&self.connection), query).await {
            Err(Trouble::Refused(_)) => Ok(None),
            level => level.map(Some),
        }
    }

    fn tell(&self, heard: Heard) {
        // Whoever listened may have gone.
        let _ = self.sender.send(heard);
    }
}

/// The same page again and again would go on for ever.
fn is_another(query: &ListQuery, token: Option<&str>) -> Result<(), Trouble> {
    match token {
        Some(token) if query.token.as_deref() == Some(token) => {
            Err(Trouble::Lie("the same page of a listing again".to_owned()))
        }
        _ => Ok(()),
    }
}

fn broke_off() -> Trouble {
    Trouble::Lie("a page of a listing broke off".to_owned())
}

async fn page(connection: Arc<Connection>, query: ListQuery) -> Result<Page, Trouble> {
    // Several locations of one bucket may be listed at a time. It is never closed.
    let _turn = connection.pages.acquire().await;
    let ask = Ask {
        method: "GET",
        query: connection.service.list_query(&query),
        headers: connection.service.list_headers(),
        ..Ask::default()
    };
    let body = connection.document(&ask).await?;
    Page::parse(&body, &connection.service)
}

#[cfg(test)]
mod tests;
