//! The thread that drives all requests, and how other threads wait for them.
//!
//! It is started by the first request: whoever names no bucket pays nothing.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::task::AbortHandle;

/// How long a wait goes on before somebody looks whether it should.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);

static DRIVER: Mutex<Option<Handle>> = Mutex::new(None);

/// An answer that may be on its way. Dropped, it is no longer asked for.
#[derive(Debug)]
pub(super) struct Pending<T> {
    receiver: Receiver<T>,
    task: AbortHandle,
}

/// Starts a request.
pub(super) fn start<T: Send + 'static>(
    request: impl Future<Output = T> + Send + 'static,
) -> io::Result<Pending<T>> {
    let (sender, receiver) = sync_channel(1);
    let task = driver()?.spawn(async move {
        // Whoever waited may have gone.
        let _ = sender.send(request.await);
    });
    Ok(Pending {
        receiver,
        task: task.abort_handle(),
    })
}

impl<T> Pending<T> {
    /// Waits for the answer.
    pub(super) fn wait(self) -> io::Result<T> {
        self.receiver.recv().map_err(|_| broke_off())
    }

    /// Waits until there is an answer, or it is wanted no longer: then `None`.
    pub(super) fn wait_unless(self, is_over: impl Fn() -> bool) -> io::Result<Option<T>> {
        loop {
            match self.receiver.recv_timeout(LOOK_EVERY) {
                Ok(answer) => return Ok(Some(answer)),
                Err(RecvTimeoutError::Timeout) if is_over() => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(broke_off()),
            }
        }
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) fn broke_off() -> io::Error {
    io::Error::other("the request broke off inside this program")
}

fn driver() -> io::Result<Handle> {
    let mut driver = DRIVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*driver {
        return Ok(handle.clone());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("requests".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(driver.insert(handle).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_and_waits_end() -> io::Result<()> {
        assert_eq!(start(async { 7 })?.wait()?, 7);
        let never = start(std::future::pending::<()>())?;
        assert_eq!(never.wait_unless(|| true)?, None);
        Ok(())
    }
}
