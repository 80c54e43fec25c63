//! A snapshot, or a packed directory, that comes through a pipe: read once, judged by itself, and not remembered, for it lies
//! nowhere.

use super::batch::hash_on;
use super::examination::Examination;
use super::file::{Interruptible, unreadable};
use super::knowledge::Knowledge;
use super::recorder::Recorder;
use super::{Survey, SurveyError, SurveyOptions};
use crate::backup::Backup;
use crate::catalogue::{Catalogue, CatalogueContents, CatalogueLocation};
use crate::discovery::{FoundObject, ObjectKind, Skipped, SkippedKind, sniff_stream};
use crate::finding::Code;
use crate::judgement::verdict;
use crate::monitor::Monitor;
use crate::snapshot::{self, ReadError, mend_at_once};
use crate::source::{Counting, FileIdentity, ObjectId, ObjectIdentity, PackedStream};
use std::io::Read;
use std::path::Path;

/// The name that a stream goes by.
pub const STREAM: &str = "-";

/// What to do where a second reading could prove what happened to a file.
pub(super) const NO_SECOND_PASS: &str = "save it to a file and verify that: a stream is read once, and where a known change \
     explains this, only a second reading can prove it";

/// Reads a snapshot from `stream`, plain or packed, to its end; or all backups of an archive.
///
/// # Errors
///
/// [`SurveyError::Interrupted`] when `monitor` asked to stop.
pub fn examine_stream(
    stream: impl Read + Send,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let id = ObjectId::from(Path::new(STREAM));
    // No file has it.
    let nowhere = ObjectIdentity::File(FileIdentity::default());
    let mut known = Knowledge::new(CatalogueContents::default(), &options.stores);
    let mut survey = Survey::default();
    monitor.expect(1, 0);
    monitor.begin(id.as_os_str(), 0);
    let mut stream = PackedStream::new(Interruptible {
        reader: Counting::new(stream, monitor),
        monitor,
    });
    if let Ok(sniffed) = sniff_stream(&mut stream, None)
        && sniffed.kind == ObjectKind::Archive
    {
        return examine_archive(id, stream, options, monitor);
    }
    let read = stream
        .unpack()
        .map_err(|source| ReadError::Io { offset: 0, source })
        .and_then(|stream| snapshot::read(&mut stream.into_reader(), hash_on(options), monitor));
    monitor.finish(id.as_os_str());
    match read {
        Ok(reading) => {
            let reading = mend_at_once(reading, NO_SECOND_PASS);
            survey.files = 1;
            survey.bytes = reading.snapshot.size_bytes;
            known.enter_snapshot(&id, nowhere, reading.snapshot);
        }
        Err(ReadError::Interrupted) => return Err(SurveyError::Interrupted),
        Err(ReadError::Io { offset, source }) => {
            let reason = source.to_string();
            known.enter(&id, nowhere, unreadable(&reason, Some(offset)));
            survey.skipped.push(Skipped {
                id,
                reason,
                kind: SkippedKind::Unreadable,
                remedy: None,
                is_error: true,
            });
        }
    }
    survey.backups = known.judged(options)?;
    for backup in &mut survey.backups {
        judge_alone(backup, options);
    }
    Ok(survey)
}

/// Every backup in an archive, as if each file lay in a directory.
fn examine_archive(
    id: ObjectId,
    stream: PackedStream<'_>,
    options: &SurveyOptions,
    monitor: &dyn Monitor,
) -> Result<Survey, SurveyError> {
    let catalogue = Catalogue::new(CatalogueLocation::Memory);
    let recorder = Recorder::new(&catalogue, true);
    let locations = [id.clone()];
    let contents = CatalogueContents::default();
    let mut examination = Examination::new(contents, recorder, &locations, options, monitor);
    let object = FoundObject {
        name: None,
        identity: ObjectIdentity::File(FileIdentity::default()),
        id,
    };
    let broken = examination.read_archive_stream(&object, stream)?;
    monitor.finish(object.id.as_os_str());
    if let Some(reason) = broken {
        examination.ask_for(&object);
        examination.enter_unreadable(&object, &reason, None);
        examination.skip(&object, reason);
    }
    let mut survey = examination.survey;
    survey.files = 1;
    survey.backups = examination.known.judged(options)?;
    Ok(survey)
}

/// What only the other half could tell is no finding about the snapshot: nobody looked for it.
fn judge_alone(backup: &mut Backup, options: &SurveyOptions) {
    let needs_other_half = [Code::KuberesourcesMissing, Code::EncryptionConfigMissing];
    backup
        .findings
        .retain(|finding| !needs_other_half.contains(&finding.code));
    backup.verdict = verdict(&backup.findings, &options.accept);
}
