//! What more than one fuzz target needs: a manager that knows the keys, an
//! authority that signs, and journal files with checksums that fit.

pub mod authority;
pub mod journal;
pub mod manager;
