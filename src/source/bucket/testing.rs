//! A store over the S3 of the tests.

use super::{BucketOptions, BucketStore};
use crate::source::ObjectId;
use std::time::Duration;

#[path = "../../../tests/all/support/bucket_server.rs"]
mod server;

pub(crate) use server::{BUCKET, BucketServer, What};

/// A store, and the server that it asks.
pub(crate) struct Served {
    pub(crate) store: BucketStore,
    pub(crate) server: BucketServer,
}

impl Served {
    /// Without versions.
    pub(crate) fn plain() -> Self {
        let server = BucketServer::start();
        let store = BucketStore::new(BucketOptions {
            endpoint: Some(server.endpoint()),
            environment: [
                ("AWS_ACCESS_KEY_ID", "A"),
                ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            ..BucketOptions::default()
        });
        Self { store, server }
    }

    /// Nobody waits longer than this for a store that says nothing.
    pub(crate) fn impatient(patience: Duration) -> Self {
        let mut served = Self::plain();
        served.store.patience.reading = patience;
        served
    }

    /// Nothing is signed: whatever is neither S3 nor wants to know credentials.
    pub(crate) fn unsigned() -> Self {
        let server = BucketServer::start();
        let account = ("AZURE_STORAGE_ACCOUNT_NAME", "tests");
        let store = BucketStore::new(BucketOptions {
            endpoint: Some(server.endpoint()),
            is_unsigned: true,
            environment: [account]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..BucketOptions::default()
        });
        Self { store, server }
    }

    /// With versions.
    pub(crate) fn with_versions() -> Self {
        let served = Self::plain();
        served.server.keep_versions();
        served
    }

    /// The key of an object.
    pub(crate) fn key<'i>(&self, id: &'i ObjectId) -> &'i str {
        let name = id.as_os_str().to_str().expect("a URL");
        name.strip_prefix("s3://backups/").expect("in the bucket")
    }
}
