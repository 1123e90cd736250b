//! A connection belongs to nobody: a proxy sends many visitors' requests over one.

use crate::{Connection, Kit, Request, Site};

/// One after the other.
pub async fn visitors_who_share_a_connection_share_no_session(kit: &Kit) {
    let site = kit.site().await;
    let (ada, bob) = (site.signed_in("ada").await, site.signed_in("bob").await);
    let mut connection = site.connect().await;
    for (cookie, expected) in [
        (Some(ada.cookie()), "ada:0"),
        (None, "nobody"),
        (Some(bob.cookie()), "bob:0"),
        (Some("__Host-sid=forged".to_owned()), "nobody"),
        (Some(ada.cookie()), "ada:0"),
        (None, "nobody"),
    ] {
        let request = read(cookie.as_deref());
        assert!(connection.send(&request.into_bytes()).await);
        expect(&mut connection, expected).await;
    }
}

/// All at once.
pub async fn pipelined_requests_share_no_session(kit: &Kit) {
    let site = kit.site().await;
    let (ada, bob) = (site.signed_in("ada").await, site.signed_in("bob").await);
    let mut connection = site.connect().await;
    let pipelined = [
        read(Some(&ada.cookie())),
        read(None),
        read(Some(&bob.cookie())),
        Request::post("/current/update", "")
            .keep_alive()
            .cookie(ada.cookie()),
        read(None),
        read(Some(&ada.cookie())),
    ];
    let bytes: Vec<u8> = pipelined
        .into_iter()
        .flat_map(Request::into_bytes)
        .collect();
    assert!(connection.send(&bytes).await);
    for expected in ["ada:0", "nobody", "bob:0", "ada:1", "nobody", "ada:1"] {
        expect(&mut connection, expected).await;
    }
}

/// A session that begins on a connection is in the cookie, not in the connection.
pub async fn a_session_is_not_kept_by_the_connection(kit: &Kit) {
    let site = kit.site().await;
    let mut connection = site.connect().await;
    let cookie = sign_in(&site, &mut connection).await;
    assert!(connection.send(&read(None).into_bytes()).await);
    expect(&mut connection, "nobody").await;
    let other = sign_in(&site, &mut connection).await;
    assert_ne!(cookie, other);
    assert_eq!(site.visitor_with(&cookie).whoami().await, "ada:0");
    assert_eq!(site.store.live().await, 2);
}

async fn sign_in(site: &Site, connection: &mut Connection) -> String {
    let request = Request::post("/current/resave", "ada").keep_alive();
    assert!(connection.send(&request.into_bytes()).await);
    let response = connection.response().await.expect("the server answers");
    response.expect(200);
    let cookie = response.set_cookie(site.cookie_name());
    cookie.expect("it was stored").pair()
}

fn read(cookie: Option<&str>) -> Request {
    let request = Request::get("/current/read").keep_alive();
    match cookie {
        Some(cookie) => request.cookie(cookie),
        None => request,
    }
}

async fn expect(connection: &mut Connection, text: &str) {
    let response = connection.response().await.expect("the server answers");
    assert_eq!(response.expect(200), text);
    response.expect_no_cookie();
}
