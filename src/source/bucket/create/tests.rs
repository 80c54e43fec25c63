//! What is written is whole under its name or not there, and nothing of others is replaced.

use super::super::testing::{BUCKET, Served, What};
use super::super::*;
use crate::bytes::to_u64;
use crate::monitor::Silent;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Three parts.
fn long() -> Vec<u8> {
    (0..251_u8).cycle().take(20_000_003).collect()
}

fn id(key: &str) -> ObjectId {
    ObjectId::from(format!("s3://{BUCKET}/{key}").as_str())
}

fn create_with(
    served: &Served,
    key: &str,
    bytes: &[u8],
    monitor: &dyn Monitor,
) -> io::Result<Created> {
    let new = NewObject {
        bytes: &bytes,
        size_bytes: to_u64(bytes.len()),
        begun: &|_| Ok(()),
    };
    served.store.create(&id(key), &new, monitor)
}

fn create(served: &Served, key: &str, bytes: &[u8]) -> io::Result<Created> {
    create_with(served, key, bytes, &Silent)
}

#[track_caller]
fn nothing_is_left(served: &Served, name: &str) {
    assert_eq!(served.server.keys(), [""; 0], "{name}");
    assert_eq!(served.server.open_uploads(), 0, "{name}");
}

#[test]
fn what_is_created_is_what_is_read() -> Outcome {
    for served in [Served::plain(), Served::with_versions()] {
        for (key, bytes) in [
            ("a/empty", Vec::new()),
            ("a/small x+y.gz", b"bytes".to_vec()),
            ("a/long.db", long()),
        ] {
            let created = create(&served, key, &bytes)?;
            assert!(created.is_new_only, "{key}");
            assert_eq!(created.identity, served.store.stat(&id(key))?, "{key}");
            assert_eq!(created.version.is_some(), served.server.keeps(), "{key}");
            assert!(served.server.get(key) == Some(bytes), "{key}");
        }
        assert_eq!(served.server.open_uploads(), 0);
        let asked = served.server.take_asked();
        let parts = asked.iter().filter(|line| line.contains("partNumber="));
        assert_eq!(parts.count(), 3, "{asked:?}");
    }
    Ok(())
}

#[test]
fn a_name_that_is_taken_stays_as_it_is() {
    for (last_word, bytes) in [
        ("PUT /backups/x.db", b"bytes".to_vec()),
        ("POST /backups/x.db uploadId=", long()),
    ] {
        let served = Served::plain();
        served.server.put("x.db", b"of others");
        let error = create(&served, "x.db", &bytes).expect_err("is taken");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        let asked = served.server.take_asked();
        assert!(
            asked.iter().all(|line| line.starts_with("HEAD ")),
            "{asked:?}"
        );

        // Taken between the look and the last word.
        let served = Served::plain();
        let others = What::Replace(b"of others".to_vec());
        served.server.fail(last_word, others, 1);
        let error = create(&served, "x.db", &bytes).expect_err("is taken");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        let kept = served.server.get("x.db");
        assert_eq!(kept.as_deref(), Some(&b"of others"[..]));
        assert_eq!(served.server.open_uploads(), 0);
    }
}

#[test]
fn an_answer_that_was_lost_is_no_failure() -> Outcome {
    let rows = [
        ("PUT /backups/x.db", b"bytes".to_vec()),
        ("POST /backups/x.db uploadId=", long()),
        ("partNumber=2", long()),
    ];
    for (request, bytes) in rows {
        let served = Served::plain();
        served.server.fail(request, What::Lost, 1);
        create(&served, "x.db", &bytes)?;
        assert!(served.server.get("x.db") == Some(bytes), "{request}");
        assert_eq!(served.server.open_uploads(), 0, "{request}");
    }
    Ok(())
}

#[test]
fn passing_refusals_are_asked_again() -> Outcome {
    let served = Served::plain();
    for request in ["uploads=", "partNumber=3", "POST /backups/x.db uploadId="] {
        let busy = What::Status(503, "SlowDown");
        served.server.fail(request, busy, 1);
    }
    create(&served, "x.db", &long())?;
    assert!(served.server.get("x.db") == Some(long()));
    Ok(())
}

#[test]
fn a_failure_leaves_neither_object_nor_parts() {
    for request in ["uploads=", "partNumber=2", "POST /backups/x.db uploadId="] {
        let served = Served::plain();
        let denied = What::Status(403, "AccessDenied");
        served.server.fail(request, denied, 9);
        let error = create(&served, "x.db", &long()).expect_err("is denied");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{request}");
        assert!(error.to_string().contains("s3:PutObject"), "{error}");
        nothing_is_left(&served, request);
    }
    let served = Served::plain();
    served
        .server
        .fail("partNumber=3", What::Status(500, "InternalError"), 9);
    let error = create(&served, "x.db", &long()).expect_err("is broken");
    assert!(error.to_string().contains("try again later"), "{error}");
    nothing_is_left(&served, "broken");
}

