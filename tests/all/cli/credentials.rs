//! Credentials are taken from where other tools take them: from the environment, files, and services of identity and metadata.
//! None is ever told.

use crate::cli::environment::{KUBERESOURCES, Ran, SNAPSHOT, SOON, TestEnv};
use crate::support::bucket_server::{BucketServer, Service};
use crate::support::{samples, tls};
use serde_json::json;
use std::process::Command;

/// Never to be seen in any output, nor in the catalogue: part of everything secret here.
const SECRET: &str = "hunter2-is-no-secret";

/// A bucket with the healthy pair, and a place to ask from.
struct Place {
    env: TestEnv,
    server: BucketServer,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    fn new() -> Self {
        let server = BucketServer::start();
        for sample in [SNAPSHOT, KUBERESOURCES] {
            let name = sample.rsplit('/').next().expect("a name");
            server.put(&format!("prod/{name}"), &samples::bytes(sample));
        }
        let endpoint = vec![("ETCD_CAT_ENDPOINT", server.endpoint())];
        Self {
            env: TestEnv::new(),
            server,
            variables: endpoint,
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// With a variable that names a file of this text.
    fn with_file(self, name: &'static str, file: &str, text: &str) -> Self {
        self.env.put(file, text);
        let path = self.env.text(file);
        self.with(name, path)
    }

    /// Requests to the bucket have to be signed with this key.
    fn signed_by(self, key: &str) -> Self {
        let beginning = format!("AWS4-HMAC-SHA256 Credential={key}/");
        self.server.demand("authorization", &beginning);
        self
    }

    /// Requests to the bucket have to show this token.
    fn shown(self, token: &str) -> Self {
        let beginning = format!("Bearer {token}");
        self.server.demand("authorization", &beginning);
        self
    }

    fn offers(self, request: &str, service: Service) -> Self {
        self.server.offer(request, service);
        self
    }

    fn command(&self, scheme: &str) -> Command {
        let location = format!("{scheme}://backups/prod");
        let mut command = self
            .env
            .command(&["index", &location, "--as-of", SOON, "-vv"]);
        command.envs(self.variables.clone());
        command
    }

    #[track_caller]
    fn run(&self, scheme: &str) -> Ran {
        let ran = Ran::of(self.command(scheme).output().expect("the command starts"));
        assert!(!ran.stdout.contains(SECRET) && !ran.stderr.contains(SECRET));
        let catalogue = std::fs::read(self.env.path("catalogue.redb")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&catalogue).contains(SECRET));
        ran
    }

    #[track_caller]
    fn is_read(&self, what: &str, scheme: &str) {
        let ran = self.run(scheme);
        assert!(
            ran.stdout.contains("valid ") && ran.code == Some(0),
            "{what}: {ran:#?}"
        );
    }

    #[track_caller]
    fn is_refused(&self, what: &str, scheme: &str, sentence: &str) {
        let ran = self.run(scheme).ends_with(2);
        let mut lines = ran.stderr.lines();
        assert!(
            lines.any(|line| line.starts_with("error: ") && line.contains(sentence)),
            "{what}: {ran:#?}"
        );
    }
}

fn said(body: impl Into<String>) -> Service {
    Service {
        body: body.into(),
        ..Service::default()
    }
}

fn said_to(header: &'static str, value: &str, body: impl Into<String>) -> Service {
    Service {
        header: Some((header, value.to_owned())),
        ..said(body)
    }
}

/// Keys as the metadata service and pod identity give them.
fn keys(key: &str) -> String {
    let keys = json!({
        "AccessKeyId": key,
        "SecretAccessKey": format!("{SECRET}-key"),
        "Token": format!("{SECRET}-session"),
        "Expiration": "2099-01-01T00:00:00Z",
    });
    keys.to_string()
}

#[test]
fn keys_of_s3_are_taken_from_the_environment_and_from_profiles() {
    let place = Place::new()
        .signed_by("AKIAENVIRONMENT")
        .with("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        // The environment comes first.
        .with("AWS_PROFILE", "prod");
    place.is_read("environment", "s3");

    let session = format!("{SECRET}-session");
    let place = Place::new()
        .with("AWS_ACCESS_KEY_ID", "ASIA")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("AWS_SESSION_TOKEN", &session);
    place.server.demand("x-amz-security-token", &session);
    place.is_read("session", "s3");

    let place = Place::new()
        .signed_by("AKIAPROFILE")
        .with("AWS_PROFILE", "prod");
    let profile = format!(
        "[default]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\n[prod]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = {SECRET}\n"
    );
    place.env.put("home/.aws/credentials", profile);
    place.is_read("profile", "s3");

    let place = Place::new().with("AWS_PROFILE", "corp");
    place.env.put(
        "home/.aws/config",
        "[profile corp]\nsso_session = corp\nsso_account_id = 1\n",
    );
    place.is_refused(
        "SSO",
        "s3",
        "the profile corp gets its keys by sso_session, which is left to the AWS CLI: run eval \"$(aws configure export-credentials --profile corp --format env)\" first",
    );
    assert_eq!(place.server.take_asked(), [""; 0]);
}

#[test]
fn machines_and_pods_have_keys_of_s3() {
    let metadata = |place: Place| {
        let endpoint = place.server.endpoint();
        place
            .with("AWS_METADATA_ENDPOINT", endpoint)
            .offers("PUT /latest/api/token", said(format!("{SECRET}-imds")))
    };
    let token = format!("{SECRET}-imds");
    let (header, roles) = (
        "x-aws-ec2-metadata-token",
        "/latest/meta-data/iam/security-credentials/",
    );
    let place = metadata(Place::new().signed_by("ASIAINSTANCE"))
        .offers(&format!("GET {roles}"), said_to(header, &token, "backups"))
        .offers(
            &format!("GET {roles}backups"),
            said_to(header, &token, keys("ASIAINSTANCE")),
        );
    place.is_read("instance", "s3");
    let place =
        metadata(Place::new()).offers(&format!("GET {roles}"), said_to(header, "another", "x"));
    place.is_refused(
        "instance",
        "s3",
        "the metadata service of this machine gives no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or --no-sign for a public bucket",
    );

    let identity = format!("{SECRET}-pod");
    let pod = |token: &str| {
        let place = Place::new().signed_by("ASIAPOD").with_file(
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            "pod-token",
            &identity,
        );
        let url = format!("{}/v1/credentials", place.server.endpoint());
        place
            .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
            .offers(
                "GET /v1/credentials",
                said_to("authorization", token, keys("ASIAPOD")),
            )
    };
    pod(&identity).is_read("pod identity", "s3");
    pod("another").is_refused("pod identity", "s3", "the container gives no credentials: ");
}

/// A token of the cluster for keys of a role: as the webhook of EKS and OpenShift sets it up, and as the Secret of OpenShift's
/// credentials operator has it.
#[test]
fn a_web_identity_is_changed_for_keys_of_s3() {
    let service = |token: &str| Service {
        holds: vec![
            "RoleArn=arn:aws:iam::1:role/backups".to_owned(),
            format!("WebIdentityToken={token}"),
        ],
        ..said(format!(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>{SECRET}-key</SecretAccessKey><SessionToken>{SECRET}-session</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ))
    };
    let identity = format!("{SECRET}-web");
    let place = |accepted: &str| {
        let place = Place::new()
            .signed_by("ASIAROLE")
            .offers("POST /", service(accepted));
        let sts = tls::serve(&place.server, &place.env.path(""));
        let ca = place.env.text("ca.pem");
        place
            .with("AWS_ENDPOINT_URL_STS", sts)
            .with("AWS_CA_BUNDLE", ca)
    };
    let by_variables = |accepted: &str| {
        place(accepted)
            .with("AWS_ROLE_ARN", "arn:aws:iam::1:role/backups")
            .with_file("AWS_WEB_IDENTITY_TOKEN_FILE", "token", &identity)
    };
    by_variables(&identity).is_read("variables", "s3");
    by_variables("another").is_refused(
        "variables",
        "s3",
        "the web identity in AWS_WEB_IDENTITY_TOKEN_FILE gives no credentials: ",
    );
    let place = place(&identity);
    let token = place.env.put("token", &identity);
    let profile = format!(
        "[default]\nsts_regional_endpoints = regional\nrole_arn = arn:aws:iam::1:role/backups\nweb_identity_token_file = {}\n",
        token.display()
    );
    place
        .with_file("AWS_SHARED_CREDENTIALS_FILE", "secret", &profile)
        .is_read("profile", "s3");
}

#[test]
fn a_claimed_bucket_is_reached_by_the_names_of_its_config_map() {
    let mut place = Place::new()
        .signed_by("AKIACLAIM")
        .with("AWS_ACCESS_KEY_ID", "AKIACLAIM")
        .with("AWS_SECRET_ACCESS_KEY", SECRET)
        .with("BUCKET_NAME", "backups")
        .with("BUCKET_HOST", "127.0.0.1")
        .with("BUCKET_REGION", "noobaa");
    let endpoint = tls::serve(&place.server, &place.env.path(""));
    let port = endpoint.rsplit(':').next().expect("a port").to_owned();
    place
        .variables
        .retain(|(name, _)| *name != "ETCD_CAT_ENDPOINT");
    let ca = place.env.text("ca.pem");
    let place = place.with("BUCKET_PORT", port);
    place.is_refused(
        "without its CA",
        "s3",
        "is not trusted: name its CA with --ca-file",
    );
    let place = place.with("ETCD_CAT_CA_FILE", ca);
    place.is_read("claim", "s3");
}

#[test]
fn google_is_asked_as_a_service_account_or_for_somebody_elses_word() {
    let key = Command::new("openssl").args(["genrsa", "2048"]).output();
    let key = String::from_utf8(key.expect("openssl starts").stdout).expect("is text");
    let account = json!({
        "type": "service_account",
        "private_key": key,
        "private_key_id": "1",
        "client_email": "backups@example.iam.gserviceaccount.com",
    });
    let body = key.lines().nth(1).expect("a key").to_owned();
    // It signs its tokens itself.
    let place = Place::new().shown("ey").with_file(
        "GOOGLE_APPLICATION_CREDENTIALS",
        "account.json",
        &account.to_string(),
    );
    assert!(!place.run("gs").stderr.contains(&body));
    place.is_read("service account", "gs");

    // Workload identity as OpenShift sets it up: its token for one of Google, and that for one of the service account.
    let identity = format!("{SECRET}-cluster");
    let external = |format: serde_json::Value, text: &str, accepted: &str| {
        let place = Place::new().shown(&format!("{SECRET}-account"));
        let token = place.env.put("token", text);
        let endpoint = place.server.endpoint();
        let account = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/providers/cluster",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{endpoint}/v1/token"),
            "service_account_impersonation_url": format!("{endpoint}/v1/account:generateAccessToken"),
            "credential_source": {"file": token, "format": format},
        });
        let exchange = Service {
            holds: vec![
                format!("subject_token={accepted}"),
                "audience=//iam.googleapis.com/projects/1/providers/cluster".to_owned(),
                "grant_type=urn:ietf:params:oauth:grant-type:token-exchange".to_owned(),
            ],
            ..said(
                json!({"access_token": format!("{SECRET}-federated"), "expires_in": 3599})
                    .to_string(),
            )
        };
        let account_token = said_to(
            "authorization",
            &format!("Bearer {SECRET}-federated"),
            json!({"accessToken": format!("{SECRET}-account"), "expireTime": "2099-01-01T00:00:00Z"}).to_string(),
        );
        place
            .offers("POST /v1/token", exchange)
            .offers("POST /v1/account:generateAccessToken", account_token)
            .with_file(
                "GOOGLE_APPLICATION_CREDENTIALS",
                "external.json",
                &account.to_string(),
            )
    };
    let as_json = json!({"type": "json", "subject_token_field_name": "id_token"});
    let text = format!("{{\"id_token\": \"{identity}\"}}");
    for (format, text) in [(json!({"type": "text"}), &identity), (as_json, &text)] {
        let place = external(format, text, &identity);
        place.is_read("external account", "gs");
        // One token is enough for all that is asked.
        let asked = place.server.take_asked();
        let tokens = asked.iter().filter(|line| line.contains("/v1/token"));
        assert_eq!(tokens.count(), 1, "{asked:?}");
    }
    external(json!({}), &identity, "another").is_refused(
        "external account",
        "gs",
        "Google gives no token for the external account (401): check audience and service account in the file of GOOGLE_APPLICATION_CREDENTIALS, and what the workload identity pool accepts",
    );
}

