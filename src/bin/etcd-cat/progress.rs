//! TerminalMonitor of long work on stderr, and the signals that end it.

mod steps;

use crate::output::text::safe_path;
use etcd_cat::monitor::Monitor;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;
use steps::Steps;

/// Bytes of all files together: how much, how fast, how long.
const TOTAL: &str = "{bar:24} {percent:>3}%  {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";

/// A file that is being read.
const FILE: &str = "  {spinner} {wide_msg}";

/// Somebody else who is waited for.
const STEP: &str = "  {spinner} {wide_msg} {elapsed}";

/// Often enough to look alive, seldom enough to cost nothing.
const TICK: Duration = Duration::from_millis(120);

/// What is shown at a time; of small files in a bucket many more are read than fit a terminal.
const MOST_LINES: usize = 8;

/// How long a command that only reads may take to end of itself.
const PATIENCE: Duration = Duration::from_millis(120);

/// Shows the progress of a run and knows when it is to stop.
#[derive(Debug)]
pub(crate) struct TerminalMonitor {
    bars: Option<Bars>,
    /// Told in lines where there are no bars.
    steps: Arc<Steps>,
    signal: Arc<AtomicUsize>,
    is_quiet: bool,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    /// A thread is to be had for what moves by itself.
    has_threads: bool,
    files: Mutex<BTreeMap<OsString, ProgressBar>>,
}

impl TerminalMonitor {
    /// Listens to SIGINT and SIGTERM from here on; shows bars if `shows_bars`.
    ///
    /// The first signal asks the run to stop at the next buffer; a second one stops the program at once.
    pub(crate) fn new(shows_bars: bool, is_quiet: bool) -> std::io::Result<Self> {
        let signal = Arc::new(AtomicUsize::new(0));
        let is_second = Arc::new(AtomicBool::new(false));
        for number in [SIGINT, SIGTERM] {
            // The order matters: the shutdown looks at the flag before it is set.
            signal_hook::flag::register_conditional_shutdown(
                number,
                128 + number,
                Arc::clone(&is_second),
            )?;
            signal_hook::flag::register(number, Arc::clone(&is_second))?;
            let value = usize::try_from(number).unwrap_or_default();
            signal_hook::flag::register_usize(number, Arc::clone(&signal), value)?;
        }
        // A file that may grow no further is an error of the write, which says which file, and no signal.
        signal_hook::flag::register(SIGXFSZ, Arc::default())?;
        Ok(Self {
            bars: shows_bars.then(Bars::new),
            steps: Arc::default(),
            signal,
            is_quiet,
        })
    }

    /// Ends the program soon after a signal, whatever it is doing then, for commands that only read: what they have
    /// finished is on disk by then, and nothing else is worth waiting for. `last_words` are said before.
    ///
    /// Without a thread to be had the program ends at its next buffer, as it does mostly.
    pub(crate) fn end_soon(last_words: impl FnOnce(u8) + Send + 'static) {
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
            return;
        };
        let wait = move || {
            if let Some(number) = signals.forever().next() {
                std::thread::sleep(PATIENCE);
                last_words(u8::try_from(number).unwrap_or_default());
                signal_hook::low_level::exit(128 + number);
            }
        };
        drop(Builder::new().spawn(wait));
    }

    /// The signal that asked to stop.
    pub(crate) fn signal(&self) -> Option<u8> {
        let number = self.signal.load(Ordering::Relaxed);
        u8::try_from(number).ok().filter(|number| *number > 0)
    }

    /// Removes the bars, so that nothing is drawn over the answer.
    pub(crate) fn clear(&self) {
        if let Some(bars) = &self.bars {
            bars.clear();
        }
    }
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        let total = all.add(ProgressBar::new(0).with_style(style(TOTAL)));
        Self {
            all,
            total,
            has_threads: Builder::new().spawn(|| ()).is_ok(),
            files: Mutex::default(),
        }
    }

    fn tick(&self, bar: &ProgressBar) {
        if self.has_threads {
            bar.enable_steady_tick(TICK);
        }
    }

    fn begin(&self, name: &OsStr, template: &str) {
        if self.files().len() >= MOST_LINES {
            return;
        }
        let bar = ProgressBar::new_spinner().with_style(style(template));
        let bar = self.all.add(bar);
        bar.set_message(safe_path(name));
        self.tick(&bar);
        if let Some(former) = self.files().insert(name.to_owned(), bar) {
            former.finish_and_clear();
        }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<OsString, ProgressBar>> {
        // A thread that panicked while it drew a bar is no reason to lose the run.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear(&self) {
        for bar in std::mem::take(&mut *self.files()).into_values() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
        // Nothing depends on whether the terminal could be cleaned.
        let _ = self.all.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

impl Monitor for TerminalMonitor {
    fn expect(&self, _files: u64, bytes: u64) {
        self.steps.expect(bytes);
        if let Some(bars) = &self.bars {
            bars.total.inc_length(bytes);
            bars.tick(&bars.total);
        }
    }

    fn begin(&self, name: &OsStr, _bytes: u64) {
        if let Some(bars) = &self.bars {
            bars.begin(name, FILE);
        }
    }

    fn begin_step(&self, what: &str) {
        match &self.bars {
            Some(bars) => bars.begin(OsStr::new(what), STEP),
            None if self.is_quiet => {}
            None => self.steps.begin(what),
        }
    }

    fn finish_step(&self, what: &str) {
        self.steps.finish(what);
        self.finish(OsStr::new(what));
    }

    fn advance(&self, bytes: u64) {
        self.steps.advance(bytes);
        if let Some(bars) = &self.bars {
            bars.total.inc(bytes);
        }
    }

    fn finish(&self, name: &OsStr) {
        if let Some(bars) = &self.bars
            && let Some(bar) = bars.files().remove(name)
        {
            bar.finish_and_clear();
        }
    }

    fn note(&self, text: &str) {
        if self.is_quiet {
            return;
        }
        let line = crate::output::text::safe(text).into_owned();
        match &self.bars {
            // Above the bars; a terminal that has gone is no reason to stop.
            Some(bars) => drop(bars.all.println(line)),
            None => drop(crate::write_stderr(&(line + "\n"))),
        }
    }

    fn is_interrupted(&self) -> bool {
        self.signal().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_asks_to_stop_and_is_told_by_the_exit_code() {
        let progress = TerminalMonitor::new(false, true).expect("signals can be listened to");
        assert!(!progress.is_interrupted());
        signal_hook::low_level::raise(SIGTERM).expect("a signal to ourselves");
        assert!(progress.is_interrupted());
        let failure = progress.signal().map(crate::error::Failure::interrupted);
        assert_eq!(failure.map(|failure| failure.exit.code()), Some(143));
    }

    #[test]
    fn bars_take_any_order_of_calls() {
        let progress = TerminalMonitor {
            bars: Some(Bars::new()),
            steps: Arc::default(),
            signal: Arc::default(),
            is_quiet: false,
        };
        let path = OsStr::new("/b/\u{1b}[2J.db");
        progress.finish(path);
        progress.advance(10);
        progress.expect(1, 10);
        progress.begin(path, 10);
        progress.begin(path, 10);
        progress.begin_step("oc get nodes");
        progress.begin_step("oc get nodes");
        progress.note("one line\nanother");
        progress.clear();
        progress.finish(path);
    }
}
