//! Adapter for the crate vm-allocator 0.1.4: `vm-allocator-0-1-4 addresses|ids`.

#[path = "../../shared/vm_allocator.rs"]
mod shared;

fn main() {
    shared::main("0.1.4", 1);
}
