//! Servers of buckets that others wrote, on loopback: SeaweedFS for S3, fake-gcs-server for Google, azurite for Azure.
//!
//! One of each for all tests, started by the first one that asks. A shell holds it on a leash: when this process ends, however
//! it ends, so does the input of the shell, which kills the server and removes all that it wrote.

use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::azure::{
    AzureAccessKey, AzureAuthorizer, AzureCredential, MicrosoftAzureBuilder,
};
use object_store::client::{
    HttpConnector as _, HttpRequest, HttpRequestBody, HttpResponse, ReqwestConnector,
};
use object_store::signer::Signer as _;
use object_store::{Certificate, ClientOptions};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What the server does is told to a file beside what it keeps.
const LEASH: &str = r#"trap '' INT TERM HUP
directory=$1; shift
TMPDIR=$directory "$@" </dev/null >"$directory/log" 2>&1 &
echo $! >"$directory/pid"
cat >/dev/null
kill -9 $!
wait $!
rm -rf "$directory""#;

/// Whoever may do everything, and their secrets.
pub(crate) const ADMIN: (&str, &str) = ("admin-of-tests", "hunter2-of-the-admin");
/// May list and read.
pub(crate) const READER: (&str, &str) = ("reader-of-tests", "hunter2-of-the-reader");
/// May read, and not list.
pub(crate) const BLIND: (&str, &str) = ("blind-of-tests", "hunter2-of-the-blind");

/// Azurite knows one account.
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Whose rules a server follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Seaweed,
    FakeGcs,
    Azurite,
}

/// A server that runs as long as this process.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    /// Where it answers, without a slash at its end.
    pub(crate) endpoint: String,
    directory: PathBuf,
    /// The shell, which waits for the end of its input.
    _leash: Child,
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    headers: object_store::HeaderMap,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn expect_fine(self) -> Self {
        assert!(
            (200..300).contains(&self.status),
            "{}: {}",
            self.status,
            self.body
        );
        self
    }
}

/// SeaweedFS with signatures and TLS; `None`, and said, where `tests/run` could not bring it.
pub(crate) fn seaweed() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| start(Kind::Seaweed)).as_ref()
}

/// What reads Google's XML, without signatures.
pub(crate) fn fake_gcs() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| start(Kind::FakeGcs)).as_ref()
}

/// Azure's own stand-in, with signatures.
pub(crate) fn azurite() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| start(Kind::Azurite)).as_ref()
}

/// A port may be taken between its choice and its use: then others are tried.
#[expect(clippy::print_stderr, reason = "a skipped proof must be seen")]
fn start(kind: Kind) -> Option<Server> {
    let Some(programs) = std::env::var_os("ETCD_CAT_TEST_SERVERS") else {
        eprintln!("skipped: ETCD_CAT_TEST_SERVERS names no servers");
        return None;
    };
    let mut log = String::new();
    for _ in 0..3 {
        match Server::start(kind, Path::new(&programs)) {
            Ok(server) => return Some(server),
            Err(why) => log = why,
        }
    }
    panic!("{kind:?} does not start: {log}");
}

