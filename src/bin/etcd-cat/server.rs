//! The smallest server of HTTP that a monitor needs: GET, one answer for each connection, and nobody can hold it up.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// A longer request is none of ours.
const LONGEST_REQUEST: usize = 8 * 1024;

/// How long somebody may take to ask, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that are served at one time; more are told to come again.
const MOST: usize = 16;

/// Listens.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// What is answered to a path.
#[derive(Debug)]
pub(crate) enum Answered {
    /// This text.
    Text {
        /// Of which type.
        content_type: &'static str,
        /// The text.
        text: String,
    },
    /// It cannot be told now, in these words.
    Trouble(String),
    /// There is nothing.
    Nothing,
}

impl Answered {
    /// A text, or why there is none.
    pub(crate) fn text(content_type: &'static str, text: Result<String, String>) -> Self {
        match text {
            Ok(text) => Self::Text { content_type, text },
            Err(trouble) => Self::Trouble(trouble),
        }
    }
}

type Answer<'a> = &'a (dyn Fn(&str) -> Answered + Sync);

impl Server {
    /// Takes an address.
    pub(crate) fn bind(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address that it has: with the port that the system chose for 0.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the program ends.
    pub(crate) fn serve(&self, answer: Answer<'_>) {
        let busy = &AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for stream in self.listener.incoming() {
                let Ok(stream) = stream else {
                    // Out of descriptors, mostly: others will end.
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                };
                let is_too_much = busy.fetch_add(1, Ordering::Relaxed) >= MOST;
                let work = move || {
                    // Whoever hangs up does not want the answer.
                    let _ = converse(&stream, answer);
                    let _ = stream.shutdown(Shutdown::Both);
                    busy.fetch_sub(1, Ordering::Relaxed);
                };
                // A connection that is dropped is tried again by whoever wants to know.
                if is_too_much || Builder::new().spawn_scoped(scope, work).is_err() {
                    busy.fetch_sub(1, Ordering::Relaxed);
                }
            }
        });
    }
}

/// One request, one answer.
fn converse(stream: &TcpStream, answer: Answer<'_>) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = match head(stream)? {
        Some(head) => head,
        None => return Response::new("431 Request Header Fields Too Large").send(stream, true),
    };
    let line = head.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let (method, target, protocol) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some("HTTP/1.0" | "HTTP/1.1")) = (method, target, protocol)
    else {
        return Response::new("400 Bad Request").send(stream, true);
    };
    let has_body = match method {
        "GET" => true,
        "HEAD" => false,
        _ => {
            let response = Response {
                allow: "Allow: GET, HEAD\r\n",
                ..Response::new("405 Method Not Allowed")
            };
            return response.send(stream, true);
        }
    };
    let path = target.split('?').next().unwrap_or_default();
    let response = match answer(path) {
        Answered::Text { content_type, text } => Response {
            content_type,
            text,
            ..Response::new("200 OK")
        },
        Answered::Trouble(text) => Response {
            text,
            ..Response::new("503 Service Unavailable")
        },
        Answered::Nothing => Response {
            text: "see /metrics\n".to_owned(),
            ..Response::new("404 Not Found")
        },
    };
    response.send(stream, has_body)
}

/// The request up to its empty line; `None` when that does not come soon enough.
fn head(mut stream: &TcpStream) -> io::Result<Option<String>> {
    let end = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while head.len() < LONGEST_REQUEST {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        let count = stream.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        head.extend_from_slice(read);
        let ends = |end: &[u8]| head.windows(end.len()).any(|window| window == end);
        if ends(b"\r\n\r\n") || ends(b"\n\n") {
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
    }
    Ok(None)
}

/// An answer as it goes over the wire.
struct Response {
    status: &'static str,
    content_type: &'static str,
    allow: &'static str,
    text: String,
}

impl Response {
    fn new(status: &'static str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            allow: "",
            text: format!("{status}\n"),
        }
    }

    fn send(&self, mut stream: &TcpStream, has_body: bool) -> io::Result<()> {
        let mut bytes = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            self.status,
            self.content_type,
            self.text.len(),
            self.allow
        );
        if has_body {
            bytes.push_str(&self.text);
        }
        stream.write_all(bytes.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server answers to these bytes.
    fn ask(request: &[u8]) -> String {
        let server = Server::bind("127.0.0.1:0").expect("loopback");
        let address = server.address();
        // It serves until the program ends.
        std::thread::spawn(move || {
            server.serve(&|path| match path {
                "/metrics" => Answered::text("text/x", Ok("body\n".to_owned())),
                "/trouble" => Answered::text("text/x", Err("why\n".to_owned())),
                _ => Answered::Nothing,
            });
        });
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(request).expect("it reads");
        let mut answer = Vec::new();
        // A server that has not read all of a request may reset the connection behind its answer.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).expect("text")
    }

    #[test]
    fn each_request_has_its_answer() {
        let long = format!(
            "GET / HTTP/1.1\r\nX: {}\r\n\r\n",
            "x".repeat(LONGEST_REQUEST)
        );
        for (request, status, end) in [
            (
                "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                "200 OK",
                "\r\n\r\nbody\n",
            ),
            ("GET /metrics?x=1 HTTP/1.0\n\n", "200 OK", "\r\n\r\nbody\n"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "close\r\n\r\n"),
            (
                "GET /trouble HTTP/1.1\r\n\r\n",
                "503 Service Unavailable",
                "why\n",
            ),
            (
                "GET /../etc/passwd HTTP/1.1\r\n\r\n",
                "404 Not Found",
                "see /metrics\n",
            ),
            (
                "POST /metrics HTTP/1.1\r\n\r\n",
                "405 Method Not Allowed",
                "\n",
            ),
            ("GET /metrics HTTP/2.0\r\n\r\n", "400 Bad Request", "\n"),
            ("\r\n\r\n", "400 Bad Request", "\n"),
            (&long, "431 Request Header Fields Too Large", ""),
        ] {
            let answer = ask(request.as_bytes());
            let line = answer.lines().next().unwrap_or_default();
            let what: String = request.chars().take(40).collect();
            assert_eq!(line, format!("HTTP/1.1 {status}"), "{what:?}");
            assert!(answer.ends_with(end), "{what:?}: {answer}");
        }
    }

    #[test]
    fn those_that_say_nothing_do_not_hold_up_the_others() {
        let server = Server::bind("127.0.0.1:0").expect("loopback");
        let address = server.address();
        std::thread::spawn(move || {
            server.serve(&|_| Answered::text("text/x", Ok("body".to_owned())));
        });
        let silent: Vec<_> = (0..MOST - 1)
            .map(|_| TcpStream::connect(address).expect("it listens"))
            .collect();
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.ends_with("body"), "{answer}");
        drop(silent);
    }
}
