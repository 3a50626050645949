//! Who is owed what.

pub(crate) mod claims;
