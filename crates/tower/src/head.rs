use std::net::{IpAddr, SocketAddr};

use cloakroom::{RequestHead, Sessions};
use http::header::COOKIE;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

/// What the engine may read of a request; bytes are shared with the request, not copied.
#[derive(Debug)]
pub(crate) struct Head {
    cookie: Option<HeaderValue>,
    // HTTP/2 clients may send many; most send one, and then this takes no memory.
    more_cookies: Vec<HeaderValue>,
    // Only where clients are recorded.
    client: Option<Box<Client>>,
}

#[derive(Debug)]
struct Client {
    fields: Vec<(HeaderName, HeaderValue)>,
    peer: Option<IpAddr>,
}

/// How the address at the other end of the connection is found among a request's extensions.
pub(crate) type PeerOf = fn(&Extensions) -> Option<IpAddr>;

/// What many servers put there.
pub(crate) fn socket_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<SocketAddr>().map(SocketAddr::ip)
}

impl Head {
    pub(crate) fn of<T: Send + Sync + 'static>(
        headers: &HeaderMap,
        extensions: &Extensions,
        sessions: &Sessions<T>,
        peer: PeerOf,
    ) -> Self {
        let mut cookies = headers.get_all(COOKIE).iter().cloned();
        let cookie = cookies.next();
        let more_cookies = cookies.collect();
        let mut wanted = sessions.client_fields().peekable();
        let client = wanted.peek().is_some().then(|| {
            let fields = wanted.filter_map(|name| HeaderName::try_from(name).ok());
            let values = |name: HeaderName| {
                let values = headers.get_all(&name).iter().cloned();
                values
                    .map(move |value| (name.clone(), value))
                    .collect::<Vec<_>>()
            };
            Box::new(Client {
                fields: fields.flat_map(values).collect(),
                peer: peer(extensions),
            })
        });
        Self {
            cookie,
            more_cookies,
            client,
        }
    }
}

impl RequestHead for Head {
    fn cookies(&self, reader: &mut dyn FnMut(&[u8])) {
        let values = self.cookie.iter().chain(&self.more_cookies);
        values.for_each(|value| reader(value.as_bytes()));
    }

    fn fields(&self, name: &str, reader: &mut dyn FnMut(&[u8])) {
        let fields = self.client.iter().flat_map(|client| &client.fields);
        fields
            .filter(|(field, _)| field.as_str() == name)
            .for_each(|(_, value)| reader(value.as_bytes()));
    }

    fn peer(&self) -> Option<IpAddr> {
        self.client.as_ref()?.peer
    }
}
