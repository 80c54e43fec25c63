//! Workload identity of Google outside its own machines: a token that somebody else gave, such as OpenShift, is changed for one
//! of Google's. The client knows only Google's own kinds of credentials.

use super::address::encoded;
use super::trouble::Trouble;
use futures_util::StreamExt as _;
use object_store::client::{HttpClient, HttpRequest, HttpRequestBody};
use serde::Deserialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// A token is changed for another one so long before it ends.
const SPARE: Duration = Duration::from_secs(300);
/// How long a token of a service account is good for, where nobody says so.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Of a file or an answer: more is no token.
const MOST_BYTES: usize = 1 << 20;
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// An account that somebody else vouches for.
pub(super) struct Federation {
    account: Account,
    client: HttpClient,
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    bearer: String,
    ends_at: Instant,
}

/// A file of credentials whose `type` is `external_account`.
#[derive(Deserialize)]
struct Account {
    audience: String,
    subject_token_type: String,
    token_url: String,
    service_account_impersonation_url: Option<String>,
    credential_source: Source,
}

/// Where the token lies that somebody else gave.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    file: Option<PathBuf>,
    format: Format,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    subject_token_field_name: Option<String>,
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonated {
    access_token: String,
}

impl Federation {
    /// What a file of credentials says; `None` where it is of another kind.
    ///
    /// # Errors
    ///
    /// It is of this kind, and of no use here.
    pub(super) fn of_file(
        path: &Path,
        connect: impl FnOnce() -> Result<HttpClient, Trouble>,
    ) -> Result<Option<Self>, Trouble> {
        let Ok(text) = read_small(path) else {
            return Ok(None);
        };
        let document: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        if document.get("type").and_then(|kind| kind.as_str()) != Some("external_account") {
            return Ok(None);
        }
        let unusable = |why: &str| {
            let path = path.display();
            Trouble::Setup(format!(
                "the external account in {path} cannot be used: {why}"
            ))
        };
        let account: Account = serde_json::from_value(document)
            .map_err(|_| unusable("audience, token_url or credential_source is not there"))?;
        if account.credential_source.file.is_none() {
            let why = "its token comes from no file; name another file of credentials in GOOGLE_APPLICATION_CREDENTIALS";
            return Err(unusable(why));
        }
        let impersonated = account.service_account_impersonation_url.as_deref();
        if !is_safe(&account.token_url) || !impersonated.is_none_or(is_safe) {
            return Err(unusable("a token goes to https:// only"));
        }
        Ok(Some(Self {
            account,
            client: connect()?,
            token: Mutex::new(None),
        }))
    }

    /// The token of the moment.
    pub(super) async fn bearer(&self) -> Result<String, Trouble> {
        let mut token = self.token.lock().await;
        let is_good = |token: &&Token| token.ends_at > Instant::now() + SPARE;
        if let Some(token) = token.as_ref().filter(is_good) {
            return Ok(token.bearer.clone());
        }
        let new = self.exchange().await?;
        let new = match &self.account.service_account_impersonation_url {
            Some(url) => self.impersonate(url, &new.bearer).await?,
            None => new,
        };
        let bearer = new.bearer.clone();
        *token = Some(new);
        Ok(bearer)
    }

