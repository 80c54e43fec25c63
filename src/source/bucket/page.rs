//! Pages of listings: XML of three kinds, written by strangers.

use super::super::TaggedIdentity;
use super::service::Service;
use super::trouble::Trouble;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// An object as a listing shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) identity: TaggedIdentity,
    /// It must be restored before it can be read.
    pub(super) is_archived: bool,
}

/// Some of what a listing shows.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    /// Of a flat one: what other keys begin with, up to the next slash.
    pub(super) prefixes: Vec<String>,
    /// Asks for the next page.
    pub(super) token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Page {
    #[serde(default)]
    contents: Vec<S3Object>,
    #[serde(default)]
    common_prefixes: Vec<S3Prefix>,
    #[serde(default)]
    is_truncated: bool,
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Prefix {
    prefix: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Object {
    key: String,
    last_modified: String,
    #[serde(rename = "ETag", default)]
    tag: String,
    size: u64,
    storage_class: Option<String>,
    restore_status: Option<RestoreStatus>,
    generation: Option<String>,
}

/// Of an archived object that somebody had restored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreStatus {
    #[serde(default)]
    is_restore_in_progress: bool,
    restore_expiry_date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AzurePage {
    #[serde(default)]
    blobs: AzureBlobs,
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AzureBlobs {
    blob: Vec<AzureBlob>,
    blob_prefix: Vec<AzurePrefix>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AzurePrefix {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AzureBlob {
    name: String,
    properties: AzureProperties,
}

#[derive(Deserialize)]
struct AzureProperties {
    #[serde(rename = "Last-Modified")]
    last_modified: String,
    #[serde(rename = "Etag", default)]
    tag: String,
    #[serde(rename = "Content-Length")]
    size: u64,
    #[serde(rename = "AccessTier")]
    tier: Option<String>,
}

impl RestoreStatus {
    /// There is a copy, for some days.
    fn is_readable(&self) -> bool {
        !self.is_restore_in_progress && self.restore_expiry_date.is_some()
    }
}

impl Page {
    /// Reads a page of the service's kind.
    pub(super) fn parse(body: &[u8], service: &Service) -> Result<Self, Trouble> {
        let text = std::str::from_utf8(body).map_err(|_| no_listing())?;
        let text = text.trim_start_matches('\u{feff}');
        let page = match service {
            Service::Azure { .. } => Self::of_azure(text),
            _ => Self::of_s3(text, service.lists_versions()),
        };
        page.ok_or_else(no_listing)
    }

    fn of_s3(text: &str, lists_versions: bool) -> Option<Self> {
        let page: S3Page = quick_xml::de::from_str(text).ok()?;
        let entries = page.contents.into_iter().map(|object| {
            let class = object.storage_class.unwrap_or_default();
            Some(Entry {
                identity: TaggedIdentity {
                    version: object.generation.filter(|_| lists_versions).map(Into::into),
                    ..identity(&object.tag, object.size, &object.last_modified)?
                },
                key: object.key,
                is_archived: is_archive(&class)
                    && !object
                        .restore_status
                        .is_some_and(|status| status.is_readable()),
            })
        });
        // A store that says that there is more, and not how to ask for it, has to be an error.
        let token = page.next_continuation_token.filter(|_| page.is_truncated);
        (token.is_some() == page.is_truncated).then_some(())?;
        Some(Self {
            entries: entries.collect::<Option<_>>()?,
            prefixes: page
                .common_prefixes
                .into_iter()
                .map(|one| one.prefix)
                .collect(),
            token,
        })
    }

    fn of_azure(text: &str) -> Option<Self> {
        let page: AzurePage = quick_xml::de::from_str(text).ok()?;
        let entries = page.blobs.blob.into_iter().map(|blob| {
            let properties = blob.properties;
            Some(Entry {
                identity: identity(&properties.tag, properties.size, &properties.last_modified)?,
                key: blob.name,
                is_archived: properties.tier.is_some_and(|tier| tier == "Archive"),
            })
        });
        Some(Self {
            entries: entries.collect::<Option<_>>()?,
            prefixes: page
                .blobs
                .blob_prefix
                .into_iter()
                .map(|one| one.name)
                .collect(),
            token: page.next_marker.filter(|marker| !marker.is_empty()),
        })
    }
}

/// Classes of S3 whose objects must be restored before they can be read.
pub(super) fn is_archive(class: &str) -> bool {
    matches!(class, "GLACIER" | "DEEP_ARCHIVE")
}

/// Listings and headers tell the time in different precisions: whole seconds are what they have in common.
pub(super) fn identity(tag: &str, size_bytes: u64, modified: &str) -> Option<TaggedIdentity> {
    let modified = DateTime::parse_from_rfc3339(modified)
        .or_else(|_| DateTime::parse_from_rfc2822(modified))
        .ok()?;
    Some(TaggedIdentity {
        tag: unquoted(tag).into(),
        version: None,
        size_bytes,
        modified_seconds: modified.with_timezone(&Utc).timestamp(),
        modified_nanoseconds: 0,
    })
}

/// Some stores quote a tag in one place and not in another. Weak tags stay as they are.
pub(super) fn unquoted(tag: &str) -> &str {
    let tag = tag.trim();
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    inner.unwrap_or(tag)
}

/// The other way round, as conditions want it.
pub(super) fn quoted(tag: &str) -> String {
    if tag.starts_with("W/") {
        tag.to_owned()
    } else {
        format!("\"{tag}\"")
    }
}

fn no_listing() -> Trouble {
    Trouble::Lie("this is no listing of a bucket".to_owned())
}
