//! The one place that runs `oc`: argument vectors only, no shell, every run bounded and recorded.

use super::commands::{Call, shell_line};
use super::debug_talk::{DebugProcess, DebugTalk};
use super::error::RunError;
use super::patience::Patience;
use super::process::{Process, ProcessEvent};
use super::words::without_klog;
use crate::monitor::{Monitor, Step};
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The last words of a command are enough to tell why it failed.
const STDERR_TAIL_BYTES: usize = 8 * 1024;

/// Nodes of a cluster of 2000 as JSON come to some 50 MB.
const STDOUT_LIMIT_BYTES: usize = 128 << 20;

/// A request is never given more than four times its usual time.
const MOST_DOUBLINGS: u32 = 2;

/// How often an interruption and the deadline are looked for.
const TICK: Duration = Duration::from_millis(50);

/// Which `oc`, and against which cluster.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Name or path of the program; `None` is `oc` on `PATH`.
    pub program: Option<PathBuf>,
    /// Handed on as `--kubeconfig`; `None` leaves it to `KUBECONFIG` and oc's defaults.
    pub kubeconfig: Option<PathBuf>,
    /// Handed on as `--context`.
    pub context: Option<String>,
    /// Handed on as `--request-timeout` of every request that is no stream.
    pub request_timeout: Duration,
    /// A request is stopped when it has taken this much longer: `oc` starts up and discovers the API before it asks.
    pub request_overhead: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            program: None,
            kubeconfig: None,
            context: None,
            request_timeout: Duration::from_secs(30),
            request_overhead: Duration::from_secs(30),
        }
    }
}

/// The `oc` command. Shared by reference; remembers every command line that it ran.
#[derive(Debug)]
pub struct Oc {
    program: PathBuf,
    prefix: Vec<String>,
    request_timeout: Duration,
    request_overhead: Duration,
    /// How often a request was given up for taking too long: each time the next ones are given twice as much.
    slowness: AtomicU32,
    commands: Mutex<Vec<Vec<String>>>,
    /// Pods of `oc debug` runs that ended without removing them.
    abandoned_pods: Mutex<Vec<String>>,
}

/// Output as it comes.
#[derive(Debug)]
pub(crate) enum OutputChunk<'a> {
    Stdout(&'a [u8]),
    Stderr(&'a [u8]),
}

/// How long a run may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunLimits {
    pub(crate) deadline: Duration,
    pub(crate) silence: Option<Duration>,
}

