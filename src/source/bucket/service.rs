//! What S3, Google and Azure say differently: where a bucket answers, how a request is signed, what its parts are called.

use super::address::encoded;
use super::federation::Federation;
use super::keeping::CustodyHeaders;
use super::trouble::{Rights, Trouble};
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::azure::{AzureAuthorizer, AzureCredentialProvider};
use object_store::client::HttpRequest;
use object_store::gcp::GcpCredentialProvider;
use std::sync::Arc;

/// Whose rules a bucket follows, and what signs requests; without credentials nothing does.
#[derive(Clone, Debug)]
pub(super) enum Service {
    S3 {
        credentials: Option<AwsCredentialProvider>,
        region: String,
        /// Where credentials come from, for the case that none come.
        source: &'static str,
        /// Somebody has said where it answers: that does not follow the region.
        is_at_endpoint: bool,
    },
    Google {
        credentials: Option<GoogleCredentials>,
    },
    Azure {
        credentials: Option<AzureCredentialProvider>,
        account: String,
    },
}

/// Where a token for Google comes from.
#[derive(Clone, Debug)]
pub(super) enum GoogleCredentials {
    /// From Google, by what the client knows.
    Own(GcpCredentialProvider),
    /// From Google, for a token that somebody else gave.
    External(Arc<Federation>),
}

/// How a range of a listing is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct ListQuery {
    pub(super) prefix: String,
    /// Only what lies right below the prefix.
    pub(super) is_flat: bool,
    /// Where the page before ended.
    pub(super) token: Option<String>,
    /// Only what lies behind this key.
    pub(super) after: Option<String>,
}

