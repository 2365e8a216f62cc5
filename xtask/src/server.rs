//! An HTTP/1.1 server for one folder, with or without TLS: connections, threads and the wire format.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::static_files::{Body, Request, Response, plain, respond};

/// The most bytes that request line and headers may have together.
const HEAD_LIMIT: usize = 16 * 1024;

/// The most headers a request may have; browsers send about twenty.
const HEADERS_LIMIT: usize = 100;

/// A connection that says nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(60);

/// The first byte of a TLS connection: the record type of a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Serves the files below `root`, a canonical path, to everyone who connects, each connection in a thread of its own.
/// Never returns.
pub fn serve(listener: &TcpListener, root: PathBuf, tls: Option<Arc<ServerConfig>>) {
    let root = Arc::new(root);
    for stream in listener.incoming() {
        // A connection that is gone before it was accepted concerns nobody else.
        let Ok(stream) = stream else { continue };
        let (root, tls) = (Arc::clone(&root), tls.clone());
        let connection = move || {
            // Ends when the browser closes it, usually as an error: there is nothing to tell anyone.
            let _ = connection(stream, &root, tls);
        };
        // Out of threads: the connection is dropped and the browser tries again.
        let _ = thread::Builder::new().name("connection".to_owned()).spawn(connection);
    }
}

/// One connection from first to last request.
fn connection(mut stream: TcpStream, root: &Path, tls: Option<Arc<ServerConfig>>) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_write_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        return requests(&mut stream, |head| respond(root, &head.request));
    };
    let mut first = [0];
    if stream.peek(&mut first)? == 1 && first[0] != TLS_HANDSHAKE {
        // Typed without `https://`: most browsers then try plain HTTP.
        requests(&mut stream, redirect_to_https)?;
        return stream.shutdown(Shutdown::Write);
    }
    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut secure = StreamOwned::new(connection, stream);
    requests(&mut secure, |head| respond(root, &head.request))?;
    secure.conn.send_close_notify();
    secure.flush()
}

/// Sends a plain HTTP request to the same place with TLS.
fn redirect_to_https(head: &Head) -> Response {
    match &head.host {
        Some(host) if head.request.target.starts_with('/') => {
            let mut response = plain((307, "Temporary Redirect"), "this server speaks https");
            response.headers.push(("Location", format!("https://{host}{}", head.request.target)));
            response
        }
        _ => plain((400, "Bad Request"), "this server speaks https"),
    }
}

/// What a request says before its body.
#[derive(Debug, Default)]
struct Head {
    request: Request,
    host: Option<String>,
    /// The connection ends after the answer: asked for by the client, or needed because a body follows, which is not read.
    close: bool,
}

/// Answers requests until one side wants to close.
fn requests<S: Read + Write>(stream: &mut S, answer: impl Fn(&Head) -> Response) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        let (head, response) = match read_head(stream, &mut received) {
            Ok(Some(head)) => {
                let response = answer(&head);
                (head, response)
            }
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                let head = Head { close: true, ..Head::default() };
                (head, plain((400, "Bad Request"), &error.to_string()))
            }
            Err(error) => return Err(error),
        };
        write_response(stream, response, head.request.method == "HEAD", head.close)?;
        if head.close {
            return Ok(());
        }
    }
}

/// Reads until a whole head is in `received` and removes it from there; nothing if the connection ended before.
fn read_head(stream: &mut impl Read, received: &mut Vec<u8>) -> io::Result<Option<Head>> {
    loop {
        if let Some((length, head)) = parse_head(received)? {
            received.drain(..length);
            return Ok(Some(head));
        }
        if received.len() >= HEAD_LIMIT {
            return Err(io::Error::new(ErrorKind::InvalidData, "the request's headers are too long"));
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            count => received.extend_from_slice(&chunk[..count]),
        }
    }
}

/// The head at the start of `bytes` and its length; nothing if it is not complete yet.
fn parse_head(bytes: &[u8]) -> io::Result<Option<(usize, Head)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut parsed = httparse::Request::new(&mut headers);
    let status = parsed.parse(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(length) = status else {
        return Ok(None);
    };
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
    };
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        range: header("range"),
        if_range: header("if-range"),
        if_none_match: header("if-none-match"),
    };
    let has_body =
        header("transfer-encoding").is_some() || header("content-length").is_some_and(|length| length != "0");
    let connection = header("connection").unwrap_or_default().to_ascii_lowercase();
    let keeps =
        if parsed.version == Some(0) { connection == "keep-alive" } else { !connection.contains("close") };
    Ok(Some((length, Head { request, host: header("host"), close: has_body || !keeps })))
}

/// Writes status, headers and, unless only the head was asked for, the body.
fn write_response(
    stream: &mut impl Write,
    response: Response,
    head_only: bool,
    close: bool,
) -> io::Result<()> {
    let (code, phrase) = response.status;
    let mut head = format!("HTTP/1.1 {code} {phrase}\r\n");
    for (name, value) in &response.headers {
        // httparse has let no line break into what headers are made from.
        head += &format!("{name}: {value}\r\n");
    }
    if code != 304 {
        head += &format!("Content-Length: {}\r\n", response.body.length());
    }
    head += if close { "Connection: close\r\n\r\n" } else { "Connection: keep-alive\r\n\r\n" };
    stream.write_all(head.as_bytes())?;
    match response.body {
        _ if head_only => {}
        Body::Text(text) => stream.write_all(text.as_bytes())?,
        Body::File { file, length } => {
            let mut part = file.take(length);
            // Larger than `io::copy`'s own steps: a model has megabytes, and each step is a TLS record or a system call.
            let mut chunk = vec![0; 64 * 1024];
            let mut left = length;
            while left > 0 {
                let count = part.read(&mut chunk)?;
                if count == 0 {
                    // The file shrank. Only closing the connection tells the browser that the rest is missing.
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                stream.write_all(&chunk[..count])?;
                left -= count as u64;
            }
        }
    }
    stream.flush()
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
