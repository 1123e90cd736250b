//! A load generator: browsers that each keep one connection and one session, and ask again as soon as they have
//! their answer. One thread, plain TCP, HTTP/1.1.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;
use crate::app::Jar;

/// Signed-in browsers.
pub struct Browsers(Vec<Browser>);

struct Browser {
    stream: TcpStream,
    jar: Jar,
    buffer: Vec<u8>,
}

impl Browsers {
    pub async fn connect(port: u16, count: usize) -> Result<Self, Failure> {
        let mut browsers = Vec::new();
        for _ in 0..count {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            stream.set_nodelay(true)?;
            let mut browser = Browser { stream, jar: Jar::default(), buffer: Vec::new() };
            let request = browser.request("/sign-in");
            browser.exchange(&request).await?;
            browsers.push(browser);
        }
        Ok(Self(browsers))
    }

    /// These ask with the cookies of those: the same requests, of a server that does not look at them.
    pub fn wear_cookies_of(&mut self, others: &Self) {
        for (browser, other) in self.0.iter_mut().zip(&others.0) {
            browser.jar.clone_from(&other.jar);
        }
    }

    /// Requests in a second.
    pub async fn ask(&mut self, path: &'static str, time: Duration) -> Result<f64, Failure> {
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for mut browser in self.0.drain(..) {
            tasks.spawn(async move {
                let mut count = 0u64;
                let mut request = browser.request(path);
                while start.elapsed() < time {
                    if browser.exchange(&request).await? {
                        request = browser.request(path);
                    }
                    count += 1;
                }
                Ok::<_, Failure>((browser, count))
            });
        }
        let mut total = 0;
        while let Some(done) = tasks.join_next().await {
            let (browser, count) = done??;
            self.0.push(browser);
            total += count;
        }
        Ok(total as f64 / start.elapsed().as_secs_f64())
    }
}

impl Browser {
    fn request(&self, path: &str) -> Vec<u8> {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench\r\n");
        if !self.jar.is_empty() {
            let cookie = self.jar.header();
            request.push_str("cookie: ");
            request.push_str(cookie.to_str().expect("a cookie is ASCII"));
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        request.into_bytes()
    }

    /// Whether the answer brought a cookie.
    async fn exchange(&mut self, request: &[u8]) -> Result<bool, Failure> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.buffer[..end])?;
            let length: usize = fields(head, "content-length")
                .next()
                .ok_or_else(|| format!("no length: {head}"))?
                .parse()?;
            if self.buffer.len() < end + 4 + length {
                continue;
            }
            if head.get(9..12) != Some("200") {
                return Err(format!("not a good answer: {head}").into());
            }
            let cookies: Vec<String> = fields(head, "set-cookie").map(str::to_owned).collect();
            for cookie in &cookies {
                self.jar.add(cookie);
            }
            return Ok(!cookies.is_empty());
        }
    }
}

fn fields<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    head.lines().skip(1).filter_map(move |line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
