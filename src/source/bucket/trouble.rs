//! What a store refuses, in one sentence each: what, and what to do about it.

use super::super::{InArchive, ReplacedMeanwhile};
use serde::Deserialize;
use std::io::{self, ErrorKind};

/// Why a request got no good answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// The store answered, and refused.
    Refused(Refusal),
    /// No answer, or one that broke off.
    Network(String),
    /// The certificate of the store is not trusted.
    Certificate(String),
    /// Nothing to sign with, or a setting that cannot be.
    Setup(String),
    /// Another object lies there than the one that was opened.
    Replaced,
    /// The answer contradicts itself or what was asked.
    Lie(String),
}

/// What a store said when it refused.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The store's own word, such as `NoSuchBucket`.
    pub(super) code: Option<String>,
    /// Where the bucket lies, if it said so.
    pub(super) region: Option<String>,
    pub(super) bucket: String,
    pub(super) is_listing: bool,
    pub(super) is_writing: bool,
    /// Nothing was signed.
    pub(super) is_unsigned: bool,
    /// It was asked without TLS.
    pub(super) is_plain: bool,
    /// Where it was asked was named by somebody, and does not follow the region.
    pub(super) is_at_endpoint: bool,
    /// What the rights to list, to read and to write are called there.
    pub(super) rights: Rights,
}

/// What the store calls the rights to list, to read and to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rights(pub(super) &'static [&'static str; 3]);

impl Default for Rights {
    fn default() -> Self {
        Self(&["s3:ListBucket", "s3:GetObject", "s3:PutObject"])
    }
}

/// As S3, Google and Azure say it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ErrorDocument {
    code: Option<String>,
    region: Option<String>,
}

impl Refusal {
    /// Takes the code out of the body of an answer. Texts that strangers wrote are not shown, for what they may hold.
    pub(super) fn read(&mut self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        // Azure begins with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        let document: ErrorDocument = quick_xml::de::from_str(text).unwrap_or_default();
        self.code = document
            .code
            .filter(|code| is_word(code))
            .or(self.code.take());
        self.region = document
            .region
            .filter(|region| is_word(region))
            .or(self.region.take());
    }

    /// Is it worth asking again?
    pub(super) fn is_passing(&self) -> bool {
        let is_slow = matches!(self.code.as_deref(), Some("SlowDown" | "RequestTimeout"));
        matches!(self.status, 408 | 429 | 500 | 502 | 503 | 504) || is_slow
    }

    fn says(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|own| codes.contains(&own))
    }

    fn reason(&self) -> String {
        let Self { status, bucket, .. } = self;
        let said = self.code.clone().unwrap_or_else(|| status.to_string());
        if self.says(&["InvalidAccessKeyId"]) {
            return format!(
                "the store does not know the access key ({said}): correct AWS_ACCESS_KEY_ID, or the profile in ~/.aws/credentials"
            );
        }
        if self.says(&["SignatureDoesNotMatch"]) {
            return format!(
                "the secret key does not belong to the access key ({said}): correct AWS_SECRET_ACCESS_KEY, or the profile in ~/.aws/credentials"
            );
        }
        if self.says(&[
            "AuthenticationFailed",
            "InvalidAuthenticationInfo",
            "InvalidToken",
        ]) {
            return format!(
                "the store does not accept the credentials ({said}): correct the key, the token or the SAS"
            );
        }
        if self.says(&["ExpiredToken", "TokenRefreshRequired"]) {
            return format!("the session has expired ({said}): sign in again");
        }
        if self.says(&["RequestTimeTooSkewed"]) {
            return format!(
                "the clock of this machine differs from that of the store ({said}): set it right"
            );
        }
        if self.says(&["NoSuchBucket", "ContainerNotFound"]) {
            return format!(
                "there is no bucket {bucket} ({said}): correct its name, or --endpoint"
            );
        }
        if let Some(elsewhere) = self.elsewhere(&said) {
            return elsewhere;
        }
        match status {
            401 | 403 => self.denied(&said),
            400 if self.code.is_none() && self.is_plain => {
                format!(
                    "the store refuses ({said}): if it speaks TLS, write https:// in --endpoint"
                )
            }
            404 if self.is_listing => {
                format!("there is no bucket {bucket} ({said}): correct its name, or --endpoint")
            }
            404 => "no such object".to_owned(),
            409 | 412 if self.is_writing => "there is an object of this name already".to_owned(),
            _ if self.is_passing() => format!(
                "the store is busy or broken ({said}), and was asked several times: try again later"
            ),
            _ => format!("the store refuses ({said})"),
        }
    }

    fn denied(&self, said: &str) -> String {
        let bucket = &self.bucket;
        let [list, read, write] = self.rights.0;
        let (what, right) = match (self.is_listing, self.is_writing) {
            (true, _) => ("list", list),
            (_, true) => ("write", write),
            _ => ("read", read),
        };
        if self.is_unsigned {
            return format!(
                "without a signature nobody may {what} the bucket {bucket} ({said}): leave out --no-sign, and give credentials"
            );
        }
        format!(
            "these credentials may not {what} the bucket {bucket} ({said}): give them the right to ({right}, or what the store calls it), or take others"
        )
    }

    /// The bucket lies in another region than the one that was asked, or signed for.
    fn elsewhere(&self, said: &str) -> Option<String> {
        let is_asked_elsewhere = self.says(&["PermanentRedirect", "TemporaryRedirect"])
            || matches!(self.status, 301 | 307);
        let is_signed_elsewhere = self.says(&[
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
        ]);
        let is_about = is_asked_elsewhere || is_signed_elsewhere;
        let bucket = &self.bucket;
        let (place, option) = match &self.region {
            Some(region) if is_about => (format!("region {region}"), format!("--region {region}")),
            _ if is_about => ("another region".to_owned(), "--region".to_owned()),
            _ => return None,
        };
        let rest = match self.is_at_endpoint && is_asked_elsewhere {
            true => ", and leave out --endpoint or name the one of that region",
            false => "",
        };
        Some(format!(
            "the bucket {bucket} lies in {place} ({said}): set {option}{rest}"
        ))
    }

    fn is_archived(&self) -> bool {
        self.says(&["InvalidObjectState", "BlobArchived"])
    }

    fn kind(&self) -> ErrorKind {
        match self.status {
            401 | 403 => ErrorKind::PermissionDenied,
            404 => ErrorKind::NotFound,
            409 | 412 if self.is_writing => ErrorKind::AlreadyExists,
            // A setting is wrong, and stays so however often it is tried.
            _ if self.elsewhere("").is_some() => ErrorKind::InvalidInput,
            _ => ErrorKind::Other,
        }
    }
}

