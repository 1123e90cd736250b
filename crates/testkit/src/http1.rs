use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Notebook, Response};

/// One HTTP/1.1 connection, byte by byte: it sends whatever it is given and shows what comes.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    notebook: Notebook,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr, notebook: Notebook) -> Self {
        let stream = TcpStream::connect(address).await;
        Self {
            stream: stream.expect("the server listens"),
            buffer: Vec::new(),
            notebook,
        }
    }

    /// Sends bytes as they are. `false` if the server has hung up already.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// The next response. `None` if the server hung up without one.
    pub async fn response(&mut self) -> Option<Response> {
        let mut response = self.head().await?;
        response.body = self.body(&response).await?;
        self.notebook.saw(&response);
        Some(response)
    }

    /// The next response's status and fields, as soon as they are there; its body is left unread.
    pub async fn head(&mut self) -> Option<Response> {
        let end = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let response = parse_head(&head);
        self.notebook.saw(&response);
        Some(response)
    }

    /// The next piece of a body in chunks. Empty at its end.
    pub async fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                break self.buffer.drain(..end + 2).collect::<Vec<u8>>();
            }
            self.more().await?;
        };
        let digits = std::str::from_utf8(line.trim_ascii()).expect("a chunk's size is ASCII");
        let size = usize::from_str_radix(digits, 16).expect("a chunk begins with its size");
        let mut chunk = self.exactly(size + 2).await?;
        chunk.truncate(size);
        Some(chunk)
    }

    /// So many bytes.
    pub async fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            self.more().await?;
        }
        Some(self.buffer.drain(..count).collect())
    }

    /// Whether nothing of a response has come yet.
    pub fn nothing_came(&mut self) -> bool {
        let mut byte = [0];
        let read = self.stream.try_read(&mut byte);
        self.buffer.is_empty()
            && matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    async fn body(&mut self, head: &Response) -> Option<Vec<u8>> {
        if head.status == 101 || head.status == 204 || head.status == 304 {
            return Some(Vec::new());
        }
        if head.list("transfer-encoding") == ["chunked"] {
            let mut body = Vec::new();
            loop {
                let chunk = self.chunk().await?;
                if chunk.is_empty() {
                    return Some(body);
                }
                body.extend(chunk);
            }
        }
        if let Some(length) = head.all("content-length").first() {
            let length = length.parse().expect("a length is a number");
            return self.exactly(length).await;
        }
        while self.more().await.is_some() {}
        Some(std::mem::take(&mut self.buffer))
    }

    /// Reads something. `None` at the end, or when the connection was cut.
    async fn more(&mut self) -> Option<()> {
        let read = in_time(self.stream.read_buf(&mut self.buffer)).await;
        (read.ok()? > 0).then_some(())
    }
}

/// No scenario measures time; this only turns one that hangs into one that fails.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    let answer = tokio::time::timeout(Duration::from_secs(60), future).await;
    answer.expect("what is waited for comes")
}

fn parse_head(head: &[u8]) -> Response {
    let mut lines = head.split(|byte| *byte == b'\n');
    let status_line = lines.next().expect("a split has a first part");
    let status = std::str::from_utf8(&status_line[9..12]).expect("a status is ASCII");
    let fields = lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .map(|line| {
            let colon = find(line, b":").expect("a field has a name");
            let name = std::str::from_utf8(&line[..colon]).expect("a field's name is ASCII");
            let value = line[colon + 1..].trim_ascii();
            (name.to_ascii_lowercase(), value.to_vec())
        })
        .collect();
    Response {
        status: status.parse().expect("a status is a number"),
        fields,
        body: Vec::new(),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
