//! What `cluster-restore.sh` run on a directory would take there, and what that comes to.

use crate::backup::{Backup, Located, Verdict};
use crate::names::Picks;
use crate::source::ObjectId;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What the script would take from one directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RestoreChoice {
    /// The snapshot; `None` when the script finds none and stops at once.
    pub snapshot: Option<PathBuf>,
    /// The kuberesources; `None` when the script finds none.
    pub kuberesources: Option<PathBuf>,
    /// Whether the two are one backup, and which.
    pub outcome: ChoiceOutcome,
}

/// What the two files come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ChoiceOutcome {
    /// The script stops before it has changed anything.
    Nothing,
    /// Both are of one backup, or the snapshot alone is there.
    Backup {
        /// Its id; `None` when it could not be read.
        id: Option<String>,
        /// Its verdict.
        verdict: Verdict,
    },
    /// They are halves of two backups.
    Mixture,
    /// One of them was not looked at.
    Unknown,
}

impl RestoreChoice {
    /// The script would join halves of two backups, or take one that does not restore.
    pub fn is_harmful(&self) -> bool {
        match &self.outcome {
            ChoiceOutcome::Nothing | ChoiceOutcome::Unknown => false,
            ChoiceOutcome::Backup { verdict, .. } => !verdict.is_usable(),
            ChoiceOutcome::Mixture => true,
        }
    }
}

/// What the script would take from each directory in `picks`, out of all that is known.
pub fn restore_choices(
    backups: &[Backup],
    picks: &HashMap<PathBuf, Picks>,
) -> BTreeMap<PathBuf, RestoreChoice> {
    let holders = Holders::new(backups, picks);
    let choice = |(directory, picks): (&PathBuf, &Picks)| {
        let path = |name: &Option<OsString>| name.as_ref().map(|name| directory.join(name));
        let (snapshot, kuberesources) = (path(&picks.snapshot), path(&picks.kuberesources));
        let outcome = match &snapshot {
            None => ChoiceOutcome::Nothing,
            Some(snapshot) => holders.outcome(backups, snapshot, kuberesources.as_deref()),
        };
        let choice = RestoreChoice {
            snapshot,
            kuberesources,
            outcome,
        };
        (directory.clone(), choice)
    };
    picks.iter().map(choice).collect()
}

/// The backups that hold what would be taken.
struct Holders {
    by_path: HashMap<PathBuf, Vec<usize>>,
}

impl Holders {
    fn new(backups: &[Backup], picks: &HashMap<PathBuf, Picks>) -> Self {
        let mut by_path: HashMap<PathBuf, Vec<usize>> = HashMap::new();
        let is_picked = |place: &ObjectId| {
            let path = place.as_path()?;
            let picks = picks.get(path.parent()?)?;
            let picked = [&picks.snapshot, &picks.kuberesources];
            let mut picked = picked.into_iter().flatten();
            picked
                .any(|name| Some(name.as_os_str()) == path.file_name())
                .then(|| path.to_owned())
        };
        for (index, backup) in backups.iter().enumerate() {
            for path in backup.places().into_iter().filter_map(is_picked) {
                by_path.entry(path).or_default().push(index);
            }
        }
        Self { by_path }
    }

    fn outcome(
        &self,
        backups: &[Backup],
        snapshot: &Path,
        kuberesources: Option<&Path>,
    ) -> ChoiceOutcome {
        let is_known = |path| self.by_path.contains_key(path);
        let holders = self.by_path.get(snapshot).into_iter().flatten();
        let mut holders = holders.filter_map(|index| backups.get(*index));
        let whole = holders.find(|backup| match kuberesources {
            Some(path) => has_place(backup.kuberesources.as_ref(), path),
            // The script stops at the missing half: it joins nothing.
            None => true,
        });
        match whole {
            Some(backup) => ChoiceOutcome::Backup {
                id: backup.id(),
                verdict: backup.verdict,
            },
            None if is_known(snapshot) && kuberesources.is_some_and(is_known) => {
                ChoiceOutcome::Mixture
            }
            None => ChoiceOutcome::Unknown,
        }
    }
}

fn has_place<T>(half: Option<&Located<T>>, path: &Path) -> bool {
    half.is_some_and(|half| half.places().any(|place| *place == *path))
}
