//! Brings a file from the host: streamed, hashed on the way, taken up again where the stream broke.

use super::context::RunContext;
use super::error::OcError;
use super::host;
use super::host_shell::HostShell;
use crate::digest::Sha256Digest;
use crate::monitor::Monitor;
use crate::oc::client::{OutputChunk, RunError, RunLimits, Wait, shell_line};
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

/// So much between two breaks, and the next one counts as the first.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Base64 of a part is a third longer, and its lines have ends.
const LOG_TEXT_LIMIT_BYTES: usize = 32 << 20;

/// A stream is taken up anew after this long, well before a heartbeat is too old.
const LONGEST_STREAM: Duration = Duration::from_secs(1800);

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
    shell: &mut HostShell<'_, '_>,
    remote: &RemoteFile,
    directory: &Path,
) -> Result<PartFile, OcError> {
    let context = shell.context;
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
    receive(shell, remote, &path, &mut receiver).map_err(|error| {
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
    shell: &mut HostShell<'_, '_>,
    remote: &RemoteFile,
    path: &Path,
    receiver: &mut PartReceiver,
) -> Result<(), OcError> {
    for restart in 0..=RESTARTS {
        if restart > 0 {
            let monitor = shell.context.monitor;
            monitor.note(&format!("{}: SHA-256 differs, starting again", remote.name));
            receiver.restart(path)?;
        }
        receive_all(shell, remote, receiver)?;
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
    shell: &mut HostShell<'_, '_>,
    remote: &RemoteFile,
    receiver: &mut PartReceiver,
) -> Result<(), OcError> {
    let context = shell.context;
    let mut wait = Wait::new(context.patience());
    let mut breaks = Breaks::new(&context);
    while receiver.received < receiver.expected {
        shell.beat(&remote.path)?;
        let before = receiver.received;
        let is_whole = shell.is_binary_safe();
        let result = if is_whole {
            receive_stream(shell, remote, receiver)
        } else {
            receive_log_part(shell, remote, receiver)
        };
        if receiver.is_overrun || receiver.received >= receiver.expected {
            break;
        }
        if receiver.received.saturating_sub(before) >= PROGRESS_BYTES {
            wait.over(context.monitor);
            breaks = Breaks::new(&context);
        }
        let error = match result {
            Ok(()) if !is_whole && receiver.received > before => continue,
            Ok(()) => None,
            Err(error @ RunError::Interrupted { .. }) => return Err(error.into()),
            Err(error) => Some(error),
        };
        breaks.count += 1;
        let given_up = |source| OcError::Transfer {
            path: remote.path.clone(),
            tries: breaks.count,
            source,
        };
        if receiver.failure.is_some() {
            return Err(given_up(error));
        }
        let received = receiver.received;
        let name = &remote.name;
        let note = format!("{name}: the stream broke after {received} bytes, going on");
        match error {
            Some(error) if error.is_pod_gone() || (error.is_away() && received == before) => {
                context.monitor.note(&note);
                match shell.mend(error, &mut wait) {
                    Err(OcError::Run(error)) if !matches!(error, RunError::Interrupted { .. }) => {
                        return Err(given_up(Some(error)));
                    }
                    mended => mended?,
                }
            }
            error if breaks.count > context.timeouts.stream_retries => {
                return Err(given_up(error));
            }
            _ => {
                context.monitor.note(&note);
                context.pause(breaks.pause)?;
                breaks.pause = breaks.pause.saturating_mul(2);
            }
        }
    }
    wait.over(context.monitor);
    Ok(())
}

/// Breaks in a row without much coming in between.
struct Breaks {
    count: u32,
    pause: Duration,
}

impl Breaks {
    fn new(context: &RunContext<'_>) -> Self {
        Self {
            count: 0,
            pause: context.timeouts.retry_pause,
        }
    }
}

fn limits(context: &RunContext<'_>, bytes: u64) -> RunLimits {
    RunLimits {
        // It goes on after that: in between the heartbeat is renewed.
        deadline: LEAST_TIME
            .max(Duration::from_secs(bytes / SLOWEST_BYTES_PER_SECOND))
            .min(LONGEST_STREAM),
        silence: Some(context.timeouts.stream_silence),
    }
}

fn receive_stream(
    shell: &mut HostShell<'_, '_>,
    remote: &RemoteFile,
    receiver: &mut PartReceiver,
) -> Result<(), RunError> {
    let monitor = shell.context.monitor;
    let words = host::content(&remote.path, receiver.received);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let limits = limits(&shell.context, remote.size_bytes);
    shell.stream_once(&words, limits, &mut |chunk| match chunk {
        OutputChunk::Stdout(bytes) => receiver.write(bytes, monitor),
        OutputChunk::Stderr(_) => Ok(()),
    })
}

/// One part as base64 through the log of a debug pod; all of it or nothing.
fn receive_log_part(
    shell: &mut HostShell<'_, '_>,
    remote: &RemoteFile,
    receiver: &mut PartReceiver,
) -> Result<(), RunError> {
    let context = shell.context;
    let length = host::LOG_PART_BYTES.min(receiver.expected.saturating_sub(receiver.received));
    let words = host::content_as_text(&remote.path, receiver.received, length);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let call = shell.access().run(&words);
    let mut text = String::new();
    shell.stream_once(&words, limits(&context, length), &mut |chunk| {
        if let OutputChunk::Stdout(bytes) = chunk {
            text.push_str(&String::from_utf8_lossy(bytes));
        }
        if text.len() > LOG_TEXT_LIMIT_BYTES {
            return Err("too much output".to_owned());
        }
        Ok(())
    })?;
    text.retain(|character| !character.is_ascii_whitespace());
    let bytes = data_encoding::BASE64.decode(text.as_bytes());
    let bytes = bytes.unwrap_or_default();
    let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if found != length {
        return Err(context.oc.log_cut(&call, length, found));
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
