//! What more than one fuzz target needs: a manager that knows the keys, and
//! journal files with checksums that fit.

pub mod journal;
pub mod manager;
