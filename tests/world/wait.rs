//! Waits for what others do: looks again and again until it is so, and says what was seen instead where it never is.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// How long somebody waits, and how often they look.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    latest: Duration,
    every: Duration,
}

/// Waits so long at most, which only serves to fail, and looks fifty times a second.
pub const fn up_to(latest: Duration) -> Wait {
    let every = Duration::from_millis(20);
    Wait { latest, every }
}

/// What a look shows: whether it is so (`bool`), what was waited for (`Option`), or that or what is there instead
/// (`Result`).
pub trait Look {
    /// What was waited for.
    type Found;
    /// What is told of the last look when the time is over.
    type Instead: Display;

    /// Which of the two it shows.
    fn found(self) -> Result<Self::Found, Self::Instead>;
}

impl Wait {
    /// Looks so often instead; without a pause where that is zero.
    pub const fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Waits until a look shows it. A look that fails ends the wait.
    pub fn until<L: Look>(
        self,
        what: &str,
        mut look: impl FnMut() -> Result<L>,
    ) -> Result<L::Found> {
        let begun = Instant::now();
        loop {
            match look()?.found() {
                Ok(found) => return Ok(found),
                Err(instead) => self.go_on(begun, what, &instead)?,
            }
            if self.every.is_zero() {
                thread::yield_now();
            } else {
                thread::sleep(self.every);
            }
        }
    }

    /// The same where looking is asynchronous, or others have to run meanwhile.
    pub async fn until_async<L: Look>(
        self,
        what: &str,
        mut look: impl AsyncFnMut() -> Result<L>,
    ) -> Result<L::Found> {
        let begun = Instant::now();
        loop {
            match look().await?.found() {
                Ok(found) => return Ok(found),
                Err(instead) => self.go_on(begun, what, &instead)?,
            }
            tokio::time::sleep(self.every).await;
        }
    }

    fn go_on(self, begun: Instant, what: &str, instead: &impl Display) -> Result<()> {
        let latest = self.latest;
        ensure!(
            begun.elapsed() <= latest,
            "not within {latest:?}: {what}; last seen: {instead:#}"
        );
        Ok(())
    }
}

impl Look for bool {
    type Found = ();
    type Instead = &'static str;

    fn found(self) -> Result<(), &'static str> {
        if self { Ok(()) } else { Err("it is not so") }
    }
}

impl<T> Look for Option<T> {
    type Found = T;
    type Instead = &'static str;

    fn found(self) -> Result<T, &'static str> {
        self.ok_or("nothing")
    }
}

impl<T, S: Display> Look for Result<T, S> {
    type Found = T;
    type Instead = S;

    fn found(self) -> Self {
        self
    }
}

/// What was looked at, where it is as it was waited for; else what to tell of it.
pub fn is<T>(so: bool, seen: T) -> Result<T, T> {
    if so { Ok(seen) } else { Err(seen) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Wait = up_to(Duration::from_millis(30)).every(Duration::from_millis(1));

    fn said<T>(waited: anyhow::Result<T>) -> String {
        waited.map_or_else(|error| format!("{error:#}"), |_| "found".to_owned())
    }

    #[test]
    fn it_looks_until_it_is_so() {
        let mut count = 0;
        let found = up_to(Duration::from_secs(60)).until("the third look", || {
            count += 1;
            Ok((count == 3).then_some(count))
        });
        assert_eq!(found.unwrap(), 3);
    }

    #[test]
    fn a_failure_says_what_for_and_what_was_seen_last() {
        let mut count = 0;
        let never = SHORT.until("a hundred thousand", || {
            count += 1;
            Ok(is(count == 100_000, count.min(2)))
        });
        assert_eq!(
            said(never),
            "not within 30ms: a hundred thousand; last seen: 2"
        );
        assert_eq!(
            said(SHORT.until("a yes", || Ok(false))),
            "not within 30ms: a yes; last seen: it is not so"
        );
        let nothing = SHORT.until("something", || Ok(None::<u8>));
        assert!(said(nothing).ends_with("something; last seen: nothing"));
    }

    #[test]
    fn a_look_that_fails_ends_it_at_once() {
        let broken = up_to(Duration::from_secs(60)).until("a yes", || -> anyhow::Result<bool> {
            anyhow::bail!("no such file")
        });
        assert_eq!(said(broken), "no such file");
    }

    #[test]
    fn the_time_may_be_over_when_it_is_seen() {
        let once = up_to(Duration::ZERO).until("a yes", || Ok(true));
        assert!(once.is_ok());
    }

    #[tokio::test]
    async fn others_run_meanwhile() {
        let count = std::cell::Cell::new(0);
        let wait = up_to(Duration::from_secs(60)).every(Duration::from_millis(1));
        let counting = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
                count.set(count.get() + 1);
            }
        };
        let waiting = wait.until_async("a count of three", async || Ok(count.get() == 3));
        let (waited, ()) = tokio::join!(waiting, counting);
        waited.unwrap();
        assert_eq!(
            said(
                SHORT
                    .until_async("a count of four", async || Ok(is(
                        count.get() == 4,
                        count.get()
                    )))
                    .await
            ),
            "not within 30ms: a count of four; last seen: 3"
        );
    }
}
