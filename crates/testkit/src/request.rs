/// An HTTP/1.1 request, whose fields may hold any bytes.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    target: String,
    fields: Vec<u8>,
    body: String,
    close: bool,
}

impl Request {
    /// A GET.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self {
            method: "GET",
            target: target.to_owned(),
            fields: Vec::new(),
            body: String::new(),
            close: true,
        }
    }

    /// A POST.
    #[must_use]
    pub fn post(target: &str, body: &str) -> Self {
        Self {
            method: "POST",
            body: body.to_owned(),
            ..Self::get(target)
        }
    }

    /// With one more field, as it is.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.extend_from_slice(name.as_bytes());
        self.fields.extend_from_slice(b": ");
        self.fields.extend_from_slice(value.as_ref());
        self.fields.extend_from_slice(b"\r\n");
        self
    }

    /// With one more `Cookie` field, as it is.
    #[must_use]
    pub fn cookie(self, value: impl AsRef<[u8]>) -> Self {
        self.field("Cookie", value)
    }

    /// Leaves the connection open for another request, or to be upgraded.
    #[must_use]
    pub fn keep_alive(mut self) -> Self {
        self.close = false;
        self
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        let close = if self.close {
            "Connection: close\r\n"
        } else {
            ""
        };
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{close}",
            self.method,
            self.target,
            self.body.len()
        );
        [head.as_bytes(), &self.fields, b"\r\n", self.body.as_bytes()].concat()
    }
}
