//! The scenarios of `benchmarks/slices.py`. What is random is drawn before the clock starts.

use crate::clock::Clock;
use crate::subjects::Subject;
use crate::workloads::{SplitMix64, BASE, CHURN_SIZES, PAGE};

/// How many ranges `append` adds at least before they go again.
const FEW: usize = 25;

/// Nanoseconds, operations, and the sum of the starts granted or of the addresses found live.
pub type Timed = (u64, u64, u64);

pub fn slice(
    scenario: &str,
    subject: &mut dyn Subject,
    live: &mut [(u64, u64)],
    count: usize,
    seed: u64,
) -> Timed {
    let mut generator = SplitMix64(seed);
    let ranges = live.len() as u64;
    match scenario {
        "append" => append(subject, live.len(), count),
        "churn" => {
            let drawn = generator.draw(2 * count);
            let pick = |two: &[u64]| ((two[0] % ranges) as usize, CHURN_SIZES[two[1] as usize % 4]);
            pairs(subject, live, drawn.chunks(2).map(pick).collect())
        }
        "smallest-id" => {
            let drawn = generator.draw(count);
            let pick = |one: &u64| ((one % ranges) as usize, 1);
            pairs(subject, live, drawn.iter().map(pick).collect())
        }
        "exact" => exact(subject, ranges, generator.draw(count)),
        "skip" => fit_and_free(subject, count, PAGE),
        "misaligned" => fit_and_free(subject, count, 2 * PAGE),
        "lookup" => lookup(subject, ranges, generator.draw(count)),
        _ => panic!("no scenario {scenario}"),
    }
}

fn append(subject: &mut dyn Subject, ranges: usize, count: usize) -> Timed {
    let batch = FEW.max(ranges / 10);
    let mut starts = Vec::with_capacity(batch);
    let (mut took, mut granted, mut left) = (0, 0u64, count);
    while left > 0 {
        let few = batch.min(left);
        let began = Clock::start();
        for _ in 0..few {
            starts.push(subject.first_fit(PAGE, PAGE));
        }
        took += began.elapsed();
        for start in starts.drain(..).rev() {
            subject.free(start, PAGE);
            granted = granted.wrapping_add(start);
        }
        left -= few;
    }
    (took, count as u64, granted)
}

fn pairs(subject: &mut dyn Subject, live: &mut [(u64, u64)], picks: Vec<(usize, u64)>) -> Timed {
    let mut granted = 0u64;
    let began = Clock::start();
    for (which, size) in &picks {
        let (start, old_size) = live[*which];
        subject.free(start, old_size);
        let start = subject.first_fit(*size, *size);
        live[*which] = (start, *size);
        granted = granted.wrapping_add(start);
    }
    (began.elapsed(), picks.len() as u64, granted)
}

fn exact(subject: &mut dyn Subject, ranges: u64, drawn: Vec<u64>) -> Timed {
    let holes: Vec<u64> = drawn
        .iter()
        .map(|d| BASE + (2 * (d % ranges) + 1) * PAGE)
        .collect();
    let began = Clock::start();
    for hole in &holes {
        subject.exact(*hole, PAGE);
        subject.free(*hole, PAGE);
    }
    let took = began.elapsed();
    let sum = holes
        .iter()
        .fold(0, |sum: u64, hole| sum.wrapping_add(*hole));
    (took, holes.len() as u64, sum)
}

fn fit_and_free(subject: &mut dyn Subject, count: usize, align: u64) -> Timed {
    let mut granted = 0u64;
    let began = Clock::start();
    for _ in 0..count {
        let start = subject.first_fit(2 * PAGE, align);
        subject.free(start, 2 * PAGE);
        granted = granted.wrapping_add(start);
    }
    (began.elapsed(), count as u64, granted)
}

fn lookup(subject: &mut dyn Subject, ranges: u64, drawn: Vec<u64>) -> Timed {
    let places: Vec<u64> = drawn
        .iter()
        .map(|d| BASE + d % (2 * ranges * PAGE))
        .collect();
    let mut hits = 0u64;
    let began = Clock::start();
    for place in &places {
        if subject.lookup(*place) {
            hits = hits.wrapping_add(*place);
        }
    }
    (began.elapsed(), places.len() as u64, hits)
}
