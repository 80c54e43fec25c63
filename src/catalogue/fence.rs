//! A fence around stores that may panic on a damaged file.

use super::store::StoreError;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static IS_FENCED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` and turns a panic into [`StoreError::Damaged`], without the panic's report on stderr.
pub(super) fn fenced<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    silence_fenced_panics();
    let was_fenced = IS_FENCED.replace(true);
    // Whatever `work` had borrowed is the store, which nobody uses after an error.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    IS_FENCED.set(was_fenced);
    outcome.unwrap_or_else(|panic| Err(StoreError::Damaged(reason(panic.as_ref()))))
}

/// Puts a hook before the present one that keeps quiet on fenced threads only: other threads may panic meanwhile.
fn silence_fenced_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_FENCED.get() {
                report(panic);
            }
        }));
    });
}

/// First line of what the panic says.
fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().next());
    format!("the store gave up: {}", line.unwrap_or("no reason given"))
}

#[cfg(test)]
mod tests {
    use super::{StoreError, fenced};

    #[test]
    fn a_panic_behind_the_fence_is_damage_with_its_reason() {
        let text = fenced::<()>(|| {
            let empty: Vec<u8> = Vec::new();
            let _ = empty.first().expect("page 7 is there");
            Ok(())
        })
        .map_err(|error| error.to_string());
        assert_eq!(text, Err("the store gave up: page 7 is there".to_owned()));
        let quiet = fenced(|| Ok::<_, StoreError>(7)).ok();
        assert_eq!(quiet, Some(7));
    }
}
