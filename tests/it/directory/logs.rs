//! What a log at the highest level says, and what it never says.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use reconcile::directory::LdapConfig;
use tracing_subscriber::filter::LevelFilter;

use super::{assert_complete, assert_partial, read_it, reader, server, userdir};
use crate::peers::slapd::{READER_PASSWORD, Setup, Slapd, USERDIR};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while logging").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_passwords_nor_personal_attributes_are_logged_or_shown() {
    let ldif = format!("{USERDIR}\n").replace("{crypt}*SSLRESET*", "{crypt}$6$planted$hash");
    let slapd = Slapd::start(&Setup { ldif: &ldif, ..Setup::default() });
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // The runtime of this test has one thread, so everything it does is heard.
    let guard = tracing::subscriber::set_default(subscriber);
    let with = |variable| userdir(LdapConfig { bind: reader(variable), ..server(slapd.url()) });
    let right = read_it(&with("RIGHT")).await;
    assert_complete(&right);
    let wrong = read_it(&with("WRONG")).await;
    assert_partial(&wrong, &["invalid credentials"]);
    drop(guard);

    let logged = log.0.lock().expect("nobody panics while logging");
    let logged = String::from_utf8_lossy(&logged);
    for expected in ["ou=users,dc=example,dc=org", "entries=11", "invalid credentials (49"] {
        assert!(logged.contains(expected), "{expected} is not in {logged}");
    }
    let shown = format!("{logged}{right:?}{wrong:?}");
    for secret in [
        READER_PASSWORD,
        "never to be shown",
        "ada@example.org",
        "Lovelace",
        "0123456789ABCDEF",
        "planted",
    ] {
        assert!(!shown.contains(secret), "{secret} shows");
    }
}
