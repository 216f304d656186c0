//! The Rust subjects of the benchmarks: the scenarios of `benchmarks/slices.py`, on the crates.

pub mod clock;
pub mod protocol;
pub mod scenarios;
pub mod subjects;
pub mod workloads;
