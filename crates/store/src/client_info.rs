use std::net::IpAddr;

/// What a client said of itself when it signed in, for a page that lists a user's devices.
///
/// Untrusted text: [`ClientInfo::new`] bounds it and takes control characters out, so that it cannot forge a
/// log line. It proves nothing about who is there.
///
/// ```
/// use cloakroom_store::ClientInfo;
///
/// let info = ClientInfo::new(Some("Browser\r\nX: 1"), None);
/// assert_eq!(info.user_agent(), Some("Browser  X: 1"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    user_agent: Option<Box<str>>,
    address: Option<IpAddr>,
}

impl ClientInfo {
    /// The longest user agent kept, in bytes; the rest is cut off at a character boundary.
    pub const MAX_USER_AGENT_BYTES: usize = 256;

    /// Cleans and keeps what the client said. An empty user agent is none.
    #[must_use]
    pub fn new(user_agent: Option<&str>, address: Option<IpAddr>) -> Self {
        let user_agent = user_agent.map(clean).filter(|text| !text.is_empty());
        Self {
            user_agent,
            address,
        }
    }

    /// The `User-Agent`, cleaned.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// The address of the connection, or that which a trusted proxy named.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

fn clean(text: &str) -> Box<str> {
    let end = text.floor_char_boundary(ClientInfo::MAX_USER_AGENT_BYTES);
    let visible: String = text[..end]
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    visible.trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_dirty_user_agents_are_cut_and_cleaned() {
        let long = "é".repeat(1_000);
        let info = ClientInfo::new(Some(&long), None);
        assert_eq!(info.user_agent().map(str::len), Some(256));
        assert_eq!(ClientInfo::new(Some("\u{1b}\r\n"), None).user_agent(), None);
    }
}
