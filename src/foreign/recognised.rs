//! What is said of a file.

use serde::{Deserialize, Serialize};

/// What kind of thing a file is, for programs. Kept in the catalogue: new ones come last.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum ForeignKind {
    /// Whole, and unreadable without a key.
    Encrypted,
    /// Packed by a program whose format is not read.
    PackedOtherwise,
    /// One part of a file that was split.
    PartOfSplit,
    /// Of a repository of a backup program: restic, kopia, borg.
    Repository,
    /// What another product keeps beside its snapshots.
    OtherProduct,
    /// What macOS keeps of a file beside it.
    ResourceFork,
    /// A page, a message or an answer of a server, saved in the place of the file.
    ErrorPage,
    /// Says where the file is.
    Pointer,
    /// Rewritten on its way as if it were text.
    TextModeDamage,
    /// Words, and no known ones.
    Text,
}

impl ForeignKind {
    /// The kebab-case name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::PackedOtherwise => "packed-otherwise",
            Self::PartOfSplit => "part-of-split",
            Self::Repository => "repository",
            Self::OtherProduct => "other-product",
            Self::ResourceFork => "resource-fork",
            Self::ErrorPage => "error-page",
            Self::Pointer => "pointer",
            Self::TextModeDamage => "text-mode-damage",
            Self::Text => "text",
        }
    }

    /// The backup may be in it still: it is no reason to call anything damaged.
    pub(crate) fn may_hold_a_backup(self) -> bool {
        matches!(
            self,
            Self::Encrypted | Self::PackedOtherwise | Self::PartOfSplit | Self::Repository
        )
    }
}

/// What a file is, and what to do about it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Foreign {
    /// For programs.
    pub kind: ForeignKind,
    /// In a few words, lower case, no final period.
    pub what: String,
    /// `FILE` stands for the path.
    pub remedy: String,
}

impl Foreign {
    pub(super) fn new(
        kind: ForeignKind,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// The remedy for the file at a path; of one that no shell takes as it stands, `FILE` is left to be replaced.
    pub(crate) fn remedy_for(&self, path: &str) -> String {
        if is_plain(path) {
            self.remedy.replace("FILE", path)
        } else {
            self.remedy.clone()
        }
    }
}

/// A shell and a tool take this path as it stands.
pub(super) fn is_plain(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte);
    path.bytes().all(is_plain) && !path.contains("://") && !path.starts_with('-')
}
