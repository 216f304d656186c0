//! The rivals, timed.

fn main() {
    rivals::protocol::serve(|| 0);
}