#[test]
fn parts_that_cannot_be_removed_are_told() {
    let served = Served::plain();
    for request in ["partNumber=2", "DELETE "] {
        let denied = What::Status(403, "AccessDenied");
        served.server.fail(request, denied, 9);
    }
    let error = create(&served, "a/x.db", &long()).expect_err("is denied");
    let told = "parts of it are still there: have the store abort the upload u1 of a/x.db";
    assert!(error.to_string().contains(told), "{error}");
    assert_eq!(served.server.open_uploads(), 1);
    served.server.mend();
    let given_up = served.store.give_up(&id("a/x.db"), "u1");
    assert!(given_up.is_ok(), "{given_up:?}");
    nothing_is_left(&served, "given up");
    // Once more: it is gone.
    let given_up = served.store.give_up(&id("a/x.db"), "u1");
    assert!(given_up.is_ok(), "{given_up:?}");
}

#[test]
fn a_store_without_the_condition_is_told_and_replaces_nothing() -> Outcome {
    for (request, bytes) in [
        ("PUT /backups/x.db", b"bytes".to_vec()),
        ("POST /backups/x.db uploadId=", long()),
    ] {
        let served = Served::plain();
        let unknown = What::Status(501, "NotImplemented");
        served.server.fail(request, unknown, 1);
        let created = create(&served, "x.db", &bytes)?;
        assert!(!created.is_new_only, "{request}");
        assert!(served.server.get("x.db") == Some(bytes), "{request}");
    }
    Ok(())
}

/// Asks to stop once so many bytes were sent.
struct StopAfter {
    most: u64,
    sent: AtomicU64,
}

impl Monitor for StopAfter {
    fn advance(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_interrupted(&self) -> bool {
        self.sent.load(Ordering::Relaxed) >= self.most
    }
}

#[test]
fn a_signal_ends_an_upload_and_removes_its_parts() {
    for most in [0, 1, 20_000_003] {
        let served = Served::plain();
        let monitor = StopAfter {
            most,
            sent: AtomicU64::new(0),
        };
        let error = create_with(&served, "x.db", &long(), &monitor).expect_err("is stopped");
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        nothing_is_left(&served, &most.to_string());
        let asked = served.server.take_asked();
        let is_last_word = |line: &String| line.starts_with("POST /backups/x.db uploadId=");
        assert!(!asked.iter().any(is_last_word), "{asked:?}");
    }
}

#[test]
fn whether_it_can_be_written_is_known_before_it_is() {
    let served = Served::plain();
    assert!(served.store.try_to_create(&id("a/x.db")).is_ok());
    nothing_is_left(&served, "tried");
    for (request, status, code, part) in [
        ("POST ", 403, "AccessDenied", "s3:PutObject"),
        ("HEAD ", 403, "AccessDenied", "s3:GetObject"),
        ("POST ", 404, "NoSuchBucket", "there is no bucket backups"),
    ] {
        let served = Served::plain();
        served.server.fail(request, What::Status(status, code), 9);
        let error = served.store.try_to_create(&id("a/x.db"));
        let error = error.expect_err("is refused").to_string();
        assert!(error.contains(part), "{request}: {error}");
    }
    for url in ["s3://backups", "s3://backups/a/", "s3://backups/a/../x.db"] {
        let error = served.store.try_to_create(&url.into());
        let error = error.expect_err("is no name of an object");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{url}");
    }
}

#[test]
fn azure_and_google_are_written_to_as_well() -> Outcome {
    for (scheme, is_new_only_in_parts) in [("az", true), ("gs", false)] {
        let served = Served::unsigned();
        for (key, bytes) in [("a/small", b"bytes".to_vec()), ("a/long.db", long())] {
            let id = ObjectId::from(format!("{scheme}://{BUCKET}/{key}").as_str());
            let new = NewObject {
                bytes: &bytes.as_slice(),
                size_bytes: to_u64(bytes.len()),
                begun: &|_| Ok(()),
            };
            served.store.try_to_create(&id)?;
            let created = served.store.create(&id, &new, &Silent)?;
            let expected = is_new_only_in_parts || key == "a/small";
            assert_eq!(created.is_new_only, expected, "{id}");
            assert!(served.server.get(key) == Some(bytes.clone()), "{id}");
            // Once more, and when somebody takes the name just before the last word.
            let error = served.store.create(&id, &new, &Silent);
            let error = error.expect_err("is taken");
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{id}: {error}");
            served.server.remove(key);
            let others = What::Replace(b"of others".to_vec());
            let last_word = match (scheme, key) {
                (_, "a/small") => "PUT /backups/a/small",
                ("az", _) => "comp=blocklist",
                _ => continue,
            };
            served.server.fail(last_word, others, 1);
            let error = served.store.create(&id, &new, &Silent);
            let error = error.expect_err("is taken");
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{id}: {error}");
            let kept = served.server.get(key);
            assert_eq!(kept.as_deref(), Some(&b"of others"[..]), "{id}");
        }
        assert_eq!(served.server.open_uploads(), 0, "{scheme}");
    }
    Ok(())
}
