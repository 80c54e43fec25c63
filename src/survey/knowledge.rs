//! Everything known during one survey: what the catalogue remembered and what was read now.

use super::SurveyError;
use super::arrival;
use super::completion;
use super::place::{Beside, KnownObject, locate, locate_snapshot};
use crate::backup::{Backup, Located, Shared};
use crate::catalogue::{CatalogueContents, Content, FileRecord, SnapshotKey, Subject};
use crate::digest::Sha256Digest;
use crate::finding::{Code, Finding, has_error};
use crate::inventory::{Inventory, PassedOver, Proofs, Proven, Replaced, UnreadableFile};
use crate::judgement::{ChoiceOutcome, RestoreChoice, Standpoint, judge, restore_choices};
use crate::kuberesources::Kuberesources;
use crate::names::{Picks, is_restore_name};
use crate::parallel;
use crate::selection::Candidate as _;
use crate::snapshot::{Flavour, Snapshot};
use crate::source::{DirectoryEntries, ObjectId, ObjectIdentity, ObjectSet, Store as _, Stores};
use chrono::{DateTime, Utc};
use foldhash::quality::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Directories that one thread lists before it asks for more.
const LISTED: usize = 8;

/// The working knowledge of one survey.
pub(super) struct Knowledge {
    pub(super) contents: CatalogueContents,
    pub(super) files: BTreeMap<ObjectId, KnownObject>,
    snapshots: HashMap<SnapshotKey, Shared<Snapshot>, RandomState>,
    kuberesources: HashMap<Sha256Digest, Shared<Kuberesources>, RandomState>,
    pub(super) proofs: HashMap<(SnapshotKey, Sha256Digest), Proven>,
    pub(super) replaced: HashMap<ObjectId, Replaced>,
    pub(super) passed_over: Vec<PassedOver>,
    /// What `cluster-restore.sh` would take from each directory, as of the judgement.
    pub(super) picks: HashMap<PathBuf, Picks>,
    stores: Stores,
}

impl Knowledge {
    /// Opens with what the catalogue remembers.
    pub(super) fn new(contents: CatalogueContents, stores: &Stores) -> Self {
        let mut known = Self {
            contents,
            files: BTreeMap::new(),
            snapshots: HashMap::default(),
            kuberesources: HashMap::default(),
            proofs: HashMap::new(),
            replaced: HashMap::new(),
            passed_over: Vec::new(),
            picks: HashMap::new(),
            stores: stores.clone(),
        };
        let proofs = known.contents.proofs.keys().copied().collect::<Vec<_>>();
        for (snapshot, kuberesources) in proofs {
            if let Some(proof) = known.contents.proof(snapshot, kuberesources) {
                let proven = Proven {
                    key_proof: proof.key_proof,
                    certificates: proof.certificates,
                };
                known.proofs.insert((snapshot, kuberesources), proven);
            }
        }
        known
    }

    /// Opens with files that the catalogue knows, ascending, and no others.
    pub(super) fn of_remembered(
        contents: CatalogueContents,
        files: Vec<(ObjectId, KnownObject)>,
        stores: &Stores,
    ) -> Self {
        let mut known = Self::new(contents, stores);
        let replaced = files.iter().filter_map(|(id, _)| {
            let record = known.contents.files.get(id)?;
            Some((id.clone(), known.replaced_before(record)?))
        });
        known.replaced = replaced.collect();
        known.snapshots = known.contents.take_snapshots().into_iter().collect();
        known.kuberesources = (known.contents.take_all_kuberesources())
            .into_iter()
            .collect();
        known.files = files.into_iter().collect();
        known
    }

    /// Enters a file that the catalogue knows.
    pub(super) fn enter_known(&mut self, id: &ObjectId, record: &FileRecord, is_present: bool) {
        let replaced = self.replaced_before(record);
        self.replaced
            .extend(replaced.map(|replaced| (id.clone(), replaced)));
        self.load_facts(&record.content);
        let known = KnownObject::of(record, is_present);
        self.files.insert(id.clone(), known);
    }

    /// What lay under the name of a file before, as its record says.
    fn replaced_before(&self, record: &FileRecord) -> Option<Replaced> {
        let previous = record.previous.as_deref()?;
        Some(Replaced {
            digest: previous.content.digest()?,
            verified_at: Some(previous.verified_at),
            taken_at: self.taken_at(&previous.content),
        })
    }

