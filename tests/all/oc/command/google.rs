//! A backup that goes to Google Cloud Storage, by the rules of its XML API: generations, and the condition that a name is new.
//! No server that others wrote takes such writes.

use super::buckets::lengthen;
use super::{Ended, KUBERESOURCES, Night, SNAPSHOT};
use crate::oc::cluster::TestResult;
use crate::support::bucket_server::{BucketServer, Service, What};
use serde_json::{Value, json};
use std::error::Error;
use std::fs;

/// Never to be seen in any output, nor in the catalogue.
const TOKEN: &str = "ya29.hunter2-is-no-token";
const PROD: &str = "gs://backups/prod";

/// A night with a bucket of Google.
struct Google {
    night: Night,
    server: BucketServer,
}

impl Google {
    /// With a snapshot that goes in one request, or in two parts.
    fn new(is_long: bool) -> Result<Self, Box<dyn Error>> {
        let (night, server) = (Night::new()?, BucketServer::start());
        server.speak_as_google();
        server.demand("authorization", &format!("Bearer {TOKEN}"));
        server.offer(
            "GET /computeMetadata/v1/instance/service-accounts/default/token",
            Service {
                header: Some(("metadata-flavor", "Google".to_owned())),
                body: json!({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
                    .to_string(),
                ..Service::default()
            },
        );
        if is_long {
            lengthen(&night)?;
        }
        Ok(Self { night, server })
    }

    fn run(&self, arguments: &[&str]) -> Result<Ended, Box<dyn Error>> {
        let mut command = self.night.command(arguments);
        command
            .env("ETCD_CAT_ENDPOINT", self.server.endpoint())
            .env(
                "GCE_METADATA_HOST",
                self.server.endpoint().trim_start_matches("http://"),
            )
            .env("ETCD_CAT_WORK_DIRECTORY", self.night.path("work"));
        let ended = Ended::new(&command.output()?);
        assert!(!ended.stdout.contains(TOKEN) && !ended.stderr.contains(TOKEN));
        Ok(ended)
    }

    /// Runs of which something lies in the work directory still.
    fn kept(&self) -> usize {
        fs::read_dir(self.night.path("work")).map_or(0, Iterator::count)
    }
}

#[test]
fn both_halves_are_written_read_back_and_verified() -> TestResult {
    for is_long in [false, true] {
        let google = Google::new(is_long)?;
        let taken = google.run(&[
            "backup",
            "--to",
            PROD,
            "--keys-to",
            "gs://backups/keys",
            "-o",
            "json",
        ])?;
        taken.assert("taken", 0, "");
        // What Google cannot promise is told.
        assert_eq!(
            taken
                .stderr
                .contains("the store cannot be asked to refuse a name that is taken"),
            is_long,
            "{taken:#?}"
        );
        let names = [format!("keys/{KUBERESOURCES}"), format!("prod/{SNAPSHOT}")];
        assert_eq!(google.server.keys(), names);
        for (name, prepared) in names
            .iter()
            .zip(["host/prepared.tar.gz", "host/prepared.db"])
        {
            let sent = fs::read(google.night.path(prepared))?;
            assert!(google.server.get(name) == Some(sent), "{name}");
        }
        assert_eq!((google.kept(), google.server.open_uploads()), (0, 0));
        let asked = google.server.take_asked();
        let is_pinned = |line: &&String| line.contains("bytes=") && line.contains("generation=");
        assert!(asked.iter().any(|line| is_pinned(&line)), "{asked:?}");

        // It is remembered by its generation, and a listing is enough to know it again.
        let shown = google.run(&["show", "latest", "-o", "json"])?.json()?;
        assert_eq!(shown["verdict"], "valid");
        assert_eq!(shown["encryption"]["proof"], "decrypted");
        let kept = &shown["snapshot"]["custody"][0];
        assert_eq!(kept["path"], json!(format!("{PROD}/{SNAPSHOT}")));
        assert!(
            kept["versionId"]
                .as_str()
                .is_some_and(|id| id.starts_with("17000000000")),
            "{shown:#}"
        );
        google
            .run(&["index"])?
            .assert("index", 0, "2 files unchanged");
        let asked = google.server.take_asked();
        assert!(
            !asked.iter().any(|line| line.contains("bytes=")),
            "{asked:?}"
        );
    }
    Ok(())
}

#[test]
fn what_has_the_name_already_stays_whenever_it_came() -> TestResult {
    let others = || What::Replace(b"of others".to_vec());
    // Before, and while it is sent. Of an upload in parts the name is looked for once more before the last word; what comes
    // even later nobody can tell, for there Google has no condition.
    for (is_long, request) in [
        (false, None),
        (false, Some("PUT /backups/prod/snapshot")),
        (true, None),
        (true, Some("partNumber=2")),
    ] {
        let google = Google::new(is_long)?;
        match request {
            None => google.server.put(&format!("prod/{SNAPSHOT}"), b"of others"),
            Some(request) => google.server.fail(request, others(), 1),
        }
        let ended = google.run(&["backup", "--to", PROD])?;
        let what = format!("{is_long} {request:?}");
        ended.assert(&what, 2, "there is an object of this name already");
        let there = google.server.get(&format!("prod/{SNAPSHOT}"));
        assert_eq!(there.as_deref(), Some(&b"of others"[..]), "{what}");
        assert_eq!(
            (google.kept(), google.server.open_uploads()),
            (1, 0),
            "{what}"
        );
    }
    Ok(())
}

#[test]
fn a_failure_leaves_neither_parts_nor_half_an_object() -> TestResult {
    let denied = || What::Status(403, "AccessDenied");
    for (request, what, says) in [
        ("partNumber=2", denied(), "storage.objects.create"),
        (
            "POST /backups/prod/snapshot_2024-11-02_030000.db uploadId=",
            denied(),
            "storage.objects.create",
        ),
    ] {
        let google = Google::new(true)?;
        google.server.fail(request, what, 99);
        let ended = google.run(&["backup", "--to", PROD, "-o", "json"])?;
        ended.assert(request, 2, says);
        ended.assert(request, 2, "the verified files stay in ");
        assert_eq!(ended.json()?["outcome"], "undelivered", "{request}");
        let keys = google.server.keys();
        assert!(!keys.contains(&format!("prod/{SNAPSHOT}")), "{keys:?}");
        assert_eq!(
            (google.kept(), google.server.open_uploads()),
            (1, 0),
            "{request}"
        );
        let list: Value = google.run(&["list", "--all", "-o", "json"])?.json()?;
        assert_eq!(list["items"], json!([]), "{request}");
        // What stayed here is brought there once the bucket takes it.
        google.server.mend();
        google
            .run(&["backup", "--resume", "--to", PROD])?
            .assert("resumed", 0, "");
        assert_eq!(google.kept(), 0, "{request}");
    }
    Ok(())
}
