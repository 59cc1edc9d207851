//! A service of AWS for tests.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

/// A call that the service receives.
pub(crate) struct Call {
    /// The number of calls before it.
    pub(crate) number: usize,
    /// Its operation, such as `ReceiveMessage`.
    pub(crate) operation: String,
    pub(crate) body: String,
}

/// The address of a service that answers each call with a status and a body.
pub(crate) fn service(answer: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shared = Arc::new((answer, AtomicUsize::new(0)));
    thread::spawn(move || {
        for connection in listener.incoming() {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (answer, calls) = &*shared;
                serve(connection.unwrap(), |operation, body| {
                    let number = calls.fetch_add(1, SeqCst);
                    answer(&Call { number, operation, body })
                });
            });
        }
    });
    format!("http://{address}")
}

/// Answers the calls of a connection until its end.
fn serve(mut connection: TcpStream, answer: impl Fn(String, String) -> (u16, String)) {
    let mut calls = BufReader::new(connection.try_clone().unwrap());
    loop {
        let (mut length, mut operation) = (0_usize, String::new());
        loop {
            let mut line = String::new();
            if calls.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            } else if name.eq_ignore_ascii_case("x-amz-target") {
                operation = value.rsplit('.').next().unwrap_or_default().to_owned();
            }
        }
        let mut body = vec![0_u8; length];
        calls.read_exact(&mut body).unwrap();
        let (status, body) = answer(operation, String::from_utf8(body).unwrap());
        let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/x-amz-json-1.0");
        let response = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        connection.write_all(response.as_bytes()).unwrap();
    }
}