    /// Enters a snapshot read now.
    pub(super) fn enter_snapshot(
        &mut self,
        id: &ObjectId,
        identity: ObjectIdentity,
        mut facts: Snapshot,
    ) {
        let key = SnapshotKey::of(&facts);
        let before = self.snapshots.get(&key);
        keep_checksums(&mut facts.findings, before.map(|facts| &facts.findings));
        self.snapshots.insert(key, facts.into());
        self.enter(id, identity, Content::Snapshot(key));
    }

    /// Enters a kuberesources read now.
    pub(super) fn enter_kuberesources(
        &mut self,
        id: &ObjectId,
        identity: ObjectIdentity,
        mut facts: Kuberesources,
    ) {
        let digest = facts.sha256;
        let before = self.kuberesources.get(&digest);
        keep_checksums(&mut facts.findings, before.map(|facts| &facts.findings));
        self.kuberesources.insert(digest, facts.into());
        self.enter(id, identity, Content::Kuberesources(digest));
    }

    /// The facts of the snapshot that lies there.
    pub(super) fn snapshot_at(&self, id: &ObjectId) -> Option<&Snapshot> {
        match &self.files.get(id)?.content {
            Content::Snapshot(key) => self.snapshots.get(key).map(|facts| &**facts),
            _ => None,
        }
    }

    /// The facts of the kuberesources that lies there.
    pub(super) fn kuberesources_at(&self, id: &ObjectId) -> Option<&Kuberesources> {
        match &self.files.get(id)?.content {
            Content::Kuberesources(digest) => self.kuberesources.get(digest).map(|facts| &**facts),
            _ => None,
        }
    }

    /// Forgets what lists said in earlier runs of what is packed into an archive: they are compared anew. What was read in this
    /// run at another place keeps what its own lists said.
    pub(super) fn forget_checksums(&mut self, archive: &ObjectId, read_now: &ObjectSet) {
        let read = read_now.iter().filter_map(|id| self.files.get(id));
        let read: BTreeSet<Sha256Digest> = read.filter_map(|file| file.content.digest()).collect();
        let members = self.files.iter().filter(|(id, _)| {
            let is_member = id.archive().is_some();
            is_member && id.outermost() == archive
        });
        let is_told = |finding: &Finding| finding.code == Code::ChecksumDiffers;
        for (_, member) in members {
            let digest = member.content.digest();
            if digest.is_some_and(|digest| read.contains(&digest)) {
                continue;
            }
            let findings = match &member.content {
                Content::Snapshot(key) => {
                    self.snapshots.get_mut(key).map(|facts| &mut facts.findings)
                }
                Content::Kuberesources(digest) => self
                    .kuberesources
                    .get_mut(digest)
                    .map(|facts| &mut facts.findings),
                _ => None,
            };
            if let Some(findings) = findings {
                findings.retain(|finding| !is_told(finding));
            }
        }
    }

    /// Half of a backup lies there.
    pub(super) fn is_half(&self, id: &ObjectId) -> bool {
        self.snapshot_at(id).is_some() || self.kuberesources_at(id).is_some()
    }

    /// Enters a file looked at now; what sound bytes lay there before is kept in mind.
    pub(super) fn enter(&mut self, id: &ObjectId, identity: ObjectIdentity, content: Content) {
        if let Some(replaced) = self.replaced_by(id, &content) {
            self.replaced.insert(id.clone(), replaced);
        }
        let custody = self.stores.custody(id).or_else(|| {
            let record = self.contents.file(id);
            let same = record.filter(|record| record.identity == identity);
            same?.custody.as_deref().cloned()
        });
        self.files.insert(
            id.clone(),
            KnownObject {
                identity,
                content,
                is_present: true,
                custody,
            },
        );
    }

