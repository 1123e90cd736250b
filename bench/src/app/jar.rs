use http::HeaderValue;

/// The cookies of one browser.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    cookies: Vec<(String, String)>,
}

impl Jar {
    /// Takes one `Set-Cookie` field.
    pub fn add(&mut self, field: &str) {
        let pair = field.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else { return };
        self.cookies.retain(|(known, _)| known != name);
        let removal = value.is_empty() || field.to_ascii_lowercase().contains("max-age=0;");
        if !removal {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// The `Cookie` field.
    pub fn header(&self) -> HeaderValue {
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderValue::try_from(pairs.join("; ")).expect("cookies came in a header")
    }
}
