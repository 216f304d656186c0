//! The loop, driven over streams in memory.

use std::panic::{catch_unwind, AssertUnwindSafe};

use adapter_protocol::{run, Declined, Place, Request, Target};
use serde_json::{json, Value};

#[derive(Debug)]
enum Failure {
    #[allow(dead_code)] // the values are there to be left out of the name
    Taken(u64, u64),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "taken")
    }
}

impl std::error::Error for Failure {}

/// Grants what encodes the request, so that a test sees what has arrived.
struct Echo;

impl Target for Echo {
    fn new(base: u64, last: u64) -> Result<Self, Declined> {
        if base > last {
            return Err(Declined::refused("Empty"));
        }
        Ok(Echo)
    }

    fn allocate(&mut self, request: &Request) -> Result<u64, Declined> {
        let place = match request.place {
            Place::First => 1,
            Place::Last => 2,
            Place::Any => 3,
            Place::Exact(start) => start,
        };
        let (first, last) = request.within.unwrap_or((0, 0));
        Ok(place + 10 * request.align.unwrap_or(0) + 1000 * first + 100_000 * last)
    }

    fn free(&mut self, start: u64, size: u64) -> Result<(), Declined> {
        assert_ne!(size, 0, "a size of 0 is a bug of this target");
        Err(Failure::Taken(start, size))?
    }
}

fn talk(requests: &[Value]) -> Vec<Value> {
    let mut output = Vec::new();
    run::<Echo>(
        json!({"name": "echo"}),
        lines(requests).as_bytes(),
        &mut output,
    )
    .unwrap();
    replies(&output)
}

fn lines(requests: &[Value]) -> String {
    requests
        .iter()
        .map(|request| format!("{request}\n"))
        .collect()
}

fn replies(output: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(output).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const NEW: &str = r#"{"id": 1, "op": "new", "base": 0, "last": 9}"#;

fn new() -> Value {
    serde_json::from_str(NEW).unwrap()
}

#[test]
fn the_handshake_comes_first_and_names_the_protocol() {
    assert_eq!(
        talk(&[]),
        [json!({"name": "echo", "protocol": "vm-allocator/1"})]
    );
}

#[test]
fn each_part_of_a_request_arrives() {
    let allocate = |extra: Value| {
        let mut request = json!({"id": 2, "op": "allocate", "size": 1});
        request
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        talk(&[new(), request])[2]["granted"].clone()
    };
    assert_eq!(allocate(json!({"policy": "first"})), 1);
    assert_eq!(allocate(json!({"policy": "last"})), 2);
    assert_eq!(allocate(json!({"policy": "any"})), 3);
    assert_eq!(allocate(json!({})), 3);
    assert_eq!(allocate(json!({"start": u64::MAX})), u64::MAX);
    assert_eq!(
        allocate(json!({"start": 7, "align": 4, "within": [5, 6], "new_field": 1})),
        605_047
    );
}

#[test]
fn an_error_is_refused_by_its_name_without_its_values() {
    let replies = talk(&[new(), json!({"id": 9, "op": "free", "start": 3, "size": 4})]);
    assert_eq!(replies[2], json!({"id": 9, "refused": "Taken"}));
}

#[test]
fn a_refused_space_is_a_refusal() {
    let replies = talk(&[json!({"id": 4, "op": "new", "base": 2, "last": 1})]);
    assert_eq!(replies[1], json!({"id": 4, "refused": "Empty"}));
}

#[test]
fn what_the_target_does_not_have_is_skipped() {
    let replies = talk(&[
        new(),
        json!({"id": 2, "op": "live"}),
        json!({"id": 3, "op": "paint"}),
    ]);
    assert_eq!(replies[2]["skipped"], "there is no list of live ranges");
    assert_eq!(replies[3]["skipped"], "no such operation");
}

#[test]
fn a_panic_ends_the_loop_after_the_replies_before_it() {
    let requests = [
        new(),
        json!({"id": 2, "op": "allocate", "size": 1}),
        json!({"id": 3, "op": "free", "start": 0, "size": 0}),
    ];
    let mut output = Vec::new();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run::<Echo>(
            json!({"name": "echo"}),
            lines(&requests).as_bytes(),
            &mut output,
        )
    }));
    assert!(ended.is_err());
    assert_eq!(replies(&output).last().unwrap()["id"], 2);
}
