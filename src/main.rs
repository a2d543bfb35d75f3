//! The program: harden, hand the command line over, end with its exit code.

/// Wipes every piece of heap memory when it is given back: also what a buffer outgrows, and what libraries leave behind.
#[global_allocator]
static MEMORY: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    let refused = sealbox::platform::harden::harden();
    sealbox::cli::run(std::env::args_os().collect(), refused)
}
