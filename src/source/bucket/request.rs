//! One request and its answer: signed, sent, and sent again where that helps.

use super::address::encoded;
use super::clock::Clock;
use super::keeping::Keeping;
use super::service::{Service, set_header};
use super::trouble::{Refusal, Trouble, is_word};
use super::width::Width;
use futures_util::StreamExt as _;
use object_store::PutPayload;
use object_store::client::{HttpClient, HttpError, HttpRequest, HttpRequestBody, HttpResponse};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How often something is asked before it counts as refused.
const TRIES: u32 = 5;
/// The first wait; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait, whatever a store asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Pages of all listings of a bucket that are on their way at a time.
pub(super) const PAGES_AT_A_TIME: usize = 16;
/// Of the body of a refusal or a page: more is no answer.
const MOST_BODY_BYTES: usize = 16 << 20;

/// A bucket that can be asked.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: HttpClient,
    /// What its clock shows.
    pub(super) clock: Clock,
    /// Nobody answered last, however often it was tried: whoever asks the next thing need not wait as long.
    pub(super) is_silent: AtomicBool,
    /// What it said of its objects.
    pub(super) keeping: Keeping,
    pub(super) service: Service,
    /// The URL of the bucket, without a slash at its end.
    pub(super) url: String,
    pub(super) bucket: String,
    /// Who answers, for errors.
    pub(super) host: String,
    /// How long ranges are.
    pub(super) width: Width,
    /// One for each page of a listing that may be on its way.
    pub(super) pages: Semaphore,
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    /// `None`: of the bucket itself.
    pub(super) key: Option<String>,
    /// Encoded already.
    pub(super) query: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: PutPayload,
    /// Sent again, it might find its own outcome: then a refusal is no news.
    pub(super) is_writing: bool,
}

/// What was answered: good news, the body not read yet.
pub(super) struct Answer(HttpResponse);

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// A header, if it is there and text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// The body piece by piece.
    pub(super) fn into_pieces(
        self,
    ) -> impl futures_util::Stream<Item = Result<impl AsRef<[u8]>, HttpError>> + Unpin + Send {
        self.0.into_body().bytes_stream()
    }

    /// The whole body, if it is not too long.
    pub(super) async fn body(self) -> Result<Vec<u8>, HttpError> {
        let mut body = Vec::new();
        let mut pieces = self.into_pieces();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            body.extend_from_slice(piece.as_ref());
            if body.len() > MOST_BODY_BYTES {
                break;
            }
        }
        Ok(body)
    }
}

impl Connection {
    /// Asks until there is an answer, good or bad.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, Trouble> {
        let mut wait = FIRST_WAIT;
        let mut tries = 1;
        let most = match self.is_silent.load(Ordering::Relaxed) {
            // What was begun is to be given up, if that can be.
            true if !ask.is_writing => 1,
            _ => TRIES,
        };
        loop {
            let (trouble, asked_for) = match self.ask_once(ask).await {
                Ok(answer) => {
                    self.is_silent.store(false, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(refused) => refused,
            };
            let is_passing = match &trouble {
                Trouble::Refused(refusal) => refusal.is_passing(),
                Trouble::Network(_) => true,
                _ => false,
            };
            if !is_passing || tries >= most {
                let is_silent = matches!(trouble, Trouble::Network(_));
                self.is_silent.store(is_silent, Ordering::Relaxed);
                return Err(trouble);
            }
            tokio::time::sleep(asked_for.unwrap_or(wait).min(LONGEST_WAIT)).await;
            wait *= 2;
            tries += 1;
        }
    }

    /// A whole page or document. A body that breaks off is asked for again.
    pub(super) async fn document(&self, ask: &Ask) -> Result<Vec<u8>, Trouble> {
        let mut tries = 1;
        loop {
            match self.ask(ask).await?.body().await {
                Ok(body) => return Ok(body),
                Err(error) if tries >= TRIES => return Err(self.trouble(&error)),
                Err(_) => tries += 1,
            }
        }
    }

    async fn ask_once(&self, ask: &Ask) -> Result<Answer, (Trouble, Option<Duration>)> {
        let request = self.signed(ask).await.map_err(|trouble| (trouble, None))?;
        let sent = self.client.execute(request).await;
        let response = sent.map_err(|error| (self.trouble(&error), None))?;
        let answer = Answer(response);
        if let Some(date) = answer.header("date") {
            self.clock.hear(date);
        }
        if (200..300).contains(&answer.status()) {
            return Ok(answer);
        }
        let seconds = answer
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        let wait = seconds.map(Duration::from_secs);
        Err((Trouble::Refused(self.refusal(ask, answer).await), wait))
    }

    async fn signed(&self, ask: &Ask) -> Result<HttpRequest, Trouble> {
        let body = match ask.body.content_length() {
            0 => HttpRequestBody::empty(),
            _ => HttpRequestBody::from(ask.body.clone()),
        };
        let mut request = HttpRequest::new(body);
        let url = self.url_of(ask);
        *request.uri_mut() = url
            .parse()
            .map_err(|_| Trouble::Setup(format!("{} is no URL that can be asked", self.host)))?;
        *request.method_mut() = ask
            .method
            .parse()
            .map_err(|_| Trouble::Setup("no such method".to_owned()))?;
        for (name, value) in &ask.headers {
            set_header(&mut request, name, value)?;
        }
        let mut digest = Sha256::new();
        ask.body.iter().for_each(|bytes| digest.update(bytes));
        let digest = digest.finalize();
        self.service.authorize(&mut request, Some(&digest)).await?;
        Ok(request)
    }

    fn url_of(&self, ask: &Ask) -> String {
        let mut url = self.url.clone();
        url.push('/');
        match &ask.key {
            Some(key) => url.push_str(&encoded(key, true)),
            // Azure signs the path of a container without the slash.
            None if matches!(self.service, Service::Azure { .. }) => {
                url.pop();
            }
            None => {}
        }
        if !ask.query.is_empty() {
            url.push('?');
            url.push_str(&ask.query);
        }
        url
    }

    async fn refusal(&self, ask: &Ask, answer: Answer) -> Refusal {
        let named = |name: &str| {
            answer
                .header(name)
                .filter(|text| is_word(text))
                .map(str::to_owned)
        };
        let mut refusal = Refusal {
            status: answer.status(),
            code: named("x-ms-error-code"),
            region: named("x-amz-bucket-region"),
            bucket: self.bucket.clone(),
            is_listing: ask.key.is_none(),
            is_writing: ask.is_writing,
            is_unsigned: self.service.is_unsigned(),
            is_plain: self.url.starts_with("http://"),
            is_at_endpoint: self.service.is_at_endpoint(),
            rights: self.service.rights(),
        };
        let body = answer.body().await.unwrap_or_default();
        refusal.read(&body);
        refusal
    }

    /// What went wrong on the way, in words that show neither a URL nor what was signed.
    pub(super) fn trouble(&self, error: &HttpError) -> Trouble {
        let words = innermost(error);
        let is_about_trust = ["certificate", "UnknownIssuer", "invalid peer"];
        if is_about_trust.iter().any(|word| words.contains(word)) {
            return Trouble::Certificate(self.host.clone());
        }
        // Whatever is no TLS looks like a damaged message of it.
        let words = match words.contains("corrupt message") {
            true => "it speaks no TLS there".to_owned(),
            false => words,
        };
        Trouble::Network(format!("no answer from {}: {words}", self.host))
    }
}

/// The cause at the bottom says most.
fn innermost(error: &HttpError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