    /// The token that somebody else gave for one of Google's.
    async fn exchange(&self) -> Result<Token, Trouble> {
        let account = &self.account;
        let subject = self.subject_token()?;
        let fields = [
            ("audience", account.audience.as_str()),
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("scope", SCOPE),
            ("subject_token", &subject),
            ("subject_token_type", &account.subject_token_type),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", encoded(value, false)));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = self
            .post(&account.token_url, &headers, &fields.join("&"))
            .await?;
        let token: Exchanged = serde_json::from_slice(&body).map_err(|_| no_token())?;
        let lifetime = token.expires_in.map_or(LIFETIME, Duration::from_secs);
        Ok(Token {
            bearer: token.access_token,
            ends_at: ends_in(lifetime),
        })
    }

    /// That token for one of a service account.
    async fn impersonate(&self, url: &str, bearer: &str) -> Result<Token, Trouble> {
        let authorization = format!("Bearer {bearer}");
        let headers = [
            ("content-type", "application/json"),
            ("authorization", &authorization),
        ];
        let asked = format!("{{\"scope\":[\"{SCOPE}\"],\"lifetime\":\"3600s\"}}");
        let body = self.post(url, &headers, &asked).await?;
        let token: Impersonated = serde_json::from_slice(&body).map_err(|_| no_token())?;
        Ok(Token {
            bearer: token.access_token,
            ends_at: ends_in(LIFETIME),
        })
    }

    fn subject_token(&self) -> Result<String, Trouble> {
        let source = &self.account.credential_source;
        let path = source.file.as_deref().unwrap_or(Path::new(""));
        let unusable = |why: &str| {
            let path = path.display();
            Trouble::Setup(format!("there is no token for Google in {path}: {why}"))
        };
        let text = read_small(path).map_err(|error| unusable(&error.to_string()))?;
        let Some(field) = &source.format.subject_token_field_name else {
            return Ok(text.trim().to_owned());
        };
        let document: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let token = document.get(field).and_then(|token| token.as_str());
        token
            .map(str::to_owned)
            .ok_or_else(|| unusable("it is no JSON with the field that the external account names"))
    }

    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<Vec<u8>, Trouble> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.post_once(url, headers, body).await {
                Ok((status, _)) if status == 429 || status >= 500 => {}
                Ok(answer) => return granted(answer),
                Err(Trouble::Network(_)) => {}
                Err(trouble) => return Err(trouble),
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        granted(self.post_once(url, headers, body).await?)
    }

    async fn post_once(
        &self,
        url: &str,
        headers: &[(&'static str, &str)],
        body: &str,
    ) -> Result<(u16, Vec<u8>), Trouble> {
        let unusable = || Trouble::Setup("the external account cannot be asked for".to_owned());
        let mut request = HttpRequest::new(HttpRequestBody::from(body.to_owned()));
        *request.method_mut() = "POST".parse().map_err(|_| unusable())?;
        *request.uri_mut() = url.parse().map_err(|_| unusable())?;
        for (name, value) in headers {
            let value = value.parse().map_err(|_| unusable())?;
            request.headers_mut().insert(*name, value);
        }
        // What went wrong may name what was sent.
        let silent = || Trouble::Network("no answer from the token service of Google".to_owned());
        let response = self.client.execute(request).await.map_err(|_| silent())?;
        let status = response.status().as_u16();
        let mut pieces = response.into_body().bytes_stream();
        let mut body = Vec::new();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(|_| silent())?);
            if body.len() > MOST_BYTES {
                return Err(no_token());
            }
        }
        Ok((status, body))
    }
}

/// Nothing of it is shown: it holds tokens.
impl fmt::Debug for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Federation").finish_non_exhaustive()
    }
}

fn granted((status, body): (u16, Vec<u8>)) -> Result<Vec<u8>, Trouble> {
    match status {
        200..300 => Ok(body),
        _ => Err(Trouble::Setup(format!(
            "Google gives no token for the external account ({status}): check audience and service account in the file of GOOGLE_APPLICATION_CREDENTIALS, and what the workload identity pool accepts"
        ))),
    }
}

fn no_token() -> Trouble {
    Trouble::Lie("no token from the token service of Google".to_owned())
}

fn ends_in(lifetime: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(lifetime).unwrap_or(now)
}

/// What is sent there is a secret: in the clear only within this machine.
fn is_safe(url: &str) -> bool {
    let near = ["http://127.0.0.1:", "http://localhost:"];
    url.starts_with("https://") || near.iter().any(|near| url.starts_with(near))
}

fn read_small(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    file.take(most).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(document: &str) -> Result<bool, Trouble> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("account.json");
        std::fs::write(&path, document).expect("can be written");
        let no_client = || Err(Trouble::Setup("connected".to_owned()));
        match Federation::of_file(&path, no_client) {
            Err(Trouble::Setup(reason)) if reason == "connected" => Ok(true),
            told => told.map(|account| account.is_some()),
        }
    }

    fn account(token_url: &str, source: &str) -> String {
        format!(
            r#"{{"type":"external_account","audience":"a","subject_token_type":"t","token_url":"{token_url}","credential_source":{source}}}"#
        )
    }

    #[test]
    fn only_what_can_be_used_safely_is_taken() {
        let file = r#"{"file":"/token"}"#;
        let sts = "https://sts.googleapis.com/v1/token";
        assert_eq!(told(&account(sts, file)), Ok(true));
        assert_eq!(told(r#"{"type":"service_account"}"#), Ok(false));
        assert_eq!(told("no JSON"), Ok(false));
        for document in [
            account(sts, r#"{"url":"http://169.254.169.254/token"}"#),
            account("http://sts.example.com/token", file),
            account("http://127.0.0.1.example.com/token", file),
            r#"{"type":"external_account"}"#.to_owned(),
        ] {
            let told = told(&document);
            assert!(
                matches!(told, Err(Trouble::Setup(_))),
                "{document}: {told:?}"
            );
        }
    }
}
