//! The same for many things, several at a time: where each is a question over a network, waiting is most of the work.

use super::recorder::PATIENCE;
use crate::monitor::Monitor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
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
    abreast_while(items, threads, monitor, work, &mut || {})
}

/// The same, and `meanwhile` is done again and again where some of it takes long.
pub(super) fn abreast_while<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    monitor: &dyn Monitor,
    work: impl Fn(&T) -> R + Sync,
    meanwhile: &mut dyn FnMut(),
) -> Option<Vec<R>> {
    let (next, work) = (&AtomicUsize::new(0), &work);
    let worker = |done: Sender<(usize, R)>| {
        move || {
            while !monitor.is_interrupted() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else {
                    return;
                };
                // It is taken as long as anybody works.
                let _ = done.send((index, work(item)));
            }
        }
    };
    let (sender, done) = channel();
    let mut found = Vec::with_capacity(items.len());
    std::thread::scope(|scope| {
        let threads = threads.min(items.len());
        let others = if threads > 1 { threads } else { 0 };
        let begin = |_: &usize| {
            let begun = Builder::new().spawn_scoped(scope, worker(sender.clone()));
            begun.is_ok()
        };
        if (0..others).filter(begin).count() == 0 {
            // Without a thread to be had this one does their work.
            worker(sender.clone())();
        }
        drop(sender);
        loop {
            match done.recv_timeout(PATIENCE) {
                Ok(one) => found.push(one),
                Err(RecvTimeoutError::Timeout) => meanwhile(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    if found.len() < items.len() {
        return None;
    }
    found.sort_by_key(|(index, _)| *index);
    Some(found.into_iter().map(|(_, found)| found).collect())
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

    #[test]
    fn meanwhile_something_else_is_done() {
        let mut times = 0;
        let work = |item: &u64| std::thread::sleep(PATIENCE * 3 * u32::from(*item == 0));
        let done = abreast_while(&[0, 1, 2], 2, &Silent, work, &mut || times += 1);
        assert!(done.is_some() && times > 0);
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
