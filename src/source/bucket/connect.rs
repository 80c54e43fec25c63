//! From settings to a bucket that can be asked: endpoints, credentials, certificates.

use super::address::Address;
use super::clock::Clock;
use super::federation::Federation;
use super::keeping::Keeping;
use super::options::BucketOptions;
use super::profile::Profile;
use super::request::{Connection, PAGES_AT_A_TIME};
use super::service::{GoogleCredentials, Service};
use super::trouble::Trouble;
use super::width::Width;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpClient, HttpConnector as _, ReqwestConnector};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{BackoffConfig, Certificate, ClientOptions, RetryConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The CA of services inside an OpenShift cluster, as every pod has it.
const SERVICE_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/service-ca.crt";

/// What a bucket is asked for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Purpose {
    Read,
    Write,
}

/// How long nothing may be heard of a store before it counts as silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) reading: Duration,
    /// Nothing is heard while bytes are on their way to a store.
    pub(super) writing: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            reading: Duration::from_secs(30),
            writing: Duration::from_secs(300),
        }
    }
}

impl Patience {
    fn with(self, purpose: Purpose) -> Duration {
        match purpose {
            Purpose::Read => self.reading,
            Purpose::Write => self.writing,
        }
    }
}

/// Prepares to ask a bucket. Nothing is sent yet.
pub(super) fn connect(
    address: &Address,
    options: &BucketOptions,
    purpose: Purpose,
    patience: Patience,
) -> Result<Connection, Trouble> {
    // Whoever was first has chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (service, url) = match address.scheme.as_str() {
        "gs" => google(address, options)?,
        "az" => azure(address, options)?,
        _ => s3(address, options)?,
    };
    let client = client_options(options, &url)?.with_read_timeout(patience.with(purpose));
    Ok(Connection {
        client: http_client(&client)?,
        clock: Clock::default(),
        keeping: Keeping::default(),
        is_silent: AtomicBool::default(),
        service,
        host: host_of(&url).to_owned(),
        url,
        bucket: address.bucket.clone(),
        width: Width::default(),
        pages: Semaphore::new(PAGES_AT_A_TIME),
    })
}

fn s3(address: &Address, options: &BucketOptions) -> Result<(Service, String), Trouble> {
    let profile = Profile::load(options);
    let region = options
        .region
        .as_deref()
        .or_else(|| options.variable(&["AWS_REGION", "AWS_DEFAULT_REGION", "BUCKET_REGION"]))
        .or_else(|| profile.get("region"))
        .unwrap_or("us-east-1")
        .to_owned();
    let endpoint = options.endpoint.clone();
    let endpoint = endpoint
        .or_else(|| {
            Some(
                options
                    .variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])?
                    .to_owned(),
            )
        })
        .or_else(|| claimed_endpoint(options))
        .or_else(|| Some(profile.get("endpoint_url")?.to_owned()));
    let bucket = &address.bucket;
    let url = match &endpoint {
        Some(endpoint) => format!("{}/{bucket}", checked(endpoint)?),
        // No certificate holds for a name with more dots.
        None if options.is_path_style || bucket.contains('.') => {
            format!("https://s3.{region}.{}/{bucket}", domain_of(&region))
        }
        None => format!("https://{bucket}.s3.{region}.{}", domain_of(&region)),
    };
    let mut source = "the environment";
    let credentials = if options.is_unsigned {
        None
    } else {
        let (builder, from) = s3_builder(options, &profile, &region)?;
        source = from;
        let store = builder
            .with_bucket_name(bucket)
            .with_client_options(client_options(options, &url)?)
            .with_retry(short_retries())
            .build()
            .map_err(|_| {
                Trouble::Setup(
                    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must both be set, or neither"
                        .to_owned(),
                )
            })?;
        Some(store.credentials().clone())
    };
    Ok((
        Service::S3 {
            credentials,
            region,
            source,
            is_at_endpoint: endpoint.is_some(),
        },
        url,
    ))
}

