//! Adapter for the interval tree of the crate dbs-allocator 0.1.1.

use adapter_protocol::{serve, Declined, Place, Request, Target};
use dbs_allocator::{AllocPolicy, Constraint, IntervalTree, Range};
use serde_json::json;

struct Tree(IntervalTree<()>);

impl Target for Tree {
    fn new(base: u64, last: u64) -> Result<Self, Declined> {
        if base > last {
            return Err(Declined::skipped("`Range::new` documents that it panics"));
        }
        let mut tree = IntervalTree::new();
        tree.insert(Range::new(base, last), None);
        Ok(Tree(tree))
    }

    fn allocate(&mut self, request: &Request) -> Result<u64, Declined> {
        let mut constraint = Constraint::new(request.size).policy(AllocPolicy::FirstMatch);
        if let Some((first, last)) = request.within {
            constraint = constraint.min(first).max(last);
        }
        if let Some(align) = request.align {
            if align == 0 {
                // `Range::align_to` documents 0 as no alignment at all.
                return Err(Declined::skipped("an alignment of 0 means none here"));
            }
            constraint = constraint.align(align);
        }
        // An exact place is a window that holds nothing else: so do the crate's own callers.
        if let Place::Exact(start) = request.place {
            let end = start
                .checked_add(request.size.saturating_sub(1))
                .ok_or_else(|| Declined::skipped("the end of the range is no 64-bit number"))?;
            constraint.min = constraint.min.max(start);
            constraint.max = constraint.max.min(end);
        }
        constraint.validate()?;
        let granted = self
            .0
            .allocate(&constraint)
            .ok_or_else(|| Declined::refused("None"))?;
        // Marks the range as occupied, as the crate's documentation asks for.
        self.0.update(&granted, ());
        Ok(granted.min)
    }

    fn free(&mut self, start: u64, size: u64) -> Result<(), Declined> {
        self.0.free(&Range::new(start, start + (size - 1)));
        Ok(())
    }
}

fn main() {
    serve::<Tree>(json!({
        "name": "dbs-allocator 0.1.1 (Rust)",
        "kind": "addresses",
        "policies": ["first", "exact"],
        "align": true,
        "within": true,
        // `Range::new` documents that it panics for 0 to 2^64-1.
        "spaces": {"greatest_size": u64::MAX},
        // `free` returns what was stored, and leaves it to its caller that the range is live.
        "free_reports": false,
    }));
}
