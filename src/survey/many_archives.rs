//! Reads archives of static pod resources, many at a time: of one in a bucket nearly all is waiting, and unpacking one keeps no
//! more than one core busy.

use super::SurveyError;
use super::abreast::{AT_A_TIME, abreast_while};
use super::batch::{Kind, ToRead};
use super::examination::{Examination, file_change};
use super::file::{
    ArchiveError, ArchiveRead, Looked, bring, read_listed_kuberesources, read_open_kuberesources,
};
use super::recorded::RecordedChecksums;
use super::recorder::Recorder;
use super::search::Todo;
use crate::catalogue::{CatalogueChange, Content};
use crate::discovery::{FoundObject, ObjectKind};
use crate::kuberesources::Kuberesources;
use crate::monitor::Monitor;
use crate::source::Store;
use chrono::{DateTime, Utc};

/// Archives that are read before what they say is taken in: what is in memory of as many at a time.
const AT_ONCE: usize = 256;

/// What became of an archive.
enum Became {
    Read(Box<ArchiveRead>),
    Failed(ArchiveError),
    /// It is to be read in another way, or not at all.
    IsNone(Looked),
}

/// The same, or why it cannot be remembered.
type Outcome = Result<Became, SurveyError>;

/// What it takes to read one.
struct Reading<'r> {
    store: &'r dyn Store,
    recorded: &'r RecordedChecksums,
    recorder: &'r Recorder<'r>,
    monitor: &'r dyn Monitor,
    now: DateTime<Utc>,
}

impl Reading<'_> {
    /// Reads one, and has it remembered at once.
    fn read(&self, (object, kind): &ToRead) -> Outcome {
        let name = object.id.as_os_str();
        self.monitor.begin(name, object.identity.size_bytes());
        let became = self.try_to_read(object, *kind);
        if let Became::Read(read) = &became {
            let changes = changes(object, &read.0, self.now, self.store);
            self.recorder.add(changes)?;
        }
        self.monitor.finish(name);
        Ok(became)
    }

    fn try_to_read(&self, object: &FoundObject, kind: Kind) -> Became {
        let Self { store, monitor, .. } = *self;
        let recorded = self.recorded.of(&object.id);
        let read = match kind {
            Kind::Known(_) => read_listed_kuberesources(object, store, recorded, monitor),
            Kind::Unseen { is_named } => match bring(object, store, is_named) {
                (Looked::As(ObjectKind::Kuberesources), Some(open)) => {
                    read_open_kuberesources(&*open, &object.id, store, recorded, monitor)
                }
                (looked, _) => return Became::IsNone(looked),
            },
        };
        read.map_or_else(Became::Failed, |read| Became::Read(Box::new(read)))
    }
}

impl Examination<'_> {
    /// Reads all of them; what turns out to be something else is sorted as that.
    pub(super) fn read_many_kuberesources(
        &mut self,
        files: &[ToRead],
        todo: &mut Todo,
    ) -> Result<(), SurveyError> {
        for some in files.chunks(AT_ONCE) {
            self.end_if_interrupted()?;
            let Some(all) = self.read_abreast(some)? else {
                return self.interrupted();
            };
            for ((object, _), became) in some.iter().zip(all) {
                self.take_in(object, became?, todo)?;
            }
        }
        Ok(())
    }

    /// What became of each; `None` when the monitor asked to stop.
    fn read_abreast(&self, files: &[ToRead]) -> Result<Option<Vec<Outcome>>, SurveyError> {
        let is_far = |(object, _): &ToRead| !self.stores.is_near(&object.id);
        let threads = if files.iter().any(is_far) {
            AT_A_TIME
        } else {
            self.options.jobs
        };
        let reading = Reading {
            store: self.stores,
            recorded: &self.recorded,
            recorder: &self.recorder,
            monitor: self.monitor,
            now: self.now,
        };
        let read = |file: &ToRead| reading.read(file);
        let mut remembered = Ok(());
        let all = abreast_while(files, threads, self.monitor, read, &mut || {
            if remembered.is_ok() {
                remembered = self.recorder.look();
            }
        });
        remembered.map(|()| all)
    }

    fn take_in(
        &mut self,
        object: &FoundObject,
        became: Became,
        todo: &mut Todo,
    ) -> Result<(), SurveyError> {
        match became {
            Became::Read(read) => {
                let (facts, ring) = *read;
                self.rings.keep(facts.sha256, ring);
                self.known
                    .enter_kuberesources(&object.id, object.identity.clone(), facts);
                self.count(object);
            }
            Became::Failed(_) | Became::IsNone(Looked::Refused(_))
                if self.monitor.is_interrupted() =>
            {
                return self.end_if_interrupted();
            }
            Became::Failed(ArchiveError { reason, offset }) => {
                self.enter_unreadable(object, &reason, offset);
                self.skip(object, reason);
            }
            Became::IsNone(looked) => self.sort(object.clone(), Some(looked), todo),
        }
        Ok(())
    }
}

/// What is to be remembered of an archive.
pub(super) fn changes(
    object: &FoundObject,
    facts: &Kuberesources,
    now: DateTime<Utc>,
    store: &dyn Store,
) -> Vec<CatalogueChange> {
    let content = Content::Kuberesources(facts.sha256);
    let file = file_change(object, content, now, store);
    vec![
        CatalogueChange::Kuberesources(Box::new(facts.clone())),
        file,
    ]
}
