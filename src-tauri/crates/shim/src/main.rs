//! The exec credential plugin: asks the resident, does what it is told.

fn main() {}
