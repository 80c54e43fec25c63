//! All that is known of one backup, without judging the rest of the catalogue.
//!
//! What a backup comes to depends on what lies beside it and on its cluster's other backups, and on little else: these are
//! judged together, and the answer counts when it comes to what was found when all were. Where it does not, or what was
//! found depends on files elsewhere, there is no answer from here.

use super::recall::{mark_rewritten, remembered};
use super::{SurveyError, SurveyOptions};
use crate::backup::Backup;
use crate::catalogue::Catalogue;
use crate::finding::Code;
use crate::overview::Sight;
use crate::selection::Summary;

/// With more files than this, judging all is not much slower.
const FILES: u64 = 4096;

/// What may be told in other words where more is known: of candidates that lie elsewhere.
const OF_ELSEWHERE: [Code; 4] = [
    Code::PairAmbiguous,
    Code::KuberesourcesMissing,
    Code::SnapshotMissing,
    Code::StillArriving,
];

/// The backup that was seen as `summary` by [`glance`](super::glance); `None` where only [`recall`](super::recall) can tell.
///
/// # Errors
///
/// The catalogue cannot be read.
pub fn recall_one(
    catalogue: &Catalogue,
    summary: &Summary,
    options: &SurveyOptions,
) -> Result<Option<Backup>, SurveyError> {
    let Some((cluster, digest)) = summary.cluster.as_deref().zip(summary.digest) else {
        return Ok(None);
    };
    let marks = summary.outcome.marks.iter();
    if marks.clone().any(|(code, _)| OF_ELSEWHERE.contains(code)) {
        return Ok(None);
    }
    let reader = catalogue.reader()?;
    let directories = Sight::around(&reader, cluster, FILES)?;
    let contents = directories.map(|directories| reader.load_directories(&directories, digest));
    let contents = contents.transpose()?.flatten();
    drop(reader);
    let Some(contents) = contents else {
        return Ok(None);
    };
    let (mut known, rewritten) = remembered(contents, &options.stores);
    let mut backups = known.judged(options)?;
    for backup in &mut backups {
        mark_rewritten(backup, &rewritten);
    }
    let mut same = backups
        .into_iter()
        .filter(|backup| backup.digest == summary.digest && Summary::from(backup) == *summary);
    Ok(match (same.next(), same.next()) {
        (Some(backup), None) => Some(backup),
        _ => None,
    })
}
