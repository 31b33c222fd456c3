//! Targets: the address of a server, and what one answers.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::{LONGEST_ANSWER, Method, Request, Target as Address, built, converse, is_loopback};
use crate::fuzzing::{Target, text};

#[test]
fn http_url() {
    let words = &[
        "https://",
        "http://",
        "127.0.0.1",
        "[::1]",
        "localhost",
        ":443",
        "/",
        "?",
        "#",
        "@",
        "%00",
    ];
    Target::new("http_url").words(words).memory(16 << 10, 32).run(|input| {
        let url = text(input);
        let Ok(address) = Address::parse(&url) else { return 0 };
        assert!(address.tls || is_loopback(&address.host), "only TLS leaves this machine");
        assert!(!address.authority.contains('@'));
        assert!(address.path.starts_with(['/', '*', '?']), "{}", address.path);
        let request = Request { method: Method::POST, url: &url, headers: &[], body: Vec::new() };
        1 + usize::from(address.tls) + 2 * usize::from(built(&address, request).is_ok())
    });
}

#[test]
fn http_answer() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let words = &[
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 ",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "Content-Length: ",
        "Transfer-Encoding: chunked\r\n",
        "\r\n",
        "\r\n\r\n",
        "ffffffffffffffff\r\n",
        "0\r\n\r\n",
        "5\r\nhello\r\n",
        "HTTP/1.1 204 No Content\r\n",
        "Connection: close\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n",
        "Location: http://x/\r\n",
    ];
    Target::new("http_answer").words(words).memory(1 << 20, 64).run(|input| {
        let bytes = input.to_vec();
        let answer = runtime.block_on(async move {
            let (ours, mut theirs) = duplex(1 << 16);
            let server = tokio::spawn(async move {
                let _ = theirs.read(&mut [0; 4096]).await;
                let _ = theirs.write_all(&bytes).await;
            });
            let url = "http://127.0.0.1/x";
            let address = Address::parse(url).expect("an address");
            let request = Request { method: Method::GET, url, headers: &[], body: Vec::new() };
            let request = built(&address, request).expect("a request");
            let answer = converse(ours, request, "h").await;
            server.abort();
            answer
        });
        let Ok(answer) = answer else { return 0 };
        assert!(answer.body.len() <= LONGEST_ANSWER.min(input.len()), "no more than was sent");
        assert!(input.trim_ascii_start().starts_with(b"HTTP/1."), "an answer begins like one");
        answer.status
    });
}
