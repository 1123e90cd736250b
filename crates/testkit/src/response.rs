use cloakroom::IdHeader;

use crate::SetCookie;

/// In which the sites of the scenarios send the id, where a header carries it.
pub(crate) const ID_FIELD: &str = "x-session-id";

/// A response as it came over the wire.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names in lower case, values as bytes, in the order in which they came.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body, out of its transfer coding.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the test application sends text")
    }

    /// The values of all fields of that name; give it in lower case.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let of_name = self.fields.iter().filter(|(field, _)| field == name);
        of_name
            .map(|(_, value)| std::str::from_utf8(value).expect("our fields are ASCII"))
            .collect()
    }

    /// The elements of all comma-separated fields of that name, in lower case.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let fields = self.all(name);
        let elements = fields.iter().flat_map(|value| value.split(','));
        elements
            .map(|element| element.trim().to_ascii_lowercase())
            .collect()
    }

    /// Every cookie that it sets, its own and the application's.
    #[must_use]
    pub fn set_cookies(&self) -> Vec<SetCookie> {
        let fields = self.all("set-cookie");
        fields.into_iter().map(SetCookie::parse).collect()
    }

    /// The cookie of that name, if it sets one.
    #[must_use]
    pub fn set_cookie(&self, name: &str) -> Option<SetCookie> {
        let mut cookies = self.set_cookies().into_iter();
        cookies.find(|cookie| cookie.name == name)
    }

    /// The id that it sends in that header, if it does; empty for a removal.
    ///
    /// # Panics
    /// If it sends it twice.
    #[must_use]
    #[track_caller]
    pub fn id_header(&self, header: &IdHeader) -> Option<&str> {
        let values = self.all(header.response_name());
        assert!(values.len() < 2, "one response, one id");
        values.first().copied()
    }

    /// Asserts the status and gives the text.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "the body says {:?}", self.text());
        self.text()
    }

    /// Asserts that it sets no cookie at all, and sends no id in a header.
    #[track_caller]
    pub fn expect_no_cookie(&self) -> &Self {
        assert_eq!(self.all("set-cookie"), [""; 0]);
        assert_eq!(self.all(ID_FIELD), [""; 0]);
        self
    }

    /// What holds for every response of every scenario.
    pub(crate) fn check_rules(&self) {
        let cookies = self.set_cookies();
        for (at, cookie) in cookies.iter().enumerate() {
            let again = cookies[at + 1..]
                .iter()
                .any(|other| other.name == cookie.name);
            assert!(!again, "two cookies of one name: {}", cookie.name);
        }
        if cookies.iter().any(SetCookie::is_session) {
            assert_eq!(self.all("cache-control"), ["no-store"]);
            let vary = self.list("vary");
            assert!(
                vary.iter().filter(|name| *name == "cookie").count() == 1
                    || vary.contains(&"*".to_owned()),
                "a response with a session cookie varies by it: {vary:?}"
            );
        }
        if !self.all(ID_FIELD).is_empty() {
            assert_eq!(self.all("cache-control"), ["no-store"]);
            assert!(
                !self.list("vary").is_empty(),
                "it varies by what carries the id"
            );
            assert!(self.status < 500, "trouble sends no id");
            assert!(
                !cookies.iter().any(SetCookie::is_session),
                "the id is in a header and nowhere else"
            );
        }
        for (name, value) in &self.fields {
            let value = String::from_utf8_lossy(value).to_ascii_lowercase();
            assert!(
                !name.starts_with("access-control-"),
                "nobody asked for {name}"
            );
            assert!(
                !name.contains("cloakroom") && !value.contains("cloakroom"),
                "a response does not tell what made it: {name}"
            );
        }
        if self.status >= 500 {
            assert_eq!(self.all("set-cookie"), [""; 0], "trouble sends no cookie");
        }
        if self.status == 503 {
            let after = self.all("retry-after");
            assert_eq!(after.len(), 1, "a 503 says when to come again");
            assert!(after[0].parse::<u32>().is_ok_and(|seconds| seconds > 0));
        }
    }
}
