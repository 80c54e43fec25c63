//! A backup that goes into stores that others wrote: SeaweedFS for S3, azurite for Azure.
//!
//! The servers are those that `tests/run` brings; without them these tests say that they are skipped.

use super::buckets::lengthen;
use super::{Ended, KUBERESOURCES, Night, SNAPSHOT};
use crate::oc::cluster::TestResult;
use crate::support::servers::{ADMIN, Server, azurite, seaweed};
use serde_json::{Value, json};
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

/// Of each connection: a request fits in, a part of a snapshot does not.
const MOST_SENT: usize = 2 << 20;

/// As whoever may write to both servers, wherever they answer.
fn command(night: &Night, arguments: &[&str], endpoints: [&str; 2]) -> Command {
    let mut command = night.command(arguments);
    for server in [seaweed(), azurite()].into_iter().flatten() {
        command.envs(server.environment());
    }
    command
        .env_remove("ETCD_CAT_ENDPOINT")
        .env("AWS_ENDPOINT_URL_S3", endpoints[0])
        .env("AZURE_STORAGE_ENDPOINT", endpoints[1])
        .env("AWS_ACCESS_KEY_ID", ADMIN.0)
        .env("AWS_SECRET_ACCESS_KEY", ADMIN.1)
        .env("ETCD_CAT_WORK_DIRECTORY", night.path("work"));
    command
}

fn run(night: &Night, arguments: &[&str], endpoints: [&str; 2]) -> Result<Ended, Box<dyn Error>> {
    let ended = Ended::new(&command(night, arguments, endpoints).output()?);
    for secret in [ADMIN.1, "Eby8vdM02xNOcqFl"] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret));
    }
    Ok(ended)
}

fn kept(night: &Night) -> usize {
    let runs = fs::read_dir(night.path("work"))
        .into_iter()
        .flatten()
        .flatten();
    let files = runs.flat_map(|run| fs::read_dir(run.path()).into_iter().flatten().flatten());
    let names = files.map(|file| file.file_name());
    names
        .filter(|name| !name.to_string_lossy().contains("etcd-cat-run"))
        .count()
}

#[test]
fn the_halves_go_to_two_services_in_parts_and_are_read_back() -> TestResult {
    let (Some(s3), Some(azure)) = (seaweed(), azurite()) else {
        return Ok(());
    };
    let night = Night::new()?;
    lengthen(&night)?;
    for (server, bucket) in [(s3, "taken"), (azure, "taken-keys")] {
        server.make_bucket(bucket);
    }
    let endpoints = [s3, azure].map(|server| server.endpoint.as_str());
    let (to, keys_to) = ("s3://taken/prod", "az://taken-keys/prod");
    let arguments = ["backup", "--to", to, "--keys-to", keys_to, "-o", "json"];
    let taken = run(&night, &arguments, endpoints)?;
    taken.assert("taken", 0, "");
    let document = taken.json()?;
    assert_eq!(document["destinations"][0]["verified"], true);
    assert_eq!(
        document["backup"]["kuberesources"]["path"],
        json!(format!("{keys_to}/{KUBERESOURCES}"))
    );
    for (server, key, prepared) in [
        (s3, format!("taken/prod/{SNAPSHOT}"), "host/prepared.db"),
        (
            azure,
            format!("taken-keys/prod/{KUBERESOURCES}"),
            "host/prepared.tar.gz",
        ),
    ] {
        let sent = fs::read(night.path(prepared))?;
        assert_eq!(server.size(&key), Some(sent.len().to_string()), "{key}");
    }
    assert_eq!((kept(&night), open_uploads(s3, "taken")), (0, 0));

    // Who comes without a catalogue finds it whole, its keys in the other store.
    let arguments = ["verify", to, keys_to, "--no-catalogue", "-o", "json"];
    let verified: Value = run(&night, &arguments, endpoints)?.json()?;
    assert_eq!(verified["items"][0]["verdict"], "valid", "{verified:#}");
    assert_eq!(verified["items"][0]["encryption"]["proof"], "decrypted");
    Ok(())
}

#[test]
fn no_store_has_an_object_replaced() -> TestResult {
    let (Some(s3), Some(azure)) = (seaweed(), azurite()) else {
        return Ok(());
    };
    let endpoints = [s3, azure].map(|server| server.endpoint.as_str());
    for (server, to) in [(s3, "s3://kept/prod"), (azure, "az://kept/prod")] {
        let night = Night::new()?;
        server.make_bucket("kept");
        server.put("kept", &format!("prod/{SNAPSHOT}"), b"of others");
        let ended = run(&night, &["backup", "--to", to], endpoints)?;
        ended.assert(to, 2, "there is an object of this name already");
        assert_eq!(
            server.size(&format!("kept/prod/{SNAPSHOT}")),
            Some("9".to_owned())
        );
        assert_eq!(kept(&night), 2);
    }
    Ok(())
}

