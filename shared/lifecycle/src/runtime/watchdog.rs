//! The watchdog of requests, on a separate thread.
//!
//! The async runtime enforces deadlines only when work awaits. Work that blocks its thread is not
//! interrupted: Lambda would kill the process without a response, a count or a log line. So a
//! separate thread waits for overdue requests. Watching a request costs a map entry; the thread
//! wakes about once per time limit.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// A running invocation.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    /// Lambda's id of the invocation.
    pub(crate) invocation_id: String,
    pub(crate) event: Bytes,
    pub(crate) x_ray: Option<String>,
    pub(crate) cold_start: bool,
    pub(crate) began: Instant,
    /// The time from which it is overdue: after its own deadline, and before Lambda's.
    pub(crate) due: Instant,
    /// The time at which Lambda kills the process.
    pub(crate) ends: Instant,
}

/// Watches running invocations.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    board: Mutex<Board>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Board {
    watched: HashMap<u64, Watched>,
    last: u64,
    /// The time until which the thread sleeps; `None` while it waits for an entry.
    waits_until: Option<Instant>,
}

/// The time, for this thread without an async runtime too.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Ends the watch when it is dropped.
pub(crate) struct Watch {
    watchdog: Arc<Watchdog>,
    number: u64,
}

impl Watchdog {
    /// Starts the thread, which calls `overdue` for each overdue invocation.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub(crate) fn start(
        mut overdue: impl FnMut(&Watched, &Self) + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let watchdog = Arc::new(Self::default());
        let watching = Arc::clone(&watchdog);
        thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            loop {
                overdue(&watching.wait(), &watching);
            }
        })?;
        Ok(watchdog)
    }

    /// Watches an invocation until the result is dropped.
    pub(crate) fn watch(self: &Arc<Self>, watched: Watched) -> Watch {
        let mut board = self.board();
        board.last += 1;
        let number = board.last;
        let is_first = board.waits_until.is_none_or(|until| watched.due < until);
        board.watched.insert(number, watched);
        drop(board);
        if is_first {
            self.changed.notify_one();
        }
        Watch { watchdog: Arc::clone(self), number }
    }

    /// Waits until all other running invocations have ended, or the last of them is overdue.
    #[expect(clippy::disallowed_methods, reason = "the watchdog's own thread serves no request")]
    pub(crate) fn wait_for_others(&self) {
        let latest = self.board().watched.values().map(|watched| watched.due).max();
        while let Some(latest) = latest
            && now() < latest
            && !self.board().watched.is_empty()
        {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for an overdue invocation, and removes it from the board.
    fn wait(&self) -> Watched {
        let mut board = self.board();
        loop {
            let now = now();
            let earliest = board.watched.iter().min_by_key(|(_, watched)| watched.due);
            let earliest = earliest.map(|(number, watched)| (*number, watched.due));
            board = match earliest {
                Some((number, due)) if due <= now => {
                    if let Some(watched) = board.watched.remove(&number) {
                        return watched;
                    }
                    board
                }
                Some((_, due)) => {
                    board.waits_until = Some(due);
                    let waited = self.changed.wait_timeout(board, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    board.waits_until = None;
                    self.changed.wait(board).unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watchdog.board().watched.remove(&self.number);
    }
}

/// Sends a response to Lambda, on a connection without an async runtime. `outcome` is `response` or
/// `error`.
///
/// # Errors
///
/// When the Runtime API cannot be reached in time, or refuses the response.
pub(crate) fn hand_over(
    runtime_api: &str,
    invocation_id: &str,
    outcome: &str,
    body: &[u8],
    patience: Duration,
) -> io::Result<()> {
    let address = runtime_api.to_socket_addrs()?.next();
    let address = address.ok_or_else(|| io::Error::other("the Runtime API has no address"))?;
    let patience = patience.max(Duration::from_millis(1));
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let head = format!(
        "POST /2018-06-01/runtime/invocation/{invocation_id}/{outcome} HTTP/1.1\r\n\
         Host: {runtime_api}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status)?;
    match status.split(' ').nth(1) {
        Some("202") => Ok(()),
        _ => Err(io::Error::other(format!("the Runtime API returned {:?}", status.trim()))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn watchdog() -> (Arc<Watchdog>, Receiver<String>) {
        let (sender, receiver) = channel();
        let told = move |watched: &Watched, _: &Watchdog| {
            sender.send(watched.invocation_id.clone()).unwrap();
        };
        (Watchdog::start(told).unwrap(), receiver)
    }

    fn due_in(name: &str, milliseconds: u64) -> Watched {
        let due = now() + Duration::from_millis(milliseconds);
        Watched {
            invocation_id: name.to_owned(),
            event: Bytes::new(),
            x_ray: None,
            cold_start: false,
            began: now(),
            due,
            ends: due,
        }
    }

    #[test]
    fn each_overdue_invocation_is_reported_once_and_a_finished_one_never() {
        let (watchdog, told) = watchdog();
        let _long = watchdog.watch(due_in("long", 60_000));
        let _second = watchdog.watch(due_in("second", 60));
        let _first = watchdog.watch(due_in("first", 20));
        drop(watchdog.watch(due_in("answered", 5)));
        let limit = Duration::from_secs(10);
        assert_eq!(told.recv_timeout(limit).unwrap(), "first");
        assert_eq!(told.recv_timeout(limit).unwrap(), "second");
        // A shorter deadline wakes the thread while it waits for a longer one.
        let _third = watchdog.watch(due_in("third", 1));
        assert_eq!(told.recv_timeout(limit).unwrap(), "third");
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn the_watchdog_waits_until_other_invocations_have_ended() {
        let watchdog = Arc::new(Watchdog::default());
        watchdog.wait_for_others();
        let other = watchdog.watch(due_in("other", 60_000));
        let has_ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&has_ended);
        let answering = thread::spawn(move || {
            ends.store(true, Ordering::SeqCst);
            drop(other);
        });
        watchdog.wait_for_others();
        assert!(has_ended.load(Ordering::SeqCst));
        answering.join().unwrap();
        let due = due_in("blocked", 20);
        let _blocked = watchdog.watch(due.clone());
        watchdog.wait_for_others();
        assert!(now() >= due.due);
    }

    #[test]
    fn a_response_is_posted_to_the_runtime_api() {
        for (status, is_taken) in [("202 Accepted", true), ("400 Bad Request", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let served = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = Vec::new();
                let mut buffer = [0; 1024];
                while !asked.ends_with(b"{}") {
                    let read = stream.read(&mut buffer).unwrap();
                    asked.extend_from_slice(&buffer[..read]);
                }
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
                String::from_utf8(asked).unwrap()
            });
            let limit = Duration::from_secs(10);
            let handed = hand_over(&address, "id-1", "response", b"{}", limit);
            assert_eq!(handed.is_ok(), is_taken, "{status}");
            let asked = served.join().unwrap();
            let line = "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n";
            assert!(asked.starts_with(line) && asked.contains("Content-Length: 2\r\n"), "{asked}");
        }
    }

    #[test]
    fn a_runtime_api_that_does_not_respond_is_an_error_after_the_time_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let began = now();
        let patience = Duration::from_millis(50);
        assert!(hand_over(&address, "id", "response", b"{}", patience).is_err());
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
