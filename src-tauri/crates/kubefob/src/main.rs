//! The resident: broker, socket and vault in one small process.

fn main() {}