/// What the store itself says to a name that somebody took while the parts were on their way.
#[test]
fn seaweed_heeds_the_condition_at_the_last_word_of_an_upload() -> TestResult {
    let Some(server) = seaweed() else {
        return Ok(());
    };
    server.make_bucket("raced");
    let new_only = [("if-none-match", "*")];
    let begun = server
        .ask("POST", "/raced/name?uploads=", &[], b"")?
        .expect_fine();
    let upload = begun
        .body
        .split_once("<UploadId>")
        .and_then(|(_, rest)| rest.split_once('<'));
    let (upload, _) = upload.ok_or("an upload")?;
    let part = format!("/raced/name?partNumber=1&uploadId={upload}");
    let part = server.ask("PUT", &part, &[], b"of ours")?.expect_fine();
    let tag = part.header("etag");
    server.put("raced", "name", b"of others");
    let last_word = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
    );
    let path = format!("/raced/name?uploadId={upload}");
    let answered = server.ask("POST", &path, &new_only, last_word.as_bytes())?;
    assert_eq!(answered.status, 412, "{answered:?}");
    assert_eq!(
        server
            .ask("PUT", "/raced/name", &new_only, b"of ours")?
            .status,
        412
    );
    assert_eq!(server.size("raced/name"), Some("9".to_owned()));
    Ok(())
}

/// The network carries requests, and breaks in each part.
#[test]
fn an_upload_that_breaks_leaves_neither_parts_nor_half_an_object() -> TestResult {
    let (Some(s3), Some(azure)) = (seaweed(), azurite()) else {
        return Ok(());
    };
    let night = Night::new()?;
    lengthen(&night)?;
    s3.make_bucket("broken");
    azure.make_bucket("broken");
    let breaking = [s3, azure].map(|server| breaking(&server.endpoint));
    let endpoints = [breaking[0].as_str(), breaking[1].as_str()];
    let arguments = [
        "backup",
        "--to",
        "s3://broken/prod",
        "--also",
        "az://broken/prod",
        "-o",
        "json",
    ];
    let ended = run(&night, &arguments, endpoints)?;
    ended.assert("broken", 2, "the verified files stay in ");
    let document = ended.json()?;
    assert_eq!(document["outcome"], "undelivered", "{document:#}");
    for server in [s3, azure] {
        assert_eq!(server.size(&format!("broken/prod/{SNAPSHOT}")), None);
    }
    assert_eq!((kept(&night), open_uploads(s3, "broken")), (2, 0));

    // The network is mended: what stayed here goes there.
    let whole = [s3, azure].map(|server| server.endpoint.as_str());
    let resume = ["backup", "--resume", "--to", "s3://broken/prod"];
    run(&night, &resume, whole)?.assert("resumed", 0, "");
    let sent = fs::read(night.path("host/prepared.db"))?;
    assert_eq!(
        s3.size(&format!("broken/prod/{SNAPSHOT}")),
        Some(sent.len().to_string())
    );
    Ok(())
}

/// Uploads that were begun and neither ended nor given up.
fn open_uploads(server: &Server, bucket: &str) -> usize {
    let listed = server.ask("GET", &format!("/{bucket}?uploads="), &[], b"");
    listed
        .expect("an answer")
        .expect_fine()
        .body
        .matches("<Upload>")
        .count()
}

/// Where a server answers behind a network that breaks each connection that sends much. It ends with this process.
fn breaking(endpoint: &str) -> String {
    let (scheme, rest) = endpoint.split_once("://").expect("a URL");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    let host = host.to_owned();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(&host).expect("the server is there");
            let back = (
                far.try_clone().expect("a socket"),
                near.try_clone().expect("a socket"),
            );
            std::thread::spawn(move || pass_on(near, far, MOST_SENT));
            std::thread::spawn(move || pass_on(back.0, back.1, usize::MAX));
        }
    });
    format!("{scheme}://127.0.0.1:{port}/{path}")
        .trim_end_matches('/')
        .to_owned()
}

/// Passes bytes on until there are no more, or too many.
fn pass_on(mut from: TcpStream, mut to: TcpStream, most: usize) {
    let (mut buffer, mut passed) = (vec![0; 64 << 10], 0);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        passed += length;
        if passed > most || to.write_all(buffer.get(..length).expect("read")).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
}
