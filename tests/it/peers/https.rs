//! A web server under TLS with one page, which a test may change.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::certificates;

/// A running server; ends when dropped.
pub struct HttpsPage {
    address: SocketAddr,
    page: Arc<Mutex<(u16, String)>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HttpsPage {
    /// Shows a page to whoever trusts the authority in the folder (`certificates::write`).
    pub fn start(folder: &Path, text: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let tls = certificates::server(folder);
        let page = Arc::new(Mutex::new((200, text.to_owned())));
        let ended = Arc::new(AtomicBool::new(false));
        let (shown, over) = (Arc::clone(&page), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let page = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // A client that goes away is its own affair.
                let _ = stream.and_then(|stream| answer(stream, Arc::clone(&tls), &page));
            }
        });
        Self { address, page, ended, thread: Some(thread) }
    }

    /// `https://127.0.0.1:…/metadata`
    pub fn url(&self) -> String {
        format!("https://{}/metadata", self.address)
    }

    /// What is shown from now on.
    pub fn show(&self, status: u16, text: &str) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = (status, text.to_owned());
    }
}

impl Drop for HttpsPage {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes it up; if it is gone already, all the better.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(
    mut stream: TcpStream,
    tls: Arc<rustls::ServerConfig>,
    (status, text): &(u16, String),
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut session = rustls::ServerConnection::new(tls).map_err(std::io::Error::other)?;
    let mut stream = rustls::Stream::new(&mut session, &mut stream);
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    let length = text.len();
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
