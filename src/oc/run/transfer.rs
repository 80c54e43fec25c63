//! Brings a file from the host: streamed, hashed on the way, taken up again where the stream broke.

use super::context::RunContext;
use super::error::OcError;
use super::host;
use crate::digest::Sha256Digest;
use crate::monitor::Monitor;
use crate::oc::client::{HostAccess, OutputChunk, RunError, RunLimits, shell_line};
use crate::source::{self, AtPath as _, IoError};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time for the slowest link still worth waiting for: 1 MiB/s, and never less than ten minutes.
const SLOWEST_BYTES_PER_SECOND: u64 = 1 << 20;
const LEAST_TIME: Duration = Duration::from_secs(600);

/// A digest that differs is given one clean restart: a stream may have been patched together wrongly.
const RESTARTS: u32 = 1;

/// A file as the host describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RemoteFile {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) digest: Sha256Digest,
}

/// A file that is here, byte for byte as on the host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FetchedFile {
    /// Where.
    pub path: PathBuf,
    /// Length.
    pub size_bytes: u64,
    /// SHA-256 of the whole file, taken on the host and here.
    pub sha256: Sha256Digest,
}

/// A complete file under its `.part` name. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct PartFile {
    path: PathBuf,
    target: PathBuf,
    fetched: FetchedFile,
    is_final: bool,
}

impl PartFile {
    /// Gives it the final name. Never replaces a file.
    pub(super) fn rename(mut self) -> Result<FetchedFile, OcError> {
        match source::rename_new(&self.path, &self.target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(OcError::Exists {
                    path: self.target.clone(),
                });
            }
            renamed => renamed.at_path("rename", &self.path)?,
        }
        self.is_final = true;
        Ok(self.fetched.clone())
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.is_final {
            // On the way out already: what cannot be removed keeps a name that nothing restores from.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Fetches one file into `directory`, under its name with `.part`.
pub(super) fn fetch(
    context: &RunContext<'_>,
    access: &HostAccess,
    remote: &RemoteFile,
    directory: &Path,
) -> Result<PartFile, OcError> {
    let target = directory.join(&remote.name);
    if fs::symlink_metadata(&target).is_ok() {
        return Err(OcError::Exists { path: target });
    }
    let path = directory.join(format!("{}.part", remote.name));
    let mut options = OpenOptions::new();
    // Nobody else reads it, not for a moment: it holds every Secret of the cluster.
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .at_path("create", &path)?;
    let part = PartFile {
        fetched: FetchedFile {
            path: target.clone(),
            size_bytes: remote.size_bytes,
            sha256: remote.digest,
        },
        path: path.clone(),
        target,
        is_final: false,
    };
    context
        .monitor
        .begin(part.target.as_os_str(), remote.size_bytes);
    let mut receiver = PartReceiver::new(file, remote.size_bytes);
    receive(context, access, remote, &path, &mut receiver).map_err(|error| {
        match receiver.failure.take() {
            Some(source) => OcError::Io(IoError {
                action: "write",
                id: (&path).into(),
                source,
            }),
            None => error,
        }
    })?;
    receiver.file.sync_all().at_path("write", &path)?;
    context.monitor.finish(part.target.as_os_str());
    Ok(part)
}

fn receive(
    context: &RunContext<'_>,
    access: &HostAccess,
    remote: &RemoteFile,
    path: &Path,
    receiver: &mut PartReceiver,
) -> Result<(), OcError> {
    for restart in 0..=RESTARTS {
        if restart > 0 {
            context
                .monitor
                .note(&format!("{}: SHA-256 differs, starting again", remote.name));
            receiver.restart(path)?;
        }
        receive_all(context, access, remote, receiver)?;
        if receiver.is_sound(remote) {
            return Ok(());
        }
    }
    Err(OcError::Digest {
        path: remote.path.clone(),
        found: receiver.digest().to_string(),
        expected: remote.digest.to_string(),
    })
}

/// Goes on from where it broke until all bytes are here.
fn receive_all(
    context: &RunContext<'_>,
    access: &HostAccess,
    remote: &RemoteFile,
    receiver: &mut PartReceiver,
) -> Result<(), OcError> {
    let mut breaks = 0;
    let mut pause = context.timeouts.retry_pause;
    while receiver.received < receiver.expected {
        let before = receiver.received;
        let result = if access.is_binary_safe() {
            receive_stream(context, access, remote, receiver)
        } else {
            receive_log_part(context, access, remote, receiver)
        };
        let is_part_done = !access.is_binary_safe() && receiver.received > before;
        if receiver.is_overrun || receiver.received >= receiver.expected {
            return Ok(());
        }
        let source = match result {
            Ok(()) if is_part_done => continue,
            Ok(()) => None,
            Err(error @ RunError::Interrupted { .. }) => return Err(error.into()),
            Err(error) => Some(error),
        };
        breaks += 1;
        if receiver.failure.is_some() || breaks > context.timeouts.stream_retries {
            return Err(OcError::Transfer {
                path: remote.path.clone(),
                tries: breaks,
                source,
            });
        }
        let received = receiver.received;
        context.monitor.note(&format!(
            "{}: the stream broke after {received} bytes, going on",
            remote.name
        ));
        context.pause(pause)?;
        pause = pause.saturating_mul(2);
    }
    Ok(())
}

fn limits(context: &RunContext<'_>, bytes: u64) -> RunLimits {
    RunLimits {
        deadline: LEAST_TIME.max(Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND)),
        silence: Some(context.timeouts.stream_silence),
    }
}

fn receive_stream(
    context: &RunContext<'_>,
    access: &HostAccess,
    remote: &RemoteFile,
    receiver: &mut PartReceiver,
) -> Result<(), RunError> {
    let words = host::content(&remote.path, receiver.received);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let limits = limits(context, remote.size_bytes);
    let mut sink = |chunk: OutputChunk<'_>| match chunk {
        OutputChunk::Stdout(bytes) => receiver.write(bytes, context.monitor),
        OutputChunk::Stderr(_) => Ok(()),
    };
    context
        .oc
        .stream(&access.run(&words), limits, context.monitor, &mut sink)
        .map(drop)
}