impl Service {
    /// The header that names the version of an object in answers.
    pub(super) fn version_header(&self) -> Option<&'static str> {
        match self {
            Self::S3 { .. } => Some("x-amz-version-id"),
            Self::Google { .. } => Some("x-goog-generation"),
            // Whoever may read need not be allowed to read versions: the tag has to do.
            Self::Azure { .. } => None,
        }
    }

    /// The headers that say how an object is kept.
    pub(super) fn custody_headers(&self) -> CustodyHeaders {
        match self {
            Self::S3 { .. } => CustodyHeaders {
                version: "x-amz-version-id",
                mode: "x-amz-object-lock-mode",
                until: "x-amz-object-lock-retain-until-date",
                hold: Some("x-amz-object-lock-legal-hold"),
            },
            Self::Google { .. } => CustodyHeaders {
                version: "x-goog-generation",
                mode: "x-goog-object-lock-mode",
                until: "x-goog-object-lock-retain-until-date",
                hold: None,
            },
            Self::Azure { .. } => CustodyHeaders {
                version: "x-ms-version-id",
                mode: "x-ms-immutability-policy-mode",
                until: "x-ms-immutability-policy-until-date",
                hold: Some("x-ms-legal-hold"),
            },
        }
    }

    /// The part of a query that asks for a version.
    pub(super) fn version_query(&self) -> &'static str {
        match self {
            Self::Google { .. } => "generation",
            _ => "versionId",
        }
    }

    /// The condition under which a write succeeds only where nothing has the name yet.
    pub(super) fn new_only(&self) -> (&'static str, String) {
        match self {
            Self::Google { .. } => ("x-goog-if-generation-match", "0".to_owned()),
            _ => ("if-none-match", "*".to_owned()),
        }
    }

    /// Does the last word of an upload in parts know that condition?
    pub(super) fn is_new_only_in_parts(&self) -> bool {
        !matches!(self, Self::Google { .. })
    }

    /// What is said beside an object, to know it again.
    pub(super) fn mark_header(&self) -> &'static str {
        match self {
            Self::S3 { .. } => "x-amz-meta-etcd-cat",
            Self::Google { .. } => "x-goog-meta-etcd-cat",
            Self::Azure { .. } => "x-ms-meta-etcdcat",
        }
    }

    /// Requests go without a signature.
    pub(super) fn is_unsigned(&self) -> bool {
        match self {
            Self::S3 { credentials, .. } => credentials.is_none(),
            Self::Google { credentials } => credentials.is_none(),
            Self::Azure { credentials, .. } => credentials.is_none(),
        }
    }

    /// Another region is another endpoint, and somebody has named one.
    pub(super) fn is_at_endpoint(&self) -> bool {
        matches!(
            self,
            Self::S3 {
                is_at_endpoint: true,
                ..
            }
        )
    }

    /// What the rights are called that a refusal is about.
    pub(super) fn rights(&self) -> Rights {
        match self {
            Self::S3 { .. } => Rights::default(),
            Self::Google { .. } => Rights(&[
                "storage.objects.list",
                "storage.objects.get",
                "storage.objects.create",
            ]),
            Self::Azure { .. } => Rights(&[
                "Storage Blob Data Reader",
                "Storage Blob Data Reader",
                "Storage Blob Data Contributor",
            ]),
        }
    }

    /// Which version identities tell: only where listings tell it, too.
    pub(super) fn lists_versions(&self) -> bool {
        matches!(self, Self::Google { .. })
    }

    /// Can a listing begin behind any key?
    pub(super) fn begins_anywhere(&self) -> bool {
        !matches!(self, Self::Azure { .. })
    }

    /// The query of a page of a listing.
    pub(super) fn list_query(&self, list: &ListQuery) -> String {
        let mut parts = match self {
            Self::Azure { .. } => vec!["comp=list".to_owned(), "restype=container".to_owned()],
            _ => vec!["list-type=2".to_owned()],
        };
        let token_name = match self {
            Self::Azure { .. } => "marker",
            _ => "continuation-token",
        };
        if let Some(token) = &list.token {
            parts.push(format!("{token_name}={}", encoded(token, false)));
        }
        if list.is_flat {
            parts.push("delimiter=%2F".to_owned());
        }
        parts.push(format!("prefix={}", encoded(&list.prefix, false)));
        if let Some(after) = &list.after {
            parts.push(format!("start-after={}", encoded(after, false)));
        }
        parts.join("&")
    }

    /// What else is said when a listing is asked for: which archived objects were restored is known to AWS alone, and told only
    /// to whoever asks.
    pub(super) fn list_headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::S3 {
                is_at_endpoint: false,
                ..
            } => vec![(
                "x-amz-optional-object-attributes",
                "RestoreStatus".to_owned(),
            )],
            _ => Vec::new(),
        }
    }

    /// Signs a request. `digest` is the SHA-256 of its body.
    pub(super) async fn authorize(
        &self,
        request: &mut HttpRequest,
        digest: Option<&[u8]>,
    ) -> Result<(), Trouble> {
        match self {
            Self::S3 {
                credentials: Some(credentials),
                region,
                source,
                ..
            } => {
                let credential = credentials.get_credential().await.map_err(|_| {
                    Trouble::Setup(format!("{source} gives no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or --no-sign for a public bucket"))
                })?;
                AwsAuthorizer::new(&credential, "s3", region)
                    .try_authorize(request, digest)
                    .map_err(|_| unsigned())
            }
            Self::Google {
                credentials: Some(credentials),
            } => {
                let value = format!("Bearer {}", credentials.bearer().await?);
                set_header(request, "authorization", &value)
            }
            Self::Azure {
                credentials,
                account,
            } => {
                set_header(request, "x-ms-version", "2021-12-02")?;
                let Some(credentials) = credentials else {
                    return Ok(());
                };
                let credential = credentials.get_credential().await.map_err(|_| {
                    Trouble::Setup("Azure gives no credentials: set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or sign in with az login and set AZURE_USE_AZURE_CLI=true".to_owned())
                })?;
                AzureAuthorizer::new(&credential, account)
                    .try_authorize(request)
                    .map_err(|_| unsigned())
            }
            Self::S3 { .. } | Self::Google { .. } => Ok(()),
        }
    }
}

impl GoogleCredentials {
    async fn bearer(&self) -> Result<String, Trouble> {
        match self {
            Self::External(federation) => federation.bearer().await,
            Self::Own(credentials) => {
                let credential = credentials.get_credential().await.map_err(|_| {
                    Trouble::Setup("Google gives no token: name a service account in GOOGLE_APPLICATION_CREDENTIALS, run gcloud auth application-default login, or set --no-sign for a public bucket".to_owned())
                })?;
                Ok(credential.bearer.clone())
            }
        }
    }
}

/// Sets a header; texts that cannot stand in one are refused.
pub(super) fn set_header(
    request: &mut HttpRequest,
    name: &'static str,
    value: &str,
) -> Result<(), Trouble> {
    let value = value
        .parse()
        .map_err(|_| Trouble::Setup(format!("no header {name} can hold such a value")))?;
    request.headers_mut().insert(name, value);
    Ok(())
}

fn unsigned() -> Trouble {
    Trouble::Setup("the request cannot be signed".to_owned())
}
