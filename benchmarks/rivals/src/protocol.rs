//! The lines of `benchmarks/worker.py`: one JSON object in, one out.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, Write};

use serde_json::{json, Value};

use crate::clock::Clock;
use crate::scenarios::slice;
use crate::subjects::{build, Subject, SUBJECTS};
use crate::workloads::SplitMix64;

const TELLING_NS: u64 = 5_000_000_000;

fn number(request: &Value, name: &str) -> u64 {
    request[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} of {request} is no number"))
}

fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} of {request} is no text"))
}

fn read_state(path: &str) -> Vec<(u64, u64)> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let word = |eight: &[u8]| u64::from_le_bytes(eight.try_into().unwrap());
    bytes
        .chunks_exact(16)
        .map(|pair| (word(&pair[..8]), word(&pair[8..])))
        .collect()
}

/// Whether loading all of it will take longer than the limit, as in `benchmarks/worker.py`.
fn hopeless(began: &Clock, loaded: usize, all: usize, limit: u128) -> bool {
    let took = u128::from(began.elapsed());
    let late = u128::from(TELLING_NS).min(limit / 4) < took;
    took > limit || (late && took * all as u128 > 2 * limit * loaded as u128)
}

/// Answers until the standard input ends. `held` says how many bytes are allocated.
pub fn serve(held: fn() -> u64) {
    let mut subject: Option<Box<dyn Subject>> = None;
    let mut live = Vec::new();
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = match text(&request, "do") {
            "hello" => {
                let offered: BTreeMap<_, _> = SUBJECTS.into_iter().collect();
                json!({"by": "Rust", "compiled": true, "subjects": offered, "missing": []})
            }
            "load" => {
                live = read_state(text(&request, "state"));
                let limit = u128::from(number(&request, "limit_ns"));
                let mut built = build(text(&request, "subject"));
                let began = Clock::start();
                let mut loaded = 0;
                for (start, size) in &live {
                    built.exact(*start, *size);
                    loaded += 1;
                    if loaded % 64 == 0 && hopeless(&began, loaded, live.len(), limit) {
                        break;
                    }
                }
                subject = Some(built);
                let complete = loaded == live.len();
                json!({"ns": began.elapsed(), "loaded": loaded,
                       "complete": complete})
            }
            "slice" => {
                let (ns, operations, sum) = slice(
                    text(&request, "scenario"),
                    subject.as_mut().expect("load a state first").as_mut(),
                    &mut live,
                    number(&request, "count") as usize,
                    number(&request, "seed"),
                );
                json!({"ns": ns, "operations": operations, "sum": sum})
            }
            "memory" => {
                let state = read_state(text(&request, "state"));
                let scenario = text(&request, "scenario");
                let ranges = state.len();
                let before = held();
                let mut built = build(text(&request, "subject"));
                for (start, size) in &state {
                    built.exact(*start, *size);
                }
                let mut live = state;
                let count = number(&request, "count") as usize;
                slice(scenario, built.as_mut(), &mut live, count, 1);
                let bytes = held() - before;
                drop(built);
                json!({"bytes": bytes, "ranges": ranges})
            }
            "draws" => {
                let mut generator = SplitMix64(number(&request, "seed"));
                json!({"draws": generator.draw(number(&request, "count") as usize)})
            }
            other => panic!("nothing is known of {other}"),
        };
        println!("{answer}");
        io::stdout().flush().unwrap();
    }
}