/// Keys of the environment before those of a profile, and those before what is asked over the network.
fn s3_builder(
    options: &BucketOptions,
    profile: &Profile,
    region: &str,
) -> Result<(AmazonS3Builder, &'static str), Trouble> {
    let mut builder = AmazonS3Builder::new().with_region(region);
    for (name, value) in &options.environment {
        let key = name.to_ascii_lowercase();
        // Of the others, what concerns buckets is ours to decide.
        let is_about_credentials = ["key", "token", "role", "container", "metadata", "sts"]
            .iter()
            .any(|word| key.contains(word));
        if key.starts_with("aws_")
            && is_about_credentials
            && !value.is_empty()
            && let Ok(key) = key.parse::<AmazonS3ConfigKey>()
        {
            builder = builder.with_config(key, value);
        }
    }
    if options
        .variable(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
        .is_some()
    {
        return Ok((builder, "the environment"));
    }
    let has_identity = options.variable(&["AWS_WEB_IDENTITY_TOKEN_FILE"]).is_some()
        && options.variable(&["AWS_ROLE_ARN"]).is_some();
    if has_identity && options.variable(&["AWS_PROFILE"]).is_none() {
        return Ok((builder, "the web identity in AWS_WEB_IDENTITY_TOKEN_FILE"));
    }
    if let Some((role, token_file)) = profile.web_identity() {
        builder = builder
            .with_config(AmazonS3ConfigKey::RoleArn, role)
            .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token_file);
        if let Some(session) = profile.get("role_session_name") {
            builder = builder.with_config(AmazonS3ConfigKey::RoleSessionName, session);
        }
        return Ok((builder, "the web identity of the profile"));
    }
    if let Some((key, secret, token)) = profile.keys()? {
        builder = builder
            .with_access_key_id(key)
            .with_secret_access_key(secret);
        if let Some(token) = token {
            builder = builder.with_token(token);
        }
        return Ok((builder, "the profile"));
    }
    let containers = [
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    if options.variable(&containers).is_some() {
        return Ok((builder, "the container"));
    }
    Ok((builder, "the metadata service of this machine"))
}

fn google(address: &Address, options: &BucketOptions) -> Result<(Service, String), Trouble> {
    let endpoint = options
        .endpoint
        .as_deref()
        .or_else(|| options.variable(&["STORAGE_EMULATOR_HOST"]));
    let base = endpoint.map_or(Ok("https://storage.googleapis.com"), checked)?;
    let url = format!("{base}/{}", address.bucket);
    if options.is_unsigned {
        return Ok((Service::Google { credentials: None }, url));
    }
    if let Some(federation) = external_account(options, &url)? {
        let credentials = Some(GoogleCredentials::External(Arc::new(federation)));
        return Ok((Service::Google { credentials }, url));
    }
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&address.bucket)
        .with_client_options(client_options(options, &url)?)
        .with_retry(short_retries());
    for name in ["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH"] {
        if let Some(path) = options.variable(&[name]) {
            builder = builder.with_service_account_path(path);
        }
    }
    if let Some(key) = options.variable(&["GOOGLE_SERVICE_ACCOUNT_KEY"]) {
        builder = builder.with_service_account_key(key);
    }
    if let Some(path) = options.variable(&["GOOGLE_APPLICATION_CREDENTIALS"]) {
        builder = builder.with_application_credentials(path);
    }
    let store = builder.build().map_err(|_| {
        Trouble::Setup("the Google credentials cannot be used: name the file of a service account or of an authorized user in GOOGLE_APPLICATION_CREDENTIALS".to_owned())
    })?;
    let credentials = Some(GoogleCredentials::Own(store.credentials().clone()));
    Ok((Service::Google { credentials }, url))
}

/// The application default, where somebody else vouches for it.
fn external_account(options: &BucketOptions, url: &str) -> Result<Option<Federation>, Trouble> {
    let home = || {
        let home = Path::new(options.variable(&["HOME"])?);
        Some(home.join(".config/gcloud/application_default_credentials.json"))
    };
    let named = options.variable(&["GOOGLE_APPLICATION_CREDENTIALS"]);
    let own = [
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
    ];
    let path = match (named, options.variable(&own)) {
        (Some(named), _) => Some(PathBuf::from(named)),
        (None, Some(_)) => None,
        (None, None) => home(),
    };
    let Some(path) = path else { return Ok(None) };
    Federation::of_file(&path, || {
        // Only to a place of this machine it goes without TLS.
        let client = client_options(options, url)?.with_allow_http(true);
        http_client(&client)
    })
}

fn http_client(client: &ClientOptions) -> Result<HttpClient, Trouble> {
    ReqwestConnector::default().connect(client).map_err(|_| {
        Trouble::Setup("the HTTP client cannot be set up: check --ca-file and the proxy".to_owned())
    })
}

