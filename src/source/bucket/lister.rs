//! A listing: its first page, and what lies behind that in parts, several pages at a time.
//!
//! A store gives out a thousand keys at a time, and only with them the way to the next ones: a hundred thousand objects are a
//! hundred answers to wait for. Most stores can begin behind any key, and tell which directories there are: so the rest is cut
//! between these into [`Part`]s. Where a store cannot, or does not keep to the order of keys, pages are asked for one after
//! the other.

mod part;

use super::page::{Entry, Page};
use super::request::{Ask, Connection};
use super::runtime::{self, LOOK_EVERY};
use super::service::ListQuery;
use super::trouble::Trouble;
use crate::monitor::Monitor;
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

struct Lister {
    connection: Arc<Connection>,
    query: ListQuery,
    sender: Sender<Heard>,
}

impl Lister {
    async fn list(self) -> Result<(), Trouble> {
        let first = page(Arc::clone(&self.connection), self.query.clone()).await?;
        let can_be_cut = !self.query.is_flat && self.connection.service.begins_anywhere();
        let rest = Part::behind(&first).filter(|_| can_be_cut);
        let token = first.token;
        self.tell(Heard::Entries(first.entries));
        let Some(token) = token else {
            return Ok(());
        };
        let Some(rest) = rest else {
            return self.list_one_by_one(Some(token)).await;
        };
        if self.list_in_parts(rest).await? {
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

    /// False where the store does not keep to the order of keys.
    async fn list_in_parts(&self, rest: Part) -> Result<bool, Trouble> {
        let borders = self.directories().await?;
        let mut waiting = rest.cut(borders, PARTS);
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < AT_A_TIME
                && let Some(part) = waiting.pop()
            {
                let query = part.query(&self.query);
                let answer = page(Arc::clone(&self.connection), query.clone());
                asked.spawn(async move { (part, query, answer.await) });
            }
            let Some(answered) = asked.join_next().await else {
                return Ok(true);
            };
            let (part, query, answer) = answered.map_err(|_| broke_off())?;
            let page = answer?;
            is_another(&query, page.token.as_deref())?;
            let Some((entries, rest)) = part.without(page) else {
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
            let query = ListQuery {
                prefix: prefix.clone(),
                is_flat: true,
                ..ListQuery::default()
            };
            let level = match page(Arc::clone(&self.connection), query).await {
                Err(Trouble::Refused(_)) => return Ok(Vec::new()),
                level => level?,
            };
            match level.prefixes.as_slice() {
                [only] if only.len() > prefix.len() => prefix.clone_from(only),
                _ => return Ok(level.prefixes),
            }
        }
        Ok(Vec::new())
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
