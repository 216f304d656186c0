//! Adapter for the crate vm-allocator 0.1.3: `vm-allocator-0-1-3 addresses|ids`.

#[path = "../../shared/vm_allocator.rs"]
mod shared;

fn main() {
    shared::main("0.1.3", 1);
}