fn azure(address: &Address, options: &BucketOptions) -> Result<(Service, String), Trouble> {
    let account = options.variable(&["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"]);
    let account = account
        .ok_or_else(|| {
            Trouble::Setup("no storage account: set AZURE_STORAGE_ACCOUNT_NAME".to_owned())
        })?
        .to_owned();
    let endpoint = options
        .endpoint
        .as_deref()
        .or_else(|| options.variable(&["AZURE_STORAGE_ENDPOINT"]));
    let base = match endpoint {
        Some(endpoint) => checked(endpoint)?.to_owned(),
        None => format!("https://{account}.blob.core.windows.net"),
    };
    let url = format!("{base}/{}", address.bucket);
    if options.is_unsigned {
        return Ok((
            Service::Azure {
                credentials: None,
                account,
            },
            url,
        ));
    }
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&account)
        .with_container_name(&address.bucket)
        .with_client_options(client_options(options, &url)?)
        .with_retry(short_retries());
    for (name, value) in &options.environment {
        let is_about_place = name.contains("EMULATOR")
            || name == "AZURE_STORAGE_ENDPOINT"
            || name == "AZURE_ENDPOINT"
            || name.contains("ACCOUNT_NAME");
        if name.starts_with("AZURE_")
            && !is_about_place
            && !value.is_empty()
            && let Ok(key) = name.to_ascii_lowercase().parse()
        {
            builder = builder.with_config(key, value);
        }
    }
    let store = builder.build().map_err(|_| {
        Trouble::Setup("the Azure credentials cannot be used: correct AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN".to_owned())
    })?;
    let credentials = Some(store.credentials().clone());
    Ok((
        Service::Azure {
            credentials,
            account,
        },
        url,
    ))
}

/// What OpenShift's ObjectBucketClaim says in its ConfigMap.
fn claimed_endpoint(options: &BucketOptions) -> Option<String> {
    let host = options.variable(&["BUCKET_HOST"])?;
    Some(match options.variable(&["BUCKET_PORT"]) {
        Some("80") => format!("http://{host}"),
        Some(port) if port != "443" => format!("https://{host}:{port}"),
        _ => format!("https://{host}"),
    })
}

fn domain_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// An endpoint without the slash at its end.
fn checked(endpoint: &str) -> Result<&str, Trouble> {
    let is_url = endpoint.starts_with("https://") || endpoint.starts_with("http://");
    let has_secret = endpoint.contains('@') || endpoint.contains('?');
    if !is_url || has_secret {
        return Err(Trouble::Setup("the endpoint is no URL such as https://s3.example.com:443, without names and passwords".to_owned()));
    }
    Ok(endpoint.trim_end_matches('/'))
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

fn client_options(options: &BucketOptions, url: &str) -> Result<ClientOptions, Trouble> {
    // A large range may take long; a silent one may not.
    let mut client = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(10))
        .with_read_timeout(Patience::default().reading)
        .with_allow_http(url.starts_with("http://"));
    let named = options.ca_file.as_deref();
    let named = named.or_else(|| options.variable(&["AWS_CA_BUNDLE"]).map(Path::new));
    if let Some(path) = named {
        let reason = |why: String| {
            Trouble::Setup(format!(
                "cannot use the certificates in {}: {why}",
                path.display()
            ))
        };
        let pem = std::fs::read(path).map_err(|error| reason(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|_| reason("this is no PEM file of certificates".to_owned()))?;
        if certificates.is_empty() {
            return Err(reason("there is none".to_owned()));
        }
        for certificate in certificates {
            client = client.with_root_certificate(certificate);
        }
    } else if is_service(host_of(url))
        && let Ok(pem) = std::fs::read(SERVICE_CA)
    {
        for certificate in Certificate::from_pem_bundle(&pem).unwrap_or_default() {
            client = client.with_root_certificate(certificate);
        }
    }
    Ok(client)
}

/// A service inside the cluster: `s3.openshift-storage.svc:443`.
fn is_service(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    name.ends_with(".svc") || name.ends_with(".svc.cluster.local")
}

/// Whoever waits for credentials is to hear soon that there are none.
fn short_retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 2,
        retry_timeout: Duration::from_secs(10),
    }
}
