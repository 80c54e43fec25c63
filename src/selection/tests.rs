//! Filters, references and reasons over small backups.

use super::*;
use crate::backup::{Located, PairingBasis, Shared, Verdict, Version};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Finding};
use crate::openshift::Cluster;
use crate::snapshot::{Flavour, Snapshot, Status};
use crate::source::ObjectId;

fn now() -> DateTime<Utc> {
    "2024-11-02T12:00:00Z".parse().expect("an instant")
}

fn digest(first: u8, second: u8) -> Sha256Digest {
    let mut bytes = [0; 32];
    for (byte, value) in bytes.iter_mut().zip([first, second]) {
        *byte = value;
    }
    Sha256Digest(bytes)
}

/// A valid backup of 4.17.3, so many hours old, of cluster `prod-abcde`.
fn backup(first: u8, hours: i64) -> Backup {
    Backup {
        digest: Some(digest(first, 0x22)),
        snapshot: Some(Located {
            facts: Shared::from(snapshot("prod-abcde", "id-1")),
            path: ObjectId::from(format!("/b/{first:02x}.db").as_str()),
            copies: vec![ObjectId::from("/copy/of.db")],
            modified_at: None,
            arrived_at: None,
            custody: std::collections::BTreeMap::new(),
            is_present: true,
            is_packed: false,
        }),
        kuberesources: None,
        unreadable_path: None,
        pairing: PairingBasis::None,
        key_proof: None,
        sealed_certificates: Vec::new().into(),
        version: Version {
            openshift: Some("4.17.3".to_owned()),
            ..Version::default()
        },
        taken_at: now().checked_sub_signed(TimeDelta::hours(hours)),
        taken_at_source: None,
        named_at: None,
        findings: Vec::new(),
        accepted: Vec::new(),
        verdict: Verdict::Valid,
        first_seen_at: None,
        verified_at: None,
        provenance: None,
        verifications: Vec::new(),
    }
}

fn snapshot(name: &str, id: &str) -> Snapshot {
    Snapshot {
        size_bytes: 0,
        computed: digest(0, 0),
        trailer: None,
        page_size: None,
        status: Status::default(),
        live_keys: None,
        compact_revision: None,
        cluster_version: None,
        storage_version: None,
        members: Vec::new(),
        flavour: Flavour::OpenShift,
        cluster: Cluster {
            id: Some(id.to_owned()),
            infrastructure_name: Some(name.to_owned()),
            ..Cluster::default()
        },
        newest_lease_at: None,
        newest_content_at: None,
        encryption: Vec::new(),
        certificates: Vec::new().into(),
        findings: Vec::new(),
        live_digest: None,
        mended: None,
        kinds: Vec::new(),
    }
}

fn of_cluster(mut backup: Backup, name: &str, id: &str) -> Backup {
    if let Some(half) = &mut backup.snapshot {
        half.facts = Shared::from(snapshot(name, id));
    }
    backup
}

fn with(mut backup: Backup, codes: &[Code]) -> Backup {
    backup.findings = codes
        .iter()
        .map(|&code| Finding::new(code, "found"))
        .collect();
    backup.verdict = Verdict::Invalid;
    backup
}

fn of_version(mut backup: Backup, version: Option<&str>) -> Backup {
    backup.version.openshift = version.map(str::to_owned);
    backup
}

fn gone(mut backup: Backup) -> Backup {
    if let Some(half) = &mut backup.snapshot {
        half.is_present = false;
    }
    backup.verdict = Verdict::Unknown;
    backup
}

fn firsts(selected: &[Selected]) -> Vec<u8> {
    let first = |one: &Selected| {
        one.backup
            .digest
            .and_then(|digest| digest.0.first().copied())
    };
    selected.iter().filter_map(first).collect()
}

fn for_target() -> Selection {
    Selection {
        valid_for: Some("4.17.3".parse().expect("a version")),
        ..Selection::default()
    }
}

#[test]
fn newest_comes_first_and_unknown_times_last() {
    let mut unknown = backup(9, 0);
    unknown.taken_at = None;
    let outcome = Selection::default().apply(
        vec![backup(1, 5), unknown, backup(3, 1), backup(2, 5)],
        now(),
    );
    assert_eq!(firsts(&outcome.shown), [3, 1, 2, 9]);
}

