//! The loop of an adapter: everything that adapters of Rust allocators have in common.
//!
//! An adapter lets `vm-allocator check -- COMMAND` hold an allocator to its specification. The
//! protocol between the two is JSON lines, described in `docs/protocol.md`. To write an adapter,
//! implement [`Target`] for a type that owns the allocator, say in the handshake what it is, and
//! call [`serve`]:
//!
//! ```no_run
//! use adapter_protocol::{serve, Declined, Place, Request, Target};
//! use serde_json::json;
//!
//! /// Hands out each address once, upwards.
//! struct Bump { next: u64, last: u64 }
//!
//! impl Target for Bump {
//!     fn new(base: u64, last: u64) -> Result<Self, Declined> {
//!         Ok(Bump { next: base, last })
//!     }
//!
//!     fn allocate(&mut self, request: &Request) -> Result<u64, Declined> {
//!         if request.size == 0 || self.last - self.next < request.size {
//!             return Err(Declined::refused("Full"));
//!         }
//!         self.next += request.size;
//!         Ok(self.next - request.size)
//!     }
//!
//!     fn free(&mut self, _start: u64, _size: u64) -> Result<(), Declined> {
//!         Err(Declined::refused("NeverFreed"))
//!     }
//! }
//!
//! serve::<Bump>(json!({"name": "bump 1.0", "kind": "addresses", "policies": ["first"]}));
//! ```
//!
//! The target's errors become refusals by `?`, named after the variant. A panic is left to kill
//! the process: that is what a caller would see, so it is a finding.

use std::error::Error;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use serde_json::{json, Value};

/// The version of the protocol that this library speaks.
pub const PROTOCOL: &str = "vm-allocator/1";

/// Where a range is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The lowest start that fits.
    First,
    /// The highest start that fits.
    Last,
    /// Some start that fits.
    Any,
    /// This very start.
    Exact(u64),
}

/// A range that is wanted; it need not make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// How many addresses or ids.
    pub size: u64,
    /// Where.
    pub place: Place,
    /// What the start is to be a multiple of, if anything.
    pub align: Option<u64>,
    /// The first and the last address that the range may have, if it matters.
    pub within: Option<(u64, u64)>,
}

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    /// The target declined, with this error.
    Refused(String),
    /// The interface of the target cannot express the request, for this reason.
    Skipped(String),
}

impl Declined {
    /// The target declined; `name` is the error's, without values.
    pub fn refused(name: impl Into<String>) -> Self {
        Declined::Refused(name.into())
    }

    /// The interface of the target cannot express the request.
    pub fn skipped(reason: impl Into<String>) -> Self {
        Declined::Skipped(reason.into())
    }
}

/// Makes `?` turn the target's errors into refusals: `Overlap(0x10, 0x20)` into "Overlap".
impl<E: Error> From<E> for Declined {
    fn from(error: E) -> Self {
        let shown = format!("{error:?}");
        let name = shown.split(|c: char| !c.is_alphanumeric() && c != '_');
        Declined::refused(name.into_iter().next().unwrap_or_default())
    }
}

/// An allocator that is held to the specification.
///
/// A request is passed on as it is, even one that makes no sense: to refuse it is up to the
/// target.
pub trait Target: Sized {
    /// Manages the space from `base` to `last`, both included; all of it is free.
    fn new(base: u64, last: u64) -> Result<Self, Declined>;

    /// Allocates a range, and tells where it starts.
    fn allocate(&mut self, request: &Request) -> Result<u64, Declined>;

    /// Frees the range of `size` that starts at `start`.
    fn free(&mut self, start: u64, size: u64) -> Result<(), Declined>;

    /// Frees the range `old` (start, size) and allocates the wanted one, which is at an exact
    /// place; or changes nothing. Only called if the handshake lists "update".
    fn update(&mut self, _old: (u64, u64), _wanted: &Request) -> Result<(), Declined> {
        Err(Declined::skipped("there is no update"))
    }

    /// The live ranges, lowest first, as (first, last). Only called if the handshake lists "live".
    fn live(&self) -> Result<Vec<(u64, u64)>, Declined> {
        Err(Declined::skipped("there is no list of live ranges"))
    }
}

/// Serves a target on standard input and output until the input ends.
///
/// The handshake is as in `docs/protocol.md`, without `protocol`.
///
/// # Panics
///
/// If the target does, or if a line is no request; the process is to die of either.
pub fn serve<T: Target>(handshake: Value) {
    if let Err(error) = run::<T>(handshake, io::stdin().lock(), io::stdout().lock()) {
        // The checker has gone away: there is nobody left to tell.
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{error}");
    }
}

/// Serves a target on any pair of streams, until the input ends.
///
/// # Errors
///
/// Those of the two streams.
///
/// # Panics
///
/// As [`serve`]. The replies to earlier requests are written all the same.
pub fn run<T: Target>(
    mut handshake: Value,
    input: impl Read,
    output: impl Write,
) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut output = BufWriter::new(output);
    let mut target: Option<T> = None;
    let mut line = String::new();
    handshake["protocol"] = PROTOCOL.into();
    writeln!(output, "{handshake}")?;
    loop {
        // A reply waits only while the next request is already here: flushing after every line
        // would cost as much as the allocator does.
        if !input.buffer().contains(&b'\n') {
            output.flush()?;
        }
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let request: Value = serde_json::from_str(&line).expect("a line is a JSON object");
        let mut reply = answer(&mut target, &request);
        reply["id"] = request["id"].clone();
        writeln!(output, "{reply}")?;
    }
}

fn answer<T: Target>(target: &mut Option<T>, request: &Value) -> Value {
    let number = |field| number(request, field);
    let done = match request["op"].as_str() {
        Some("new") => {
            *target = None;
            T::new(number("base"), number("last")).map(|made| {
                *target = Some(made);
                json!({"ok": true})
            })
        }
        Some("allocate") => begun(target)
            .allocate(&wanted(request))
            .map(|start| json!({"granted": start})),
        Some("free") => begun(target)
            .free(number("start"), number("size"))
            .map(|()| json!({"ok": true})),
        Some("update") => begun(target)
            .update((number("old_start"), number("old_size")), &wanted(request))
            .map(|()| json!({"ok": true})),
        Some("live") => begun(target).live().map(|live| json!({"live": live})),
        _ => Err(Declined::skipped("no such operation")),
    };
    done.unwrap_or_else(|declined| match declined {
        Declined::Refused(name) => json!({"refused": name}),
        Declined::Skipped(reason) => json!({"skipped": reason}),
    })
}

fn begun<T>(target: &mut Option<T>) -> &mut T {
    target.as_mut().expect("`new` was granted before")
}

fn wanted(request: &Value) -> Request {
    let place = match (request.get("start"), request["policy"].as_str()) {
        (Some(_), _) => Place::Exact(number(request, "start")),
        (None, Some("first")) => Place::First,
        (None, Some("last")) => Place::Last,
        (None, _) => Place::Any,
    };
    Request {
        size: number(request, "size"),
        place,
        align: request.get("align").map(|_| number(request, "align")),
        within: request
            .get("within")
            .map(|window| (number(window, 0), number(window, 1))),
    }
}

fn number(of: &Value, at: impl serde_json::value::Index + std::fmt::Display + Copy) -> u64 {
    of[at]
        .as_u64()
        .unwrap_or_else(|| panic!("{at} is a number below 2^64, in {of}"))
}
