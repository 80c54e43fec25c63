//! The same for many things, several at a time: where each is a question over a network, waiting is most of the work.

use crate::monitor::Monitor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

/// Questions that are on their way at a time.
pub(crate) const AT_A_TIME: usize = 16;

/// Does `work` for each of `items`, up to `threads` at a time; what comes of it is in their order. `None` when the monitor asked
/// to stop.
pub(crate) fn abreast<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    monitor: &dyn Monitor,
    work: impl Fn(&T) -> R + Sync,
) -> Option<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let go_on = || {
        while !monitor.is_interrupted() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return;
            };
            let found = work(item);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((index, found));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            // Without a thread to be had the others do its work.
            let _ = Builder::new().spawn_scoped(scope, go_on);
        }
        go_on();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    if done.len() < items.len() {
        return None;
    }
    done.sort_by_key(|(index, _)| *index);
    Some(done.into_iter().map(|(_, found)| found).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Silent;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    #[test]
    fn so_many_are_done_at_a_time_and_told_in_order() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<usize> = (0..100).collect();
        let work = |item: &usize| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // The later ones are done first.
            std::thread::sleep(Duration::from_micros(
                500 - u64::try_from(*item).unwrap_or(0),
            ));
            now.fetch_sub(1, Ordering::SeqCst);
            item * 2
        };
        let done = abreast(&items, AT_A_TIME, &Silent, work);
        let expected: Vec<usize> = (0..100).map(|item| item * 2).collect();
        assert_eq!(done, Some(expected));
        assert!((2..=AT_A_TIME).contains(&most.into_inner()));
        assert_eq!(
            abreast(&[7], AT_A_TIME, &Silent, |item| *item),
            Some(vec![7])
        );
        assert_eq!(
            abreast(&[0; 0], AT_A_TIME, &Silent, |item| *item),
            Some(vec![])
        );
    }

    struct Stop(AtomicBool);

    impl Monitor for Stop {
        fn is_interrupted(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn nothing_more_is_begun_once_it_is_to_stop() {
        let stop = Stop(AtomicBool::new(false));
        let begun = AtomicUsize::new(0);
        let work = |_: &u8| {
            begun.fetch_add(1, Ordering::SeqCst);
            stop.0.store(true, Ordering::SeqCst);
        };
        assert_eq!(abreast(&[0; 100], 4, &stop, work), None);
        assert!(begun.into_inner() <= 4);
    }
}