    fn replaced_by(&self, id: &ObjectId, content: &Content) -> Option<Replaced> {
        let record = self.contents.file(id)?;
        let (before, now) = (record.content.digest()?, content.digest()?);
        if let Some(previous) = &record.previous {
            let digest = previous.content.digest()?;
            return (digest != now).then(|| Replaced {
                digest,
                verified_at: Some(previous.verified_at),
                taken_at: self.taken_at(&previous.content),
            });
        }
        let is_sound = match &record.content {
            Content::Snapshot(key) => key.trailer == Some(key.computed),
            Content::Kuberesources(digest) => !self.is_damaged_archive(digest),
            Content::NotABackup
            | Content::Unreadable { .. }
            | Content::Foreign(_)
            | Content::Archive => true,
        };
        (before != now && is_sound).then(|| Replaced {
            digest: before,
            verified_at: Some(record.read_at),
            taken_at: self.taken_at(&record.content),
        })
    }

    /// An archive that was read half-written, or damaged, is no content that anything could take the place of.
    fn is_damaged_archive(&self, digest: &Sha256Digest) -> bool {
        let stored = self.contents.kuberesources.get(digest);
        let facts = stored.map(|stored| &stored.facts);
        facts
            .or_else(|| self.kuberesources.get(digest).map(|facts| &**facts))
            .is_some_and(|facts| has_error(&facts.findings))
    }

    /// When remembered content was taken, by its own word.
    fn taken_at(&self, content: &Content) -> Option<DateTime<Utc>> {
        let Content::Snapshot(key) = content else {
            return None;
        };
        self.contents.snapshot(key)?.taken_at()
    }

    fn load_facts(&mut self, content: &Content) {
        match content {
            Content::Snapshot(key) if !self.snapshots.contains_key(key) => {
                if let Some(facts) = self.contents.take_snapshot(key) {
                    self.snapshots.insert(*key, facts.into());
                }
            }
            Content::Kuberesources(digest) if !self.kuberesources.contains_key(digest) => {
                if let Some(facts) = self.contents.take_kuberesources(digest) {
                    self.kuberesources.insert(*digest, facts.into());
                }
            }
            _ => {}
        }
    }

    /// Every archive, files with the same bytes as one with copies.
    pub(super) fn located_kuberesources(&self) -> Vec<Located<Kuberesources>> {
        self.archives_with(|digest| self.kuberesources.get(&digest).cloned())
    }

    fn archives_with(
        &self,
        mut facts: impl FnMut(Sha256Digest) -> Option<Shared<Kuberesources>>,
    ) -> Vec<Located<Kuberesources>> {
        let snapshots = Beside::snapshots(&self.files);
        let mut places: BTreeMap<Sha256Digest, Vec<(&ObjectId, &KnownObject)>> = BTreeMap::new();
        for (path, entry) in &self.files {
            if let Content::Kuberesources(digest) = &entry.content {
                places.entry(*digest).or_default().push((path, entry));
            }
        }
        let located = places
            .into_iter()
            .filter_map(|(digest, places)| locate(facts(digest)?, places, &snapshots));
        located.collect()
    }

    /// Every present snapshot that holds something encrypted.
    pub(super) fn located_encrypted(&self) -> Vec<Located<Snapshot>> {
        let places = snapshot_places(&self.files, &self.snapshots).into_iter();
        let archives = Beside::archives(&self.files);
        let encrypted = places.filter_map(|(key, places)| {
            let facts = self.snapshots.get(&key)?;
            locate_snapshot(
                (!facts.encryption.is_empty()).then(|| facts.clone())?,
                places,
                &archives,
            )
        });
        encrypted.filter(|half| half.is_present).collect()
    }

