//! The crates, as subjects. Each does what its own users write, and nothing more.

use dbs_allocator::{Constraint, IntervalTree, NodeState, Range};
use vm_allocator::{AddressAllocator, AllocPolicy, IdAllocator, RangeInclusive};

use crate::workloads::{BASE, SPACE};

/// What a scenario asks of a subject.
pub trait Subject {
    fn exact(&mut self, start: u64, size: u64);
    fn first_fit(&mut self, size: u64, align: u64) -> u64;
    fn free(&mut self, start: u64, size: u64);
    fn lookup(&self, _place: u64) -> bool {
        unreachable!("not among the scenarios of this subject")
    }
}

pub const SUBJECTS: [(&str, &[&str]); 3] = [
    (
        "vm-allocator 0.1.4",
        &["append", "churn", "exact", "skip", "misaligned"],
    ),
    (
        "dbs-allocator 0.1.1",
        &["append", "churn", "exact", "skip", "misaligned", "lookup"],
    ),
    ("ids by vm-allocator 0.1.4", &["smallest-id"]),
];

pub fn build(name: &str) -> Box<dyn Subject> {
    match name {
        "vm-allocator 0.1.4" => Box::new(Addresses(AddressAllocator::new(BASE, SPACE).unwrap())),
        "dbs-allocator 0.1.1" => {
            let mut tree = IntervalTree::new();
            tree.insert(Range::new(BASE, BASE + SPACE - 1), None);
            Box::new(Tree(tree))
        }
        "ids by vm-allocator 0.1.4" => Box::new(Ids(IdAllocator::new(0, u32::MAX).unwrap())),
        _ => panic!("no subject {name}"),
    }
}

struct Addresses(AddressAllocator);

impl Subject for Addresses {
    fn exact(&mut self, start: u64, size: u64) {
        self.0
            .allocate(size, 1, AllocPolicy::ExactMatch(start))
            .unwrap();
    }

    fn first_fit(&mut self, size: u64, align: u64) -> u64 {
        self.0
            .allocate(size, align, AllocPolicy::FirstMatch)
            .unwrap()
            .start()
    }

    fn free(&mut self, start: u64, size: u64) {
        self.0
            .free(&RangeInclusive::new(start, start + size - 1).unwrap())
            .unwrap();
    }
}

struct Tree(IntervalTree<u64>);

impl Tree {
    fn take(&mut self, constraint: &Constraint) -> u64 {
        let granted = self.0.allocate(constraint).unwrap();
        // Marks the range as occupied, as the crate's documentation asks for.
        self.0.update(&granted, granted.min);
        granted.min
    }
}

impl Subject for Tree {
    fn exact(&mut self, start: u64, size: u64) {
        self.take(&Constraint::new(size).min(start).max(start + size - 1));
    }

    fn first_fit(&mut self, size: u64, align: u64) -> u64 {
        self.take(&Constraint::new(size).align(align))
    }

    fn free(&mut self, start: u64, size: u64) {
        self.0.free(&Range::new(start, start + size - 1));
    }

    fn lookup(&self, place: u64) -> bool {
        // The tree holds the free ranges, too.
        let found = self.0.get_superset(&Range::new_point(place));
        matches!(found, Some((_, NodeState::Valued(_))))
    }
}

struct Ids(IdAllocator);

impl Subject for Ids {
    /// The crate hands out the smallest free id, and no other: states are taken up in order.
    fn exact(&mut self, start: u64, _size: u64) {
        assert_eq!(u64::from(self.0.allocate_id().unwrap()), start);
    }

    fn first_fit(&mut self, _size: u64, _align: u64) -> u64 {
        self.0.allocate_id().unwrap().into()
    }

    fn free(&mut self, start: u64, _size: u64) {
        self.0.free_id(start as u32).unwrap();
    }
}
