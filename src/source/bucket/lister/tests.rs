//! Listings of more than a page, by stores of different minds.

use super::super::super::{ObjectId, Store as _};
use super::super::testing::{BUCKET, Served, What};
use crate::monitor::{Monitor, Silent};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn id_of(scheme: &str, key: &str) -> ObjectId {
    ObjectId::from(format!("{scheme}://{BUCKET}/{key}").as_str())
}

fn id(key: &str) -> ObjectId {
    id_of("s3", key)
}

/// Hundreds of runs of many clusters, objects without a directory, and odd names.
fn keys() -> BTreeSet<String> {
    let runs = (0..1800).map(|number| {
        let (cluster, day) = (number / 60, number % 60);
        format!(
            "fleet/of/cluster-{cluster:03}/2024-{:02}-{:02}/snapshot.db",
            day / 28,
            day % 28
        )
    });
    let flat = (0..100).map(|number| format!("fleet/of/{number:03}.txt"));
    let odd = [
        "fleet/of//x.db",
        "fleet/of/\u{e9}/\u{1f600}.db",
        "fleet/of/~/x.db",
        "fleet/of/A b+c/x.db",
    ];
    let odd = odd.into_iter().map(str::to_owned);
    runs.chain(flat).chain(odd).collect()
}

fn served(keys: &BTreeSet<String>) -> Served {
    filled(Served::plain(), keys)
}

fn filled(served: Served, keys: &BTreeSet<String>) -> Served {
    for key in keys {
        served.server.put(key, b"x");
    }
    served.server.put("fleetwood/x.db", b"x");
    served.server.page_size(20);
    served
}

fn listed(served: &Served) -> Vec<String> {
    listed_as("s3", served)
}

fn listed_as(scheme: &str, served: &Served) -> Vec<String> {
    let listing = served.store.list(&id_of(scheme, "fleet"), &Silent);
    assert!(listing.left_out.is_empty(), "{:?}", listing.left_out);
    let ids = listing.objects.iter().map(|one| one.id.to_string());
    let bucket = format!("{scheme}://backups/");
    let mut keys: Vec<String> = ids.map(|id| id.replacen(&bucket, "", 1)).collect();
    keys.sort();
    keys
}

#[test]
fn parts_are_listed_at_a_time_and_each_key_once() {
    let keys = keys();
    let served = served(&keys);
    served.server.fail(
        "list-type",
        What::Late(Duration::from_millis(2)),
        usize::MAX,
    );
    let all: Vec<String> = keys.into_iter().collect();
    assert_eq!(listed(&served), all);
    let asked = served.server.take_asked();
    let pages = asked
        .iter()
        .filter(|line| line.contains("list-type"))
        .count();
    // Levels of directories, and pages that go beyond a part, cost some.
    assert!((96..140).contains(&pages), "{pages}");
    let most = served.server.most_at_a_time();
    assert!((4..=8).contains(&most), "{most}");
}

/// Each as it lists, and how many pages that takes: levels of directories cost some.
#[test]
fn google_and_azure_are_listed_in_parts_too() {
    let keys = keys();
    for (scheme, page_size, pages) in [("gs", 20, 96..140), ("az", 200, 12..45)] {
        let served = filled(Served::unsigned(), &keys);
        if scheme == "gs" {
            served.server.speak_as_google();
        }
        served.server.page_size(page_size);
        let late = What::Late(Duration::from_millis(20));
        served.server.fail("prefix=fleet", late, usize::MAX);
        let all: Vec<String> = keys.iter().cloned().collect();
        assert_eq!(listed_as(scheme, &served), all, "{scheme}");
        let asked = served.server.take_asked();
        let asked = asked.iter().filter(|line| line.contains("prefix=fleet"));
        let count = asked.count();
        assert!(pages.contains(&count), "{scheme}: {count}");
        let most = served.server.most_at_a_time();
        assert!((4..=8).contains(&most), "{scheme}: {most}");
    }
}

#[test]
fn azure_is_listed_page_by_page_where_directories_do_not_help() {
    let all = keys();
    let flat: BTreeSet<String> = (0..300)
        .map(|number| format!("fleet/{number}.db"))
        .collect();
    for (keys, page_size) in [(&all, 20), (&flat, 100)] {
        let served = filled(Served::unsigned(), keys);
        served.server.page_size(page_size);
        let expected: Vec<String> = keys.iter().cloned().collect();
        assert_eq!(listed_as("az", &served), expected);
        assert_eq!(served.server.most_at_a_time(), 1);
        let denied = What::Status(403, "AuthorizationPermissionMismatch");
        served.server.fail("delimiter", denied, 1);
        assert_eq!(listed_as("az", &served), expected);
    }
}

#[test]
fn several_listings_of_a_bucket_take_turns() {
    let keys = keys();
    let served = served(&keys);
    let late = What::Late(Duration::from_millis(10));
    served.server.fail("list-type", late, usize::MAX);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(listed(&served).len(), keys.len()));
        }
    });
    let most = served.server.most_at_a_time();
    assert!((9..=16).contains(&most), "{most}");
}

#[test]
fn a_store_that_begins_nowhere_but_at_the_start_is_listed_page_by_page() {
    let keys = keys();
    let served = served(&keys);
    served.server.begin_at_the_start();
    let all: Vec<String> = keys.into_iter().collect();
    assert_eq!(listed(&served), all);
}

#[test]
fn a_page_that_is_refused_is_told() {
    let served = served(&keys());
    served
        .server
        .fail("start-after", What::Status(403, "AccessDenied"), 1);
    let listing = served.store.list(&id("fleet"), &Silent);
    let reason = listing.left_out.first().map(|one| one.reason.as_str());
    assert!(
        reason.is_some_and(|reason| reason.contains("s3:ListBucket")),
        "{reason:?}"
    );
    // Whoever may not ask for directories lists page by page.
    served
        .server
        .fail("delimiter", What::Status(403, "AccessDenied"), 1);
    assert_eq!(listed(&served).len(), keys().len());
    // What passes is asked for again.
    served
        .server
        .fail("start-after", What::Status(503, "SlowDown"), 3);
    assert_eq!(listed(&served).len(), keys().len());
}

struct After(AtomicUsize);

impl Monitor for After {
    fn is_interrupted(&self) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) == 0
    }
}

#[test]
fn a_listing_in_parts_can_be_stopped() {
    let served = served(&keys());
    served.server.fail(
        "list-type",
        What::Late(Duration::from_millis(20)),
        usize::MAX,
    );
    let listing = served.store.list(&id("fleet"), &After(AtomicUsize::new(5)));
    assert!(listing.is_interrupted && listing.objects.len() < 1000);
}
