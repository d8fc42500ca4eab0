//! The `demarc` program: arguments, logging, run.

fn main() {}