/// One part as base64 through the log of a debug pod; all of it or nothing.
fn receive_log_part(
    context: &RunContext<'_>,
    access: &HostAccess,
    remote: &RemoteFile,
    receiver: &mut PartReceiver,
) -> Result<(), RunError> {
    let length = host::LOG_PART_BYTES.min(receiver.expected.saturating_sub(receiver.received));
    let words = host::content_as_text(&remote.path, receiver.received, length);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let call = access.run(&words);
    let limits = RunLimits {
        // The pod has to start before the first byte comes.
        silence: Some(context.timeouts.stream_silence + context.timeouts.pod_start),
        ..limits(context, length)
    };
    let mut text = context.oc.capture(&call, limits, context.monitor)?;
    let expected = "base64 lines of the part asked for";
    let shape = || context.oc.shape_error(&call, expected);
    text.retain(|character| !character.is_ascii_whitespace());
    let bytes = data_encoding::BASE64
        .decode(text.as_bytes())
        .map_err(|_| shape())?;
    if u64::try_from(bytes.len()) != Ok(length) {
        return Err(shape());
    }
    let refused = receiver.write(&bytes, context.monitor);
    refused.map_err(|reason| RunError::Refused {
        command: shell_line(&context.oc.argv(&call)),
        reason,
    })
}

/// The local file as it grows.
struct PartReceiver {
    file: File,
    hasher: Sha256,
    received: u64,
    expected: u64,
    /// More bytes came than the host's file has.
    is_overrun: bool,
    /// The local file could not be written.
    failure: Option<io::Error>,
}

impl PartReceiver {
    fn new(file: File, expected: u64) -> Self {
        Self {
            file,
            hasher: Sha256::new(),
            received: 0,
            expected,
            is_overrun: false,
            failure: None,
        }
    }

    fn write(&mut self, bytes: &[u8], monitor: &dyn Monitor) -> Result<(), String> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if length > self.expected.saturating_sub(self.received) {
            self.is_overrun = true;
            return Err(format!("more than {} bytes came", self.expected));
        }
        if let Err(error) = self.file.write_all(bytes) {
            let reason = error.to_string();
            self.failure = Some(error);
            return Err(reason);
        }
        self.hasher.update(bytes);
        self.received = self.received.saturating_add(length);
        monitor.advance(length);
        Ok(())
    }

    fn restart(&mut self, path: &Path) -> Result<(), OcError> {
        self.file.set_len(0).at_path("write", path)?;
        self.file.rewind().at_path("write", path)?;
        self.hasher = Sha256::new();
        self.received = 0;
        self.is_overrun = false;
        Ok(())
    }

    fn digest(&self) -> Sha256Digest {
        Sha256Digest(self.hasher.clone().finalize().into())
    }

    fn is_sound(&self, remote: &RemoteFile) -> bool {
        !self.is_overrun && self.received == self.expected && self.digest() == remote.digest
    }
}
