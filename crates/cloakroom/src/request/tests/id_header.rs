use std::time::Duration;

use super::fixture::{Cart, Fixture, cart};
use crate::{
    Carrier, ClientAddress, CookieOptions, ErrorKind, IdHeader, LazySession, MemoryStore, RenewIds,
    Secret, Sessions, SessionsBuilder,
};

fn fixture(header: &IdHeader) -> Fixture {
    Fixture::with(|builder| builder.id_in_header(header.clone()))
}

fn headers() -> [IdHeader; 2] {
    [IdHeader::new("X-Ticket").unwrap(), IdHeader::bearer()]
}

fn builder(secret: &Secret) -> SessionsBuilder<Cart> {
    Sessions::builder(MemoryStore::new(), secret.clone())
}

async fn sent(request: &LazySession<Cart>) -> Option<String> {
    let effect = request.finish().await;
    assert_eq!(effect.set_cookie(), None);
    effect.set_header().map(ToOwned::to_owned)
}

#[tokio::test]
async fn the_response_says_the_value_and_nothing_of_a_cookie() {
    for header in headers() {
        let it = fixture(&header);
        let request = it.request("");
        request.resave(cart(&["x"])).await.unwrap();
        let value = sent(&request).await.unwrap();
        assert!(it.sessions.verify_session_id(&value).is_ok());

        let (request, session) = it.open(&header.request_value(&value)).await;
        assert_eq!(session.data().as_deref(), Some(&cart(&["x"])));
        assert_eq!(sent(&request).await, None);
        let (request, session) = it.open(&header.request_value(&value)).await;
        session.rotate().await.unwrap();
        let newer = sent(&request).await.unwrap();
        assert_ne!(newer, value);
        assert_eq!(it.stored(&header.request_value(&value)).await, None);

        let request = it.request(&header.request_value(&newer));
        request.logout().await.unwrap();
        assert_eq!(sent(&request).await.as_deref(), Some(""));
        let request = it.request("");
        request.logout().await.unwrap();
        assert_eq!(sent(&request).await, None, "nothing to forget");
    }
}

#[tokio::test]
async fn nothing_that_is_printed_shows_the_value() {
    let it = fixture(&IdHeader::bearer());
    let request = it.request("");
    request.resave(cart(&["x"])).await.unwrap();
    let effect = request.finish().await;
    let value = effect.set_header().unwrap().to_owned();
    let printed = format!(
        "{effect:?} {request:?} {:?} {:?}",
        it.sessions,
        it.sessions.carrier()
    );
    assert!(printed.contains("Sent(…)") && printed.contains("IdHeader(\"authorization\")"));
    assert!(!printed.contains(&value[..43]) && !printed.contains(&value[44..]));
}

#[tokio::test]
async fn earlier_secrets_and_renewals_work_as_with_cookies() {
    for header in headers() {
        let it = Fixture::with(|builder| {
            let renewal = RenewIds::every(Duration::from_secs(60));
            builder.id_in_header(header.clone()).renew_ids(renewal)
        });
        let request = it.request("");
        request.resave(cart(&["x"])).await.unwrap();
        let old = header.request_value(&sent(&request).await.unwrap());
        it.advance(61);
        let (request, _) = it.open(&old).await;
        let newer = sent(&request).await.expect("a renewed id");
        let (request, _) = it.open(&old).await;
        assert_eq!(sent(&request).await, Some(newer), "the response was lost");
    }
    let (old, new) = (Secret::generate().unwrap(), Secret::generate().unwrap());
    let header = IdHeader::bearer();
    let before = builder(&old).id_in_header(header.clone()).build().unwrap();
    let after = builder(&new).previous_secret(old).id_in_header(header);
    let after = after.build().unwrap();
    let request = before.for_request([""]);
    request.resave(cart(&[])).await.unwrap();
    let value = sent(&request).await.unwrap();
    assert!(after.verify_session_id(&value).is_ok());
}

#[test]
fn options_that_make_no_sense_together_are_refused() {
    let secret = Secret::generate().unwrap();
    let ticket = || IdHeader::new("x-ticket").unwrap();
    let address = || ClientAddress::forwarded("X-Ticket", ["10.0.0.0/8"]).unwrap();
    for refused in [
        builder(&secret)
            .cookie(CookieOptions::new())
            .id_in_header(ticket()),
        builder(&secret)
            .id_in_header(IdHeader::bearer())
            .cookie(CookieOptions::insecure_for_local_http()),
        builder(&secret)
            .id_in_header(ticket())
            .record_clients(address()),
    ] {
        let error = refused.build().expect_err("a contradiction");
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    for accepted in [
        builder(&secret)
            .id_in_header(ticket())
            .save_uninitialized(true),
        builder(&secret)
            .id_in_header(IdHeader::bearer())
            .record_clients(address()),
        builder(&secret).record_clients(address()),
    ] {
        accepted.build().expect("no contradiction");
    }
}

#[test]
fn the_carrier_is_the_cookie_unless_a_header_is_given() {
    let secret = Secret::generate().unwrap();
    let cookie = builder(&secret).build().unwrap();
    assert!(matches!(cookie.carrier(), Carrier::Cookie(name) if name.as_str() == "__Host-sid"));
    assert_eq!(cookie.carrier().request_field(), "cookie");
    let header = builder(&secret).id_in_header(IdHeader::bearer());
    let header = header.build().unwrap();
    assert_eq!(header.carrier(), &Carrier::Header(IdHeader::bearer()));
    assert_eq!(header.carrier().request_field(), "authorization");
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn the_helpers_for_tests_work_with_headers() {
    use crate::testing::{CookieEffect, Visitor, sign_in, stored};

    for header in headers() {
        let it = fixture(&header);
        let ada = sign_in(&it.sessions, cart(&["x"])).await.unwrap();
        assert_eq!(ada.field_name(), header.request_name());
        let found = stored(&it.sessions, &ada).await.unwrap();
        assert_eq!(found.as_deref(), Some(&cart(&["x"])));

        let mut visitor = Visitor::with(ada);
        let request = it.request(&visitor.cookie_field());
        request.resave(cart(&["y"])).await.unwrap();
        let value = sent(&request).await;
        visitor.receive(&it.sessions, &value).expect_set();
        assert_eq!(it.stored(&visitor.cookie_field()).await, Some(cart(&["y"])));
        let request = it.request(&visitor.cookie_field());
        request.logout().await.unwrap();
        visitor
            .receive(&it.sessions, sent(&request).await)
            .expect_removed();
        assert_eq!(visitor.cookie_field(), "");
        CookieEffect::of(&it.sessions, [""; 0]).expect_untouched();
    }
}
