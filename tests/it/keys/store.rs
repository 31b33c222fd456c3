//! A secret store on this machine, spoken to over real connections, with and without TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread::JoinHandle;

use reconcile::model::IssuedKey;
use reconcile::operator::{SecretFrom, SecretStore, Server, SinkKind};
use reconcile::sink::{ConfiguredSinks, Recipient, Sinks as _};

use super::sinks::with_sink;
use crate::peers::certificates::{self, Shown};

/// A server that answers one request with a given text and gives what it was asked.
struct Listener {
    port: u16,
    asked: JoinHandle<Option<String>>,
}

impl Listener {
    fn start(tls: Option<&Path>, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = tls.map(certificates::server);
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().ok()?;
            match tls {
                None => converse(&mut stream, answer),
                Some(tls) => {
                    let mut session = rustls::ServerConnection::new(tls).ok()?;
                    let mut stream = rustls::Stream::new(&mut session, &mut stream);
                    converse(&mut stream, answer)
                }
            }
        });
        Self { port, asked }
    }

    fn asked(self) -> Option<String> {
        self.asked.join().unwrap()
    }
}

/// Reads one request, head and body, and answers.
fn converse(stream: &mut (impl Read + Write), answer: &str) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    let head = String::from_utf8(text.clone()).ok()?.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    stream.write_all(answer.as_bytes()).ok()?;
    stream.flush().ok()?;
    text.extend(body);
    String::from_utf8(text).ok()
}

const DONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

fn store(url: &str) -> SecretStore {
    SecretStore {
        server: Server::parse(url).expect("a server"),
        mount: "kv/team".to_owned(),
        path: "ci/{service}/{account}".to_owned(),
        token: SecretFrom::Environment("STORE_TOKEN".to_owned()),
        trust: None,
    }
}

async fn deliver(store: SecretStore) -> Result<(), String> {
    let operator = with_sink(SinkKind::SecretStore(store));
    let environment =
        |name: &str| (name == "STORE_TOKEN").then(|| "planted-token".to_owned().into());
    let sinks = ConfiguredSinks::new(&operator, &environment);
    let to =
        Recipient { service: &"ci".into(), organisation: &"spi".into(), account: &"hub".into() };
    let key = IssuedKey { id: "KEY1".into(), secret: "planted-\"secret".to_owned().into() };
    let told = |error: reconcile::sink::SinkError| {
        let text = format!("{error} {error:?}");
        assert!(!text.contains("planted"), "{text}");
        error.to_string()
    };
    sinks.check(&"it".into(), &to).await.map_err(told)?;
    sinks.deliver(&"it".into(), &to, &key).await.map_err(told)
}

#[tokio::test]
async fn a_key_is_a_new_version_of_its_secret() {
    let server = Listener::start(None, DONE);
    deliver(store(&format!("http://127.0.0.1:{}", server.port))).await.unwrap();
    let asked = server.asked().unwrap();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/kv/team/data/ci/ci/hub HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("x-vault-token: planted-token"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let expected = serde_json::json!({"data": {"id": "KEY1", "secret": "planted-\"secret"}});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_store_is_spoken_to_under_tls_and_only_if_it_can_be_trusted() {
    for (shown, ca, is_good) in [
        (Shown::Valid, "ca.pem", true),
        (Shown::Valid, "other-ca.pem", false),
        (Shown::Expired, "ca.pem", false),
        (Shown::OtherName, "ca.pem", false),
    ] {
        let root = tempfile::tempdir().unwrap();
        certificates::write(root.path(), shown);
        let server = Listener::start(Some(root.path()), DONE);
        let url = format!("https://127.0.0.1:{}", server.port);
        let told = deliver(SecretStore { trust: Some(root.path().join(ca)), ..store(&url) });
        assert_eq!(told.await.is_ok(), is_good, "{shown:?} {ca}");
        assert_eq!(server.asked().is_some_and(|asked| asked.contains("KEY1")), is_good);
    }
}

#[tokio::test]
async fn answers_of_a_store_that_did_not_take_it() {
    for (answer, why) in [
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\n\r\nplanted", "the store answered 403"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "the store answered 404"),
        (
            "HTTP/1.1 503 Sealed\r\ncontent-length: 0\r\n\r\n",
            "the store answered 503 (it is sealed)",
        ),
        // Nobody is followed elsewhere with a secret.
        (
            "HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            "the store answered 307",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{}", "no whole answer"),
        ("planted\r\n\r\n", "no whole answer"),
        ("", "no whole answer"),
    ] {
        let server = Listener::start(None, answer);
        let url = format!("http://127.0.0.1:{}", server.port);
        let told = deliver(store(&url)).await.unwrap_err();
        assert!(told.starts_with(why), "{answer:?}: {told}");
        server.asked();
    }
    // A port nobody listens at any more.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let told = deliver(store(&format!("http://127.0.0.1:{port}"))).await.unwrap_err();
    assert!(told.starts_with("cannot connect to 127.0.0.1"), "{told}");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for (name, text, mode) in
        [("open", "planted", 0o644), ("empty", "\n", 0o600), ("odd", "planted x y\n", 0o600)]
    {
        fs::write(at(name), text).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let tokens = [
        (
            SecretFrom::Environment("UNSET".to_owned()),
            "the environment variable that the operator's file names for it is not set",
        ),
        (SecretFrom::File(at("none")), "names for it is not there"),
        (SecretFrom::File(at("open")), "others than its owner may use it (mode 644)"),
        (SecretFrom::File(at("empty")), "is empty"),
        (SecretFrom::File(at("odd")), "it is empty, or no token"),
    ];
    for (token, why) in tokens {
        let store = SecretStore { token, ..store("http://127.0.0.1:1") };
        let told = deliver(store).await.unwrap_err();
        assert!(told.contains(why), "{told}");
    }
    fs::write(at("good"), "planted-token\n").unwrap();
    fs::set_permissions(at("good"), fs::Permissions::from_mode(0o600)).unwrap();
    let server = Listener::start(None, DONE);
    let url = format!("http://127.0.0.1:{}", server.port);
    let token = SecretFrom::File(at("good"));
    deliver(SecretStore { token, ..store(&url) }).await.unwrap();
    assert!(server.asked().unwrap().contains("x-vault-token: planted-token\r\n"));
}
