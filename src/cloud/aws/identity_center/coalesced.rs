//! Work that many ask for at once and that need be done only as often as somebody asks after it
//! began.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// One kind of work. Whoever asks gets the result of a run that began after they asked, so nobody
/// is given what was true before.
pub struct Coalesced<T> {
    asked: AtomicU64,
    last: Mutex<Option<(u64, T)>>,
}

impl<T> Default for Coalesced<T> {
    fn default() -> Self {
        Self { asked: AtomicU64::new(0), last: Mutex::new(None) }
    }
}

impl<T: Clone> Coalesced<T> {
    /// Does the work, or waits for one who does it anew. Only what succeeds is shared.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn get<E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if let Some((began, result)) = &*last
            && *began > turn
        {
            return Ok(result.clone());
        }
        let began = self.asked.load(Ordering::SeqCst);
        let result = work.await?;
        *last = Some((began, result.clone()));
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_asks_together_shares_and_who_asks_later_does_not() {
        let (coalesced, runs) = (Coalesced::default(), AtomicU64::new(0));
        let ask = || {
            coalesced.get(async {
                let run = runs.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, Infallible>(run)
            })
        };
        let results = futures_util::future::join_all((0..10).map(|_| ask())).await;
        // The first began before the others asked; the second serves them all.
        assert_eq!(results.iter().filter(|run| **run == Ok(1)).count(), 9);
        assert_eq!(ask().await, Ok(2));
    }
}
