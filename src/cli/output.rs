//! Logging to stderr.

use tracing_subscriber::EnvFilter;

/// Warnings always; what the program does with `-v`; everything of its own with `-vv`.
///
/// Other crates' messages stay out, also at the highest level: LDAP and TLS libraries log what
/// they send, which may be a password.
pub(super) fn log_to_stderr(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::new(format!("off,reconcile={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .init();
}
