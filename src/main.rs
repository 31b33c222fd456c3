//! parse → run → exit code

fn main() -> std::process::ExitCode {
    reconcile::cli::main()
}
