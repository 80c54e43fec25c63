//! A fence around stores that may panic on a damaged file.
//!
//! A panic is caught, and is damage. A panic while another one is on its way would end the process: what a store does
//! that can come to that is done [`apart`], on a thread of its own, which then stops for ever where it is.

use super::store::StoreError;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;

thread_local! {
    static IS_FENCED: Cell<bool> = const { Cell::new(false) };
    /// The first panic that is on its way through this thread.
    static REASON: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Says that this thread is lost, and why.
    static LAST_WORDS: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

type LastWords = Box<dyn FnOnce(StoreError)>;

/// Files by device and inode that a thread is lost with: it holds their locks until the process ends.
static LOST: Mutex<Vec<FileNumber>> = Mutex::new(Vec::new());

/// Device and inode.
pub(super) type FileNumber = (u64, u64);

/// Is a thread of this process lost with this file?
pub(super) fn is_lost(file: FileNumber) -> bool {
    let lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    lost.contains(&file)
}

/// Runs `work` on this file fenced, and on a thread of its own: not even a panic inside a panic ends the process.
///
/// Where no thread is to be had the work is done here.
pub(super) fn apart<T: Send + 'static>(
    file: FileNumber,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    silence_fenced_panics();
    let work = Arc::new(Mutex::new(Some(work)));
    let taken = {
        let work = Arc::clone(&work);
        move || work.lock().unwrap_or_else(PoisonError::into_inner).take()
    };
    let (answer, heard) = channel();
    let taken_here = taken.clone();
    let spawned = thread::Builder::new().spawn(move || {
        let last_words = answer.clone();
        LAST_WORDS.set(Some(Box::new(move |error| {
            let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
            lost.push(file);
            // Whoever no longer listens needs no answer.
            let _ = last_words.send(Err(error));
        })));
        if let Some(work) = taken() {
            let _ = answer.send(fenced(work));
        }
    });
    if spawned.is_err() {
        return taken_here().map_or_else(|| Err(gave_up(None)), fenced);
    }
    heard.recv().unwrap_or_else(|_| Err(gave_up(None)))
}

/// Runs `work` and turns a panic into [`StoreError::Damaged`], without the panic's report on stderr.
pub(super) fn fenced<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    silence_fenced_panics();
    let was_fenced = IS_FENCED.replace(true);
    // Whatever `work` had borrowed is the store, which nobody uses after an error.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    IS_FENCED.set(was_fenced);
    REASON.take();
    outcome.unwrap_or_else(|panic| Err(gave_up(text(panic.as_ref()))))
}

/// Puts a hook before the present one that keeps quiet on fenced threads only: other threads may panic meanwhile.
fn silence_fenced_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if IS_FENCED.get() {
                stop_at_the_second(panic);
            } else {
                report(panic);
            }
        }));
    });
}

/// Notes the first panic. The second one before that was caught comes from what is dropped on the way: going on would
/// end the process.
fn stop_at_the_second(panic: &PanicHookInfo<'_>) {
    let Some(first) = REASON.take() else {
        let reason = text(panic.payload()).unwrap_or_default();
        REASON.set(Some(reason.to_owned()));
        return;
    };
    if let Some(last_words) = LAST_WORDS.take() {
        last_words(gave_up(Some(&first)));
        loop {
            thread::park();
        }
    }
}

/// What a panic says.
fn text(panic: &(dyn Any + Send)) -> Option<&str> {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
}

/// Damage, with the first line of the reason.
fn gave_up(reason: Option<&str>) -> StoreError {
    let line = reason.and_then(|text| text.lines().next());
    StoreError::Damaged(format!(
        "the store gave up: {}",
        line.unwrap_or("no reason given")
    ))
}

#[cfg(test)]
mod tests {
    use super::{StoreError, apart, fenced, is_lost};
    use std::process::Command;

    /// Panics when asked to, and again when it is dropped.
    struct Fragile;

    impl Fragile {
        fn break_down(&self) {
            let empty: Vec<u8> = Vec::new();
            let _ = empty.first().expect("page 7 is there");
        }
    }

    impl Drop for Fragile {
        fn drop(&mut self) {
            self.break_down();
        }
    }

    fn told(outcome: Result<(), StoreError>) -> String {
        outcome.expect_err("it panics").to_string()
    }

    #[test]
    fn a_panic_behind_the_fence_is_damage_with_its_reason() {
        for _ in 0..2 {
            let outcome = fenced::<()>(|| {
                let empty: Vec<u8> = Vec::new();
                let _ = empty.first().expect("page 7 is there");
                Ok(())
            });
            assert_eq!(told(outcome), "the store gave up: page 7 is there");
        }
        let quiet = fenced(|| Ok::<_, StoreError>(7)).ok();
        assert_eq!(quiet, Some(7));
    }

    /// How a process ends in which it was as it should be.
    const RIGHT: i32 = 7;

    #[test]
    #[ignore = "only as another process"]
    #[expect(clippy::exit, reason = "a thread that stopped cannot be waited for")]
    fn child_panics_inside_panics() {
        let (file, other) = ((u64::MAX, 7), (u64::MAX, 8));
        let fragile = || {
            apart::<()>(file, || {
                let fragile = Fragile;
                fragile.break_down();
                Ok(())
            })
        };
        let caught = apart::<()>(other, || {
            drop(Fragile);
            Ok(())
        });
        let is_told = [fragile(), fragile(), caught]
            .into_iter()
            .all(|outcome| told(outcome) == "the store gave up: page 7 is there");
        let goes_on = apart(other, || Ok::<_, StoreError>(7)).is_ok_and(|seven| seven == 7);
        let is_right = is_told && goes_on && is_lost(file) && !is_lost(other);
        std::process::exit(if is_right { RIGHT } else { 1 });
    }

    #[test]
    fn a_panic_inside_a_panic_is_damage_too() {
        let program = std::env::current_exe().expect("it runs");
        let child = Command::new(program)
            .args(["--ignored", "child_panics_inside_panics"])
            .output()
            .expect("it starts");
        assert_eq!(child.status.code(), Some(RIGHT), "{child:?}");
    }
}
