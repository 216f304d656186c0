//! The processor's time of this thread, as Python's `time.thread_time_ns` has it.

use libc::{clock_gettime, timespec, CLOCK_THREAD_CPUTIME_ID};

pub struct Clock(u64);

impl Clock {
    pub fn start() -> Self {
        Clock(now())
    }

    /// Nanoseconds since the start.
    pub fn elapsed(&self) -> u64 {
        now() - self.0
    }
}

fn now() -> u64 {
    let mut time = timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // Safety: the only thing that is written is `time`, which lives here.
    let failed = unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "no clock of threads");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
