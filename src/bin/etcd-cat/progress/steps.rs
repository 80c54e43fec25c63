//! What is waited for and for how long, in one line every ten seconds: for logs, and for people without a terminal.

use crate::output::{text, units};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// Seldom enough for a log, often enough to see that something goes on.
const INTERVAL: Duration = Duration::from_secs(10);

/// What is waited for at this moment.
#[derive(Debug, Default)]
pub(super) struct Steps {
    open: Mutex<Open>,
    /// Bytes that are to come, and that came.
    expected: AtomicU64,
    advanced: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    /// When something was waited for the first time: from there on a thread tells.
    begun: Option<Instant>,
    steps: Vec<(String, Instant)>,
}

impl Steps {
    fn open(&self) -> MutexGuard<'_, Open> {
        // A thread that panicked while it told something is no reason to lose the run.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a step; the first one starts the thread that tells of them.
    pub(super) fn begin(self: &Arc<Self>, what: &str) {
        let now = Instant::now();
        let is_first = {
            let mut open = self.open();
            open.steps.push((what.to_owned(), now));
            let is_first = open.begun.is_none();
            open.begun.get_or_insert(now);
            is_first
        };
        if is_first {
            let steps = Arc::downgrade(self);
            // Without a thread to be had nothing is told, and nothing is lost.
            drop(Builder::new().spawn(move || tell(&steps)));
        }
    }

    pub(super) fn finish(&self, what: &str) {
        let mut open = self.open();
        if let Some(at) = open.steps.iter().position(|(step, _)| step == what) {
            open.steps.remove(at);
        }
    }

    pub(super) fn expect(&self, bytes: u64) {
        self.expected.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn advance(&self, bytes: u64) {
        self.advanced.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// One line each time, until nobody is left to tell of.
fn tell(steps: &Weak<Steps>) {
    loop {
        thread::sleep(INTERVAL);
        let Some(steps) = steps.upgrade() else {
            return;
        };
        let open = steps.open();
        let bytes = [&steps.advanced, &steps.expected].map(|one| one.load(Ordering::Relaxed));
        if let Some(line) = line(&open, Instant::now(), bytes) {
            // Under the lock: after the last step nothing is told any more. Without stderr there is nobody to tell.
            let _ = crate::write_stderr(&(text::safe(&line).into_owned() + "\n"));
        }
    }
}

/// `after 30 s: waiting for oc get nodes (20 s); 12.0 MiB of 109.1 MiB`
fn line(open: &Open, now: Instant, [advanced, expected]: [u64; 2]) -> Option<String> {
    let after = now.saturating_duration_since(open.begun?);
    let told = open.steps.iter().map(|(what, since)| {
        let seconds = now.saturating_duration_since(*since).as_secs();
        format!("{what} ({seconds} s)")
    });
    let told: Vec<String> = told.collect();
    let bytes = (advanced < expected)
        .then(|| format!("; {} of {}", units::size(advanced), units::size(expected)));
    (!told.is_empty()).then(|| {
        format!(
            "after {} s: waiting for {}{}",
            after.as_secs(),
            told.join(", "),
            bytes.unwrap_or_default()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_is_waited_for_and_for_how_long() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut open = Open {
            begun: Some(begun),
            steps: vec![
                ("oc get nodes".to_owned(), after(10)),
                ("oc get proxies".to_owned(), after(12)),
            ],
        };
        assert_eq!(
            line(&open, after(30), [0, 0]).as_deref(),
            Some("after 30 s: waiting for oc get nodes (20 s), oc get proxies (18 s)")
        );
        open.steps.truncate(1);
        assert_eq!(
            line(&open, after(31), [1 << 20, 3 << 20]).as_deref(),
            Some("after 31 s: waiting for oc get nodes (21 s); 1.0 MiB of 3.0 MiB")
        );
        open.steps.clear();
        assert_eq!(line(&open, after(40), [0, 9]), None);
    }

    #[test]
    fn a_step_that_is_over_is_waited_for_no_more() {
        let steps = Arc::new(Steps::default());
        for what in ["a", "b", "a"] {
            steps.begin(what);
        }
        steps.finish("a");
        steps.finish("c");
        let open = steps.open();
        let left: Vec<&str> = open.steps.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(left, ["b", "a"]);
    }
}
