//! What goes wrong between a store and whoever reads from it.

use super::super::{PageCache, ReplacedMeanwhile};
use super::*;
use crate::monitor::Silent;
use crate::source::Pace;
use std::io::Read as _;
use std::time::{Duration, Instant};
use testing::{BUCKET, Served, What};
use width::Way;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// More than two ranges, and nothing repeats where ranges begin.
fn long() -> Vec<u8> {
    (0..251_u8).cycle().take(20_000_003).collect()
}

fn id(key: &str) -> ObjectId {
    ObjectId::from(format!("s3://{BUCKET}/{key}").as_str())
}

fn read(served: &Served, key: &str) -> io::Result<Vec<u8>> {
    let object = served
        .store
        .open(&id(key), None)
        .map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    let mut reader = object.reader(Pace::Ahead(PageCache::Keep))?;
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn keys(listing: &Listing) -> Vec<String> {
    listing
        .objects
        .iter()
        .map(|one| one.id.to_string())
        .collect()
}

#[test]
fn a_body_that_breaks_off_is_gone_on_with() -> Outcome {
    for served in [Served::plain(), Served::with_versions()] {
        served.server.put("x.db", &long());
        // The ranges are asked for at one time: which of them comes first is not certain.
        for start in ["bytes=0-", "bytes=1000000-", "bytes=16777216-"] {
            served.server.fail(start, What::CutAfter(1_000_000), 1);
        }
        served.server.fail("bytes=8388608-", What::CutAfter(0), 2);
        assert!(read(&served, "x.db")? == long());
        let asked = served.server.take_asked();
        assert!(
            asked
                .iter()
                .any(|line| line.contains("bytes=1000000-8388607")),
            "{asked:?}"
        );
        let starts_over = asked.iter().filter(|line| line.contains("bytes=0-"));
        assert_eq!(starts_over.count(), 1, "{asked:?}");
    }
    Ok(())
}

/// Several ranges at a time bring nothing there.
fn as_one(served: Served) -> io::Result<Served> {
    let address = Address::of(&id("x.db")).ok_or(io::ErrorKind::InvalidInput)?;
    let connection = served.store.connection(&address, Purpose::Read)?;
    connection.width.settle(Way::Whole);
    Ok(served)
}

#[test]
fn an_object_read_as_one_is_gone_on_with_where_it_breaks_off() -> Outcome {
    for served in [as_one(Served::plain())?, as_one(Served::with_versions())?] {
        served.server.put("x.db", &long());
        assert!(read(&served, "x.db")? == long());
        let asked = served.server.take_asked();
        let gets = asked
            .iter()
            .filter(|line| line.starts_with("GET /backups/x.db"));
        assert_eq!(gets.count(), 1, "{asked:?}");

        let cut = What::CutAfter(5_000_000);
        served.server.fail("GET /backups/x.db", cut, 2);
        served.server.fail("bytes=10000000-", What::CutAfter(0), 4);
        assert!(read(&served, "x.db")? == long());
        let asked = served.server.take_asked();
        let starts = |start: &str| asked.iter().filter(|line| line.contains(start)).count();
        assert_eq!(
            (
                starts("bytes=0-"),
                starts("bytes=5000000-"),
                starts("bytes=10000000-")
            ),
            (1, 1, 5),
            "{asked:?}"
        );

        served.server.fail("bytes=0-", What::CutAfter(3_000_000), 1);
        served.server.fail("bytes=3000000-", What::CutAfter(0), 9);
        let error = read(&served, "x.db").expect_err("no more of it comes");
        assert!(!error.to_string().is_empty());
    }
    Ok(())
}

#[test]
fn an_object_read_as_one_is_never_joined_with_another_one() -> Outcome {
    let other = vec![7; long().len()];
    for (is_kept, served) in [(false, Served::plain()), (true, Served::with_versions())] {
        let served = as_one(served)?;
        served.server.put("x.db", &long());
        served.server.fail("bytes=0-", What::CutAfter(5_000_000), 1);
        let replaced = What::Replace(other.clone());
        served.server.fail("bytes=5000000-", replaced, 1);
        match read(&served, "x.db") {
            Ok(bytes) => assert!(is_kept && bytes == long()),
            Err(error) => {
                assert!(
                    !is_kept && ReplacedMeanwhile::is_told_by(&error.to_string()),
                    "{error}"
                );
            }
        }
    }
    Ok(())
}

/// As it was listed, open.
fn open_listed(served: &Served, key: &str) -> Result<Box<dyn Object>, Box<dyn std::error::Error>> {
    let listing = served.store.list(&id(""), &Silent);
    let mut objects = listing.objects.iter();
    let listed = objects.find(|one| one.id == id(key)).ok_or("is listed")?;
    served.server.take_asked();
    Ok(served.store.open(&listed.id, Some(&listed.identity))?)
}

/// What is read of an object in several ways.
fn read_in_all_ways(object: &dyn Object) -> io::Result<[Vec<u8>; 3]> {
    let mut middle = vec![0; 4];
    let length = object.read_at(&mut middle, 70_000)?;
    middle.truncate(length);
    let (mut once, mut again) = (Vec::new(), Vec::new());
    object.reader(Pace::OneByOne)?.read_to_end(&mut once)?;
    let mut ahead = object.reader(Pace::Ahead(PageCache::Keep))?;
    ahead.read_to_end(&mut again)?;
    Ok([middle, once, again])
}

#[test]
fn a_small_object_is_brought_by_one_question() -> Outcome {
    let small: Vec<u8> = (0..251_u8).cycle().take(100_000).collect();
    let expected = [vec![222, 223, 224, 225], small.clone(), small.clone()];
    for served in [Served::plain(), Served::with_versions()] {
        served.server.put("x.db", &small);
        let object = open_listed(&served, "x.db")?;
        assert!(!object.came_at_once());
        object.bring()?;
        assert_eq!(read_in_all_ways(&*object)?, expected);
        assert!(object.came_at_once());
        let asked = served.server.take_asked();
        assert_eq!(asked, ["GET /backups/x.db bytes=0-99999"]);

        // What nobody said would be read is asked for as it is wanted.
        let object = open_listed(&served, "x.db")?;
        assert_eq!(read_in_all_ways(&*object)?, expected);
        assert!(!object.came_at_once());
        assert_eq!(served.server.take_asked().len(), 3);
        // Whoever reads all of it at once has brought it.
        let object = open_listed(&served, "x.db")?;
        assert_eq!(object.read_at(&mut vec![0; 200_000], 0)?, 100_000);
        assert_eq!(read_in_all_ways(&*object)?, expected);
        assert_eq!(served.server.take_asked().len(), 1);
    }
    Ok(())
}

#[test]
fn what_came_with_several_answers_or_nameless_ones_did_not_come_at_once() -> Outcome {
    let small: Vec<u8> = (0..251_u8).cycle().take(100_000).collect();
    for what in [What::CutAfter(30_000), What::Short, What::NoTag] {
        let served = Served::plain();
        served.server.put("x.db", &small);
        served.server.fail("GET /backups/x.db", what.clone(), 1);
        let object = open_listed(&served, "x.db")?;
        object.bring()?;
        assert!(read_in_all_ways(&*object)?[1] == small, "{what:?}");
        assert!(!object.came_at_once(), "{what:?}");
    }
    // Replaced before the first answer, or between two of them.
    for start in ["bytes=0-", "bytes=30000-"] {
        let served = Served::plain();
        served.server.put("x.db", &small);
        let replaced = What::Replace(vec![7; 100_000]);
        served.server.fail(start, replaced, 1);
        served.server.fail("bytes=0-", What::CutAfter(30_000), 1);
        let object = open_listed(&served, "x.db")?;
        let error = object.bring().expect_err("is another one");
        assert!(ReplacedMeanwhile::is_told_by(&error.to_string()), "{error}");
    }
    Ok(())
}

#[test]
fn a_large_object_is_not_brought() -> Outcome {
    let served = Served::plain();
    served.server.put("x.db", &long());
    let object = open_listed(&served, "x.db")?;
    object.bring()?;
    assert_eq!(served.server.take_asked(), [""; 0]);
    assert!(read_in_all_ways(&*object)?[1] == long() && !object.came_at_once());
    Ok(())
}

#[test]
fn passing_refusals_are_asked_again_and_lasting_ones_are_told() -> Outcome {
    let served = Served::plain();
    served.server.put("x.db", b"bytes");
    for (status, code) in [
        (503, "SlowDown"),
        (500, "InternalError"),
        (429, "TooManyRequests"),
    ] {
        served
            .server
            .fail("GET /backups/x.db", What::Status(status, code), 1);
    }
    assert_eq!(read(&served, "x.db")?, b"bytes");
    served
        .server
        .fail("GET /backups/x.db", What::Status(403, "AccessDenied"), 1);
    let error = read(&served, "x.db").expect_err("is denied");
    assert!(error.to_string().contains("s3:GetObject"), "{error}");
    Ok(())
}

#[test]
fn bytes_of_two_objects_are_never_joined() -> Outcome {
    let other = vec![7; long().len()];
    let served = Served::plain();
    served.server.put("x.db", &long());
    served
        .server
        .fail("bytes=8388608-", What::Replace(other.clone()), 1);
    let error = read(&served, "x.db").expect_err("was replaced");
    assert!(ReplacedMeanwhile::is_told_by(&error.to_string()), "{error}");

    // Where versions are kept, the one that was opened is still there.
    let served = Served::with_versions();
    served.server.put("x.db", &long());
    served
        .server
        .fail("bytes=8388608-", What::Replace(other), 1);
    assert!(read(&served, "x.db")? == long());
    Ok(())
}

#[test]
fn a_version_that_may_not_be_read_is_read_by_its_tag() -> Outcome {
    let served = Served::with_versions();
    served.server.put("x.db", b"bytes");
    served
        .server
        .fail("versionId", What::Status(403, "AccessDenied"), 9);
    assert_eq!(read(&served, "x.db")?, b"bytes");
    Ok(())
}

#[test]
fn lies_about_ranges_are_found() {
    for what in [What::NoRange, What::OtherRange, What::Long] {
        let served = Served::plain();
        served.server.put("x.db", &long());
        served.server.fail("GET /backups/x.db", what, 9);
        let error = read(&served, "x.db").expect_err("is a lie");
        assert!(
            error.to_string().starts_with("the store answers wrongly"),
            "{error}"
        );
    }
}

#[test]
fn odd_keys_and_directory_markers_hide_nothing() -> Outcome {
    let served = Served::plain();
    for key in ["a//odd.db", "/root.db", "a/x y&<>+%\u{7}.db", "a/../up.db"] {
        served.server.put(key, key.as_bytes());
    }
    served.server.put("a/", b"");
    for number in 0..25 {
        served.server.put(&format!("b/{number:02}.db"), b"x");
    }
    served.server.page_size(4);
    let listing = served.store.list(&id(""), &Silent);
    assert_eq!(listing.objects.len(), 28, "{:?}", keys(&listing));
    let [left_out] = listing.left_out.as_slice() else {
        return Err(format!("{:?}", listing.left_out).into());
    };
    assert_eq!(
        (&left_out.id, left_out.cause),
        (
            &id("a/../up.db"),
            Cause::Refused(io::ErrorKind::InvalidInput)
        )
    );
    for key in ["a//odd.db", "/root.db", "a/x y&<>+%\u{7}.db"] {
        assert_eq!(read(&served, key)?, key.as_bytes(), "{key}");
    }
    let beside = served.store.list_beside(&id("a//odd.db"), &Silent);
    assert_eq!(keys(&beside), [id("a//odd.db").to_string()]);
    Ok(())
}

#[test]
fn a_denied_listing_does_not_hide_an_object_that_is_named() {
    let served = Served::plain();
    served.server.put("a/x.db", b"x");
    served
        .server
        .fail("GET /backups/ ", What::Status(403, "AccessDenied"), 9);
    assert_eq!(served.store.list(&id("a/x.db"), &Silent).objects.len(), 1);
    let listing = served.store.list(&id("a"), &Silent);
    let reason = listing.left_out.first().map(|one| one.reason.as_str());
    assert!(
        reason.is_some_and(|reason| reason.contains("s3:ListBucket")),
        "{reason:?}"
    );
}

#[test]
fn what_has_no_bucket_is_told() {
    let served = Served::plain();
    let listing = served.store.list(&"s3://".into(), &Silent);
    let reason = listing.left_out.first().map(|one| one.reason.as_str());
    assert!(
        reason.is_some_and(|reason| reason.contains("names no bucket")),
        "{reason:?}"
    );
    let listing = served.store.list(&"s3://elsewhere/a".into(), &Silent);
    let reason = listing.left_out.first().map(|one| one.reason.as_str());
    assert!(
        reason.is_some_and(|reason| reason.contains("no bucket elsewhere")),
        "{reason:?}"
    );
}

#[test]
fn each_service_says_how_it_keeps_an_object() -> Outcome {
    let rows = [
        (
            "s3",
            [
                ("x-amz-version-id", "7"),
                ("x-amz-object-lock-mode", "COMPLIANCE"),
                (
                    "x-amz-object-lock-retain-until-date",
                    "2027-01-01T00:00:00.000Z",
                ),
                ("x-amz-object-lock-legal-hold", "ON"),
            ],
            true,
        ),
        (
            "gs",
            [
                ("x-goog-generation", "7"),
                ("x-goog-object-lock-mode", "COMPLIANCE"),
                (
                    "x-goog-object-lock-retain-until-date",
                    "2027-01-01T00:00:00Z",
                ),
                ("x-goog-storage-class", "STANDARD"),
            ],
            false,
        ),
        (
            "az",
            [
                ("x-ms-version-id", "7"),
                ("x-ms-immutability-policy-mode", "COMPLIANCE"),
                (
                    "x-ms-immutability-policy-until-date",
                    "Fri, 01 Jan 2027 00:00:00 GMT",
                ),
                ("x-ms-legal-hold", "true"),
            ],
            true,
        ),
    ];
    for (scheme, said, has_legal_hold) in rows {
        let served = Served::unsigned();
        served.server.put("x.db", b"bytes");
        let id: ObjectId = format!("{scheme}://{BUCKET}/x.db").as_str().into();
        assert_eq!(served.store.custody(&id), None, "nothing was asked");
        let listed = served.store.stat(&id)?;
        assert_eq!(served.store.custody(&id), None, "nothing was said");
        served.server.say("x.db", &said);
        // As it was listed: the first range tells it.
        let object = served.store.open(&id, Some(&listed))?;
        object
            .reader(Pace::OneByOne)?
            .read_to_end(&mut Vec::new())?;
        let expected = Custody {
            version: Some("7".into()),
            lock: Some(crate::source::ObjectLock {
                mode: "COMPLIANCE".into(),
                until: chrono::DateTime::from_timestamp(1_798_761_600, 0).ok_or("an instant")?,
            }),
            has_legal_hold,
            clock_ahead_seconds: None,
        };
        assert_eq!(
            served.store.custody(&id),
            Some(expected.clone()),
            "{scheme}"
        );
        served.server.say("x.db", said.get(..1).ok_or("one")?);
        served.store.stat(&id)?;
        let told = served.store.custody(&id);
        assert_eq!(told.and_then(|told| told.lock), None, "{scheme}");
    }
    Ok(())
}

#[test]
fn fewer_bytes_than_an_answer_names_are_gone_on_with() -> Outcome {
    let served = Served::plain();
    served.server.put("x.db", &long());
    served.server.fail("GET /backups/x.db", What::Short, 5);
    assert!(read(&served, "x.db")? == long());
    Ok(())
}

#[test]
fn an_object_that_is_gone_in_the_middle_is_told() {
    let served = Served::plain();
    served.server.put("x.db", &long());
    served
        .server
        .fail("bytes=8388608-", What::Status(404, "NoSuchKey"), 1);
    let error = read(&served, "x.db").expect_err("is gone");
    assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
}

#[test]
fn answers_that_are_late_are_waited_for() -> Outcome {
    let served = Served::plain();
    served.server.put("x.db", &long());
    let late = What::Late(Duration::from_millis(300));
    served.server.fail("GET /backups/x.db", late, 3);
    assert!(read(&served, "x.db")? == long());
    Ok(())
}

/// Long enough for a busy machine to hear what is said, and short enough to be waited for once or twice.
const PATIENCE: Duration = Duration::from_secs(2);
/// Where nothing will be said.
const NO_PATIENCE: Duration = Duration::from_millis(200);

/// Of a store that goes silent for ever several tries are waited for, and no more.
#[track_caller]
fn is_told_in_time(begun: Instant, reason: &str) {
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(120), "{took:?}");
    let is_told = reason.contains("no answer from 127.0.0.1") && reason.contains("timed out");
    assert!(is_told, "{reason}");
}

