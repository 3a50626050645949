//! Fetches, builds and starts; asserts nothing.

fn main() {}
