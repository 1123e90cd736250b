use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::request::RequestHead;
use crate::{ClientInfo, Error};

/// Where the address of a client is taken from, when a session records
/// [what the client said of itself](crate::SessionsBuilder::record_clients).
///
/// Anybody can send a header. So the address is that of the connection, and a header is believed only as far as
/// proxies that you named have written it.
///
/// ```
/// use cloakroom::ClientAddress;
///
/// // Behind a proxy in 10.0.0.0/8 that appends to `X-Forwarded-For`.
/// let address = ClientAddress::forwarded("x-forwarded-for", ["10.0.0.0/8", "::1"])?;
/// assert!(ClientAddress::forwarded("x-forwarded-for", ["everybody"]).is_err());
/// # Ok::<(), cloakroom::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress(Source);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Nowhere,
    Connection,
    Field { name: Box<str>, proxies: Vec<IpNet> },
}

impl ClientAddress {
    /// No address is recorded: it may be personal data.
    #[must_use]
    pub const fn unrecorded() -> Self {
        Self(Source::Nowhere)
    }

    /// The address at the other end of the connection.
    #[must_use]
    pub const fn connection() -> Self {
        Self(Source::Connection)
    }

    /// The address in a field that your own proxies write, which are in these networks (`10.0.0.0/8`) or have
    /// these addresses. `forwarded` is read as RFC 7239 has it, any other name as a list of addresses like
    /// `X-Forwarded-For`, or a single one like `X-Real-IP`. The field is read from its end: each proxy appends whom
    /// it got the request from, so the first address that is not one of your proxies is the client's, and whatever
    /// comes before that may be invented. If the connection does not come from one of them, the field is not read.
    ///
    /// # Errors
    /// `Configuration` if one of these is not a network, or the name not that of a field.
    pub fn forwarded<'a>(
        field: &str,
        proxies: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if field.is_empty() || !field.bytes().all(is_name) {
            return Err(Error::configuration(format!(
                "`{field}` is not the name of a field"
            )));
        }
        let proxies = proxies.into_iter().map(network).collect::<Result<_, _>>()?;
        Ok(Self(Source::Field {
            name: field.to_ascii_lowercase().into(),
            proxies,
        }))
    }

    /// The field that has to be read for it.
    pub(crate) fn field(&self) -> Option<&str> {
        match &self.0 {
            Source::Field { name, .. } => Some(name),
            Source::Nowhere | Source::Connection => None,
        }
    }

    pub(crate) fn of<H: RequestHead + ?Sized>(&self, head: &H) -> Option<IpAddr> {
        match &self.0 {
            Source::Nowhere => None,
            Source::Connection => head.peer().map(|peer| peer.to_canonical()),
            Source::Field { name, proxies } => {
                let mut values = Vec::new();
                head.fields(name, &mut |value| values.push(value.to_vec()));
                let values = values.iter().map(Vec::as_slice);
                client(head.peer()?.to_canonical(), name, values, proxies)
            }
        }
    }
}

/// What a request says of its client.
pub(crate) fn client_info<H: RequestHead + ?Sized>(
    head: &H,
    address: &ClientAddress,
) -> ClientInfo {
    let mut user_agent = None;
    head.fields("user-agent", &mut |value| {
        user_agent.get_or_insert_with(|| String::from_utf8_lossy(value).into_owned());
    });
    ClientInfo::new(user_agent.as_deref(), address.of(head))
}

fn network(text: &str) -> Result<IpNet, Error> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or(address)
        .map_err(|_| Error::configuration(format!("`{text}` is neither a network nor an address")))
}

/// Walks from the connection towards the client, for as long as those it meets are to be believed.
fn client<'a>(
    peer: IpAddr,
    name: &str,
    values: impl DoubleEndedIterator<Item = &'a [u8]>,
    proxies: &[IpNet],
) -> Option<IpAddr> {
    let is_proxy = |address: IpAddr| proxies.iter().any(|network| network.contains(&address));
    let mut client = peer;
    let hops = values
        .rev()
        .flat_map(|value| value.rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|hop| !hop.is_empty());
    for hop in hops {
        if !is_proxy(client) {
            break;
        }
        let hop = std::str::from_utf8(hop).unwrap_or_default();
        let address = if name == "forwarded" {
            for_parameter(hop).and_then(address)
        } else {
            address(hop)
        };
        // A proxy of yours that does not say whom it got the request from: nobody knows.
        client = address?;
    }
    Some(client)
}

/// The `for` of one element of a `Forwarded` field (RFC 7239, section 4).
fn for_parameter(element: &str) -> Option<&str> {
    let value = element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value)
    })?;
    Some(value.trim().trim_matches('"'))
}

/// An address with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    address
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, name: &str, values: &[&str]) -> Option<String> {
        let source = ClientAddress::forwarded(name, ["10.0.0.0/8", "2001:db8::1"]).unwrap();
        let Source::Field { name, proxies } = &source.0 else {
            panic!("it is a field");
        };
        let values = values.iter().map(|value| value.as_bytes());
        let peer = peer.parse::<IpAddr>().unwrap();
        client(peer, name, values, proxies).map(|address| address.to_string())
    }

    #[test]
    fn an_address_is_believed_only_as_far_as_own_proxies_wrote_it() {
        let found = |peer, values| found(peer, "X-Forwarded-For", values);
        let client = Some("192.0.2.7".to_owned());
        // A stranger's header is not read.
        assert_eq!(found("192.0.2.7", &["203.0.113.1"]), client);
        assert_eq!(found("10.0.0.1", &["192.0.2.7"]), client);
        // The client invented the first one.
        assert_eq!(found("10.0.0.1", &["203.0.113.1, 192.0.2.7"]), client);
        assert_eq!(
            found("10.0.0.1", &["203.0.113.1", "192.0.2.7, 10.2.3.4"]),
            client
        );
        assert_eq!(found("2001:db8::1", &["192.0.2.7:4711"]), client);
        assert_eq!(found("10.0.0.1", &["::ffff:192.0.2.7"]), client);
        assert_eq!(found("10.0.0.1", &["nonsense"]), None);
        assert_eq!(found("10.0.0.1", &["192.0.2.7, unknown"]), None);
        // Called by a proxy itself.
        assert_eq!(found("10.0.0.1", &[" ", ""]), Some("10.0.0.1".to_owned()));
    }

    #[test]
    fn the_standard_field_is_read_as_rfc_7239_has_it() {
        let found = |values| found("10.0.0.1", "Forwarded", values);
        assert_eq!(
            found(&["for=203.0.113.1;proto=https, For=192.0.2.7;by=10.0.0.1"]),
            Some("192.0.2.7".to_owned())
        );
        assert_eq!(
            found(&[r#"proto=https;for="[2001:db8:cafe::17]:4711""#]),
            Some("2001:db8:cafe::17".to_owned())
        );
        assert_eq!(found(&["for=_hidden"]), None);
        assert_eq!(found(&["proto=https"]), None);
    }

    #[test]
    fn nonsense_is_refused_when_it_is_configured() {
        assert!(ClientAddress::forwarded("x forwarded", ["10.0.0.0/8"]).is_err());
        assert!(ClientAddress::forwarded("", ["10.0.0.0/8"]).is_err());
        assert!(ClientAddress::forwarded("x-real-ip", ["10.0.0.0/33"]).is_err());
    }
}
