//! The program `sidegate`: see [`sidegate::cli`].

use std::process::ExitCode;

/// A tenth less CPU a request than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sidegate::cli::run(std::env::args_os())
}
