//! Tests of `server` over real sockets.

use std::fs;
use std::net::SocketAddr;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::*;
use crate::certificate::Certificate;

/// Bytes of the served file: several times what one read takes.
const SIZE: usize = 300_000;

/// Starts a server for a folder with one large file; the thread ends with the test process.
fn start(test: &str, tls: Option<Arc<ServerConfig>>) -> (SocketAddr, PathBuf) {
    let folder = std::env::temp_dir().join(format!("xtask-server-{test}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("large.wasm"), content()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let root = folder.canonicalize().unwrap();
    thread::spawn(move || serve(&listener, root, tls));
    (address, folder)
}

fn content() -> Vec<u8> {
    (0..SIZE).map(|index| (index % 251) as u8).collect()
}

/// Sends text and returns all that comes back until the server closes.
fn exchange(stream: &mut (impl Read + Write), text: &str) -> (String, Vec<u8>) {
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an end of the headers") + 4;
    let body = answer.split_off(end);
    (String::from_utf8(answer).unwrap(), body)
}

const GET: &str = "GET /large.wasm HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[test]
fn a_file_arrives_whole_and_head_has_none_of_it() {
    let (address, folder) = start("whole", None);
    let (head, body) = exchange(&mut TcpStream::connect(address).unwrap(), GET);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains("Content-Type: application/wasm\r\n") && head.contains("Content-Length: 300000\r\n"),
        "{head}"
    );
    assert!(body == content());
    let (head, body) = exchange(&mut TcpStream::connect(address).unwrap(), &GET.replace("GET", "HEAD"));
    assert!(head.contains("Content-Length: 300000\r\n") && body.is_empty(), "{head}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn one_connection_takes_several_requests() {
    let (address, folder) = start("several", None);
    let range = "GET /large.wasm HTTP/1.1\r\nRange: bytes=1-3\r\n\r\n";
    let missing = "GET /missing HTTP/1.1\r\n\r\n";
    let mut stream = TcpStream::connect(address).unwrap();
    let (head, rest) = exchange(&mut stream, &format!("{range}{missing}{GET}"));
    assert!(head.starts_with("HTTP/1.1 206") && rest.starts_with(&[1, 2, 3]), "{head}");
    let rest = String::from_utf8_lossy(&rest).into_owned();
    let (second, third) = (rest.find("HTTP/1.1 404").unwrap(), rest.find("HTTP/1.1 200").unwrap());
    assert!(second < third);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_idle_connection_does_not_hold_up_others() {
    let (address, folder) = start("idle", None);
    let idle: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(address).unwrap()).collect();
    let started = Instant::now();
    let clients: Vec<_> = (0..8)
        .map(|_| thread::spawn(move || exchange(&mut TcpStream::connect(address).unwrap(), GET).1.len()))
        .collect();
    for client in clients {
        assert_eq!(client.join().unwrap(), SIZE);
    }
    assert!(started.elapsed() < IDLE / 4);
    drop(idle);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn nonsense_is_answered_and_closed() {
    let (address, folder) = start("nonsense", None);
    for text in
        ["\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), format!("GET / HTTP/1.1\r\nA: {}", "b".repeat(HEAD_LIMIT))]
    {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 400");
    }
    let (head, _) = exchange(
        &mut TcpStream::connect(address).unwrap(),
        "POST /large.wasm HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    );
    assert!(head.starts_with("HTTP/1.1 405") && head.contains("Connection: close"), "{head}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn tls_works_with_the_self_made_certificate_and_plain_http_is_redirected() {
    let kept = std::env::temp_dir().join(format!("xtask-server-certificate-{}", std::process::id()));
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = Certificate::load_or_make(&kept, &names).unwrap();
    let (address, folder) = start("tls", Some(certificate.server_config().unwrap()));

    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.der()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    for name in ["localhost", "127.0.0.1"] {
        let name = ServerName::try_from(name).unwrap();
        let connection = ClientConnection::new(Arc::new(client.clone()), name).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
        let (head, body) = exchange(&mut stream, GET);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body == content(), "{head}");
    }

    let (head, _) = exchange(
        &mut TcpStream::connect(address).unwrap(),
        "GET /page?device=cpu HTTP/1.1\r\nHost: phone.test:8080\r\nConnection: close\r\n\r\n",
    );
    assert!(head.starts_with("HTTP/1.1 307"), "{head}");
    assert!(head.contains("Location: https://phone.test:8080/page?device=cpu\r\n"), "{head}");
    for folder in [folder, kept] {
        fs::remove_dir_all(folder).unwrap();
    }
}
