//! Questions that do not wait for each other are asked at the same time.

use super::commands::Call;
use super::error::RunError;
use super::oc::Oc;
use super::patience::{Patience, Wait};
use crate::monitor::Monitor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Each `oc` takes some 60 MB and a core for a moment.
const AT_ONCE: usize = 4;

type Answer = Result<String, RunError>;

impl Oc {
    /// The answers in the order of the calls. Those that find the API server away are asked again, together.
    pub(crate) fn ask_all(
        &self,
        calls: &[Call],
        patience: Patience,
        monitor: &dyn Monitor,
    ) -> Vec<Answer> {
        let mut wait = Wait::new(patience);
        let mut answers: Vec<Option<Answer>> = calls.iter().map(|_| None).collect();
        let before = self.commands().len();
        loop {
            self.ask_open(calls, &mut answers, monitor);
            let Some(error) = answers.iter_mut().find_map(take_away) else {
                break;
            };
            if let Err(error) = wait.after(error, monitor) {
                let first = answers.iter_mut().find(|answer| answer.is_none());
                first.map(|answer| answer.insert(Err(error)));
                break;
            }
            for answer in &mut answers {
                take_away(answer);
            }
        }
        wait.over(monitor);
        self.put_in_order(before, calls);
        let answers = answers.into_iter().zip(calls);
        answers
            .map(|(answer, call)| answer.unwrap_or_else(|| Err(self.interrupted(call))))
            .collect()
    }

    /// The same where their number is known.
    pub(crate) fn ask_together<const N: usize>(
        &self,
        calls: [Call; N],
        patience: Patience,
        monitor: &dyn Monitor,
    ) -> [Answer; N] {
        let mut answers = self.ask_all(&calls, patience, monitor).into_iter();
        calls.map(|call| {
            answers
                .next()
                .unwrap_or_else(|| Err(self.interrupted(&call)))
        })
    }

    /// Asks each that has no answer once. Every call is bounded and ends with a signal, and so does this.
    fn ask_open(&self, calls: &[Call], answers: &mut [Option<Answer>], monitor: &dyn Monitor) {
        let open: Vec<(&Call, Mutex<&mut Option<Answer>>)> = calls
            .iter()
            .zip(answers.iter_mut())
            .filter(|(_, answer)| answer.is_none())
            .map(|(call, answer)| (call, Mutex::new(answer)))
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((call, answer)) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                let found = self.capture(call, self.request_limits(), monitor);
                **answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            }
        };
        thread::scope(|scope| {
            for _ in 1..open.len().min(AT_ONCE) {
                // Without a thread to be had this one does it all.
                drop(thread::Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
    }
}

/// Takes back an answer that says no more than that the API server is away.
fn take_away(answer: &mut Option<Answer>) -> Option<RunError> {
    match answer.take() {
        Some(Err(error)) if error.is_away() => Some(error),
        other => {
            *answer = other;
            None
        }
    }
}
