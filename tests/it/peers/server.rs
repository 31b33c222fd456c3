//! An HTTP/1.1 server of one test: a closure answers, connections are kept alive, everything ends
//! with the guard.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;

use super::http::{Reply, Request};

/// Most connections at once; the next ones wait.
const CONNECTIONS: usize = 256;

/// What the server does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Answers.
    Reply(Reply),
    /// Answers, claims that the body has so many bytes, and ends the connection.
    Claiming(Reply, usize),
    /// Resets the connection.
    Reset,
    /// Says nothing until the client closes the connection.
    Stall,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

/// A running server; ends when dropped.
pub struct ScriptedHttp {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    ending: AtomicBool,
    connections: Mutex<Vec<(usize, TcpStream)>>,
    one_ended: Condvar,
}

impl ScriptedHttp {
    /// Starts a server whose answers the closure decides. It may be called by several threads at
    /// once.
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            ending: AtomicBool::new(false),
            connections: Mutex::default(),
            one_ended: Condvar::new(),
        });
        let (for_accepting, answer) = (Arc::clone(&shared), Arc::new(answer));
        let accepting = std::thread::spawn(move || {
            let mut threads: Vec<JoinHandle<()>> = Vec::new();
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { break };
                if !for_accepting.admit(number, &stream) {
                    break;
                }
                let (shared, answer) = (Arc::clone(&for_accepting), Arc::clone(&answer));
                threads.retain(|thread| !thread.is_finished());
                threads.push(std::thread::spawn(move || {
                    // A client that goes away in the middle is nothing special.
                    let _ = serve(&stream, &*answer);
                    shared.forget(number);
                }));
            }
            for_accepting.shut_all();
            for thread in threads {
                let _ = thread.join();
            }
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ScriptedHttp {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        self.shared.shut_all();
        // Wakes the one who waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Waits for a free place; `false` if the server is ending.
    fn admit(&self, number: usize, stream: &TcpStream) -> bool {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        while connections.len() >= CONNECTIONS && !self.ending.load(Ordering::SeqCst) {
            let moment = Duration::from_millis(50);
            connections = match self.one_ended.wait_timeout(connections, moment) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        if self.ending.load(Ordering::SeqCst) {
            return false;
        }
        connections.push((number, stream.try_clone().expect("a second handle")));
        true
    }

    fn forget(&self, number: usize) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.retain(|(other, _)| *other != number);
        self.one_ended.notify_all();
    }

    fn shut_all(&self) {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, stream) in &*connections {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(
    stream: &TcpStream,
    answer: &(impl Fn(&Request) -> Answer + ?Sized),
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        let mut writer = stream;
        match answer(&request) {
            Answer::Reply(reply) => writer.write_all(&reply.to_bytes())?,
            Answer::Claiming(reply, length) => {
                writer.write_all(&reply.to_bytes_claiming(length))?;
                return stream.shutdown(Shutdown::Both);
            }
            Answer::Reset => {
                // Closing with nothing left to linger for sends a reset, once the last handle to
                // the socket is closed.
                SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
                return Ok(());
            }
            Answer::Stall => {
                let mut nothing = [0];
                while reader.read(&mut nothing)? != 0 {}
                return Ok(());
            }
        }
        if request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            return stream.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

#[test]
fn every_answer_arrives_as_meant() {
    use std::io::ErrorKind;
    let server = ScriptedHttp::start(|request| match request.target.as_str() {
        "/reply" => Reply::json(200, &request.text()).into(),
        "/claim" => Answer::Claiming(Reply::xml(200, "abc"), 10),
        "/reset" => Answer::Reset,
        _ => Answer::Stall,
    });
    let send = |target: &str| Request::post(target, &[], "{}").send(server.address());
    let reply = send("/reply").expect("a reply");
    assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
    assert_eq!(reply.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(send("/claim").unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(send("/reset").unwrap_err().kind(), ErrorKind::ConnectionReset);

    // Two requests on one connection, then one that is never answered.
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    for _ in 0..2 {
        stream.write_all(b"POST /reply HTTP/1.1\r\nContent-Length: 1\r\n\r\nx").expect("sent");
        assert_eq!(Reply::read(&mut reader).expect("a reply").body, b"x");
    }
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a time limit");
    stream.write_all(b"POST /stall HTTP/1.1\r\nContent-Length: 0\r\n\r\n").expect("sent");
    let kind = Reply::read(&mut reader).unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind:?}");
    assert!(server.url().ends_with(&server.address().port().to_string()));
    drop(server);
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time limit");
    assert!(Reply::read(&mut reader).is_err(), "the connection ends with the server");
}