impl Server {
    fn start(kind: Kind, programs: &Path) -> Result<Self, String> {
        let directory = tempfile::Builder::new()
            .prefix("etcd-cat-server-")
            .tempdir();
        // The shell removes it.
        let directory = directory.expect("a temporary directory").keep();
        let text = |name: &str| directory.join(name).display().to_string();
        let ports = free_ports();
        let port = ports[0];
        let (program, arguments, endpoint) = match kind {
            Kind::Seaweed => {
                make_certificates(&directory);
                std::fs::write(directory.join("identities.json"), identities()).expect("written");
                let arguments = weed_arguments(&text, &ports);
                ("weed", arguments, format!("https://127.0.0.1:{port}"))
            }
            Kind::FakeGcs => {
                let arguments = format!(
                    "-scheme http -backend memory -host 127.0.0.1 -port {port} -public-host 127.0.0.1:{port}"
                );
                let arguments = arguments.split(' ').map(str::to_owned).collect();
                (
                    "fake-gcs-server",
                    arguments,
                    format!("http://127.0.0.1:{port}"),
                )
            }
            Kind::Azurite => {
                let arguments = format!(
                    "--inMemoryPersistence --disableTelemetry --skipApiVersionCheck --blobHost 127.0.0.1 --blobPort {port}"
                );
                let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
                (
                    "azurite",
                    arguments,
                    format!("http://127.0.0.1:{port}/{ACCOUNT}"),
                )
            }
        };
        let leash = Command::new("sh")
            .args(["-c", LEASH, "leash"])
            .arg(&directory)
            .arg(programs.join(program))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self {
            kind,
            endpoint,
            directory,
            _leash: leash.expect("a shell"),
        };
        server.wait().map(|()| server)
    }

