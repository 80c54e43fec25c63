//! Why a part of a run could not be done, and whether it is worth another try.

use crate::catalogue::CatalogueError;
use crate::source::ObjectId;
use crate::survey::SurveyError;
use std::io::{self, ErrorKind};

/// Why a part of a run could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The system refused something among the results.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: ObjectId,
        /// What the system said.
        source: io::Error,
    },
    /// The run is there already.
    #[error("the run {path} is there already")]
    RunExists {
        /// Where.
        path: ObjectId,
    },
    /// The file is no plan, or not all of one.
    #[error("{path} is no plan: {reason}")]
    NotAPlan {
        /// Which file.
        path: ObjectId,
        /// What is wrong.
        reason: String,
    },
    /// Results among backups would be taken for some, and another program may not know them.
    #[error("the results would lie in {location}, which is searched for backups")]
    ResultsInLocation {
        /// Where backups lie.
        location: String,
    },
    /// A directory for each run beside the backups is nothing that others look after there know.
    #[error("the results would lie beside {location}, at the root of what holds it")]
    ResultsAroundLocation {
        /// Where backups lie.
        location: String,
    },
    /// It was planned for another number of workers.
    #[error("the plan is for {shards} workers, not for {expected}")]
    OtherShards {
        /// How many there are.
        shards: u32,
        /// How many were said to be.
        expected: u32,
    },
    /// There is no such share.
    #[error("there is no shard {shard} in a plan of {shards} (they are counted from 0)")]
    NoSuchShard {
        /// Which one was asked for.
        shard: u32,
        /// How many there are.
        shards: u32,
    },
    /// A location could not be listed.
    #[error("cannot list {location}: {reason}")]
    NotListed {
        /// Which one.
        location: String,
        /// Why.
        reason: String,
        /// What kind of reason that is.
        kind: ErrorKind,
    },
    /// A location is not there, in which something was found before: what holds it may come back.
    #[error("{location} is not there, and was there before")]
    Away {
        /// Which one.
        location: String,
    },
    /// An object could not be asked for.
    #[error("cannot reach {object}: {reason}")]
    Unreachable {
        /// Which one.
        object: String,
        /// Why.
        reason: String,
        /// What kind of reason that is.
        kind: ErrorKind,
    },
    /// Not every share is done.
    #[error("not done yet: shard {}", joined(shards))]
    NotDone {
        /// Which ones.
        shards: Vec<u32>,
    },
    /// A fragment is damaged.
    #[error("{path} is damaged: {reason}")]
    Fragment {
        /// Which file.
        path: ObjectId,
        /// What is wrong.
        reason: String,
    },
    /// A fragment says more than this program understands.
    #[error("{path} was written by a later etcd-cat")]
    Later {
        /// Which file.
        path: ObjectId,
    },
    /// The catalogue refused.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Stopped on request; what was finished is in a fragment.
    #[error("interrupted")]
    Interrupted,
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FleetErrorClass {
    /// Wrong usage or a missing permission: trying again changes nothing.
    Hopeless,
    /// A store is in trouble: try again.
    TryAgain,
    /// Stopped on request.
    Interrupted,
}

impl FleetError {
    pub(super) fn io(action: &'static str, path: impl Into<ObjectId>, source: io::Error) -> Self {
        let path = path.into();
        Self::Io {
            action,
            path,
            source,
        }
    }

    /// What follows from it.
    pub fn class(&self) -> FleetErrorClass {
        match self {
            Self::Io { source, .. } => of_kind(source.kind()),
            Self::NotListed { kind, .. } | Self::Unreachable { kind, .. } => of_kind(*kind),
            Self::Away { .. }
            | Self::NotDone { .. }
            | Self::Fragment { .. }
            | Self::Catalogue(_) => FleetErrorClass::TryAgain,
            Self::Interrupted => FleetErrorClass::Interrupted,
            Self::RunExists { .. }
            | Self::NotAPlan { .. }
            | Self::ResultsInLocation { .. }
            | Self::ResultsAroundLocation { .. }
            | Self::Later { .. }
            | Self::NoSuchShard { .. }
            | Self::OtherShards { .. } => FleetErrorClass::Hopeless,
        }
    }
}

/// What a store or the system says about usage and permission stays true; everything else may pass.
fn of_kind(kind: ErrorKind) -> FleetErrorClass {
    match kind {
        ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::Unsupported => FleetErrorClass::Hopeless,
        _ => FleetErrorClass::TryAgain,
    }
}

impl From<SurveyError> for FleetError {
    fn from(error: SurveyError) -> Self {
        match error {
            SurveyError::Catalogue(error) => Self::Catalogue(error),
            _ => Self::Interrupted,
        }
    }
}

fn joined(shards: &[u32]) -> String {
    let words: Vec<String> = shards.iter().map(ToString::to_string).collect();
    words.join(", ")
}
