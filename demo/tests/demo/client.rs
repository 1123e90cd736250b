//! A browser of a few lines: it keeps one cookie as browsers do, and shows every header that comes.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A visitor with a cookie jar. Clones begin with the same cookies and go their own ways.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    address: SocketAddr,
    /// `name=value`
    pub(crate) cookie: Option<String>,
    /// What it sends besides with every request.
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Visitor {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self {
            address,
            cookie: None,
            headers: Vec::new(),
        }
    }

    /// The same cookie, shown to another server.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self {
            address,
            ..self.clone()
        }
    }

    pub(crate) fn with_cookie(mut self, cookie: impl Into<String>) -> Self {
        self.cookie = Some(cookie.into());
        self
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.try_send("GET", path, "", "").await.unwrap()
    }

    pub(crate) async fn post(&mut self, path: &str, json: &str) -> Reply {
        self.try_post(path, json).await.unwrap()
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Reply {
        self.try_send("DELETE", path, "", "").await.unwrap()
    }

    /// As `post`, where the server may be killed meanwhile.
    pub(crate) async fn try_post(&mut self, path: &str, json: &str) -> io::Result<Reply> {
        let content_type = match json {
            "" => "",
            _ => "application/json",
        };
        self.try_send("POST", path, content_type, json).await
    }

    pub(crate) async fn try_send(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> io::Result<Reply> {
        let mut stream = self.ask(method, path, content_type, body).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let reply = Reply::parse(&String::from_utf8(answer).unwrap())?;
        self.keep(&reply);
        Ok(reply)
    }

    /// Sends a request; what comes is to be read from the stream.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> io::Result<TcpStream> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        if !content_type.is_empty() {
            head += &format!("Content-Type: {content_type}\r\n");
        }
        if let Some(cookie) = &self.cookie {
            head += &format!("Cookie: {cookie}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = TcpStream::connect(self.address).await?;
        stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .await?;
        Ok(stream)
    }

    pub(crate) async fn sign_in(&mut self, name: &str) -> Reply {
        let reply = self
            .post("/api/login", &format!(r#"{{"name":"{name}"}}"#))
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    pub(crate) async fn add(&mut self, item: &str) -> Reply {
        self.post("/api/cart", &format!(r#"{{"item":"{item}"}}"#))
            .await
    }

    /// The items in the cart, or the status that came instead.
    pub(crate) async fn cart(&mut self) -> Result<Vec<String>, u16> {
        let reply = self.get("/api/me").await;
        match reply.status {
            200 => Ok(reply.cart()),
            status => Err(status),
        }
    }

    fn keep(&mut self, reply: &Reply) {
        if let Some(set_cookie) = reply.set_cookie() {
            let pair = set_cookie.split(';').next().unwrap();
            let removed = set_cookie.contains("Max-Age=0");
            self.cookie = (!removed).then(|| pair.to_owned());
        }
    }
}

impl Reply {
    /// A reply that was cut off is an error: nothing was acknowledged.
    fn parse(text: &str) -> io::Result<Self> {
        let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut_off)?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let reply = Self {
            status: status.and_then(|text| text.parse().ok()).unwrap(),
            headers: lines
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        };
        let length = reply.header("content-length").map(str::parse::<usize>);
        if length.is_some_and(|length| length.unwrap() != reply.body.len()) {
            return Err(cut_off());
        }
        Ok(reply)
    }

    /// The one header of that name. Two of them are a failure.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(found, _)| found == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{self:?}");
        value
    }

    pub(crate) fn set_cookie(&self) -> Option<&str> {
        self.header("set-cookie")
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn cart(&self) -> Vec<String> {
        assert_eq!(self.status, 200, "{self:?}");
        let cart = self.json()["cart"].take();
        serde_json::from_value(cart).unwrap()
    }

    /// That the server refused or failed: in JSON, with nothing but a sentence, and without a cookie.
    pub(crate) fn assert_error(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.set_cookie(), None, "{self:?}");
        let json = self.json();
        assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
        json["error"].as_str().unwrap().to_owned()
    }
}
