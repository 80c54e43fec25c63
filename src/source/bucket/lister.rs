//! A listing, page after page.

use super::page::{Entry, Page};
use super::request::{Ask, Connection};
use super::runtime;
use super::service::ListQuery;
use super::trouble::Trouble;
use crate::monitor::Monitor;
use std::io;
use std::sync::Arc;

/// Hands every entry to `take`; false when the monitor asked to stop before the end.
pub(super) fn list_all(
    connection: &Arc<Connection>,
    mut query: ListQuery,
    monitor: &dyn Monitor,
    take: &mut dyn FnMut(Entry),
) -> io::Result<bool> {
    loop {
        if monitor.is_interrupted() {
            return Ok(false);
        }
        let asked = runtime::start(page(Arc::clone(connection), query.clone()))?;
        let Some(page) = asked.wait_unless(|| monitor.is_interrupted())? else {
            return Ok(false);
        };
        let page = page?;
        page.entries.into_iter().for_each(&mut *take);
        match page.token {
            None => return Ok(true),
            // It would go on for ever.
            token if token == query.token => {
                return Err(Trouble::Lie("the same page of a listing again".to_owned()).into());
            }
            token => query.token = token,
        }
    }
}

async fn page(connection: Arc<Connection>, query: ListQuery) -> Result<Page, Trouble> {
    let ask = Ask {
        method: "GET",
        query: connection.service.list_query(&query),
        ..Ask::default()
    };
    let body = connection.document(&ask).await?;
    Page::parse(&body, &connection.service)
}