impl Oc {
    /// Finds the program once.
    ///
    /// # Errors
    /// [`RunError::NotFound`] when there is no such program.
    pub fn new(options: ClientOptions) -> Result<Self, RunError> {
        let name = options.program.unwrap_or_else(|| PathBuf::from("oc"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = locate(&name, &path).ok_or_else(|| RunError::NotFound {
            program: name.display().to_string(),
        })?;
        let mut prefix = vec![name.display().to_string()];
        if let Some(kubeconfig) = options.kubeconfig {
            prefix.push(format!("--kubeconfig={}", kubeconfig.display()));
        }
        if let Some(context) = options.context {
            prefix.push(format!("--context={context}"));
        }
        Ok(Self {
            program,
            prefix,
            request_timeout: options.request_timeout,
            request_overhead: options.request_overhead,
            slowness: AtomicU32::new(0),
            commands: Mutex::default(),
            abandoned_pods: Mutex::default(),
        })
    }

    /// Every command line that was run, in order. The first word is the program's name.
    pub fn commands(&self) -> Vec<Vec<String>> {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Of calls that ran at the same time nobody knows the order: they are remembered in the order of the questions.
    pub(super) fn put_in_order(&self, before: usize, calls: &[Call]) {
        let commands = self.commands.lock();
        let mut commands = commands.unwrap_or_else(PoisonError::into_inner);
        let place = |argv: &Vec<String>| calls.iter().position(|call| argv.ends_with(&call.args));
        if let Some(those) = commands.get_mut(before..) {
            those.sort_by_key(place);
        }
    }

    /// Debug pods that nobody removes any more, since their `oc debug` was ended. Told once.
    pub(crate) fn take_abandoned_pods(&self) -> Vec<String> {
        let pods = self.abandoned_pods.lock();
        std::mem::take(&mut *pods.unwrap_or_else(PoisonError::into_inner))
    }

    /// The whole command line of a call, as it is run and as `--dry-run` prints it.
    pub(crate) fn argv(&self, call: &Call) -> Vec<String> {
        let timeout = if call.is_stream {
            "--request-timeout=0".to_owned()
        } else {
            let timeout = self.patient(self.request_timeout);
            match timeout.subsec_millis() {
                0 => format!("--request-timeout={}s", timeout.as_secs().max(1)),
                _ => format!("--request-timeout={}ms", timeout.as_millis()),
            }
        };
        let mut argv = self.prefix.clone();
        argv.push(timeout);
        argv.extend(call.args.iter().cloned());
        argv
    }

    /// Limits of a request that is no stream.
    pub(crate) fn request_limits(&self) -> RunLimits {
        RunLimits {
            deadline: self.patient(self.request_timeout) + self.request_overhead,
            silence: None,
        }
    }

    /// A time for one call, longer where the API server has shown to be slow.
    pub(crate) fn patient(&self, time: Duration) -> Duration {
        let doublings = self.slowness.load(Ordering::Relaxed).min(MOST_DOUBLINGS);
        time.saturating_mul(1 << doublings)
    }

    /// A request for its stdout, made again while the API server is away.
    pub(crate) fn ask(
        &self,
        call: &Call,
        patience: Patience,
        monitor: &dyn Monitor,
    ) -> Result<String, RunError> {
        patience.persist(monitor, &mut || {
            self.capture(call, self.request_limits(), monitor)
        })
    }

    /// Starts an `oc debug` that is left running.
    pub(crate) fn start_debug(&self, call: &Call) -> Result<DebugProcess, RunError> {
        self.start(call).map(DebugProcess::new)
    }

    /// Starts a command.
    fn start(&self, call: &Call) -> Result<Process, RunError> {
        let argv = self.argv(call);
        let mut command = Command::new(&self.program);
        command.args(argv.iter().skip(1));
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(argv);
        Process::start(command).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RunError::NotFound {
                program: self.program.display().to_string(),
            },
            _ => RunError::Spawn {
                program: self.program.clone(),
                source,
            },
        })
    }

    /// Runs a command to its end, handing each piece of output on as it comes.
    ///
    /// A status other than 0 is [`RunError::Failed`]; the sink has then seen all output.
    pub(crate) fn stream(
        &self,
        call: &Call,
        limits: RunLimits,
        monitor: &dyn Monitor,
        sink: &mut dyn FnMut(OutputChunk<'_>) -> Result<(), String>,
    ) -> Result<String, RunError> {
        let mut talk = DebugTalk::default();
        let slowness = self.slowness.load(Ordering::Relaxed);
        let _step = Step::begin(monitor, call.what());
        let result = self.stream_once(call, limits, monitor, &mut |chunk| {
            if let (true, OutputChunk::Stderr(bytes)) = (call.is_debug(), &chunk) {
                talk.hear(bytes);
            }
            sink(chunk)
        });
        if let Some(pod) = talk.pod_left() {
            let pods = self.abandoned_pods.lock();
            pods.unwrap_or_else(PoisonError::into_inner).push(pod);
        }
        if result.as_ref().is_err_and(RunError::is_slow) {
            // Several calls at a time learn it once.
            let next = slowness.saturating_add(1);
            let _ = self.slowness.compare_exchange(
                slowness,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
        result
    }

    fn stream_once(
        &self,
        call: &Call,
        limits: RunLimits,
        monitor: &dyn Monitor,
        sink: &mut dyn FnMut(OutputChunk<'_>) -> Result<(), String>,
    ) -> Result<String, RunError> {
        let command = || shell_line(&self.argv(call));
        let mut process = self.start(call)?;
        let mut stderr = Tail::default();
        let begun = Instant::now();
        let mut heard = begun;
        loop {
            let event = process.next(TICK).map_err(|source| RunError::Spawn {
                program: self.program.clone(),
                source,
            })?;
            let chunk = match &event {
                ProcessEvent::Ended(status) => return finish(*status, stderr, command),
                ProcessEvent::Stdout(bytes) => Some(OutputChunk::Stdout(bytes)),
                ProcessEvent::Stderr(bytes) => {
                    stderr.push(bytes);
                    Some(OutputChunk::Stderr(bytes))
                }
                ProcessEvent::Nothing => None,
            };
            if let Some(chunk) = chunk {
                heard = Instant::now();
                sink(chunk).map_err(|reason| RunError::Refused {
                    command: command(),
                    reason,
                })?;
            }
            // Leaving here drops the process, which stops its whole group.
            if monitor.is_interrupted() {
                return Err(RunError::Interrupted { command: command() });
            }
            if begun.elapsed() > limits.deadline {
                return Err(RunError::TooLong {
                    command: command(),
                    after: limits.deadline,
                });
            }
            if let Some(silence) = limits.silence.filter(|silence| heard.elapsed() > *silence) {
                return Err(RunError::Stalled {
                    command: command(),
                    after: silence,
                });
            }
        }
    }

    /// Runs a command and keeps its stdout.
    pub(crate) fn capture(
        &self,
        call: &Call,
        limits: RunLimits,
        monitor: &dyn Monitor,
    ) -> Result<String, RunError> {
        let (stdout, ended) = self.hear(call, limits, monitor);
        ended.map(|()| stdout)
    }

    /// The same; what it printed counts although it failed.
    pub(crate) fn hear(
        &self,
        call: &Call,
        limits: RunLimits,
        monitor: &dyn Monitor,
    ) -> (String, Result<(), RunError>) {
        let mut stdout = Vec::new();
        let mut is_too_much = false;
        let result = self.stream(call, limits, monitor, &mut |chunk| {
            let OutputChunk::Stdout(bytes) = chunk else {
                return Ok(());
            };
            is_too_much = stdout.len() + bytes.len() > STDOUT_LIMIT_BYTES;
            if is_too_much {
                return Err("too much output".to_owned());
            }
            stdout.extend_from_slice(bytes);
            Ok(())
        });
        let ended = if is_too_much {
            Err(RunError::TooMuch {
                command: shell_line(&self.argv(call)),
                limit_bytes: STDOUT_LIMIT_BYTES,
            })
        } else {
            result.map(drop)
        };
        (String::from_utf8_lossy(&stdout).into_owned(), ended)
    }

    /// Runs a request and reads its answer as JSON.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        call: &Call,
        patience: Patience,
        monitor: &dyn Monitor,
    ) -> Result<T, RunError> {
        let text = self.ask(call, patience, monitor)?;
        self.read_json(call, &text)
    }

    /// Reads the answer to a request as JSON.
    pub(crate) fn read_json<T: DeserializeOwned>(
        &self,
        call: &Call,
        text: &str,
    ) -> Result<T, RunError> {
        // serde's message repeats values; only the place is kept.
        serde_json::from_str(text).map_err(|error| RunError::Shape {
            command: shell_line(&self.argv(call)),
            expected: "the JSON of a Kubernetes object",
            line: error.line(),
            column: error.column(),
        })
    }

    /// A signal came before it was asked.
    pub(super) fn interrupted(&self, call: &Call) -> RunError {
        RunError::Interrupted {
            command: shell_line(&self.argv(call)),
        }
    }

    /// A line that a command printed is not what it was asked for.
    pub(crate) fn other_line(&self, call: &Call, expected: &'static str, line: usize) -> RunError {
        RunError::Shape {
            command: shell_line(&self.argv(call)),
            expected,
            line,
            column: 1,
        }
    }

    /// A command that ended with 0 and says itself that it failed.
    pub(crate) fn failure(&self, call: &Call, words: &str) -> RunError {
        RunError::Failed {
            command: shell_line(&self.argv(call)),
            status: "exit code 0".to_owned(),
            code: Some(0),
            stderr: words.to_owned(),
        }
    }

    /// A part of a file that did not come whole through the log of its pod.
    pub(crate) fn log_cut(&self, call: &Call, expected: u64, found: u64) -> RunError {
        RunError::LogCut {
            command: shell_line(&self.argv(call)),
            expected,
            found,
        }
    }
}

fn finish(
    status: ExitStatus,
    stderr: Tail,
    command: impl Fn() -> String,
) -> Result<String, RunError> {
    let stderr = without_klog(&stderr.into_text());
    if status.success() {
        return Ok(stderr);
    }
    let words = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    };
    Err(RunError::Failed {
        command: command(),
        status: words,
        code: status.code(),
        stderr,
    })
}

/// A name without a slash is looked for in the directories of `PATH`, as the shell does.
fn locate(name: &Path, path: &OsStr) -> Option<PathBuf> {
    let is_plain =
        name.components().count() == 1 && !name.is_absolute() && !name.as_os_str().is_empty();
    if !is_plain || name.to_string_lossy().contains('/') {
        return is_executable(name).then(|| name.to_owned());
    }
    std::env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// The last bytes of a stream.
#[derive(Debug, Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let excess = self.0.len().saturating_sub(STDERR_TAIL_BYTES);
        self.0.drain(..excess);
    }

    fn into_text(self) -> String {
        String::from_utf8_lossy(&self.0).trim().to_owned()
    }
}
