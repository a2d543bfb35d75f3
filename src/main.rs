//! sealbox.
fn main() {}
