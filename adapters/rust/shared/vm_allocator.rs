//! The allocators of the crate vm-allocator; the versions 0.1.x share one interface.

use std::env;
use std::process::exit;

use adapter_protocol::{serve, Declined, Place, Request, Target};
use serde_json::json;
use vm_allocator::{AddressAllocator, AllocPolicy, IdAllocator, RangeInclusive};

/// The adapter's `main`. `least_space` is the size of the smallest space that the version takes.
pub fn main(version: &str, least_space: u64) {
    let kind = env::args().nth(1).unwrap_or_default();
    let name = format!("vm-allocator {version} {kind} (Rust)");
    match kind.as_str() {
        "addresses" => serve::<Addresses>(json!({
            "name": name,
            "kind": kind,
            "policies": ["first", "last", "exact"],
            "align": true,
            // The crate says why it has no space of 2^64: the size has to fit into 64 bits.
            "spaces": {"least_size": least_space, "greatest_size": u64::MAX},
        })),
        "ids" => serve::<Ids>(json!({
            "name": name,
            "kind": kind,
            // "So we will always use the first available ID", says its source.
            "policies": ["first"],
            "greatest_size": 1,
            // The size of a freed id is not said, hence never wrong.
            "free_by": "start",
        })),
        _ => {
            eprintln!(
                "usage: vm-allocator-{} addresses|ids",
                version.replace('.', "-")
            );
            exit(2);
        }
    }
}

struct Addresses(AddressAllocator);

impl Target for Addresses {
    fn new(base: u64, last: u64) -> Result<Self, Declined> {
        let size = last
            .checked_sub(base)
            .and_then(|span| span.checked_add(1))
            .ok_or_else(|| Declined::skipped("the size of the space is no 64-bit number"))?;
        Ok(Addresses(AddressAllocator::new(base, size)?))
    }

    fn allocate(&mut self, request: &Request) -> Result<u64, Declined> {
        let policy = match request.place {
            Place::First | Place::Any => AllocPolicy::FirstMatch,
            Place::Last => AllocPolicy::LastMatch,
            Place::Exact(start) => AllocPolicy::ExactMatch(start),
        };
        let align = request.align.unwrap_or(1);
        Ok(self.0.allocate(request.size, align, policy)?.start())
    }

    fn free(&mut self, start: u64, size: u64) -> Result<(), Declined> {
        // A size of 0 ends before it starts, which `RangeInclusive::new` is to refuse.
        let end = match size {
            0 => start.checked_sub(1),
            _ => start.checked_add(size - 1),
        };
        let end =
            end.ok_or_else(|| Declined::skipped("the end of the range is no 64-bit number"))?;
        Ok(self.0.free(&RangeInclusive::new(start, end)?)?)
    }
}

struct Ids(IdAllocator);

impl Ids {
    fn id(value: u64) -> Result<u32, Declined> {
        u32::try_from(value).map_err(|_| Declined::skipped("that is no 32-bit number"))
    }
}

impl Target for Ids {
    fn new(base: u64, last: u64) -> Result<Self, Declined> {
        Ok(Ids(IdAllocator::new(Self::id(base)?, Self::id(last)?)?))
    }

    fn allocate(&mut self, _request: &Request) -> Result<u64, Declined> {
        Ok(self.0.allocate_id()?.into())
    }

    fn free(&mut self, start: u64, _size: u64) -> Result<(), Declined> {
        self.0.free_id(Self::id(start)?)?;
        Ok(())
    }
}