    /// Everything, for pairing and judgement. The facts are taken out.
    fn inventory(&mut self) -> Inventory {
        let places = snapshot_places(&self.files, &self.snapshots).into_iter();
        // Files without a database share their facts and are no copies of each other.
        let snapshots = std::mem::take(&mut self.snapshots);
        let facts = |key: SnapshotKey| snapshots.get(&key).cloned();
        let archives = Beside::archives(&self.files);
        let snapshots = places
            .filter_map(|(key, places)| locate_snapshot(facts(key)?, places, &archives))
            .collect();
        let mut kuberesources = std::mem::take(&mut self.kuberesources);
        let proven = std::mem::take(&mut self.proofs);
        let unreadable = self
            .files
            .iter()
            .filter_map(|(path, entry)| match &entry.content {
                Content::Unreadable { reason, offset } => Some(UnreadableFile {
                    path: path.clone(),
                    reason: reason.clone(),
                    offset: *offset,
                }),
                _ => None,
            });
        let mut passed_over = std::mem::take(&mut self.passed_over);
        passed_over.extend(self.files.iter().filter_map(|(path, entry)| {
            let Content::Foreign(foreign) = &entry.content else {
                return None;
            };
            let may_hold = entry.is_present && foreign.kind.may_hold_a_backup();
            may_hold.then(|| PassedOver {
                path: path.clone(),
                what: foreign.what.clone(),
            })
        }));
        let mut proofs = Proofs::default();
        for ((snapshot, kuberesources), proven) in proven {
            proofs.insert(snapshot.computed, kuberesources, proven);
        }
        Inventory {
            snapshots,
            kuberesources: self.archives_with(|digest| kuberesources.remove(&digest)),
            unreadable: unreadable.collect(),
            proofs,
            replaced: self.replaced.clone(),
            passed_over,
            complete_runs: BTreeSet::new(),
        }
    }

    /// What `cluster-restore.sh` would take from each directory that holds a snapshot.
    ///
    /// The directory itself is asked: the script also takes what is no backup, and what was not read in this survey.
    fn look_what_is_picked(&self) -> HashMap<PathBuf, Picks> {
        let mut names: HashMap<&Path, Vec<&OsStr>> = HashMap::new();
        for (id, entry) in self.files.iter().filter(|(_, entry)| entry.is_present) {
            let path = id.as_path();
            if let Some((directory, name)) =
                path.and_then(|path| path.parent().zip(path.file_name()))
                && (is_restore_name(name) || matches!(entry.content, Content::Snapshot(_)))
            {
                names.entry(directory).or_default().push(name);
            }
        }
        let names: Vec<(&Path, Vec<&OsStr>)> = names.into_iter().collect();
        let picks = parallel::share(names.chunks(LISTED), |(), directories| {
            let picks = directories.iter().map(|(directory, known)| {
                let picks = picks_in(directory).unwrap_or_else(|| Picks::among(known));
                ((*directory).to_owned(), picks)
            });
            picks.collect::<Vec<(PathBuf, Picks)>>()
        });
        picks.into_iter().flatten().collect()
    }

    /// Judges everything and adds what the catalogue knows of its history. The facts go into the backups.
    pub(super) fn judged(
        &mut self,
        options: &super::SurveyOptions,
    ) -> Result<Vec<Backup>, SurveyError> {
        self.judged_by(self.look_what_is_picked(), options)
    }

    /// The same where it is known what `cluster-restore.sh` would take.
    pub(super) fn judged_by(
        &mut self,
        picks: HashMap<PathBuf, Picks>,
        options: &super::SurveyOptions,
    ) -> Result<Vec<Backup>, SurveyError> {
        self.picks = picks;
        let mut inventory = self.inventory();
        arrival::tell(&mut inventory, &self.files, &options.stores);
        inventory.complete_runs = match options.shard {
            None => completion::complete_runs(&self.files, &self.contents),
            // The marks may be in another part.
            Some(_) => BTreeSet::new(),
        };
        let standpoint = Standpoint {
            as_of: options.as_of,
            accept: &options.accept,
            picks: &self.picks,
        };
        let mut backups = judge(inventory, &standpoint);
        parallel::for_each(&mut backups, |backup| self.add_history(backup));
        Ok(backups)
    }

    /// What `cluster-restore.sh` would take from each directory with a snapshot of OpenShift that was asked for, out of all
    /// that was judged.
    pub(super) fn restore_choices(
        &self,
        backups: &[Backup],
        asked: &ObjectSet,
    ) -> BTreeMap<PathBuf, RestoreChoice> {
        let snapshots = backups.iter().filter_map(|backup| backup.snapshot.as_ref());
        let of_openshift = snapshots.filter(|half| half.facts.flavour == Flavour::OpenShift);
        let asked = of_openshift
            .flat_map(Located::places)
            .filter(|place| asked.contains(*place));
        let directories: BTreeSet<&Path> = asked
            .filter_map(|place| place.as_path()?.parent())
            .collect();
        let mut choices = restore_choices(backups, &self.picks);
        choices.retain(|directory, choice| {
            choice.snapshot.is_some() && directories.contains(directory.as_path())
        });
        choices
    }