#[test]
fn a_plain_selection_leaves_out_what_is_gone() {
    let backups = vec![
        backup(1, 1),
        gone(backup(2, 2)),
        with(backup(3, 3), &[Code::KuberesourcesMissing]),
    ];
    let outcome = Selection::default().apply(backups.clone(), now());
    assert_eq!(
        firsts(&outcome.shown),
        [1, 3],
        "a snapshot without kuberesources is shown"
    );
    assert_eq!(firsts(&outcome.hidden), [2]);
    let everything = Selection {
        scope: Scope::All,
        ..Selection::default()
    };
    assert_eq!(firsts(&everything.apply(backups, now()).shown), [1, 2, 3]);
}

#[test]
fn only_usable_backups_of_the_very_version_qualify() {
    let mut warned = backup(2, 2);
    warned.verdict = Verdict::Warning;
    let backups = vec![
        backup(1, 1),
        warned,
        of_version(backup(3, 3), Some("4.17.30")),
        of_version(backup(4, 4), Some("4.17.3-rc.1")),
        of_version(backup(5, 5), None),
        with(backup(6, 6), &[Code::Truncated, Code::DigestMismatch]),
        gone(backup(7, 7)),
    ];
    let outcome = for_target().apply(backups.clone(), now());
    assert_eq!(firsts(&outcome.shown), [1, 2]);
    assert_eq!(outcome.qualified(), 2);
    let reasons: Vec<Vec<&str>> = outcome
        .hidden
        .iter()
        .map(|one| {
            one.reasons_against
                .iter()
                .flatten()
                .map(Reason::code)
                .collect()
        })
        .collect();
    let expected: [&[&str]; 5] = [
        &["other-version"],
        &["other-version"],
        &["version-unknown"],
        &["truncated", "digest-mismatch"],
        &["file-missing"],
    ];
    assert_eq!(reasons, expected);
    let everything = Selection {
        scope: Scope::All,
        ..for_target()
    };
    let outcome = everything.apply(backups, now());
    assert_eq!(outcome.shown.len(), 7);
    assert_eq!(outcome.qualified(), 2);
}

#[test]
fn an_accepted_finding_speaks_against_nothing() {
    let mut accepted = with(backup(1, 1), &[Code::DigestMissing]);
    accepted.accepted = vec![Code::DigestMissing];
    accepted.verdict = Verdict::Warning;
    assert_eq!(for_target().apply(vec![accepted], now()).qualified(), 1);
}

#[test]
fn a_backup_that_was_never_verified_does_not_qualify() {
    let mut unverified = backup(1, 1);
    unverified.verdict = Verdict::Unknown;
    let outcome = for_target().apply(vec![unverified], now());
    let reasons = outcome
        .hidden
        .first()
        .and_then(|one| one.reasons_against.clone());
    assert_eq!(reasons, Some(vec![Reason::NotVerified]));
}

#[test]
fn age_is_a_filter_and_with_a_target_a_reason() {
    let backups = || vec![backup(1, 1), backup(2, 48)];
    let young = |selection: Selection| Selection {
        max_age: Some(TimeDelta::hours(26)),
        ..selection
    };
    assert_eq!(
        firsts(&young(Selection::default()).apply(backups(), now()).shown),
        [1]
    );
    let outcome = young(for_target()).apply(backups(), now());
    let reasons = outcome
        .hidden
        .first()
        .and_then(|one| one.reasons_against.clone());
    assert_eq!(reasons, Some(vec![Reason::TooOld]));
    let since = Selection {
        since: now().checked_sub_signed(TimeDelta::hours(1)),
        ..Selection::default()
    };
    assert_eq!(
        firsts(&since.apply(backups(), now()).shown),
        [1],
        "the limit itself is young enough"
    );
}

#[test]
fn a_cluster_answers_to_id_name_and_short_name() {
    let backups = || {
        vec![
            backup(1, 1),
            of_cluster(backup(2, 2), "test-fghij", "id-2"),
            of_cluster(backup(3, 3), "prod-zzzzz", "id-3"),
        ]
    };
    let of = |wanted: &str| {
        let selection = Selection {
            cluster: Some(wanted.to_owned()),
            ..Selection::default()
        };
        selection.apply(backups(), now())
    };
    for (wanted, expected) in [
        ("id-2", vec![2]),
        ("ID-2", vec![2]),
        ("test-fghij", vec![2]),
        ("test", vec![2]),
    ] {
        let outcome = of(wanted);
        assert_eq!(firsts(&outcome.shown), expected, "{wanted}");
        assert!(
            outcome.notes.is_empty() && outcome.hidden.is_empty(),
            "{wanted}"
        );
    }
    let several = of("prod");
    assert_eq!(firsts(&several.shown), [1, 3]);
    assert!(
        several
            .notes
            .iter()
            .any(|note| note.starts_with("2 clusters answer to \"prod\"")),
        "{several:?}"
    );
    let none = of("stage");
    assert!(
        none.notes
            .iter()
            .any(|note| note.contains("known are prod-abcde (id-1), ")),
        "{none:?}"
    );
}