#[test]
fn a_body_that_goes_silent_is_gone_on_with() -> Outcome {
    for served in [
        Served::impatient(PATIENCE),
        as_one(Served::impatient(PATIENCE))?,
    ] {
        served.server.put("x.db", &long());
        served
            .server
            .fail(" bytes=0-", What::SilentAfter(1_000_000), 1);
        assert!(read(&served, "x.db")? == long());
        let asked = served.server.take_asked();
        let starts = asked.iter().filter_map(|line| {
            let (_, range) = line.split_once(" bytes=")?;
            range.split_once('-')?.0.parse().ok()
        });
        let starts: Vec<u64> = starts.collect();
        let of_first = |start: &&u64| **start <= 1_000_000;
        let starts: Vec<&u64> = starts.iter().filter(of_first).collect();
        assert!(
            matches!(starts.as_slice(), [0, on] if **on > 0),
            "{asked:?}"
        );
    }
    Ok(())
}

#[test]
fn a_store_that_stays_silent_is_told() -> Outcome {
    let served = Served::impatient(NO_PATIENCE);
    served.server.put("x.db", &long());
    served.server.put("y.db", b"small");
    // Some of it comes, and then nothing more.
    let some = What::SilentAfter(100_000);
    served.server.fail(" bytes=0-", some, 1);
    let none = What::SilentAfter(0);
    served.server.fail("GET /backups/x.db", none, usize::MAX);
    let begun = Instant::now();
    let error = read(&served, "x.db").expect_err("no more of it comes");
    is_told_in_time(begun, &error.to_string());
    // A small object, and an answer that does not even begin.
    for silence in [What::SilentAfter(0), What::Late(Duration::from_secs(600))] {
        served.server.mend();
        let object = open_listed(&served, "y.db")?;
        served.server.fail("GET /backups/y.db", silence, usize::MAX);
        let begun = Instant::now();
        let error = object.bring().expect_err("nothing of it comes");
        is_told_in_time(begun, &error.to_string());
    }
    Ok(())
}

