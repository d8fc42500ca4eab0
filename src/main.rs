//! The `demarc` program: everything stands in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    demarc::cli::main()
}
