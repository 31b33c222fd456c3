//! TLS, binds and passwords against a real server.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use reconcile::directory::{Bind, DirectoryConfig, LdapConfig};
use reconcile::operator::{Command, SecretFrom};

use tokio::net::{TcpListener, TcpStream};

use super::{
    assert_complete, assert_partial, missing, operator_for, read_as, read_it, reader, server,
    trust, userdir,
};
use crate::peers::certificates::Shown;
use crate::peers::slapd::{READER, READER_PASSWORD, Setup, Slapd, USERDIR};

fn start(certificate: Shown) -> Slapd {
    Slapd::start(&Setup { ldif: USERDIR, certificate, ..Setup::default() })
}

/// Over TLS from the first byte, and over an upgraded connection.
fn both_ways(slapd: &Slapd) -> [DirectoryConfig; 2] {
    let trust = Some(trust(&slapd.ca_file()));
    [
        LdapConfig { trust: trust.clone(), ..server(slapd.tls_url()) },
        LdapConfig { trust, start_tls: true, ..server(slapd.url()) },
    ]
    .map(userdir)
}

/// Changes the server's part of a configuration.
fn with(config: &DirectoryConfig, change: impl FnOnce(&mut LdapConfig)) -> DirectoryConfig {
    let mut config = config.clone();
    if let reconcile::directory::Origin::Ldap(server) = &mut config.origin {
        change(server);
    }
    config
}

#[tokio::test]
async fn tls_with_our_own_authority() {
    let slapd = start(Shown::Valid);
    for config in both_ways(&slapd) {
        assert_complete(&read_it(&config).await);
        let config = with(&config, |server| server.bind = reader("RIGHT"));
        assert_complete(&read_it(&config).await);
    }
}

#[tokio::test]
async fn tls_at_an_address_of_version_6() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        // Not every machine that builds has such addresses.
        return;
    };
    let slapd = start(Shown::Valid);
    let url = format!("ldaps://{}", listener.local_addr().expect("its address"));
    let target = slapd.tls_url().replace("ldaps://", "");
    tokio::spawn(async move {
        let (mut one, _) = listener.accept().await?;
        let mut other = TcpStream::connect(target).await?;
        tokio::io::copy_bidirectional(&mut one, &mut other).await
    });
    let config = userdir(LdapConfig { trust: Some(trust(&slapd.ca_file())), ..server(url) });
    assert_complete(&read_it(&config).await);
}

#[tokio::test]
async fn an_authority_we_do_not_trust() {
    let slapd = start(Shown::Valid);
    for config in both_ways(&slapd) {
        let other = with(&config, |server| server.trust = Some(trust(&slapd.other_ca_file())));
        let reading = read_it(&other).await;
        assert_partial(&reading, &["cannot connect", "`trust`"]);
        assert!(reading.got().people.is_empty());
        let system = with(&config, |server| server.trust = None);
        assert_partial(&read_it(&system).await, &["`trust`"]);
        let none = with(&config, |server| server.trust = Some("/nowhere/ca.pem".into()));
        // What is not there may be anything, written into the wrong place.
        let reading = read_it(&none).await;
        assert_partial(&reading, &["CA certificates", "is not there", "check `trust`"]);
        assert!(!missing(&reading).contains("/nowhere"), "{}", missing(&reading));
        let empty = with(&config, |server| server.trust = Some("/dev/zero".into()));
        assert_partial(&read_it(&empty).await, &["/dev/zero", "not a regular file"]);
    }
}

#[tokio::test]
async fn a_certificate_that_is_over_or_for_another_name() {
    for (shown, word) in [(Shown::Expired, "xpired"), (Shown::OtherName, "not valid for name")] {
        let slapd = start(shown);
        for config in both_ways(&slapd) {
            let config = with(&config, |server| server.attempts = 3);
            assert_partial(&read_it(&config).await, &[word, "check the server's certificate"]);
        }
    }
}

