use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{COOKIE, HeaderName, HeaderValue};
use cloakroom::{Carrier, RequestHead, Sessions};

/// What the engine may read of a request; bytes are shared with the request, not copied.
#[derive(Debug)]
pub(crate) struct Head {
    // The first of the fields that may carry the id: a cookie, or the header.
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

impl Head {
    pub(crate) fn of<T: Send + Sync + 'static>(
        request: &ServiceRequest,
        sessions: &Sessions<T>,
    ) -> Self {
        let headers = request.headers();
        let mut cookies = match sessions.carrier() {
            Carrier::Cookie(_) => headers.get_all(COOKIE),
            Carrier::Header(header) => headers.get_all(header.request_name()),
        }
        .cloned();
        let cookie = cookies.next();
        let more_cookies = cookies.collect();
        let mut wanted = sessions.client_fields().peekable();
        let client = wanted.peek().is_some().then(|| {
            let fields = wanted.filter_map(|name| HeaderName::try_from(name).ok());
            let values = |name: HeaderName| {
                let values = headers.get_all(&name).cloned();
                values
                    .map(move |value| (name.clone(), value))
                    .collect::<Vec<_>>()
            };
            Box::new(Client {
                fields: fields.flat_map(values).collect(),
                peer: request.peer_addr().map(|peer| peer.ip()),
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
    fn id_fields(&self, reader: &mut dyn FnMut(&[u8])) {
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
