//! Medians, and rounds that alternate so that the machine's moods hit both.

use std::fs;
use std::time::Instant;

/// Rounds of a pair.
pub(crate) const ROUNDS: usize = 9;

/// The median of each, measured in turns.
pub(crate) fn alternate(
    mut ours: impl FnMut() -> f64,
    mut other: impl FnMut() -> f64,
) -> (f64, f64) {
    // The first round warms both up.
    let rounds = (0..=ROUNDS).map(|_| (ours(), other())).skip(1);
    let (ours, other) = rounds.unzip();
    (median(ours), median(other))
}

/// The median of one alone.
pub(crate) fn repeat(mut round: impl FnMut() -> f64) -> f64 {
    median((0..=ROUNDS).map(|_| round()).skip(1).collect())
}

/// Microseconds of this thread's CPU that each of `times` calls took.
pub(crate) fn each(times: usize, mut call: impl FnMut(usize)) -> f64 {
    let before = thread_cpu();
    for at in 0..times {
        call(at);
    }
    (thread_cpu() - before) / times as f64
}

/// Microseconds on the wall that a call took.
pub(crate) fn wall(call: impl FnOnce()) -> f64 {
    let started = Instant::now();
    call();
    started.elapsed().as_secs_f64() * 1e6
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Microseconds, right to a tick of the kernel: for rounds of a tenth of a second and more.
fn thread_cpu() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let spent = text
        .split(' ')
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    spent.expect("nanoseconds") / 1e3
}

/// Where figures of pure computation come from.
pub(crate) const THREAD: &str =
    "CPU of the one thread that computes, by /proc/thread-self/schedstat";
