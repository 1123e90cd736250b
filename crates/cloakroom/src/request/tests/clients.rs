use std::net::IpAddr;

use super::fixture::{Fixture, cart, sent};
use crate::{ClientAddress, RequestHead};

/// A request with these fields, from that address.
struct Head(&'static [(&'static str, &'static [u8])], &'static str);

impl RequestHead for Head {
    fn id_fields(&self, reader: &mut dyn FnMut(&[u8])) {
        self.fields("cookie", reader);
    }

    fn fields(&self, name: &str, reader: &mut dyn FnMut(&[u8])) {
        let fields = self.0.iter().filter(|(field, _)| *field == name);
        fields.for_each(|(_, value)| reader(value));
    }

    fn peer(&self) -> Option<IpAddr> {
        self.1.parse().ok()
    }
}

const FIELDS: &[(&str, &[u8])] = &[
    ("user-agent", b"Browser\x1b[31m \xff1"),
    ("user-agent", b"another"),
    ("x-forwarded-for", b"203.0.113.9"),
];

async fn recorded(address: ClientAddress, peer: &'static str) -> (Option<String>, Option<String>) {
    let it = Fixture::with(|builder| builder.record_clients(address));
    let request = it.sessions.for_request(Head(FIELDS, peer));
    request.resave(cart(&["ada"])).await.unwrap();
    let cookie = sent(&request).await.unwrap();
    let (_, session) = it.open(&cookie).await;
    let client = session.record().unwrap().client.unwrap();
    let address = client.address().map(|address| address.to_string());
    (client.user_agent().map(ToOwned::to_owned), address)
}

#[tokio::test]
async fn a_session_notes_what_the_client_said_cleaned_and_where_it_came_from() {
    let (agent, address) = recorded(ClientAddress::connection(), "192.0.2.1").await;
    assert_eq!(agent.as_deref(), Some("Browser [31m \u{fffd}1"));
    assert_eq!(address.as_deref(), Some("192.0.2.1"));

    let (_, address) = recorded(ClientAddress::unrecorded(), "192.0.2.1").await;
    assert_eq!(address, None);
}

#[tokio::test]
async fn a_header_names_the_address_only_if_a_trusted_proxy_sent_it() {
    let proxied = || ClientAddress::forwarded("X-Forwarded-For", ["10.0.0.0/8"]).unwrap();
    let (_, address) = recorded(proxied(), "10.1.2.3").await;
    assert_eq!(address.as_deref(), Some("203.0.113.9"));
    let (_, address) = recorded(proxied(), "192.0.2.1").await;
    assert_eq!(address.as_deref(), Some("192.0.2.1"));
    let (_, address) = recorded(proxied(), "unknown").await;
    assert_eq!(address, None);
}

#[tokio::test]
async fn unless_it_is_asked_for_nothing_is_noted() {
    let it = Fixture::new();
    let request = it.sessions.for_request(Head(FIELDS, "192.0.2.1"));
    request.resave(cart(&["ada"])).await.unwrap();
    let cookie = sent(&request).await.unwrap();
    let (_, session) = it.open(&cookie).await;
    assert!(session.record().unwrap().client.is_none());
    assert_eq!(it.sessions.client_fields().count(), 0);
}