    /// Until it takes an object.
    fn wait(&self) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(100));
            let pid = std::fs::read_to_string(self.directory.join("pid")).unwrap_or_default();
            let has_ended = !pid.trim().is_empty() && !Path::new("/proc").join(pid.trim()).exists();
            if has_ended {
                break;
            }
            let is_ready = self.try_make_bucket("ready").is_ok_and(|answered| {
                matches!(answered.status, 200..300 | 409)
                    && self
                        .try_put("ready", "key", b"x", &[])
                        .is_ok_and(|put| put.status < 300)
            });
            if is_ready {
                return Ok(());
            }
        }
        Err(std::fs::read_to_string(self.directory.join("log")).unwrap_or_default())
    }

    /// `s3`, `gs` or `az`.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.kind {
            Kind::Seaweed => "s3",
            Kind::FakeGcs => "gs",
            Kind::Azurite => "az",
        }
    }

    /// The CA of the server, where it has one.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// With what the program reaches it, as somebody who may read.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("ETCD_CAT_ENDPOINT", self.endpoint.clone())];
        variables.extend(match self.kind {
            Kind::Seaweed => vec![
                ("ETCD_CAT_CA_FILE", self.ca_file().display().to_string()),
                ("AWS_ACCESS_KEY_ID", READER.0.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", READER.1.to_owned()),
            ],
            Kind::FakeGcs => vec![("ETCD_CAT_NO_SIGN", "true".to_owned())],
            Kind::Azurite => vec![
                ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT.to_owned()),
                ("AZURE_STORAGE_ACCOUNT_KEY", ACCOUNT_KEY.to_owned()),
            ],
        });
        variables
    }

    pub(crate) fn make_bucket(&self, bucket: &str) {
        self.try_make_bucket(bucket)
            .expect("an answer")
            .expect_fine();
    }

    fn try_make_bucket(&self, bucket: &str) -> Result<Answered, String> {
        match self.kind {
            Kind::Seaweed => self.ask("PUT", &format!("/{bucket}"), &[], b""),
            Kind::FakeGcs => {
                let body = format!("{{\"name\":\"{bucket}\"}}");
                let headers = [("content-type", "application/json")];
                self.ask(
                    "POST",
                    "/storage/v1/b?project=tests",
                    &headers,
                    body.as_bytes(),
                )
            }
            Kind::Azurite => self.ask("PUT", &format!("/{bucket}?restype=container"), &[], b""),
        }
    }

    pub(crate) fn put(&self, bucket: &str, key: &str, bytes: &[u8]) -> Answered {
        self.put_with(bucket, key, bytes, &[])
    }

    /// With more headers.
    pub(crate) fn put_with(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        headers: &[(&'static str, &str)],
    ) -> Answered {
        self.try_put(bucket, key, bytes, headers)
            .expect("an answer")
            .expect_fine()
    }

    fn try_put(
        &self,
        bucket: &str,
        key: &str,
        bytes: &[u8],
        headers: &[(&'static str, &str)],
    ) -> Result<Answered, String> {
        let path = format!("/{bucket}/{}", encoded(key, true));
        match self.kind {
            Kind::Seaweed => self.ask("PUT", &path, headers, bytes),
            Kind::Azurite => {
                let headers = [&[("x-ms-blob-type", "BlockBlob")], headers].concat();
                self.ask("PUT", &path, &headers, bytes)
            }
            Kind::FakeGcs => {
                let name = encoded(key, false);
                let path = format!("/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}");
                self.ask("POST", &path, headers, bytes)
            }
        }
    }

    /// How long an object is, by `bucket/key`; `None` where there is none.
    pub(crate) fn size(&self, name: &str) -> Option<String> {
        let path = format!("/{}", encoded(name, true));
        let answered = self.ask("HEAD", &path, &[], b"").expect("an answer");
        (answered.status != 404).then(|| {
            let answered = answered.expect_fine();
            answered.header("content-length").to_owned()
        })
    }

    /// Puts every file below a directory, and gives each the time that the store says, so that a disk and the store agree.
    pub(crate) fn put_tree(&self, directory: &Path, bucket: &str) {
        for entry in walkdir::WalkDir::new(directory) {
            let entry = entry.expect("can be listed");
            if !entry.file_type().is_file() {
                continue;
            }
            let path = entry.path();
            let key = path
                .strip_prefix(directory)
                .expect("below")
                .to_str()
                .expect("text");
            self.put(bucket, key, &std::fs::read(path).expect("can be read"));
            let written = self.written(bucket, key);
            let file = std::fs::File::options()
                .append(true)
                .open(path)
                .expect("ours");
            file.set_modified(written).expect("ours");
        }
    }

    /// When the store says that an object was written.
    fn written(&self, bucket: &str, key: &str) -> std::time::SystemTime {
        let path = format!("/{bucket}/{}", encoded(key, true));
        let answered = self
            .ask("HEAD", &path, &[], b"")
            .expect("an answer")
            .expect_fine();
        let time = chrono::DateTime::parse_from_rfc2822(answered.header("last-modified"));
        time.expect("a time").into()
    }

    /// Asks as whoever may do everything.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &[u8],
    ) -> Result<Answered, String> {
        let mut request = HttpRequest::new(HttpRequestBody::from(body.to_vec()));
        *request.method_mut() = method.parse().expect("a method");
        *request.uri_mut() = format!("{}{path}", self.endpoint).parse().expect("a URL");
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, value.parse().expect("a value"));
        }
        self.sign(&mut request, body);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(self.send(request))
    }

    /// A signature of azurite that lets whoever has it read one blob for an hour.
    pub(crate) fn shared_access(&self, container: &str, name: &str) -> String {
        let store = MicrosoftAzureBuilder::new()
            .with_endpoint(self.endpoint.clone())
            .with_allow_http(true)
            .with_account(ACCOUNT)
            .with_access_key(ACCOUNT_KEY)
            .with_container_name(container)
            .build()
            .expect("is configured");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let url = runtime.expect("a runtime").block_on(store.signed_url(
            "GET".parse().expect("a method"),
            &name.into(),
            Duration::from_secs(3600),
        ));
        let url = url.expect("can be signed");
        url.query().expect("a signature").to_owned()
    }

    fn sign(&self, request: &mut HttpRequest, body: &[u8]) {
        match self.kind {
            Kind::Seaweed => {
                let credential = AwsCredential {
                    key_id: ADMIN.0.to_owned(),
                    secret_key: ADMIN.1.to_owned(),
                    token: None,
                };
                let digest = Sha256::digest(body);
                AwsAuthorizer::new(&credential, "s3", "us-east-1")
                    .try_authorize(request, Some(&digest))
                    .expect("can be signed");
            }
            Kind::Azurite => {
                let length = body.len().to_string().parse().expect("a value");
                request.headers_mut().insert("content-length", length);
                let version = "2021-12-02".parse().expect("a value");
                request.headers_mut().insert("x-ms-version", version);
                let key = AzureAccessKey::try_new(ACCOUNT_KEY).expect("a key");
                let credential = AzureCredential::AccessKey(key);
                AzureAuthorizer::new(&credential, ACCOUNT)
                    .try_authorize(request)
                    .expect("can be signed");
            }
            Kind::FakeGcs => {}
        }
    }

    async fn send(&self, request: HttpRequest) -> Result<Answered, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut options = ClientOptions::new().with_allow_http(true);
        if let Ok(pem) = std::fs::read(self.ca_file()) {
            for certificate in Certificate::from_pem_bundle(&pem).expect("a certificate") {
                options = options.with_root_certificate(certificate);
            }
        }
        let client = ReqwestConnector::default()
            .connect(&options)
            .expect("a client");
        let response: HttpResponse = client
            .execute(request)
            .await
            .map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.bytes().await.map_err(|error| error.to_string())?;
        Ok(Answered {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

/// Chosen at one time, so that none is chosen twice.
fn free_ports() -> Vec<u16> {
    let listeners: Vec<TcpListener> = (0..9)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port is free"))
        .collect();
    let ports = listeners
        .iter()
        .map(|listener| listener.local_addr().expect("it listens").port());
    ports.collect()
}

fn weed_arguments(text: &dyn Fn(&str) -> String, ports: &[u16]) -> Vec<String> {
    let names = [
        "s3.port.https",
        "s3.port",
        "s3.port.grpc",
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
    ];
    let settings = [
        ("dir", text("")),
        ("s3.config", text("identities.json")),
        ("s3.cert.file", text("server.pem")),
        ("s3.key.file", text("server.key")),
        ("s3.localSocket", text("s3.sock")),
        ("filer.localSocket", text("filer.sock")),
    ];
    let fixed = "server -ip=127.0.0.1 -ip.bind=127.0.0.1 -filer -s3 -s3.iam=false -s3.port.iceberg=0 -s3.port.lance=0 -master.telemetry=false -volume.max=200 -master.volumeSizeLimitMB=128 -volume.minFreeSpace=1";
    let ports = names
        .iter()
        .zip(ports)
        .map(|(name, port)| format!("-{name}={port}"));
    let settings = settings
        .into_iter()
        .map(|(name, value)| format!("-{name}={value}"));
    fixed
        .split(' ')
        .map(str::to_owned)
        .chain(ports)
        .chain(settings)
        .collect()
}

fn identities() -> String {
    let who = [
        (ADMIN, r#""Admin","Read","List","Tagging","Write""#),
        (READER, r#""Read","List""#),
        (BLIND, r#""Read""#),
    ];
    let identities = who.map(|((key, secret), actions)| {
        format!(r#"{{"name":"{key}","credentials":[{{"accessKey":"{key}","secretKey":"{secret}"}}],"actions":[{actions}]}}"#)
    });
    format!("{{\"identities\":[{}]}}", identities.join(","))
}

/// A CA that nobody trusts, and what it signed for the server.
pub(crate) fn make_certificates(directory: &Path) {
    let extension = directory.join("extension");
    std::fs::write(extension, "subjectAltName=IP:127.0.0.1\n").expect("written");
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for line in [
        format!("req -x509 {key} -days 2 -subj /CN=tests -keyout ca.key -out ca.pem"),
        format!("req {key} -subj /CN=server -keyout server.key -out server.csr"),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extension -out server.pem".to_owned(),
    ] {
        let mut command = Command::new("openssl");
        let output = command.args(line.split(' ')).current_dir(directory).output();
        let output = output.expect("openssl starts");
        assert!(output.status.success(), "{output:?}");
    }
}

/// A key, or a value in a query, as it stands in a URL.
fn encoded(text: &str, keeps_slashes: bool) -> String {
    let mut url = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keeps_slashes && byte == b'/'
        {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}
