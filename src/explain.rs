//! What each finding means and what to do about it, in the words of the person who must act.
//!
//! The texts are data, one entry for each [`Code`]; they speak to an engineer at night who has this finding
//! on the screen and has never seen it before.

mod bytes;
mod encryption;
mod files;
mod moment;
mod pair;
mod records;
mod taking;
mod trend;

use crate::finding::Code;

/// Everything that can be said about one code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The finding in a few words, as a headline.
    pub title: &'static str,
    /// What it is, why it matters to a restore, and how it comes about: two to five sentences.
    pub meaning: &'static str,
    /// What to do, in order.
    pub steps: &'static [AdviceStep],
}

/// One step of the advice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AdviceStep {
    /// A sentence.
    Do(&'static str),
    /// A command line; words in capitals are to be replaced.
    Run(&'static str),
}

/// What `code` means and what to do about it.
pub fn explain(code: Code) -> &'static Explanation {
    match code {
        Code::NotASnapshot => &bytes::NOT_A_SNAPSHOT,
        Code::Truncated => &bytes::TRUNCATED,
        Code::TrailingData => &bytes::TRAILING_DATA,
        Code::DigestMismatch => &bytes::DIGEST_MISMATCH,
        Code::DigestMissing => &bytes::DIGEST_MISSING,
        Code::MetaInvalid => &bytes::META_INVALID,
        Code::StructurePage => &bytes::STRUCTURE_PAGE,
        Code::StructureOrder => &bytes::STRUCTURE_ORDER,
        Code::StructureReference => &bytes::STRUCTURE_REFERENCE,
        Code::StructureFreelist => &bytes::STRUCTURE_FREELIST,
        Code::BucketMissing => &records::BUCKET_MISSING,
        Code::RecordUndecodable => &records::RECORD_UNDECODABLE,
        Code::RecordInconsistent => &records::RECORD_INCONSISTENT,
        Code::RecordMissing => &records::RECORD_MISSING,
        Code::ObjectUndecodable => &records::OBJECT_UNDECODABLE,
        Code::ObjectMismatch => &records::OBJECT_MISMATCH,
        Code::AlarmRaised => &records::ALARM_RAISED,
        Code::PossiblyDirty => &moment::POSSIBLY_DIRTY,
        Code::IncompleteDownload => &files::INCOMPLETE_DOWNLOAD,
        Code::VersionUnknown => &moment::VERSION_UNKNOWN,
        Code::UpgradeInProgress => &moment::UPGRADE_IN_PROGRESS,
        Code::RolloutInProgress => &moment::ROLLOUT_IN_PROGRESS,
        Code::TakenBeforeRotation => &moment::TAKEN_BEFORE_ROTATION,
        Code::DowngradeInProgress => &moment::DOWNGRADE_IN_PROGRESS,
        Code::BootstrapIncomplete => &moment::BOOTSTRAP_INCOMPLETE,
        Code::CertificateExpired => &moment::CERTIFICATE_EXPIRED,
        Code::CertificateExpiring => &moment::CERTIFICATE_EXPIRING,
        Code::TimeSkew => &moment::TIME_SKEW,
        Code::KuberesourcesMissing => &pair::KUBERESOURCES_MISSING,
        Code::KuberesourcesNotUsed => &pair::KUBERESOURCES_NOT_USED,
        Code::SnapshotMissing => &pair::SNAPSHOT_MISSING,
        Code::StillArriving => &pair::STILL_ARRIVING,
        Code::KuberesourcesCorrupt => &pair::KUBERESOURCES_CORRUPT,
        Code::KuberesourcesUnsafe => &pair::KUBERESOURCES_UNSAFE,
        Code::KuberesourcesIncomplete => &pair::KUBERESOURCES_INCOMPLETE,
        Code::PairMismatch => &pair::PAIR_MISMATCH,
        Code::PairAmbiguous => &pair::PAIR_AMBIGUOUS,
        Code::EncryptionConfigMissing => &encryption::ENCRYPTION_CONFIG_MISSING,
        Code::EncryptionKeyMissing => &encryption::ENCRYPTION_KEY_MISSING,
        Code::EncryptionKeyWrong => &encryption::ENCRYPTION_KEY_WRONG,
        Code::ValueDamaged => &encryption::VALUE_DAMAGED,
        Code::EncryptionPartial => &encryption::ENCRYPTION_PARTIAL,
        Code::EncryptionExternal => &encryption::ENCRYPTION_EXTERNAL,
        Code::KeysBesideSnapshot => &encryption::KEYS_BESIDE_SNAPSHOT,
        Code::DuplicateHost => &pair::DUPLICATE_HOST,
        Code::RestorePicksOther => &pair::RESTORE_PICKS_OTHER,
        Code::CompletionMarkMissing => &pair::COMPLETION_MARK_MISSING,
        Code::SnapshotCompressed => &files::SNAPSHOT_COMPRESSED,
        Code::SnapshotEmpty => &records::SNAPSHOT_EMPTY,
        Code::RevisionWentBack => &trend::REVISION_WENT_BACK,
        Code::SizeFell => &trend::SIZE_FELL,
        Code::MembersChanged => &trend::MEMBERS_CHANGED,
        Code::ProvenanceMismatch => &taking::PROVENANCE_MISMATCH,
        Code::PutAside => &taking::PUT_ASIDE,
        Code::MembersDiverge => &trend::MEMBERS_DIVERGE,
        Code::OpenedSince => &bytes::OPENED_SINCE,
        Code::Mended => &bytes::MENDED,
        Code::ChecksumDiffers => &files::CHECKSUM_DIFFERS,
        Code::FileMissing => &files::FILE_MISSING,
        Code::FileChanged => &files::FILE_CHANGED,
        Code::ChangedWhileReading => &files::CHANGED_WHILE_READING,
        Code::Unreadable => &files::UNREADABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> usize {
        text.split(". ").count()
    }

    #[test]
    fn every_code_is_explained_in_full() {
        for &code in Code::ALL {
            let text = explain(code);
            assert!(
                !text.title.is_empty() && !text.title.ends_with('.'),
                "{code}: title"
            );
            assert!(
                (2..=6).contains(&sentences(text.meaning)),
                "{code}: meaning"
            );
            assert!(text.meaning.ends_with('.'), "{code}: meaning");
            assert!(!text.steps.is_empty(), "{code}: steps");
        }
    }

    #[test]
    fn texts_are_ascii_and_commands_are_one_line() {
        for &code in Code::ALL {
            let text = explain(code);
            assert!(text.title.is_ascii() && text.meaning.is_ascii());
            for step in text.steps {
                match step {
                    AdviceStep::Do(sentence) => {
                        assert!(sentence.ends_with('.'), "{code}: {sentence}");
                    }
                    AdviceStep::Run(command) => {
                        assert!(!command.contains('\n'), "{code}: {command}");
                    }
                }
            }
        }
    }
}