#[test]
fn azure_is_asked_with_a_signature_or_an_identity() {
    let azure = || Place::new().with("AZURE_STORAGE_ACCOUNT_NAME", "tests");
    let place = azure().with(
        "AZURE_STORAGE_SAS_TOKEN",
        format!("?sv=2022-11-02&sr=c&sp=rl&sig={SECRET}%2B"),
    );
    place.is_read("SAS", "az");
    let asked = place.server.take_asked();
    let is_signed = |line: &String| line.contains(&format!("sig={SECRET}+"));
    assert!(
        !asked.is_empty() && asked.iter().all(is_signed),
        "{asked:?}"
    );

    let place = azure().shown(&format!("{SECRET}-managed"));
    let endpoint = place.server.endpoint();
    let managed = json!({"access_token": format!("{SECRET}-managed"), "expires_on": "4070908800"});
    let place = place
        .with(
            "AZURE_MSI_ENDPOINT",
            format!("{endpoint}/metadata/identity"),
        )
        .offers(
            "GET /metadata/identity",
            said_to("metadata", "true", managed.to_string()),
        );
    place.is_read("managed identity", "az");

    let workload = |accepted: &str| {
        let place = azure().shown(&format!("{SECRET}-workload"));
        let endpoint = place.server.endpoint();
        let service = Service {
            holds: vec![
                "client_id=client".to_owned(),
                format!("client_assertion={accepted}"),
            ],
            ..said(
                json!({"access_token": format!("{SECRET}-workload"), "expires_in": 3599})
                    .to_string(),
            )
        };
        place
            .offers("POST /tenant/oauth2/v2.0/token", service)
            .with("AZURE_CLIENT_ID", "client")
            .with("AZURE_TENANT_ID", "tenant")
            .with("AZURE_AUTHORITY_HOST", endpoint)
            .with_file(
                "AZURE_FEDERATED_TOKEN_FILE",
                "token",
                &format!("{SECRET}-sa"),
            )
    };
    workload(&format!("{SECRET}-sa")).is_read("workload identity", "az");
    workload("another").is_refused("workload identity", "az", "Azure gives no credentials: ");
}

#[test]
fn what_lies_behind_a_proxy_is_asked_through_it() {
    let place = || {
        Place::new()
            .with("AWS_ACCESS_KEY_ID", "AKIA")
            .with("AWS_SECRET_ACCESS_KEY", SECRET)
    };
    let behind = place();
    let proxy = behind.server.endpoint();
    // Of two values of a variable the last one counts.
    let behind = behind
        .with("ETCD_CAT_ENDPOINT", "http://s3.store.invalid")
        .with("HTTP_PROXY", proxy);
    behind.is_read("proxy", "s3");
    // Nobody listens there.
    let before = place()
        .with("HTTP_PROXY", "http://127.0.0.1:9")
        .with("NO_PROXY", "127.0.0.1");
    before.is_read("no proxy", "s3");
}
