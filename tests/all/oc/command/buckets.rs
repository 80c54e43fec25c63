//! A backup that goes into a bucket: proven to lie there before it goes from here, and nothing half of it left anywhere.

use super::{Ended, KUBERESOURCES, Night, SNAPSHOT, sample};
use crate::oc::cluster::TestResult;
use crate::support::bolt::Bolt;
use crate::support::bucket_server::{BucketServer, What};
use crate::support::write::{Form, database};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Never to be seen in any output, nor in the catalogue.
const SECRET: &str = "hunter2-is-no-secret-key";
const PROD: &str = "s3://backups/prod";

/// A night with a bucket.
struct Far {
    night: Night,
    server: BucketServer,
}

impl Far {
    fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            night: Night::new()?,
            server: BucketServer::start(),
        })
    }

    /// One with a snapshot that goes in two parts.
    fn long() -> Result<Self, Box<dyn Error>> {
        let far = Self::new()?;
        lengthen(&far.night)?;
        Ok(far)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.night.command(arguments);
        command
            .env("ETCD_CAT_ENDPOINT", self.server.endpoint())
            .env("ETCD_CAT_WORK_DIRECTORY", self.night.path("work"))
            .env("AWS_ACCESS_KEY_ID", "key-of-tests")
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Ended, Box<dyn Error>> {
        let ended = Ended::new(&self.command(arguments).output()?);
        assert!(!ended.stdout.contains(SECRET) && !ended.stderr.contains(SECRET));
        Ok(ended)
    }

    /// What lies in the work directory: the files of all runs.
    fn kept(&self) -> Vec<PathBuf> {
        let runs = fs::read_dir(self.night.path("work"));
        let runs = runs.into_iter().flatten().flatten();
        let files = runs.flat_map(|run| fs::read_dir(run.path()).into_iter().flatten().flatten());
        let paths = files.map(|file| file.path());
        let mut files: Vec<PathBuf> = paths
            .filter(|path| !path.to_string_lossy().contains("etcd-cat-run"))
            .collect();
        files.sort();
        files
    }

    fn list(&self) -> Result<Value, Box<dyn Error>> {
        Ok(self.run(&["list", "--all", "-o", "json"])?.json()?["items"].clone())
    }

    /// Starts a backup and waits until the bucket was asked for something.
    fn start(&self, asked: &str) -> Result<Child, Box<dyn Error>> {
        let child = self
            .command(&["backup", "--to", PROD])
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.night.path("stderr"))?)
            .spawn()?;
        let begun = Instant::now();
        loop {
            let lines = self.server.take_asked();
            if lines.iter().any(|line| line.contains(asked)) {
                return Ok(child);
            }
            if begun.elapsed() > Duration::from_secs(60) {
                let stderr = fs::read_to_string(self.night.path("stderr"))?;
                return Err(format!("{asked:?} was not asked: {stderr}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn end(&self, mut child: Child, signal: Signal) -> Result<Ended, Box<dyn Error>> {
        let pid = Pid::from_raw(i32::try_from(child.id())?).ok_or("a process has an id")?;
        kill_process(pid, signal)?;
        let code = child.wait()?.code();
        let stderr = fs::read_to_string(self.night.path("stderr"))?;
        Ok(Ended {
            code,
            stdout: String::new(),
            stderr,
        })
    }
}

/// Makes the snapshot of the cluster one that goes in two parts.
pub(super) fn lengthen(night: &Night) -> TestResult {
    let path = night.path("host/prepared.db");
    let mut content = Bolt::open(&fs::read(&path)?).content();
    let rows = 0..3000_u32;
    let rows = rows.map(|row| (row.to_be_bytes().to_vec(), vec![7; 3000]));
    content.push((b"padding".to_vec(), rows.collect()));
    fs::write(&path, database(&content, Form::default()).sealed())?;
    night.script("status_line=")?;
    Ok(())
}

fn prepared(name: &str) -> Result<Vec<u8>, std::io::Error> {
    fs::read(sample(name))
}

#[test]
fn both_halves_reach_a_bucket_and_go_from_here() -> TestResult {
    let far = Far::new()?;
    let keys = "s3://backups/keys/";
    let ended = far.run(&["backup", "--to", PROD, "--keys-to", keys, "-o", "json"])?;
    ended.assert("bucket", 0, "");
    let names = [format!("keys/{KUBERESOURCES}"), format!("prod/{SNAPSHOT}")];
    assert_eq!(far.server.keys(), names);
    let snapshot = prepared(&format!("prod/{SNAPSHOT}"))?;
    assert!(far.server.get(&names[1]) == Some(snapshot));
    let kuberesources = fs::read(far.night.path("host/prepared.tar.gz"))?;
    assert!(far.server.get(&names[0]) == Some(kuberesources));
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
    assert_eq!(fs::read_dir(far.night.path("work"))?.count(), 0);
    far.night.cluster.assert_no_rubbish("bucket");

    let run = ended.json()?;
    assert_eq!(run["outcome"], "taken");
    assert_eq!(run["backup"]["verdict"], "valid");
    assert_eq!(run["keptIn"], Value::Null);
    let destination = &run["destinations"][0];
    assert_eq!(destination["verified"], true);
    let there = json!(format!("s3://backups/prod/{SNAPSHOT}"));
    assert_eq!(destination["snapshot"]["path"], there);
    assert_eq!(far.list()?[0]["snapshot"]["path"], there);
    assert_eq!(far.list()?[0]["encryption"]["proof"], "decrypted");
    let shown = far.run(&["show", "latest", "-o", "json"])?.json()?;
    assert_eq!(shown["provenance"]["node"], "master-1");

    // It is remembered with its tag: a listing is enough to know it again.
    far.server.take_asked();
    let indexed = far.run(&["index"])?;
    indexed.assert("index", 0, "2 files unchanged");
    let asked = far.server.take_asked();
    let reads = asked.iter().filter(|line| line.contains(" bytes="));
    assert_eq!(reads.count(), 0, "{asked:?}");
    let catalogue = fs::read(far.night.path("catalogue.redb"))?;
    let has_secret = |window: &[u8]| window == SECRET.as_bytes();
    assert!(!catalogue.windows(SECRET.len()).any(has_secret));
    Ok(())
}

#[test]
fn keys_go_to_a_bucket_while_the_snapshot_stays_on_a_disk() -> TestResult {
    let far = Far::new()?;
    let to = far.night.path("backups");
    let to = to.to_str().ok_or("text")?;
    let ended = far.run(&["backup", "--to", to, "--keys-to", "s3://backups/keys"])?;
    ended.assert("mixed", 0, "");
    let lies = format!("  lies in {to} and s3://backups/keys, read back and verified\n");
    assert!(ended.stdout.contains(&lies), "{ended:#?}");
    assert_eq!(far.night.cluster.names("backups"), [SNAPSHOT]);
    assert_eq!(far.server.keys(), [format!("keys/{KUBERESOURCES}")]);
    assert_eq!(far.list()?[0]["verdict"], "valid");
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
    Ok(())
}

#[test]
fn the_halves_may_go_to_two_services() -> TestResult {
    let far = Far::new()?;
    let output = far
        .command(&["backup", "--to", PROD, "--keys-to", "az://backups/keys"])
        .env_remove("ETCD_CAT_ENDPOINT")
        .env("AWS_ENDPOINT_URL_S3", far.server.endpoint())
        .env("AZURE_STORAGE_ENDPOINT", far.server.endpoint())
        .env("AZURE_STORAGE_ACCOUNT_NAME", "tests")
        .env("AZURE_STORAGE_ACCOUNT_KEY", "aHVudGVyMg==")
        .output()?;
    let ended = Ended::new(&output);
    ended.assert("two services", 0, "");
    let lies = "  lies in s3://backups/prod and az://backups/keys, read back and verified\n";
    assert!(ended.stdout.contains(lies), "{ended:#?}");
    let names = [format!("keys/{KUBERESOURCES}"), format!("prod/{SNAPSHOT}")];
    assert_eq!(far.server.keys(), names);
    Ok(())
}

#[test]
fn a_long_snapshot_goes_in_parts() -> TestResult {
    let far = Far::long()?;
    far.server
        .fail("partNumber=1", What::Status(500, "InternalError"), 1);
    far.server.fail("partNumber=2", What::Lost, 1);
    far.run(&["backup", "--to", PROD])?.assert("parts", 0, "");
    let sent = fs::read(far.night.path("host/prepared.db"))?;
    assert!(far.server.get(&format!("prod/{SNAPSHOT}")) == Some(sent));
    assert_eq!(far.server.open_uploads(), 0);
    Ok(())
}

#[test]
fn what_does_not_reach_the_bucket_stays_here_and_is_told() -> TestResult {
    let denied = || What::Status(403, "AccessDenied");
    let rows = [
        ("denied", "partNumber=2", denied(), "s3:PutObject"),
        (
            "broken",
            "partNumber=2",
            What::Status(500, "InternalError"),
            "try again later",
        ),
        (
            "the last word is denied",
            "POST /backups/prod/snapshot_2024-11-02_030000.db uploadId=",
            denied(),
            "s3:PutObject",
        ),
        (
            "altered on the way",
            "POST /backups/prod/snapshot_2024-11-02_030000.db uploadId=",
            What::Alter,
            "is not what was sent",
        ),
        (
            "not to be read back",
            "GET /backups/prod/snapshot",
            denied(),
            "could not be read back",
        ),
    ];
    for (name, request, what, says) in rows {
        let far = Far::long()?;
        far.server.fail(request, what, 99);
        let ended = far.run(&["backup", "--to", PROD, "-o", "json"])?;
        ended.assert(name, 2, says);
        ended.assert(name, 2, "the verified files stay in ");
        let run = ended.json()?;
        assert_eq!(run["outcome"], "undelivered", "{name}");
        assert_eq!(run["destinations"][0]["verified"], false, "{name}");
        assert_eq!(far.server.open_uploads(), 0, "{name}");
        assert_eq!(far.list()?, json!([]), "{name}");
        let kept = far.kept();
        let [snapshot, kuberesources] = kept.as_slice() else {
            return Err(format!("{name}: {kept:?}").into());
        };
        let sent = fs::read(far.night.path("host/prepared.db"))?;
        assert!(fs::read(snapshot)? == sent, "{name}");
        assert!(kuberesources.ends_with(KUBERESOURCES), "{name}");
        let directory = snapshot.parent().ok_or("a directory")?;
        assert_eq!(run["keptIn"], json!(directory), "{name}");
        far.night.cluster.assert_no_rubbish(name);
    }
    Ok(())
}

#[test]
fn an_object_that_is_there_stays_as_it_is() -> TestResult {
    let far = Far::new()?;
    far.server.put(&format!("prod/{SNAPSHOT}"), b"of others");
    let ended = far.run(&["backup", "--to", PROD])?;
    ended.assert("taken", 2, "there is an object of this name already");
    let kept = far.server.get(&format!("prod/{SNAPSHOT}"));
    assert_eq!(kept.as_deref(), Some(&b"of others"[..]));
    assert_eq!(far.kept().len(), 2);
    Ok(())
}

#[test]
fn a_bucket_that_cannot_be_written_to_is_told_before_the_cluster_is_touched() -> TestResult {
    let rows = [
        ("POST ", 403, "AccessDenied", "s3:PutObject"),
        ("HEAD ", 403, "AccessDenied", "s3:GetObject"),
        ("POST ", 404, "NoSuchBucket", "there is no bucket backups"),
    ];
    for (request, status, code, says) in rows {
        let far = Far::new()?;
        far.server.fail(request, What::Status(status, code), 99);
        let ended = far.run(&["backup", "--to", PROD, "-o", "json"])?;
        ended.assert(code, 2, says);
        assert!(
            ended.stderr.contains(r#""code":"destination""#),
            "{ended:#?}"
        );
        far.night.assert_nothing_happened(code)?;
        assert_eq!(far.kept(), Vec::<PathBuf>::new());
    }
    for url in ["s3://key:hunter2-is-no-secret-key@backups/prod", "s3://"] {
        let far = Far::new()?;
        let ended = far.run(&["backup", "--to", url])?;
        ended.assert(url, 2, "without names, passwords and tokens");
        far.night.assert_nothing_happened(url)?;
    }
    Ok(())
}

#[test]
fn a_signal_in_an_upload_leaves_no_parts_and_says_where_the_files_lie() -> TestResult {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let far = Far::long()?;
        far.server
            .fail("partNumber=2", What::Late(Duration::from_secs(3)), 1);
        let child = far.start("partNumber=2")?;
        let ended = far.end(child, signal)?;
        ended.assert("signal", code, "error: interrupted");
        ended.assert("signal", code, "the verified files stay in ");
        assert_eq!(far.server.open_uploads(), 0);
        assert_eq!(far.server.keys(), [format!("prod/{KUBERESOURCES}")]);
        assert_eq!(far.kept().len(), 2);
        assert_eq!(far.list()?, json!([]));
        far.night.cluster.assert_no_rubbish("signal");
    }
    Ok(())
}

#[test]
fn the_run_after_one_that_was_killed_removes_its_parts_and_tells_of_its_files() -> TestResult {
    let far = Far::long()?;
    far.server
        .fail("partNumber=2", What::Late(Duration::from_secs(3)), 1);
    let child = far.start("partNumber=2")?;
    far.end(child, Signal::KILL)?;
    assert_eq!(far.server.open_uploads(), 1);
    let kept = far.kept();
    assert_eq!(kept.len(), 2);
    // What is late arrives, and is of no use to anybody.
    thread::sleep(Duration::from_secs(3));
    let ended = far.run(&["backup", "--to", "s3://backups/next"])?;
    ended.assert(
        "next",
        0,
        "gave up the upload of s3://backups/prod/snapshot_",
    );
    ended.assert(
        "next",
        0,
        "a verified backup that did not reach its destination",
    );
    assert_eq!(far.server.open_uploads(), 0);
    assert_eq!(
        far.kept(),
        kept,
        "nothing that could be a backup is removed"
    );
    assert_eq!(far.list()?[0]["verdict"], "valid");
    Ok(())
}

#[test]
fn resume_brings_to_the_bucket_what_a_broken_run_left_here() -> TestResult {
    let far = Far::long()?;
    let snapshot = format!("prod/{SNAPSHOT}");
    far.server
        .fail("partNumber=2", What::Status(403, "AccessDenied"), 1);
    let ended = far.run(&["backup", "--to", PROD])?;
    ended.assert("broken", 2, "`etcd-cat backup --resume` with the same --to");
    assert_eq!(far.server.keys(), [format!("prod/{KUBERESOURCES}")]);
    // The cluster has no part in it.
    far.night.cluster.scenario("logged_in=no")?;
    let resume = ["backup", "--resume", "--to", PROD, "-o", "json"];
    let ended = far.run(&resume)?;
    ended.assert(
        "resumed",
        0,
        "verifying what an earlier run had verified in ",
    );
    let sent = fs::read(far.night.path("host/prepared.db"))?;
    assert!(far.server.get(&snapshot) == Some(sent));
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
    assert_eq!(ended.json()?["node"], "master-1");
    assert_eq!(far.list()?[0]["verdict"], "valid");
    let shown = far.run(&["show", "latest", "-o", "json"])?.json()?;
    assert_eq!(shown["provenance"]["node"], "master-1");
    far.run(&resume)?.assert("nothing is left", 2, "oc login");
    Ok(())
}

#[test]
fn resume_brings_nothing_that_was_damaged_meanwhile() -> TestResult {
    let far = Far::new()?;
    far.server
        .fail("PUT /backups/prod/", What::Status(403, "AccessDenied"), 1);
    far.run(&["backup", "--to", PROD])?
        .assert("broken", 2, "s3:PutObject");
    let kept = far.kept();
    let snapshot = kept.first().ok_or("a file")?;
    let mut bytes = fs::read(snapshot)?;
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    fs::write(snapshot, bytes)?;
    let ended = far.run(&["backup", "--resume", "--to", PROD])?;
    ended.assert("damaged", 2, "it is no longer what was verified");
    assert_eq!(far.server.keys(), [""; 0]);
    assert_eq!(far.kept(), kept);
    Ok(())
}

#[test]
fn resume_takes_no_other_object_for_what_it_has() -> TestResult {
    let far = Far::new()?;
    let snapshot = format!("prod/{SNAPSHOT}");
    far.server.put(&snapshot, b"of others");
    far.run(&["backup", "--to", PROD])?
        .assert("taken", 2, "already");
    let ended = far.run(&["backup", "--resume", "--to", PROD])?;
    ended.assert("resumed", 2, "is not what was sent");
    let kept = far.server.get(&snapshot);
    assert_eq!(kept.as_deref(), Some(&b"of others"[..]));
    assert_eq!(far.kept().len(), 2);
    Ok(())
}

#[test]
fn each_destination_succeeds_or_fails_on_its_own() -> TestResult {
    let far = Far::new()?;
    far.server.fail(
        "PUT /backups/second/",
        What::Status(403, "AccessDenied"),
        99,
    );
    let [to, also] = ["backups", "third"].map(|name| far.night.path(name));
    let (to, also) = (to.to_str().ok_or("text")?, also.to_str().ok_or("text")?);
    let second = "s3://backups/second";
    let arguments = ["backup", "--to", to, "--also", second, "--also", also];
    let ended = far.run(&[&arguments[..], &["-o", "json"]].concat())?;
    ended.assert(
        "one of three",
        2,
        "is complete and recorded, and did not reach each destination",
    );
    ended.assert("one of three", 2, "copy it with: aws s3 cp ");
    let run = ended.json()?;
    assert_eq!(run["outcome"], "taken");
    let destinations = run["destinations"].as_array().ok_or("a list")?;
    let verified: Vec<&Value> = destinations.iter().map(|one| &one["verified"]).collect();
    assert_eq!(verified, [&json!(true), &json!(false), &json!(true)]);
    for directory in ["backups", "third"] {
        assert_eq!(
            far.night.cluster.names(directory),
            [SNAPSHOT, KUBERESOURCES]
        );
    }
    assert_eq!(far.server.keys(), [""; 0]);
    assert_eq!(far.kept(), Vec::<PathBuf>::new());
    // One backup, in two places.
    let items = far.list()?;
    assert_eq!(items.as_array().map(Vec::len), Some(1));
    assert_eq!(
        items[0]["snapshot"]["copies"].as_array().map(Vec::len),
        Some(1)
    );
    Ok(())
}

#[test]
fn a_second_destination_may_be_all_that_is_reached() -> TestResult {
    let far = Far::new()?;
    far.server
        .fail("PUT /backups/prod/", What::Status(403, "AccessDenied"), 99);
    let also = far.night.path("second");
    let also = also.to_str().ok_or("text")?;
    let ended = far.run(&["backup", "--to", PROD, "--also", also])?;
    ended.assert("the second", 2, "did not reach each destination");
    ended.assert("the second", 2, "the verified files stay in ");
    assert_eq!(far.night.cluster.names("second"), [SNAPSHOT, KUBERESOURCES]);
    assert_eq!(far.list()?[0]["verdict"], "valid");
    assert_eq!(far.kept().len(), 2);
    Ok(())
}

#[test]
fn a_dry_run_says_where_it_would_go_and_asks_nothing() -> TestResult {
    let far = Far::new()?;
    let ended = far.run(&[
        "backup",
        "--to",
        PROD,
        "--keys-to",
        "az://keys",
        "--dry-run",
    ])?;
    ended.assert("dry run", 0, "");
    let line = "# then, verified: store it in s3://backups/prod, the kuberesources in az://keys, and read it back\n";
    assert!(ended.stdout.ends_with(line), "{ended:#?}");
    assert_eq!(far.server.take_asked(), [""; 0]);
    assert!(!far.night.path("work").exists());
    far.night.assert_nothing_happened("dry run")
}
