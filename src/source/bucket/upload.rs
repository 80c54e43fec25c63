//! Writing an object: in one request, or in parts of which nothing is seen before the last word.
//!
//! Each object gets a mark of this run in its metadata. A request whose answer was lost may have been heeded: the mark tells
//! whether the object that lies there now is ours.

use super::address::encoded;
use super::page::unquoted;
use super::request::{Ask, Connection};
use super::service::Service;
use super::trouble::{Refusal, Trouble};
use data_encoding::BASE64;
use md5::{Digest as _, Md5};
use object_store::PutPayload;
use serde::Deserialize;
use std::fmt::Write as _;
use std::sync::Arc;

/// How often a last word that the store answers with a passing trouble in its body is said again.
const TRIES: u32 = 4;

/// Where something is written, and the mark that it gets.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) connection: Arc<Connection>,
    pub(super) key: String,
    pub(super) mark: String,
}

/// Parts of an object on their way. They are no object before the last word.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) target: Target,
    /// What the store calls it; where it has no such name, what the names of its parts begin with.
    pub(super) id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Begun {
    upload_id: String,
}

impl Target {
    /// The whole object in one request.
    pub(super) async fn put(&self, bytes: Vec<u8>, is_new_only: bool) -> Result<(), Trouble> {
        let mut ask = self.ask("PUT", String::new(), bytes);
        ask.headers.push(self.mark());
        if is_new_only {
            ask.headers.push(self.connection.service.new_only());
        }
        if let Service::Azure { .. } = self.connection.service {
            ask.headers.push(("x-ms-blob-type", "BlockBlob".to_owned()));
        }
        self.connection.ask(&ask).await.map(drop)
    }

    /// Begins an upload in parts.
    pub(super) async fn begin(self) -> Result<Upload, Trouble> {
        if let Service::Azure { .. } = self.connection.service {
            let id = self.mark.clone();
            return Ok(Upload { target: self, id });
        }
        let mut ask = self.ask("POST", "uploads=".to_owned(), Vec::new());
        ask.headers.push(self.mark());
        let body = self.connection.document(&ask).await?;
        let text = String::from_utf8_lossy(&body);
        let begun = quick_xml::de::from_str::<Begun>(&text).ok();
        let id = begun.map(|begun| begun.upload_id);
        let id = id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Trouble::Lie("an upload without a name".to_owned()))?;
        Ok(Upload { target: self, id })
    }

    fn mark(&self) -> (&'static str, String) {
        (self.connection.service.mark_header(), self.mark.clone())
    }

    /// A request that writes. Its digest is checked by the store, and asked for where objects are locked.
    fn ask(&self, method: &'static str, query: String, bytes: Vec<u8>) -> Ask {
        let mut headers = vec![("content-length", bytes.len().to_string())];
        if !bytes.is_empty() {
            headers.push(("content-md5", BASE64.encode(&Md5::digest(&bytes))));
        }
        Ask {
            method,
            key: Some(self.key.clone()),
            query,
            headers,
            body: PutPayload::from(bytes),
            is_writing: true,
        }
    }
}

impl Upload {
    /// One part, counted from 1; returns what the last word calls it.
    pub(super) async fn part(&self, number: u32, bytes: Vec<u8>) -> Result<String, Trouble> {
        let target = &self.target;
        if let Service::Azure { .. } = target.connection.service {
            // All names have the same length.
            let name = BASE64.encode(format!("{}-{number:05}", self.id).as_bytes());
            let query = format!("blockid={}&comp=block", encoded(&name, false));
            target
                .connection
                .ask(&target.ask("PUT", query, bytes))
                .await?;
            return Ok(name);
        }
        let query = format!("partNumber={number}&uploadId={}", encoded(&self.id, false));
        let answer = target
            .connection
            .ask(&target.ask("PUT", query, bytes))
            .await?;
        let tag = answer.header("etag").map(unquoted).unwrap_or_default();
        if tag.is_empty() {
            return Err(Trouble::Lie("a part without a tag".to_owned()));
        }
        Ok(tag.to_owned())
    }

    /// The last word: from now on it is an object.
    pub(super) async fn complete(
        &self,
        parts: &[String],
        is_new_only: bool,
    ) -> Result<(), Trouble> {
        let target = &self.target;
        let service = &target.connection.service;
        let is_azure = matches!(service, Service::Azure { .. });
        let (method, query, list) = if is_azure {
            ("PUT", "comp=blocklist".to_owned(), block_list(parts))
        } else {
            let query = format!("uploadId={}", encoded(&self.id, false));
            ("POST", query, part_list(parts))
        };
        let mut ask = target.ask(method, query, list.into_bytes());
        if is_azure {
            ask.headers.push(target.mark());
        }
        if is_new_only && (is_azure || service.is_new_only_in_parts()) {
            ask.headers.push(service.new_only());
        }
        let mut tries = 1;
        loop {
            let body = target.connection.document(&ask).await?;
            match refused_in_body(&target.connection, &body) {
                Some(refusal) if refusal.is_passing() && tries < TRIES => tries += 1,
                Some(refusal) => return Err(Trouble::Refused(refusal)),
                None => return Ok(()),
            }
        }
    }

    /// Gives it up: its parts go. One that is no more is as good.
    pub(super) async fn give_up(&self) -> Result<(), Trouble> {
        let target = &self.target;
        // Azure drops parts that nobody speaks for after a week, and has no word for it.
        if let Service::Azure { .. } = target.connection.service {
            return Ok(());
        }
        let query = format!("uploadId={}", encoded(&self.id, false));
        let ask = target.ask("DELETE", query, Vec::new());
        match target.connection.ask(&ask).await {
            Err(Trouble::Refused(Refusal { status: 404, .. })) => Ok(()),
            asked => asked.map(drop),
        }
    }
}

fn part_list(tags: &[String]) -> String {
    let mut xml = "<CompleteMultipartUpload>".to_owned();
    for (index, tag) in tags.iter().enumerate() {
        let number = index + 1;
        let tag = quick_xml::escape::escape(tag.as_str());
        // Writing to a String cannot fail.
        let _ = write!(
            xml,
            "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{tag}&quot;</ETag></Part>"
        );
    }
    xml.push_str("</CompleteMultipartUpload>");
    xml
}

fn block_list(names: &[String]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>".to_owned();
    for name in names {
        let _ = write!(xml, "<Latest>{name}</Latest>");
    }
    xml.push_str("</BlockList>");
    xml
}

/// S3 begins its answer before it knows: a refusal may stand in the body of good news.
fn refused_in_body(connection: &Connection, body: &[u8]) -> Option<Refusal> {
    let mut refusal = Refusal {
        bucket: connection.bucket.clone(),
        is_writing: true,
        ..Refusal::default()
    };
    refusal.read(body);
    refusal.status = match refusal.code.as_deref()? {
        "PreconditionFailed" => 412,
        "ConditionalRequestConflict" => 409,
        "NoSuchUpload" => 404,
        "NotImplemented" => 501,
        "InternalError" | "SlowDown" | "ServiceUnavailable" => 503,
        _ => 400,
    };
    Some(refusal)
}
