//! Waiting for an API server that is away: the same call again, with pauses that grow, until a deadline.

use super::error::RunError;
use crate::monitor::{Monitor, Step};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than this is never waited between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How often an interruption is looked for.
const TICK: Duration = Duration::from_millis(50);

/// For how long, and with which pause at first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For as long as nothing is heard of the API server.
    pub(crate) limit: Duration,
    /// Doubled with each try.
    pub(crate) pause: Duration,
}

impl Patience {
    /// One try.
    pub(crate) const NONE: Self = Self {
        limit: Duration::ZERO,
        pause: Duration::ZERO,
    };

    /// Does it again while the API server is away. What else goes wrong is the caller's.
    pub(crate) fn persist<T>(
        self,
        monitor: &dyn Monitor,
        call: &mut dyn FnMut() -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let mut wait = Wait::new(self);
        loop {
            match call() {
                Err(error) if error.is_away() => wait.after(error, monitor)?,
                result => {
                    wait.over(monitor);
                    return result;
                }
            }
        }
    }
}

/// One wait for an API server that is away.
pub(crate) struct Wait {
    patience: Patience,
    since: Option<Instant>,
}

impl Wait {
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            patience,
            since: None,
        }
    }

    /// Pauses after a failed try, or gives the error back when the time is over.
    pub(crate) fn after(&mut self, error: RunError, monitor: &dyn Monitor) -> Result<(), RunError> {
        let limit = self.patience.limit;
        if limit.is_zero() {
            return Err(error);
        }
        let since = *self.since.get_or_insert_with(|| {
            monitor.note(&format!(
                "the API server is away ({}): trying again for up to {}",
                error.reason(),
                span(limit)
            ));
            Instant::now()
        });
        if since.elapsed() >= limit {
            // Whatever comes of another try, nobody waits for it.
            self.since = None;
            self.patience.limit = Duration::ZERO;
            return Err(error);
        }
        let _step = Step::begin(monitor, "the API server");
        if !pause(self.patience.pause, monitor) {
            return Err(RunError::Interrupted {
                command: error.command().to_owned(),
            });
        }
        self.patience.pause = self.patience.pause.saturating_mul(2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// It answers again.
    pub(crate) fn over(&mut self, monitor: &dyn Monitor) {
        if let Some(since) = self.since.take() {
            let after = span(since.elapsed());
            monitor.note(&format!("the API server answers again after {after}"));
        }
    }
}

/// Sleeps, and wakes up for Ctrl-C; false then.
pub(crate) fn pause(pause: Duration, monitor: &dyn Monitor) -> bool {
    let until = Instant::now() + pause;
    loop {
        if monitor.is_interrupted() {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(TICK));
    }
}

/// A span of time in words.
pub(crate) fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Monitor for Notes {
        fn note(&self, text: &str) {
            self.0
                .lock()
                .expect("nobody panicked")
                .push(text.to_owned());
        }
    }

    fn waited(limit: Duration, tries: u32) -> Vec<String> {
        let notes = Notes::default();
        let pause = Duration::from_millis(1);
        let mut wait = Wait::new(Patience { limit, pause });
        for _ in 0..tries {
            let error = RunError::TooLong {
                command: "oc".to_owned(),
                after: limit,
            };
            if wait.after(error, &notes).is_err() {
                break;
            }
        }
        wait.over(&notes);
        notes.0.into_inner().expect("nobody panicked")
    }

    #[test]
    fn an_answer_is_told_only_where_there_was_one() {
        let answered = waited(Duration::from_secs(60), 2);
        assert_eq!(answered.len(), 2, "{answered:?}");
        let last = answered.last().map(String::as_str);
        assert_eq!(last, Some("the API server answers again after 0 s"));
        let given_up = waited(Duration::from_millis(2), u32::MAX);
        assert_eq!(given_up.len(), 1, "{given_up:?}");
    }
}
