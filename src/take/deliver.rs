//! Brings a backup that was verified here to where it is to lie, and believes that it lies there when it was read back.

use super::destination::{Delivered, Delivery, Destination};
use super::work_directory::WorkDirectory;
use crate::catalogue::{Catalogue, CatalogueContents, CatalogueLocation};
use crate::monitor::{Monitor, Step};
use crate::source::{AtPath as _, IoError, NewObject, ObjectId, Store as _};
use crate::survey::{self, Depth, SurveyOptions};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// Both halves here, and what was learnt of them.
pub(super) struct Parcel<'p> {
    pub(super) snapshot: &'p Path,
    pub(super) kuberesources: &'p Path,
    pub(super) contents: &'p CatalogueContents,
}

/// What came of one destination, and what was learnt there.
pub(super) struct Arrived {
    pub(super) delivery: Delivery,
    /// `None` when it is not to be believed.
    pub(super) contents: Option<CatalogueContents>,
}

/// Who is at work, and how.
pub(super) struct Carrier<'c> {
    pub(super) survey: &'c SurveyOptions,
    pub(super) work: Option<&'c WorkDirectory>,
    pub(super) monitor: &'c dyn Monitor,
    /// An earlier run may have stored a half already: what is read back decides.
    pub(super) may_be_there: bool,
}

impl Carrier<'_> {
    /// Stores what does not lie there yet, and reads back what lies there.
    pub(super) fn deliver(&self, parcel: &Parcel<'_>, destination: &Destination) -> Arrived {
        let mut delivery = Delivery::of(destination, parcel.snapshot, parcel.kuberesources);
        let believed = match self.store_both(parcel, &mut delivery) {
            Ok(false) => Ok(parcel.contents.clone()),
            Ok(true) => self.read_back(parcel, &delivery),
            Err(reason) => Err(reason),
        };
        match believed {
            Ok(contents) => Arrived {
                delivery,
                contents: Some(contents),
            },
            Err(reason) => {
                delivery.failure = Some(reason);
                Arrived {
                    delivery,
                    contents: None,
                }
            }
        }
    }

    /// False when both lay there already: it is where they were verified.
    fn store_both(&self, parcel: &Parcel<'_>, delivery: &mut Delivery) -> Result<bool, String> {
        let halves = [
            (parcel.kuberesources, &mut delivery.kuberesources),
            (parcel.snapshot, &mut delivery.snapshot),
        ];
        let mut is_new = false;
        for (path, half) in halves {
            if half.id == *path {
                half.is_stored = true;
                continue;
            }
            if self.monitor.is_interrupted() {
                return Err("interrupted".to_owned());
            }
            self.store(path, half).map_err(|error| reason(&error))?;
            is_new = true;
        }
        Ok(is_new)
    }

    fn store(&self, path: &Path, half: &mut Delivered) -> Result<(), IoError> {
        let id = &half.id;
        self.monitor.note(&format!("storing {id}"));
        let file = File::open(path).at_path("read", path)?;
        let size_bytes = file.metadata().at_path("read", path)?.len();
        let begun = |upload: &str| match self.work {
            Some(work) => work.began(id, upload),
            None => Ok(()),
        };
        let new = NewObject {
            bytes: &file,
            size_bytes,
            begun: &begun,
        };
        self.monitor.expect(1, size_bytes);
        self.monitor.begin(id.as_os_str(), size_bytes);
        let created = {
            let _step = Step::begin(self.monitor, format!("the store of {id}"));
            self.survey.stores.create(id, &new, self.monitor)
        };
        self.monitor.finish(id.as_os_str());
        let created = match created {
            Err(error) if self.may_be_there && error.kind() == ErrorKind::AlreadyExists => {
                half.is_stored = true;
                return Ok(());
            }
            created => created.at_path("store", id)?,
        };
        if !created.is_new_only {
            self.monitor.note(&format!(
                "{id}: the store cannot be asked to refuse a name that is taken; nothing had it just before"
            ));
        }
        half.version = created.version;
        half.is_stored = true;
        if let Some(work) = self.work {
            // What is not struck out is asked about once more by the next run, and found to be over.
            let _ = work.ended();
        }
        Ok(())
    }

    /// Surveys what lies there, and compares it with what was sent.
    fn read_back(
        &self,
        parcel: &Parcel<'_>,
        delivery: &Delivery,
    ) -> Result<CatalogueContents, String> {
        let ids = delivery.ids();
        for id in &ids {
            self.monitor.note(&format!("reading back {id}"));
        }
        let catalogue = Catalogue::new(CatalogueLocation::Memory);
        let options = SurveyOptions {
            depth: Depth::Everything,
            ..self.survey.clone()
        };
        let _step = Step::begin(self.monitor, "the proof of what was stored");
        let survey = survey::examine(&ids, &catalogue, &options, self.monitor)
            .map_err(|error| format!("it lies there, and could not be read back: {error}"))?;
        let mut skipped = survey.skipped.iter();
        if let Some(skipped) = skipped.find(|one| one.is_error && ids.contains(&one.id)) {
            return Err(format!(
                "{} could not be read back: {}",
                skipped.id, skipped.reason
            ));
        }
        let contents = catalogue.load().map_err(|error| error.to_string())?;
        let sent = [parcel.snapshot, parcel.kuberesources].map(ObjectId::from);
        for (id, sent) in ids.iter().zip(&sent) {
            let is_same = match (contents.files.get(id), parcel.contents.files.get(sent)) {
                (Some(there), Some(here)) => {
                    there.content == here.content
                        && there.identity.size_bytes() == here.identity.size_bytes()
                }
                _ => false,
            };
            if !is_same {
                return Err(format!(
                    "what lies at {id} is not what was sent: do not believe it"
                ));
            }
        }
        Ok(contents)
    }
}

/// With its cause, which says what to do.
fn reason(error: &IoError) -> String {
    format!("{error}: {}", error.source)
}
