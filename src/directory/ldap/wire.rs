//! Messages in and out of a connection.

use std::io;
use std::ops::Range;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::answer::{self, Operation, Outcome};
use super::ber::{Malformed, header, tag};
use super::request;

/// How much is asked of the operating system at once.
const READ: usize = 64 << 10;
/// Longer than any message with a purpose: a group of a million members by their distinguished
/// names. A server that announces more must not fill the memory.
const LONGEST: usize = 128 << 20;
/// The same as long as nobody knows who the server is.
const LONGEST_AT_FIRST: usize = 1 << 20;

/// What bytes go over: a connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One end of a connection.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// What came and was not looked at yet is at `begin..end`.
    input: Vec<u8>,
    begin: usize,
    end: usize,
    last_id: i32,
    is_usable: bool,
    /// The longest message that is taken.
    longest: usize,
}

/// Why a connection can be used no longer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The operating system or TLS says so.
    #[error(transparent)]
    Transport(io::Error),
    /// The server closed it.
    #[error("the server closed the connection")]
    Closed,
    /// The server said that it would.
    #[error("the server ended the session: {}", .0)]
    Dismissed(Outcome),
    /// A message that is not LDAP, or not an answer to what was asked.
    #[error("an answer that is not LDAP")]
    Malformed,
    /// A message without measure.
    #[error("an answer of more than {} kB", longest / 1000)]
    TooLong { longest: usize },
}

impl From<Malformed> for Broken {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl Wire {
    /// A connection on which nothing was said yet.
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            input: vec![0; READ],
            begin: 0,
            end: 0,
            last_id: 0,
            is_usable: true,
            longest: LONGEST_AT_FIRST,
        }
    }

    /// From here on takes messages of this length, if that is not absurd.
    pub(super) fn take_up_to(&mut self, longest: usize) {
        self.longest = longest.min(LONGEST);
    }

    /// Whether a request has a chance.
    pub(super) fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// The stream below, to be encrypted from here on. What the server said before that nobody
    /// asked for did not come through TLS and must not be believed.
    pub(super) fn into_stream(self) -> Result<Box<dyn Stream>, Broken> {
        if self.begin == self.end { Ok(self.stream) } else { Err(Broken::Malformed) }
    }

    /// Sends a request. Its number, for the answers.
    pub(super) async fn send(&mut self, operation: &[u8], controls: &[u8]) -> Result<i32, Broken> {
        self.last_id = self.last_id.checked_add(1).ok_or(Broken::Malformed)?;
        let message = request::message(self.last_id, operation, controls);
        let sent = async {
            self.stream.write_all(&message).await?;
            self.stream.flush().await
        };
        let sent = sent.await.map_err(Broken::Transport);
        self.is_usable &= sent.is_ok();
        sent.map(|()| self.last_id)
    }

    /// The next answer to a request. Answers to earlier ones, which nobody waits for any more,
    /// are left out.
    pub(super) async fn answer(&mut self, id: i32) -> Result<Operation<'_>, Broken> {
        let answer = match self.message(id).await {
            Ok(message) => answer::operation(&self.input[message]).map_err(Broken::from),
            Err(broken) => Err(broken),
        };
        self.is_usable &= answer.is_ok();
        answer
    }

    async fn message(&mut self, id: i32) -> Result<Range<usize>, Broken> {
        loop {
            let place = self.frame().await?;
            let message = &self.input[place.clone()];
            match answer::id(message)? {
                0 => return Err(dismissed(message)),
                found if found == id => return Ok(place),
                found if found < id => {}
                _ => return Err(Broken::Malformed),
            }
        }
    }

    /// Where the next message is, without what frames it.
    async fn frame(&mut self) -> Result<Range<usize>, Broken> {
        loop {
            let bytes = &self.input[self.begin..self.end];
            if bytes.first().is_some_and(|first| *first != tag::SEQUENCE) {
                return Err(Broken::Malformed);
            }
            if let Some(header) = header(bytes)? {
                if header.content > self.longest {
                    return Err(Broken::TooLong { longest: self.longest });
                }
                let whole = header.size + header.content;
                if whole <= bytes.len() {
                    let place = self.begin + header.size..self.begin + whole;
                    self.begin = place.end;
                    return Ok(place);
                }
            }
            self.fill().await?;
        }
    }

    /// Waits for more bytes. The room for them grows with what came, not with what was announced.
    async fn fill(&mut self) -> Result<(), Broken> {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
        if self.end == self.input.len() {
            if self.begin > 0 {
                self.input.copy_within(self.begin..self.end, 0);
                (self.begin, self.end) = (0, self.end - self.begin);
            } else {
                self.input.resize(self.input.len() * 2, 0);
            }
        }
        let read = self.stream.read(&mut self.input[self.end..]).await;
        match read.map_err(Broken::Transport)? {
            0 => Err(Broken::Closed),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }
}

/// A message that answers nothing is the announcement that the server hangs up (RFC 4511,
/// section 4.4.1). Active Directory puts a part of it in the wrong place, so that only its
/// beginning is looked at.
fn dismissed(message: &[u8]) -> Broken {
    match answer::operation(message) {
        Ok(Operation::Extended(outcome)) => Broken::Dismissed(outcome),
        _ => Broken::Malformed,
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
