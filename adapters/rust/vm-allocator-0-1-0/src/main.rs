//! Adapter for the crate vm-allocator 0.1.0: `vm-allocator-0-1-0 addresses|ids`.

#[path = "../../shared/vm_allocator.rs"]
mod shared;

fn main() {
    // A range has two addresses at least, says a test of this version.
    shared::main("0.1.0", 2);
}
