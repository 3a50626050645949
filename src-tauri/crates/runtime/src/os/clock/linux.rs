//! Linux: timers of the kernel's, on CLOCK_BOOTTIME, as descriptors. They ring exactly, across
//! suspend too, and no thread wakes up before.
#![allow(unsafe_code)] // tokio wants a promise that a descriptor stays open

use std::io;
use std::os::fd::OwnedFd;

use broker::clock::Moment;

use super::Jump;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(crate) fn moment() -> Moment {
    Moment(milliseconds(ClockId::Boottime))
}

/// How long this computer has been asleep since it was started, in milliseconds: what one clock counts and the
/// other does not.
fn asleep() -> u64 {
    let awake = milliseconds(ClockId::Monotonic);
    milliseconds(ClockId::Boottime).saturating_sub(awake)
}

fn milliseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let milliseconds = now
        .tv_sec
        .saturating_mul(1000)
        .saturating_add(now.tv_nsec / 1_000_000);
    u64::try_from(milliseconds).unwrap_or(0)
}

/// A wait until a moment. It is moved by [`Alarm::set`]; nothing runs while it waits.
#[derive(Debug)]
pub struct Alarm {
    timer: AsyncFd<OwnedFd>,
    /// What it is set to, while it has not rung: a loop sets it at every turn, mostly to the same.
    set: Option<Option<Moment>>,
}

impl Alarm {
    /// An alarm that is off. It belongs to the tokio runtime that this is called in.
    ///
    /// # Errors
    /// The system gave no timer.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            timer: timer(TimerfdClockId::Boottime)?,
            set: None,
        })
    }

    /// Sets when it rings; none: never. A moment that is past rings at once.
    ///
    /// # Errors
    /// The system refused.
    pub fn set(&mut self, moment: Option<Moment>) -> io::Result<()> {
        if self.set == Some(moment) {
            return Ok(());
        }
        // Rounded up: a millisecond is read rounded down, and an early alarm would find nothing due. Zero
        // would switch the timer off.
        let at = moment.map_or(ZERO, |moment| {
            let milliseconds = moment.0.saturating_add(1).min(LATEST);
            Timespec {
                tv_sec: i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(milliseconds % 1000).unwrap_or(0) * 1_000_000,
            }
        });
        let once = Itimerspec {
            it_interval: ZERO,
            it_value: at,
        };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::ABSTIME, &once)?;
        self.set = Some(moment);
        Ok(())
    }

    /// Waits until it rings. It rings once for each time that it was set. Dropping the wait loses nothing.
    ///
    /// # Errors
    /// The timer can't be read.
    pub async fn rang(&mut self) -> io::Result<()> {
        self.timer.async_io(Interest::READABLE, read).await?;
        self.set = None;
        Ok(())
    }
}

/// Somebody set the time of day, or the computer woke up: the kernel says both in the same way.
#[derive(Debug)]
pub struct ClockSet {
    timer: AsyncFd<OwnedFd>,
    asleep: u64,
}

impl ClockSet {
    /// Listens from now on. It belongs to the tokio runtime that this is called in.
    ///
    /// # Errors
    /// The system gave no timer.
    pub fn new() -> io::Result<Self> {
        let this = Self {
            timer: timer(TimerfdClockId::Realtime)?,
            asleep: asleep(),
        };
        this.arm()?;
        Ok(this)
    }

    /// Waits until the clock is set or the computer wakes up. Dropping the wait loses nothing.
    ///
    /// # Errors
    /// The timer can't be read.
    pub async fn happened(&mut self) -> io::Result<Jump> {
        let read = self.timer.async_io(Interest::READABLE, read).await;
        self.arm()?;
        match read {
            Err(error)
                if error.raw_os_error() == Some(rustix::io::Errno::CANCELED.raw_os_error()) => {}
            read => read?,
        }
        let before = std::mem::replace(&mut self.asleep, asleep());
        Ok(Jump::of(before, self.asleep))
    }

    fn arm(&self) -> io::Result<()> {
        let never = Itimerspec {
            it_interval: ZERO,
            it_value: Timespec {
                tv_sec: i64::try_from(LATEST / 1000).unwrap_or(i64::MAX),
                tv_nsec: 0,
            },
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        match timerfd_settime(self.timer.get_ref(), flags, &never) {
            // Set between the ring and now: it is armed all the same, and the caller looks at the clock anyway.
            Ok(_) | Err(rustix::io::Errno::CANCELED) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Some 290 years after the epoch or the boot: what the kernel's nanoseconds hold.
const LATEST: u64 = 9_000_000_000_000;

const ZERO: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

fn timer(clock: TimerfdClockId) -> io::Result<AsyncFd<OwnedFd>> {
    let timer = timerfd_create(clock, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
    // SAFETY: the descriptor is the timer's own, and nobody takes it out of the OwnedFd that stays in there.
    Ok(unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?)
}

fn read(timer: &OwnedFd) -> io::Result<()> {
    let mut rings = [0_u8; 8];
    rustix::io::read(timer, &mut rings)?;
    Ok(())
}