#[tokio::test]
async fn a_wrong_or_missing_password() {
    let slapd = start(Shown::Valid);
    let [config, _] = both_ways(&slapd);
    let wrong = with(&config, |server| server.bind = reader("WRONG"));
    let reading = read_it(&wrong).await;
    assert_partial(&reading, &["invalid credentials (49", "check the bind DN and the password"]);
    assert!(reading.got().people.is_empty());
    let unset = with(&config, |server| server.bind = reader("UNSET"));
    assert_partial(
        &read_it(&unset).await,
        &["the environment variable that the operator's file names for it is not set"],
    );
}

#[tokio::test]
async fn the_password_from_a_file_or_a_command() {
    let slapd = start(Shown::Valid);
    let [config, _] = both_ways(&slapd);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{READER_PASSWORD}\nnot this\n")).expect("a file");
    let config = with(&config, |server| server.bind = reader("SECRET"));
    let with_secret = |from: SecretFrom| {
        let mut operator = operator_for(&config);
        operator.secrets.get_mut("secret").expect("the secret").from = from;
        operator
    };
    for (mode, complete) in [(0o600, true), (0o644, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("a mode");
        let operator = with_secret(SecretFrom::File(file.clone()));
        let reading = read_as(&config, &operator).await;
        assert_eq!(reading.is_complete(), complete, "{mode:o}");
    }
    let words = vec!["cat".to_owned(), file.display().to_string()];
    let command = Command { words, folder: folder.path().to_path_buf() };
    assert_complete(&read_as(&config, &with_secret(SecretFrom::Command(command))).await);
}

#[tokio::test]
async fn without_tls_nothing_is_sent_to_another_machine() {
    // An address set aside for documentation: a connection would end in the time limit instead.
    let far = LdapConfig {
        connect_timeout: Duration::from_millis(200),
        bind: reader("RIGHT"),
        ..server("ldap://192.0.2.1".into())
    };
    assert_partial(&read_it(&userdir(far.clone())).await, &["without TLS", "start_tls"]);
    let anonymous = LdapConfig { bind: Bind::Anonymous, ..far };
    assert_partial(&read_it(&userdir(anonymous)).await, &["without TLS"]);
}

#[tokio::test]
async fn a_plain_bind_on_the_loopback_is_possible() {
    let slapd = start(Shown::Valid);
    let config = userdir(LdapConfig { bind: reader("RIGHT"), ..server(slapd.url()) });
    assert_complete(&read_it(&config).await);
}

#[tokio::test]
async fn a_server_that_wants_tls_before_a_bind() {
    let slapd = Slapd::start(&Setup {
        ldif: USERDIR,
        global: "security simple_bind=128",
        ..Setup::default()
    });
    let config = userdir(LdapConfig { bind: reader("RIGHT"), ..server(slapd.url()) });
    assert_partial(&read_it(&config).await, &["(13", "start_tls"]);
}

#[tokio::test]
async fn the_operating_systems_word_on_a_local_socket() {
    let slapd = Slapd::start(&Setup {
        ldif: USERDIR,
        database: &format!("access to * by dn.exact=\"{READER}\" read by * none"),
        ..Setup::default()
    });
    let local = LdapConfig { bind: Bind::External, ..server(slapd.local_url()) };
    assert_complete(&read_it(&userdir(local.clone())).await);
    let anonymous = LdapConfig { bind: Bind::Anonymous, ..local };
    assert_partial(&read_it(&userdir(anonymous)).await, &["no such object (32"]);
    let network = LdapConfig { bind: Bind::External, ..server(slapd.url()) };
    assert_partial(&read_it(&userdir(network)).await, &["the bind was refused"]);
}

#[tokio::test]
async fn a_url_that_is_none() {
    for url in ["", "ldap:", "https://example.org", "ldaps://", "ldap://host/dc=org"] {
        let config = userdir(server(url.into()));
        assert_partial(&read_it(&config).await, &["correct `url`"]);
    }
}
