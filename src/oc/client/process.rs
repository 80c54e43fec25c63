//! One child process: both pipes drained at once, every wait bounded, the whole process group stopped.
//!
//! Knows nothing of `oc`; [`client`](super::client) is the only user.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes asked from a pipe at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks waiting for the consumer; a slow disk here slows the sender instead of filling memory.
const CHUNKS_IN_FLIGHT: usize = 16;

/// How often the end of the process is looked for.
const TICK: Duration = Duration::from_millis(20);

/// After the process ended, how long its pipes may stay open in somebody else's hands.
const PIPE_GRACE: Duration = Duration::from_secs(2);

/// After SIGTERM, how long `oc debug` has to delete its pod before SIGKILL.
const TERM_GRACE: Duration = Duration::from_secs(10);

/// After SIGKILL, how long the kernel has to say so.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// What a process did next.
#[derive(Debug)]
pub(crate) enum ProcessEvent {
    /// Bytes on stdout.
    Stdout(Vec<u8>),
    /// Bytes on stderr.
    Stderr(Vec<u8>),
    /// The process ended and both pipes are empty.
    Ended(ExitStatus),
    /// Nothing within the time given.
    Nothing,
}

enum Message {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    Closed,
}

/// A running child in a process group of its own, so that Ctrl-C in the terminal reaches only us.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    messages: Receiver<Message>,
    open_pipes: u8,
    ended: Option<(ExitStatus, Instant)>,
}

impl Process {
    /// Starts the command with stdin closed and both outputs piped.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn()?;
        let (sender, messages) = sync_channel(CHUNKS_IN_FLIGHT);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        // Dropped, it ends the command: without a thread for each pipe nobody would listen.
        let mut process = Self {
            child,
            messages,
            open_pipes: 0,
            ended: None,
        };
        if let Some(pipe) = stdout {
            drain(pipe, sender.clone(), Message::Stdout)?;
            process.open_pipes += 1;
        }
        if let Some(pipe) = stderr {
            drain(pipe, sender, Message::Stderr)?;
            process.open_pipes += 1;
        }
        Ok(process)
    }

    /// Waits at most `timeout` for something to happen.
    pub(crate) fn next(&mut self, timeout: Duration) -> io::Result<ProcessEvent> {
        let until = Instant::now() + timeout;
        loop {
            let left = until.saturating_duration_since(Instant::now()).min(TICK);
            match self.receive(left) {
                Some(Message::Stdout(bytes)) => return Ok(ProcessEvent::Stdout(bytes)),
                Some(Message::Stderr(bytes)) => return Ok(ProcessEvent::Stderr(bytes)),
                Some(Message::Closed) => self.open_pipes = self.open_pipes.saturating_sub(1),
                None => {}
            }
            if let Some(status) = self.poll_end()? {
                return Ok(ProcessEvent::Ended(status));
            }
            if Instant::now() >= until {
                return Ok(ProcessEvent::Nothing);
            }
        }
    }

    fn receive(&self, timeout: Duration) -> Option<Message> {
        if self.open_pipes == 0 {
            thread::sleep(timeout);
            return None;
        }
        match self.messages.recv_timeout(timeout) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Closed),
        }
    }

    /// The exit status, once the pipes are empty too (or held open by a stranger for too long).
    fn poll_end(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none()
            && let Some(status) = self.child.try_wait()?
        {
            self.ended = Some((status, Instant::now()));
        }
        let is_quiet = |since: Instant| self.open_pipes == 0 || since.elapsed() > PIPE_GRACE;
        Ok(self
            .ended
            .and_then(|(status, since)| is_quiet(since).then_some(status)))
    }

    /// True when the process itself has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.ended.is_some() || !matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the whole group to end, then makes it. Bounded; output still in flight is drained and dropped.
    pub(crate) fn stop(&mut self) {
        if self.has_ended() {
            return;
        }
        self.signal(Signal::TERM);
        if !self.ends_within(TERM_GRACE) {
            self.signal(Signal::KILL);
            self.ends_within(KILL_GRACE);
        }
    }

    fn signal(&self, signal: Signal) {
        // The leader is not reaped yet, so its id cannot belong to anybody else; failure means it is just ending.
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }

    fn ends_within(&mut self, grace: Duration) -> bool {
        let until = Instant::now() + grace;
        while Instant::now() < until {
            match self.next(TICK) {
                Ok(ProcessEvent::Ended(_)) | Err(_) => return true,
                Ok(_) if self.ended.is_some() => return true,
                Ok(_) => {}
            }
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads a pipe to its end on a thread of its own. The thread ends with the pipe or with the receiver.
fn drain<R: Read + Send + 'static>(
    mut pipe: R,
    sender: SyncSender<Message>,
    wrap: fn(Vec<u8>) -> Message,
) -> io::Result<()> {
    thread::Builder::new().spawn(move || {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let Some(bytes) = buffer.get(..count) else {
                        break;
                    };
                    if sender.send(wrap(bytes.to_vec())).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = sender.send(Message::Closed);
    })?;
    Ok(())
}
