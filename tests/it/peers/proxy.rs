//! A network between client and server that misbehaves on order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What happens after so many bytes from the server.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The connection is cut.
    Cut,
    /// Nothing comes any more, and the connection stays open.
    Stall,
    /// Nothing comes for a while.
    Pause(Duration),
}

/// A running proxy; ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Forwards to `server`. The first `times` connections meet the fault after `bytes` bytes.
    pub async fn start(server: SocketAddr, fault: Fault, bytes: usize, times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let after = (number < times).then_some(bytes);
                tokio::spawn(forward(client, server, fault, after));
            }
        });
        Self { address, connections, task }
    }

    /// `ldap://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    mut client: TcpStream,
    server: SocketAddr,
    fault: Fault,
    mut after: Option<usize>,
) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // Small, so that a pause is felt by the server.
    socket.set_recv_buffer_size(4096)?;
    let mut server = socket.connect(server).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = tokio::io::copy(&mut from_client, &mut to_server);
    let answers = async {
        let mut buffer = vec![0; 4096];
        loop {
            let read = from_server.read(&mut buffer).await?;
            if read == 0 {
                return Ok::<(), std::io::Error>(());
            }
            let passed = after.map_or(read, |left| left.min(read));
            to_client.write_all(&buffer[..passed]).await?;
            if let Some(left) = &mut after {
                *left -= passed;
                if *left == 0 {
                    match fault {
                        Fault::Cut => return Ok(()),
                        Fault::Stall => std::future::pending::<()>().await,
                        Fault::Pause(time) => tokio::time::sleep(time).await,
                    }
                    to_client.write_all(&buffer[passed..read]).await?;
                    after = None;
                }
            }
        }
    };
    tokio::select! {
        result = requests => result.map(drop),
        result = answers => result,
    }
}
