//! The program: harden, hand the command line over, end with its exit code.

fn main() -> std::process::ExitCode {
    let refused = sealbox::platform::harden::harden();
    sealbox::cli::run(std::env::args_os().collect(), refused)
}
