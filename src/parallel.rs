//! One kind of work on many things, shared among the processors.

mod belt;

pub(crate) use belt::as_they_come;

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{Builder, ScopedJoinHandle};

/// Things that make a piece of work worth handing over.
pub const PIECE: usize = 256;

/// More threads than these wait for memory, not for processors.
const THREADS: usize = 8;

/// Does `work` on each of `pieces`, as many at a time as there are processors; what comes of it is in their order.
///
/// Each thread has a state of its own: what it learnt of one piece helps with the next.
pub fn share<S: Default, P: Send, R: Send>(
    pieces: impl ExactSizeIterator<Item = P> + Send,
    work: impl Fn(&mut S, P) -> R + Sync,
) -> Vec<R> {
    let count = pieces.len();
    let pieces = Mutex::new(pieces.enumerate());
    let done = Mutex::new(Vec::with_capacity(count));
    let go_on = || {
        let mut state = S::default();
        loop {
            let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((number, piece)) = next else {
                return;
            };
            let result = work(&mut state, piece);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((number, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..processors().min(count) {
            // Without a thread to be had, this one does the work of all.
            let _ = Builder::new().spawn_scoped(scope, go_on);
        }
        go_on();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does `work` on each of `things`, in place.
pub fn for_each<T: Send>(things: &mut [T], work: impl Fn(&mut T) + Sync) {
    share(things.chunks_mut(PIECE), |(), piece| {
        piece.iter_mut().for_each(&work);
    });
}

/// What `work` makes of each of `things`, in their order.
pub fn map<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let pieces = share(things.chunks(PIECE), |(), piece| {
        piece.iter().map(&work).collect::<Vec<R>>()
    });
    pieces.into_iter().flatten().collect()
}

/// What `work` makes out of each of `things`, in their order.
pub fn map_into<T: Send, R: Send>(mut things: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let count = things.len();
    let mut pieces = Vec::new();
    while things.len() > PIECE {
        pieces.push(things.split_off(things.len() - PIECE));
    }
    pieces.push(things);
    let made = share(pieces.into_iter().rev(), |(), piece| {
        piece.into_iter().map(&work).collect::<Vec<R>>()
    });
    let mut all = Vec::with_capacity(count);
    all.extend(made.into_iter().flatten());
    all
}

/// Does something `beside` what this thread does `here`; `None` without a thread to be had for it.
pub fn beside<A: Send, B>(
    beside: impl FnOnce() -> A + Send,
    here: impl FnOnce() -> B,
) -> (Option<A>, B) {
    std::thread::scope(|scope| {
        let begun = Builder::new().spawn_scoped(scope, beside);
        let here = here();
        let done = begun.ok().map(ScopedJoinHandle::join);
        let done = done.map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)));
        (done, here)
    })
}

/// Takes things apart while whoever made them goes on: of a hundred thousand that are made of many pieces each, that is a
/// tenth of all work on them. Where the process ends first, its end does it.
pub fn drop_aside(things: impl Send + 'static) {
    // Without a thread to be had, they go with the closure, here.
    let _ = Builder::new().spawn(move || drop(things));
}

/// To ask the system takes it a tenth of a millisecond.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| {
        let processors = std::thread::available_parallelism();
        processors.map_or(1, NonZeroUsize::get).min(THREADS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_done_once_and_told_in_order() {
        for count in [0, 1, PIECE, 10 * PIECE + 7] {
            let mut things: Vec<usize> = (0..count).collect();
            let expected: Vec<usize> = (0..count).map(|one| one * 2).collect();
            assert_eq!(map(&things, |one| one * 2), expected);
            assert_eq!(map_into(things.clone(), |one| one * 2), expected);
            for_each(&mut things, |one| *one *= 2);
            assert_eq!(things, expected);
        }
    }

    #[test]
    fn what_is_dropped_aside_is_dropped() {
        let thing = std::sync::Arc::new(());
        let weak = std::sync::Arc::downgrade(&thing);
        drop_aside(vec![thing; 1000]);
        let began = std::time::Instant::now();
        while weak.upgrade().is_some() {
            assert!(began.elapsed().as_secs() < 60, "kept");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_a_thread_learnt_is_there_for_its_next_piece() {
        let pieces: Vec<usize> = (0..100).collect();
        let met = share(pieces.into_iter(), |met: &mut usize, _| {
            *met += 1;
            *met
        });
        assert_eq!(met.len(), 100);
        assert!(met.into_iter().max() >= Some(100 / THREADS));
    }
}
