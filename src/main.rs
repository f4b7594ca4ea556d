//! The `passmuster` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    passmuster::cli::main()
}
