//! Work on things while more of them come.

use super::processors;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

/// When so many wait, whoever brings them works, too.
const WAITING: usize = 64;

/// Does `work` on each of the things that `bring` hands over, on other processors while it goes on; `take` is shown what
/// comes of them in their order.
pub(crate) fn as_they_come<P: Send, R: Send, T>(
    bring: impl FnOnce(&mut dyn FnMut(P)) -> T,
    work: impl Fn(P) -> R + Sync,
    mut take: impl FnMut(R),
) -> T {
    let belt = Belt::default();
    let help = || {
        while let Some((number, thing)) = belt.next() {
            belt.put_away(number, work(thing));
        }
    };
    let mut taken = 0;
    let brought = std::thread::scope(|scope| {
        // Whatever becomes of this thread, the others do not wait for it.
        let closing = Closing(&belt);
        let mut brought = 0;
        let mut helpers = 1;
        let answer = bring(&mut |thing| {
            let waiting = belt.put(brought, thing);
            brought += 1;
            // For one thing nobody is asked to help.
            if brought > 1 && helpers < processors() {
                helpers += 1;
                let _ = Builder::new().spawn_scoped(scope, help);
            }
            if waiting > WAITING
                && let Some((number, thing)) = belt.waiting().things.pop_front()
            {
                belt.put_away(number, work(thing));
            }
            while let Some(result) = belt.results().remove(&taken) {
                taken += 1;
                take(result);
            }
        });
        drop(closing);
        help();
        answer
    });
    let rest = belt.results.into_inner();
    let rest = rest.unwrap_or_else(PoisonError::into_inner);
    rest.into_values().for_each(take);
    brought
}

/// Things in their order, and what came of those that were worked on.
struct Belt<P, R> {
    waiting: Mutex<Waiting<P>>,
    more: Condvar,
    results: Mutex<BTreeMap<usize, R>>,
}

struct Waiting<P> {
    things: VecDeque<(usize, P)>,
    is_closed: bool,
}

impl<P, R> Default for Belt<P, R> {
    fn default() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                things: VecDeque::new(),
                is_closed: false,
            }),
            more: Condvar::new(),
            results: Mutex::default(),
        }
    }
}

impl<P, R> Belt<P, R> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<P>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn results(&self) -> MutexGuard<'_, BTreeMap<usize, R>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many wait.
    fn put(&self, number: usize, thing: P) -> usize {
        let mut waiting = self.waiting();
        waiting.things.push_back((number, thing));
        self.more.notify_one();
        waiting.things.len()
    }

    /// The next one, when there is one; `None` when no more come.
    fn next(&self) -> Option<(usize, P)> {
        let is_idle = |waiting: &mut Waiting<P>| waiting.things.is_empty() && !waiting.is_closed;
        let waiting = self.more.wait_while(self.waiting(), is_idle);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        waiting.things.pop_front()
    }

    fn put_away(&self, number: usize, result: R) {
        self.results().insert(number, result);
    }
}

/// No more come when it is dropped.
struct Closing<'b, P, R>(&'b Belt<P, R>);

impl<P, R> Drop for Closing<'_, P, R> {
    fn drop(&mut self) {
        self.0.waiting().is_closed = true;
        self.0.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_worked_on_once_and_taken_in_order() {
        for count in [0, 1, 2, 10 * WAITING] {
            let mut taken = Vec::new();
            let bring = |give: &mut dyn FnMut(usize)| {
                (0..count).for_each(give);
                "all"
            };
            let told = as_they_come(bring, |one| one * 2, |one| taken.push(one));
            assert_eq!(told, "all");
            assert_eq!(taken, (0..count).map(|one| one * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nobody_waits_for_one_who_gave_up() {
        let bring = |give: &mut dyn FnMut(usize)| {
            (0..10).for_each(give);
            std::panic::resume_unwind(Box::new("it gives up"));
        };
        let outcome = std::panic::catch_unwind(|| {
            as_they_come::<_, _, ()>(bring, |one| one, drop);
        });
        assert!(outcome.is_err());
    }
}
