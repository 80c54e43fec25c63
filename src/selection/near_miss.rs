//! What came near a target and why it does not serve, nearest first.

use super::{KnownCluster, Reason, Selected, TargetVersion};
use crate::backup::Backup;
use crate::finding::Code;
use semver::Version as Semver;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Stands for a version that nothing tells.
const UNKNOWN_VERSION: &str = "unknown version";

/// A backup that does not qualify.
#[derive(Clone, Debug, PartialEq)]
pub struct NearMiss<'a> {
    /// The backup; of several of one other version the newest.
    pub selected: &'a Selected,
    /// How many backups this one stands for: all those of one cluster and one other version.
    pub alike: usize,
    /// One line, such as `newest 4.17.3: key 7 not in the kuberesources` or `4.17.2: other z-stream`.
    pub text: String,
}

/// All candidates that do not qualify, nearest first: the wanted version, then an upgrade to or from it, its
/// z-stream by distance, other minors, unknown ones; among equals the newest first.
pub(crate) fn nearest_misses<'a>(
    candidates: &'a [Selected],
    wanted: &TargetVersion,
) -> Vec<NearMiss<'a>> {
    let mut misses: Vec<&Selected> = candidates.iter().filter(|one| !one.qualifies()).collect();
    misses.sort_by_cached_key(|one| {
        let backup = &one.backup;
        let place = backup.path().cloned();
        (distance(backup, wanted), Reverse(backup.taken_at), place)
    });
    let groups = grouped(misses);
    let mut names: HashMap<String, usize> = HashMap::new();
    for (one, _) in &groups {
        *names.entry(version_name(&one.backup)).or_default() += 1;
    }
    let miss = |(selected, alike): (&'a Selected, usize)| {
        let name = version_name(&selected.backup);
        // Of several with one name the first, which is the newest, says so.
        let is_newest =
            names.remove(&name).is_some_and(|count| count > 1) && name != UNKNOWN_VERSION;
        let newest = if is_newest { "newest " } else { "" };
        let text = format!("{newest}{name}: {}", why(selected, wanted));
        NearMiss {
            selected,
            alike,
            text,
        }
    };
    groups.into_iter().map(miss).collect()
}

/// Years of nightly backups of another version are one line.
fn grouped(misses: Vec<&Selected>) -> Vec<(&Selected, usize)> {
    let mut groups: Vec<(&Selected, usize)> = Vec::new();
    let mut known: HashMap<(Option<KnownCluster>, &str), usize> = HashMap::new();
    for one in misses {
        let reasons = one.reasons_against.as_deref().unwrap_or_default();
        let [Reason::OtherVersion { found }, ..] = reasons else {
            groups.push((one, 1));
            continue;
        };
        let index = *known
            .entry((KnownCluster::of(&one.backup), found))
            .or_insert(groups.len());
        match groups.get_mut(index) {
            Some((_, alike)) => *alike = alike.saturating_add(1),
            None => groups.push((one, 1)),
        }
    }
    groups
}

/// The decisive reason in words, and how many more there are.
fn why(selected: &Selected, wanted: &TargetVersion) -> String {
    let reasons = selected.reasons_against.as_deref().unwrap_or_default();
    // What is broken says more than that the version could not be read from it.
    let is_telling = |reason: &&Reason| **reason != Reason::NoVersion;
    let Some(first) = reasons.iter().find(is_telling).or(reasons.first()) else {
        return String::new();
    };
    let text = in_words(first, &selected.backup, wanted);
    match reasons.len() {
        0 | 1 => text,
        several => format!("{text} (and {} more)", several.saturating_sub(1)),
    }
}

fn in_words(reason: &Reason, backup: &Backup, wanted: &TargetVersion) -> String {
    let text = match reason {
        Reason::OtherVersion { found } => difference(found, wanted.as_str()),
        Reason::NoVersion => "nothing says which version it was taken from",
        Reason::TooOld if backup.taken_at.is_none() => "nothing says when it was taken",
        Reason::TooOld => "older than asked for",
        Reason::NotVerified => "not verified",
        Reason::Finding(Code::UpgradeInProgress) => "taken in the middle of the upgrade",
        Reason::Finding(Code::KuberesourcesMissing) => "its kuberesources is missing",
        Reason::Finding(Code::StillArriving) => "its other half may still be on its way",
        Reason::Finding(Code::SnapshotMissing) => "kuberesources without a snapshot",
        Reason::Finding(code) => return headline(*code, backup),
    };
    text.to_owned()
}

/// What a finding's message says before it goes into detail.
fn headline(code: Code, backup: &Backup) -> String {
    let mut of_code = backup
        .findings
        .iter()
        .filter(|finding| finding.code == code);
    let message = of_code.next().map(|finding| finding.message.as_str());
    let head = message.map(|message| message.split_once(": ").map_or(message, |(head, _)| head));
    head.filter(|head| !head.is_empty())
        .unwrap_or(code.as_str())
        .to_owned()
}

/// How two versions differ, in the words of the release notes.
fn difference(found: &str, wanted: &str) -> &'static str {
    let versions = Semver::parse(found).ok().zip(Semver::parse(wanted).ok());
    match versions {
        None => "another version",
        Some((found, wanted)) if (found.major, found.minor) != (wanted.major, wanted.minor) => {
            "other minor version"
        }
        Some((found, wanted)) if found.patch != wanted.patch => "other z-stream",
        Some(_) => "other build of the same z-stream",
    }
}

fn version_name(backup: &Backup) -> String {
    let version = &backup.version;
    let (from, to) = (&version.upgrading_from, &version.upgrading_to);
    match (&version.openshift, from, to) {
        (Some(version), ..) => version.clone(),
        (None, Some(from), Some(to)) => format!("{from} to {to}"),
        (None, None, Some(to)) => to.clone(),
        _ => UNKNOWN_VERSION.to_owned(),
    }
}

/// Class, then steps within the class; smaller is nearer.
fn distance(backup: &Backup, wanted: &TargetVersion) -> (u8, u64) {
    let version = &backup.version;
    let is_wanted = |part: &Option<String>| part.as_deref().is_some_and(|part| wanted.is(part));
    if is_wanted(&version.openshift) {
        return (0, 0);
    }
    if is_wanted(&version.upgrading_from) || is_wanted(&version.upgrading_to) {
        return (1, 0);
    }
    let found = version.openshift.as_ref().or(version.upgrading_to.as_ref());
    let found = found.and_then(|found| Semver::parse(found).ok());
    let Some((found, wanted)) = found.zip(Semver::parse(wanted.as_str()).ok()) else {
        return (5, 0);
    };
    if found.major != wanted.major {
        (4, found.major.abs_diff(wanted.major))
    } else if found.minor != wanted.minor {
        (3, found.minor.abs_diff(wanted.minor))
    } else {
        (2, found.patch.abs_diff(wanted.patch))
    }
}