#[test]
fn references_are_ids_words_and_paths() {
    let backups = vec![
        with(backup(0x3f, 1), &[Code::Truncated]),
        backup(0x3e, 2),
        backup(0x40, 3),
    ];
    for (reference, expected) in [
        ("latest", 0x3f),
        ("latest-valid", 0x3e),
        ("4022", 0x40),
        ("backup/402200000000", 0x40),
        ("3E22", 0x3e),
        ("/b/40.db", 0x40),
    ] {
        let found = resolve(reference, &backups).expect(reference);
        assert_eq!(found.digest, Some(digest(expected, 0x22)), "{reference}");
    }
}

#[test]
fn references_that_mean_nothing_or_too_much_are_refused() {
    let mut twin = backup(0x40, 2);
    twin.digest = Some(digest(0x40, 0x22));
    if let Some(Sha256Digest(bytes)) = &mut twin.digest
        && let Some(last) = bytes.last_mut()
    {
        *last = 1;
    }
    let backups = vec![with(backup(0x40, 1), &[Code::Truncated]), twin];
    let error = |reference: &str| resolve(reference, &backups).expect_err(reference);
    assert!(matches!(error("402"), ResolveError::TooShort { .. }));
    assert!(matches!(error("5555"), ResolveError::NotFound { .. }));
    assert!(matches!(error("newest"), ResolveError::NotFound { .. }));
    assert!(matches!(error(""), ResolveError::NotFound { .. }));
    assert!(matches!(error("4022"), ResolveError::Ambiguous { .. }));
    assert!(matches!(
        error("/copy/of.db"),
        ResolveError::PathAmbiguous { .. }
    ));
    assert_eq!(resolve("latest", &[]), Err(ResolveError::Empty));
    let invalid = vec![with(backup(1, 1), &[Code::Truncated])];
    assert_eq!(
        resolve("latest-valid", &invalid),
        Err(ResolveError::NoneValid { known: 1 })
    );
}

#[test]
fn what_could_be_of_several_clusters_is_refused() {
    let backups = vec![
        backup(0x40, 1),
        of_cluster(backup(0x41, 2), "test-fghij", "id-2"),
    ];
    for reference in ["latest", "latest-valid"] {
        let error = resolve(reference, &backups).expect_err(reference);
        assert_eq!(
            error.to_string(),
            format!("{reference:?} could be of 2 clusters: prod-abcde (id-1), test-fghij (id-2)")
        );
    }
    // What is not usable cannot be meant by the second.
    let backups = vec![
        backup(0x40, 1),
        with(
            of_cluster(backup(0x41, 2), "test-fghij", "id-2"),
            &[Code::Truncated],
        ),
    ];
    assert!(resolve("latest", &backups).is_err());
    let found = resolve("latest-valid", &backups).expect("one cluster");
    assert_eq!(found.digest, Some(digest(0x40, 0x22)));
}

/// With a risk.
fn risky(mut backup: Backup) -> Backup {
    let finding = Finding::new(Code::RolloutInProgress, "found");
    backup.findings = vec![finding];
    backup.verdict = Verdict::Warning;
    backup
}

#[test]
fn the_latest_valid_is_what_is_recommended() {
    let backups = vec![risky(backup(0x40, 1)), backup(0x41, 2)];
    let found = resolve("latest-valid", &backups).expect("one cluster");
    assert_eq!(found.digest, Some(digest(0x41, 0x22)));
    let found = resolve("latest", &backups).expect("one cluster");
    assert_eq!(found.digest, Some(digest(0x40, 0x22)));
}