    /// When the first certificate ends that is vital to what `cluster-restore.sh` would take, by directory.
    pub(super) fn picked_until(&self, backups: &[Backup]) -> HashMap<PathBuf, DateTime<Utc>> {
        let choices = restore_choices(backups, &self.picks);
        let picked = choices.into_iter().filter_map(|(directory, choice)| {
            let ChoiceOutcome::Backup { id: Some(id), .. } = choice.outcome else {
                return None;
            };
            Some((id, directory))
        });
        let mut directories: HashMap<String, Vec<PathBuf>> = HashMap::new();
        for (id, directory) in picked {
            directories.entry(id).or_default().push(directory);
        }
        let mut until = HashMap::new();
        for backup in backups {
            let found = backup.id().and_then(|id| directories.remove(&id));
            for directory in found.into_iter().flatten() {
                until.extend(backup.certificates_until().map(|end| (directory, end)));
            }
        }
        until
    }

    fn add_history(&self, backup: &mut Backup) {
        let subject = subject_of(backup);
        backup.verifications = subject.map_or_else(Vec::new, |subject| {
            self.contents.verifications(&subject).to_vec()
        });
        backup.provenance = match subject {
            Some(Subject::Snapshot(key)) => {
                let provenance = self.contents.provenance.get(&key);
                provenance.cloned().map(Box::new)
            }
            _ => None,
        };
        backup.verified_at = backup
            .verifications
            .last()
            .map(|verification| verification.at);
        let records = backup
            .each_place()
            .filter_map(|place| self.contents.file(place));
        backup.first_seen_at = records.map(|record| record.first_seen_at).min();
    }
}

/// What was recorded beside one place of the same bytes is not lost with the next.
fn keep_checksums(findings: &mut Vec<Finding>, before: Option<&Vec<Finding>>) {
    let told = before.into_iter().flatten();
    let told = told.filter(|finding| finding.code == Code::ChecksumDiffers);
    let kept: Vec<Finding> = told
        .filter(|finding| !findings.contains(finding))
        .cloned()
        .collect();
    findings.extend(kept);
}

/// What `cluster-restore.sh` would take from a directory; `None` when it cannot be read to its end.
pub(super) fn picks_in(directory: &Path) -> Option<Picks> {
    let entries = DirectoryEntries::of(directory).ok()?;
    let names = entries.map(|entry| entry.map(|entry| entry.name));
    let mut names = names.collect::<Result<Vec<OsString>, _>>().ok()?;
    names.retain(|name| is_restore_name(name));
    Some(Picks::among(&names))
}

/// What a backup's verifications are kept under.
pub(super) fn subject_of(backup: &Backup) -> Option<Subject> {
    let snapshot = backup
        .snapshot
        .as_ref()
        .map(|half| Subject::Snapshot(SnapshotKey::of(&half.facts)));
    snapshot.or_else(|| {
        backup
            .kuberesources
            .as_ref()
            .map(|half| Subject::Kuberesources(half.facts.sha256))
    })
}

/// The places of each snapshot, ascending by the first: files with the same bytes are one with copies. Files without a
/// database in them are no copies of each other: many downloads end empty.
fn snapshot_places<'f>(
    files: &'f BTreeMap<ObjectId, KnownObject>,
    snapshots: &HashMap<SnapshotKey, Shared<Snapshot>, RandomState>,
) -> Vec<(SnapshotKey, Vec<(&'f ObjectId, &'f KnownObject)>)> {
    let mut groups: HashMap<(SnapshotKey, Option<&ObjectId>), usize, RandomState> =
        HashMap::default();
    let mut places: Vec<(SnapshotKey, Vec<(&ObjectId, &KnownObject)>)> = Vec::new();
    for (path, entry) in files {
        let Content::Snapshot(key) = &entry.content else {
            continue;
        };
        let facts = snapshots.get(key);
        let is_database = facts.is_some_and(|facts| facts.page_size.is_some());
        let own = (!is_database).then_some(path);
        let position = *groups.entry((*key, own)).or_insert(places.len());
        match places.get_mut(position) {
            Some((_, same)) => same.push((path, entry)),
            None => places.push((*key, vec![(path, entry)])),
        }
    }
    places
}
