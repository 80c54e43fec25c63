//! Which certificates of a backup count: those that no other one in it replaces.
//!
//! The backups of one cluster hold the same few hundred certificates for weeks, and to tell their families apart costs
//! more than all other checks together: it is done once for all backups that share them.

use super::arrival;
use super::certificate_role::{Family, Role, family, lives_one_day, role};
use super::certificates::Calendar;
use crate::backup::Backup;
use crate::kubernetes::certificate::{Certificate, Certificates};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// What is known of the sets of certificates met so far.
#[derive(Debug, Default)]
pub(crate) struct Successions(HashMap<Vec<OneSet>, Succession>);

impl Successions {
    /// What of a backup that was judged at the beginning of time depends on the clock.
    pub(crate) fn calendar(&mut self, backup: &Backup) -> Calendar {
        Calendar::new(self.counted(backup), arrival::lone_since(backup))
    }

    /// The certificates of a backup that count, those that end first in front.
    pub(super) fn counted<'b>(&mut self, backup: &'b Backup) -> Vec<&'b Certificate> {
        let certificates: Vec<&Certificate> = sets(backup).flatten().collect();
        let key = sets(backup).cloned().map(OneSet).collect();
        let known = self.0.entry(key);
        let succession = known.or_insert_with(|| Succession::new(&certificates));
        let lasting = succession.lasting.iter();
        if succession.is_lasting_all_that_counts(backup.taken_at) {
            return lasting
                .filter_map(|position| certificates.get(*position).copied())
                .collect();
        }
        let is_spent = |end| backup.taken_at.is_some_and(|at| end < at);
        let all = certificates.into_iter().enumerate();
        let counted = newest(all.filter(|(_, one)| !(is_fleeting(one) && is_spent(one.not_after))));
        counted
            .into_iter()
            .map(|(_, certificate)| certificate)
            .collect()
    }
}

/// The sets in either half and behind the encryption that are not empty.
fn sets(backup: &Backup) -> impl Iterator<Item = &Certificates> {
    let snapshot = backup.snapshot.iter().map(|half| &half.facts.certificates);
    let kuberesources = backup
        .kuberesources
        .iter()
        .map(|half| &half.facts.certificates);
    let all = snapshot
        .chain(kuberesources)
        .chain([&backup.sealed_certificates]);
    all.filter(|set| !set.is_empty())
}

/// A set that equals itself only: to compare hundreds of certificates would cost what is to be saved. Being held here,
/// it cannot make room for another one at its address.
#[derive(Debug)]
struct OneSet(Certificates);

impl PartialEq for OneSet {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }
}

impl Eq for OneSet {}

impl Hash for OneSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_ptr().hash(state);
    }
}

/// Which certificates of some sets count.
#[derive(Debug)]
struct Succession {
    /// Positions of those that count once the fleeting ones are spent, those that end first in front.
    lasting: Vec<usize>,
    /// When the last of the fleeting ones ends.
    fleeting_until: Option<DateTime<Utc>>,
}

impl Succession {
    fn new(certificates: &[&Certificate]) -> Self {
        let all = certificates.iter().copied().enumerate();
        let (fleeting, lasting): (Vec<_>, Vec<_>) = all.partition(|(_, one)| is_fleeting(one));
        let lasting = newest(lasting.into_iter());
        Self {
            lasting: lasting.into_iter().map(|(position, _)| position).collect(),
            fleeting_until: fleeting.iter().map(|(_, one)| one.not_after).max(),
        }
    }

    fn is_lasting_all_that_counts(&self, taken_at: Option<DateTime<Utc>>) -> bool {
        self.fleeting_until
            .is_none_or(|end| taken_at.is_some_and(|at| end < at))
    }
}

/// The installer's own signers live one day; old bundles keep them, and once they have ended nothing depends on them
/// any more.
fn is_fleeting(certificate: &Certificate) -> bool {
    lives_one_day(certificate)
        && !certificate.subject.contains('@')
        && role(certificate) == Role::OtherCa
}

/// The newest of each family, those that end first in front.
fn newest<'c>(
    certificates: impl Iterator<Item = (usize, &'c Certificate)>,
) -> Vec<(usize, &'c Certificate)> {
    let mut newest: HashMap<Family<'_>, (usize, &Certificate)> = HashMap::new();
    for (position, certificate) in certificates {
        let entry = newest.entry(family(certificate));
        let best = entry.or_insert((position, certificate));
        // Equal dates are the same certificate in several places: keep the first by place.
        let is_newer = certificate.not_after > best.1.not_after;
        let is_same = certificate.not_after == best.1.not_after && certificate.place < best.1.place;
        if is_newer || is_same {
            *best = (position, certificate);
        }
    }
    let mut by_date: Vec<_> = newest.into_values().collect();
    by_date.sort_by(|(_, a), (_, b)| {
        (a.not_after, &a.place, &a.subject).cmp(&(b.not_after, &b.place, &b.subject))
    });
    by_date
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{at, certificate, healthy, only};

    #[test]
    fn backups_that_share_certificates_still_have_their_own_time() {
        let far = "2034-11-02T00:00:00Z";
        let mut installers = certificate("x", "CN=installer", true, "2024-11-02T00:00:00Z");
        installers.not_before = at("2024-11-01T00:00:00Z");
        let certificates = vec![
            certificate("z", "CN=csr-signer@1700000000", true, far),
            certificate(
                "y",
                "CN=csr-signer@1600000000",
                true,
                "2024-11-01T00:00:00Z",
            ),
            installers,
        ];
        let mut backup = only(healthy());
        if let Some(half) = &mut backup.snapshot {
            half.facts.certificates = certificates.into();
        }
        let (newest, both) = (
            vec!["CN=csr-signer@1700000000"],
            vec!["CN=installer", "CN=csr-signer@1700000000"],
        );
        let rows = [
            (Some(at("2024-11-01T12:00:00Z")), &both),
            (Some(at("2024-11-02T12:00:00Z")), &newest),
            (None, &both),
            (Some(at("2024-11-03T12:00:00Z")), &newest),
        ];
        let mut successions = Successions::default();
        for (taken_at, expected) in rows {
            backup.taken_at = taken_at;
            let counted = successions.counted(&backup);
            let subjects: Vec<&str> = counted.iter().map(|one| one.subject.as_str()).collect();
            assert_eq!(&subjects, expected, "{taken_at:?}");
        }
        assert_eq!(successions.0.len(), 1, "told apart once");
    }
}
