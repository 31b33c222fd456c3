//! Just enough HTTP/1.1 for tests: messages with a body, read from and written to a socket.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a peer of a test, which would otherwise hang with it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request, read completely.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names as they came.
    pub headers: Vec<(String, String)>,
    /// The body, without the framing of the transfer.
    pub body: Vec<u8>,
}

/// A reply, read completely.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// 200, …
    pub status: u16,
    /// Names as they came.
    pub headers: Vec<(String, String)>,
    /// The body, without the framing of the transfer.
    pub body: Vec<u8>,
}

impl Request {
    /// A request with a body.
    pub fn post(target: &str, headers: &[(&str, &str)], body: &str) -> Self {
        Self {
            method: "POST".into(),
            target: target.into(),
            headers: owned(headers),
            body: body.into(),
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A parameter of a form, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(&self.body)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Sends it on a connection of its own and reads the reply.
    pub fn send(&self, server: SocketAddr) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut headers: Vec<_> =
            self.headers.iter().filter(|(name, _)| !is_about_transfer(name)).cloned().collect();
        if header(&headers, "host").is_none() {
            headers.push(("Host".into(), server.to_string()));
        }
        headers.push(("Connection".into(), "close".into()));
        headers.push(("Content-Length".into(), self.body.len().to_string()));
        push(&mut head, &headers);
        stream.write_all(&[head.as_bytes(), &self.body].concat())?;
        Reply::read(&mut BufReader::new(stream))
    }

    /// The next request of a connection; `None` if the client has closed it.
    pub fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let Some(head) = read_head(reader)? else { return Ok(None) };
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut slots);
        parsed.parse(&head).map_err(invalid)?;
        let mut request = Self {
            method: parsed.method.unwrap_or_default().into(),
            target: parsed.path.unwrap_or_default().into(),
            headers: collected(parsed.headers),
            body: Vec::new(),
        };
        // A request without a length has no body.
        request.body = read_body(reader, &request.headers, false)?;
        Ok(Some(request))
    }
}

impl Reply {
    /// A reply of a service that speaks XML.
    pub fn xml(status: u16, body: &str) -> Self {
        Self::with_type(status, "text/xml", body)
    }

    /// A reply of a service that speaks JSON.
    pub fn json(status: u16, body: &str) -> Self {
        Self::with_type(status, "application/x-amz-json-1.1", body)
    }

    fn with_type(status: u16, content_type: &str, body: &str) -> Self {
        Self { status, headers: owned(&[("Content-Type", content_type)]), body: body.into() }
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads a reply.
    pub fn read(reader: &mut impl BufRead) -> std::io::Result<Self> {
        let head = read_head(reader)?.ok_or(ErrorKind::UnexpectedEof)?;
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut slots);
        parsed.parse(&head).map_err(invalid)?;
        let mut reply = Self {
            status: parsed.code.unwrap_or_default(),
            headers: collected(parsed.headers),
            body: Vec::new(),
        };
        reply.body = read_body(reader, &reply.headers, true)?;
        Ok(reply)
    }

    /// The reply as bytes, telling the length its body has.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_claiming(self.body.len())
    }

    /// The reply as bytes, telling another length.
    pub fn to_bytes_claiming(&self, length: usize) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        let mut headers: Vec<_> =
            self.headers.iter().filter(|(name, _)| !is_about_transfer(name)).cloned().collect();
        headers.push(("Content-Length".into(), length.to_string()));
        push(&mut head, &headers);
        [head.as_bytes(), &self.body].concat()
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn collected(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|header| (header.name.into(), String::from_utf8_lossy(header.value).into_owned()))
        .collect()
}

fn header<'a>(headers: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.as_str())
}

/// Whether a header belongs to one connection and not to the message.
fn is_about_transfer(name: &str) -> bool {
    ["connection", "keep-alive", "content-length", "transfer-encoding"]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own))
}

fn push(head: &mut String, headers: &[(String, String)]) {
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
}

fn read_head(reader: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
    }
    Ok(Some(head))
}

fn read_body(
    reader: &mut impl BufRead,
    headers: &[(String, String)],
    to_the_end: bool,
) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if header(headers, "transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = line.trim().split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(size, 16).map_err(invalid)?;
            // The line break after a chunk; after the last one, the end of the (empty) trailer.
            let before = body.len();
            reader.take(size).read_to_end(&mut body)?;
            if body.len() as u64 != before as u64 + size {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            reader.read_line(&mut String::new())?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    if let Some(length) = header(headers, "content-length") {
        body.resize(length.trim().parse().map_err(invalid)?, 0);
        reader.read_exact(&mut body)?;
    } else if to_the_end {
        reader.read_to_end(&mut body)?;
    }
    Ok(body)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> std::io::Error {
    std::io::Error::new(ErrorKind::InvalidData, error)
}