/// Words of stores and regions, and nothing longer or stranger.
pub(super) fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

impl From<Trouble> for io::Error {
    fn from(trouble: Trouble) -> Self {
        let (kind, reason) = match trouble {
            Trouble::Refused(refusal) if refusal.is_archived() => return InArchive.into(),
            Trouble::Refused(refusal) => (refusal.kind(), refusal.reason()),
            Trouble::Network(reason) => (
                ErrorKind::Other,
                format!("{reason}: check --endpoint, the network and the proxy"),
            ),
            Trouble::Certificate(host) => (
                ErrorKind::InvalidInput,
                format!("the certificate of {host} is not trusted: name its CA with --ca-file"),
            ),
            Trouble::Setup(reason) => (ErrorKind::InvalidInput, reason),
            Trouble::Replaced => return ReplacedMeanwhile.into(),
            Trouble::Lie(reason) => (
                ErrorKind::InvalidData,
                format!("the store answers wrongly: {reason}"),
            ),
        };
        Self::new(kind, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(refusal: Refusal, body: &str) -> String {
        let mut refusal = Refusal {
            bucket: "backups".to_owned(),
            ..refusal
        };
        refusal.read(body.as_bytes());
        io::Error::from(Trouble::Refused(refusal)).to_string()
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let listing = |status| Refusal {
            status,
            is_listing: true,
            is_plain: true,
            ..Refusal::default()
        };
        let rows = [
            (
                403,
                "<Error><Code>SignatureDoesNotMatch</Code><StringToSign>x</StringToSign></Error>",
                "correct AWS_SECRET_ACCESS_KEY",
            ),
            (
                403,
                "<Error><Code>AccessDenied</Code></Error>",
                "s3:ListBucket",
            ),
            (
                404,
                "<Error><Code>NoSuchBucket</Code></Error>",
                "there is no bucket backups",
            ),
            (
                400,
                "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
                "set --region eu-west-1",
            ),
            (
                403,
                "\u{feff}<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code></Error>",
                "AuthenticationFailed",
            ),
            (503, "<html>", "try again later"),
            (
                400,
                "Client sent an HTTP request to an HTTPS server.",
                "write https://",
            ),
            (418, "", "the store refuses (418)"),
        ];
        for (status, body, part) in rows {
            let reason = reason(listing(status), body);
            assert!(reason.contains(part), "{reason}");
            assert!(!reason.contains('\n'), "{reason}");
        }
    }

    #[test]
    fn words_of_strangers_are_not_repeated() {
        let body = "<Error><Code>secret=hunter2 \u{1b}[31m</Code></Error>";
        let said = reason(
            Refusal {
                status: 400,
                ..Refusal::default()
            },
            body,
        );
        assert_eq!(said, "the store refuses (400)");
    }
}
