use std::net::{IpAddr, SocketAddr};

use cloakroom::{Carrier, IdHeader, RequestHead, Sessions};
use http::header::COOKIE;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

/// What the engine may read of a request; bytes are shared with the request, not copied.
#[derive(Debug)]
pub(crate) struct Head {
    // The first of the fields that may carry the id: a cookie, or the header.
    cookie: Option<HeaderValue>,
    // As a rule there is no more, and then this takes no memory.
    more: Option<Box<More>>,
}

#[derive(Debug, Default)]
struct More {
    // HTTP/2 clients may send many; most send one.
    cookies: Vec<HeaderValue>,
    // Only where clients are recorded, as is the peer.
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
        let mut head = match sessions.carrier() {
            Carrier::Cookie(_) => Self::with(headers, &COOKIE),
            Carrier::Header(header) => Self::in_header(headers, header),
        };
        if sessions.client_fields().next().is_some() {
            let more = head.more.get_or_insert_default();
            let wanted = sessions.client_fields();
            let fields = wanted.filter_map(|name| HeaderName::try_from(name).ok());
            more.fields = fields.flat_map(|name| values(headers, name)).collect();
            more.peer = peer(extensions);
        }
        head
    }

    // Apart from the rest, which is all that most applications need.
    #[cold]
    fn in_header(headers: &HeaderMap, header: &IdHeader) -> Self {
        let name = HeaderName::try_from(header.request_name()).expect("a checked name is one");
        Self::with(headers, &name)
    }

    #[inline]
    fn with(headers: &HeaderMap, name: &HeaderName) -> Self {
        let cookie = headers.get(name).cloned();
        let mut more = None;
        // Of some field there are several: a look at two lengths instead of a walk along the values.
        if headers.len() > headers.keys_len() {
            more = More::after_the_first(headers, name);
        }
        Self { cookie, more }
    }
}

impl More {
    /// All but the first, if there are any.
    fn after_the_first(headers: &HeaderMap, name: &HeaderName) -> Option<Box<Self>> {
        let cookies: Vec<_> = headers.get_all(name).iter().skip(1).cloned().collect();
        (!cookies.is_empty()).then(|| {
            Box::new(Self {
                cookies,
                ..Self::default()
            })
        })
    }
}

fn values(
    headers: &HeaderMap,
    name: HeaderName,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let values: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
    values.into_iter().map(move |value| (name.clone(), value))
}

impl RequestHead for Head {
    fn id_fields(&self, reader: &mut dyn FnMut(&[u8])) {
        // Not chained: that is a walk for what is mostly one.
        if let Some(first) = &self.cookie {
            reader(first.as_bytes());
        }
        if let Some(more) = &self.more {
            more.cookies
                .iter()
                .for_each(|value| reader(value.as_bytes()));
        }
    }

    fn fields(&self, name: &str, reader: &mut dyn FnMut(&[u8])) {
        let fields = self.more.iter().flat_map(|more| &more.fields);
        fields
            .filter(|(field, _)| field.as_str() == name)
            .for_each(|(_, value)| reader(value.as_bytes()));
    }

    fn peer(&self) -> Option<IpAddr> {
        self.more.as_ref()?.peer
    }
}