#[test]
fn each_cluster_has_its_recommendation_and_the_order_stays() {
    let theirs = |one| of_cluster(one, "test-fghij", "id-2");
    let backups = vec![
        risky(backup(1, 1)),
        backup(2, 2),
        theirs(backup(3, 3)),
        theirs(backup(4, 4)),
    ];
    let shown = for_target().apply(backups.clone(), now()).shown;
    assert_eq!(firsts(&shown), [1, 2, 3, 4]);
    let recommended =
        |shown: &[Selected]| -> Vec<bool> { shown.iter().map(|one| one.is_recommended).collect() };
    assert_eq!(recommended(&shown), [false, true, true, false]);
    let hasty = Selection {
        prefer_clean: Some(TimeDelta::minutes(30)),
        ..for_target()
    };
    let shown = hasty.apply(backups.clone(), now()).shown;
    assert_eq!(recommended(&shown), [true, false, true, false]);
    let shown = Selection::default().apply(backups, now()).shown;
    assert_eq!(recommended(&shown), [false; 4], "nobody asked");
}

#[test]
fn versions_are_known_for_each_cluster_newest_first() {
    let backups = vec![
        of_version(backup(1, 9), Some("4.17.2")),
        backup(2, 2),
        backup(3, 3),
        with(of_version(backup(4, 1), Some("4.18.0")), &[Code::Truncated]),
        of_cluster(of_version(backup(5, 5), None), "test-fghij", "id-2"),
    ];
    type Versions = Vec<(String, u64)>;
    let known: Vec<(Option<String>, Versions)> = known_versions(&backups)
        .into_iter()
        .map(|(cluster, versions)| {
            let versions = versions.into_iter();
            let versions = versions.map(|one| (one.version, one.backups));
            (cluster.name, versions.collect())
        })
        .collect();
    let expected = [
        (
            Some("prod-abcde".to_owned()),
            vec![("4.17.3".to_owned(), 2), ("4.17.2".to_owned(), 1)],
        ),
        (Some("test-fghij".to_owned()), Vec::new()),
    ];
    assert_eq!(known, expected);
}

/// With this message on its only finding.
fn because(mut backup: Backup, code: Code, message: &str) -> Backup {
    backup.findings = vec![Finding::new(code, message)];
    backup.verdict = Verdict::Invalid;
    backup
}

fn misses_of(backups: Vec<Backup>) -> Vec<(usize, String)> {
    let everything = Selection {
        scope: Scope::All,
        ..for_target()
    };
    let wanted = "4.17.3".parse().expect("a version");
    let shown = everything.apply(backups, now()).shown;
    let misses = nearest_misses(&shown, &wanted);
    misses
        .into_iter()
        .map(|miss| (miss.alike, miss.text))
        .collect()
}

#[test]
fn near_misses_come_nearest_first_and_say_why() {
    let key = "key 7 not in the kuberesources: 40 values of secrets are encrypted";
    let mut upgrading = because(
        of_version(backup(7, 7), None),
        Code::UpgradeInProgress,
        "the cluster was being upgraded from 4.17.2 to 4.17.3, since",
    );
    upgrading.version.upgrading_from = Some("4.17.2".to_owned());
    upgrading.version.upgrading_to = Some("4.17.3".to_owned());
    let mut broken = because(of_version(backup(8, 8), None), Code::Truncated, "cut off");
    broken.version = Version::default();
    let found = misses_of(vec![
        of_version(backup(1, 1), Some("4.16.9")),
        of_version(backup(2, 2), Some("4.17.9")),
        of_version(backup(3, 3), Some("4.17.2")),
        of_version(backup(4, 4), Some("4.17.2")),
        because(backup(5, 5), Code::EncryptionKeyMissing, key),
        with(backup(6, 6), &[Code::Truncated, Code::DigestMismatch]),
        upgrading,
        broken,
        backup(9, 9),
        of_version(backup(10, 10), Some("4.17.3-rc.1")),
    ]);
    let expected = [
        (1, "newest 4.17.3: key 7 not in the kuberesources"),
        (1, "4.17.3: found (and 1 more)"),
        (1, "4.17.2 to 4.17.3: taken in the middle of the upgrade"),
        (1, "4.17.3-rc.1: other build of the same z-stream"),
        (2, "4.17.2: other z-stream"),
        (1, "4.17.9: other z-stream"),
        (1, "4.16.9: other minor version"),
        (1, "unknown version: cut off (and 1 more)"),
    ];
    let expected: Vec<(usize, String)> = expected
        .map(|(alike, text)| (alike, text.to_owned()))
        .into();
    assert_eq!(found, expected);
}