#[test]
fn a_listing_that_goes_silent_is_asked_for_again_and_told_in_the_end() {
    for (times, patience) in [(2, PATIENCE), (usize::MAX, NO_PATIENCE)] {
        let served = Served::impatient(patience);
        for number in 0..30 {
            served.server.put(&format!("{number}/x.db"), b"x");
        }
        served.server.page_size(10);
        let silence = What::SilentAfter(100);
        served.server.fail("list-type", silence, times);
        let begun = Instant::now();
        let listing = served.store.list(&id(""), &Silent);
        if times == 2 {
            assert_eq!(listing.objects.len(), 30);
            continue;
        }
        let reason = listing.left_out.first().map(|one| one.reason.as_str());
        is_told_in_time(begun, reason.unwrap_or_default());
    }
}

/// Where nobody answers that is found out once, and not with every question.
#[test]
fn a_store_that_is_not_there_is_not_waited_for_again() {
    let store = BucketStore::new(BucketOptions {
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        is_unsigned: true,
        ..BucketOptions::default()
    });
    let refused = || {
        let error = store.stat(&id("x.db")).expect_err("nobody is there");
        let reason = error.to_string();
        assert!(reason.starts_with("no answer from 127.0.0.1:9"), "{reason}");
    };
    refused();
    let begun = Instant::now();
    refused();
    // A second try would be waited for.
    assert!(begun.elapsed() < Duration::from_millis(190));
}
