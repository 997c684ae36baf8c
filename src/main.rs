//! The program `sidegate`: see [`sidegate::cli`].

/// A tenth less CPU a request than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let code = sidegate::cli::run(std::env::args_os());
    // Threads of a gateway that was just told to stop may still be at work, in OpenSSL too. Its clean-up at a normal exit
    // would take from under them what they use, and the process would die of that.
    signal_hook::low_level::exit(code.into());
}
