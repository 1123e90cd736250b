//! Promise 6: `Ok` means stored: before the first byte of a response leaves, whatever becomes of the response.

use std::time::Duration;

use cloakroom::ErrorKind;

use crate::http1::in_time;
use crate::{Connection, Gate, Kit, Op, Request, Site, Visitor};

/// While the store works, nothing is sent.
pub async fn no_header_leaves_before_the_store_answered(kit: &Kit) {
    let site = kit.site().await;
    for (path, op) in [
        ("/current/save", Op::Set),
        ("/current/resave-redirect", Op::Set),
        ("/current/stream", Op::Set),
    ] {
        site.body().hold(1);
        let gate = site.store.after(op);
        gate.hold(1);
        let mut connection = site.connect().await;
        assert!(
            connection
                .send(&Request::post(path, "ada").into_bytes())
                .await
        );
        gate.arrived(1).await;
        assert!(connection.nothing_came(), "{path}");
        gate.release(1);
        let head = connection.head().await.expect("the server answers");
        let cookie = head.set_cookie("__Host-sid").expect("it was saved");
        let visitor = site.visitor_with(&cookie.pair());
        assert_eq!(visitor.whoami().await, "ada:0", "{path}");
    }
}

/// When a logout is acknowledged, it has happened.
pub async fn no_logout_is_acknowledged_before_it_happened(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let gate = site.store.before(Op::Destroy);
    gate.hold(1);
    let mut connection = site.connect().await;
    let request = Request::post("/lazy/logout", "").cookie(ada.cookie());
    assert!(connection.send(&request.into_bytes()).await);
    gate.arrived(1).await;
    assert!(connection.nothing_came());
    assert_eq!(ada.whoami().await, "ada:0");
    gate.release(1);
    assert_eq!(connection.head().await.map(|head| head.status), Some(200));
    assert_eq!(ada.whoami().await, "nobody");
}

/// A streamed body comes later; the session is there with the headers. Meanwhile it can be updated, but not
/// get another id.
pub async fn a_streamed_response_is_stored_before_its_body(kit: &Kit) {
    let site = kit.site().await;
    site.body().hold(1);
    let mut connection = site.connect().await;
    let request = Request::post("/current/stream", "ada").into_bytes();
    assert!(connection.send(&request).await);
    let head = connection.head().await.expect("the server answers");
    let cookie = head.set_cookie("__Host-sid").expect("it was saved");
    let visitor = site.visitor_with(&cookie.pair());
    site.body().arrived(1).await;
    assert_eq!(visitor.whoami().await, "ada:0");
    assert_eq!(connection.chunk().await.as_deref(), Some(&b"first "[..]));
    site.body().release(1);
    let last = connection.chunk().await.expect("the body goes on");
    assert_eq!(String::from_utf8_lossy(&last), "ok ResponseStarted");
    assert_eq!(visitor.whoami().await, "ada:1");
    assert_eq!(site.store.live().await, 1);
}

/// Once the response has started, no verb mints an id whose cookie could not be sent; what needs none works.
pub async fn no_id_is_minted_after_the_response_started(kit: &Kit) {
    let site = kit.site().await;
    let visitor = site.visitor();
    visitor.get("/current/park").await.expect(200);
    let anonymous = site.parked();
    let saved = anonymous.save(crate::Data::default()).await;
    assert_eq!(
        saved.map_err(|error| error.kind()),
        Err(ErrorKind::ResponseStarted)
    );

    let ada = site.signed_in("ada").await;
    ada.get("/current/park").await.expect(200);
    let session = site.parked();
    drop(site.store.take_asked());
    for refused in [
        session.resave(crate::Data::default()).await,
        session.rotate().await,
    ] {
        assert_eq!(
            refused.map_err(|error| error.kind()),
            Err(ErrorKind::ResponseStarted)
        );
    }
    site.expect_asked(&[]);
    session
        .update(|data| data.count += 1)
        .await
        .expect("it is live");
    assert_eq!(ada.whoami().await, "ada:1");
    session.destroy().await.expect("the store answers");
    let saved = session.save(crate::Data::default()).await;
    assert_eq!(
        saved.map_err(|error| error.kind()),
        Err(ErrorKind::ResponseStarted)
    );
    assert_eq!(site.store.live().await, 0);
}

/// An upgrade answers with the session's cookie, and the session lives on in the socket.
pub async fn an_upgrade_carries_the_session(kit: &Kit) {
    let site = kit.site().await;
    let upgrade = || {
        Request::get("/socket")
            .keep_alive()
            .field("Connection", "Upgrade")
            .field("Upgrade", "websocket")
            .field("Sec-WebSocket-Version", "13")
            .field("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    let mut connection = site.connect().await;
    assert!(connection.send(&upgrade().into_bytes()).await);
    let head = connection.head().await.expect("the server answers");
    assert_eq!(head.status, 101);
    let cookie = head.set_cookie("__Host-sid").expect("it was saved");
    assert_eq!(message(&mut connection).await, ":2 ok ResponseStarted");
    let visitor = site.visitor_with(&cookie.pair());
    assert_eq!(visitor.whoami().await, ":2");

    let mut again = site.connect().await;
    let request = upgrade().cookie(visitor.cookie());
    assert!(again.send(&request.into_bytes()).await);
    let head = again.head().await.expect("the server answers");
    assert_eq!(head.status, 101);
    head.expect_no_cookie();
    assert_eq!(message(&mut again).await, ":4 ok ResponseStarted");

    // A socket whose session ended meanwhile brings nothing back to life.
    site.store.before(Op::Set).hold(1);
    let mut last = site.connect().await;
    let request = upgrade().cookie(visitor.cookie());
    assert!(last.send(&request.into_bytes()).await);
    site.store.before(Op::Set).arrived(1).await;
    visitor.post("/lazy/logout", "").await.expect(200);
    site.store.before(Op::Set).release(1);
    let head = last.head().await.expect("the server answers");
    assert_eq!(head.status, 401);
    assert_eq!(site.store.live().await, 0);
}

/// A handler that panics after a sign-in: the old session has ended, nobody was told of the new one, and the
/// server goes on.
pub async fn a_panic_after_a_sign_in_leaves_no_lock_behind(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let old = ada.cookie();
    if let Some(response) = ada
        .try_send(Request::post("/current/resave-panic", "bob"))
        .await
    {
        assert!(response.status >= 500);
    }
    assert_eq!(ada.cookie(), old);
    assert_eq!(ada.whoami().await, "nobody");
    assert_eq!(site.store.live().await, 1);
    works(&site).await;
}

/// A handler that fails after a sign-in: the old session has ended, so the answer has to bring the new one.
pub async fn a_failure_after_a_sign_in_carries_the_cookie(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let old = ada.twin();
    ada.post("/current/resave-fail", "bob").await.expect(418);
    assert_eq!(ada.whoami().await, "bob:1");
    assert_eq!(old.whoami().await, "nobody");
    assert_eq!(site.store.live().await, 1);
    works(&site).await;
}

/// A closure that panics within an update changes nothing and blocks nobody.
pub async fn a_panic_within_an_update_changes_nothing(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    for _ in 0..3 {
        let request = Request::post("/current/update-panic", "");
        if let Some(response) = ada.try_send(request).await {
            assert!(response.status >= 500);
        }
        assert_eq!(ada.whoami().await, "ada:0");
    }
    ada.post("/current/update", "").await.expect(200);
    assert_eq!(ada.whoami().await, "ada:1");
    works(&site).await;
}

/// A client that goes away while its handler works, or while the store does, blocks nobody, and what it
/// began is done or not done, never half.
pub async fn a_client_that_hangs_up_leaves_nothing_half_done(kit: &Kit) {
    for (path, gate) in [
        ("/current/slow-save", Site::work as fn(&Site) -> &Gate),
        ("/current/slow-update", Site::work),
        ("/current/save", |site| site.store.before(Op::Set)),
        ("/current/save", |site| site.store.after(Op::Set)),
        ("/current/update", |site| site.store.after(Op::Set)),
        ("/current/read", |site| site.store.before(Op::Get)),
    ] {
        let site = kit.site().await;
        let ada = site.signed_in("ada").await;
        hang_up(&site, &ada, path, gate(&site)).await;
        let before = count(&ada.whoami().await);
        ada.post("/current/update", "").await.expect(200);
        let after = count(&ada.whoami().await);
        // Nobody waits for the request that was given up: if the server goes on with it, it may come later.
        assert!(
            (before + 1..=2).contains(&after),
            "{path}: {before}, {after}"
        );
        works(&site).await;
    }
    for (path, gate, has_moved) in [
        (
            "/current/resave",
            (|site| site.store.before(Op::Replace)) as fn(&Site) -> &Gate,
            false,
        ),
        (
            "/current/resave",
            |site| site.store.after(Op::Replace),
            true,
        ),
        (
            "/current/rotate",
            |site| site.store.before(Op::Rotate),
            false,
        ),
        ("/current/rotate", |site| site.store.after(Op::Rotate), true),
    ] {
        let site = kit.site().await;
        let ada = site.signed_in("ada").await;
        hang_up(&site, &ada, path, gate(&site)).await;
        works(&site).await;
        // The old one or the new one, whose cookie nobody got; in the end never both and never neither.
        match has_moved {
            true => assert_eq!(site.store.live().await, 1, "{path}"),
            false => one_is_left(&site).await,
        }
    }
}

/// The same at whatever moment: requests whose clients go away a little later each time, in the middle of
/// what the store does too.
pub async fn clients_that_hang_up_at_any_moment_break_nothing(kit: &Kit) {
    const TRIES: u64 = 40;
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    for late in 0..TRIES {
        let mut connection = site.connect().await;
        let request = Request::post("/current/update", "").cookie(ada.cookie());
        assert!(connection.send(&request.into_bytes()).await);
        tokio::time::sleep(Duration::from_micros(late * 100)).await;
        drop(connection);
    }
    ada.post("/current/update", "").await.expect(200);
    assert!((1..=TRIES + 1).contains(&count(&ada.whoami().await)));

    for verb in ["resave", "rotate", "logout"] {
        for late in 0..TRIES {
            let visitor = site.signed_in("eve").await;
            let mut connection = site.connect().await;
            let request = Request::post(&format!("/current/{verb}"), "eve");
            let request = request.cookie(visitor.cookie()).into_bytes();
            assert!(connection.send(&request).await);
            tokio::time::sleep(Duration::from_micros(late * 100)).await;
            drop(connection);
            // As it was, or ended; the cookie of the new session got lost.
            let who = visitor.whoami().await;
            assert!(["eve:0", "nobody"].contains(&who.as_str()), "{verb}: {who}");
        }
    }
    works(&site).await;
    // Nobody's session is there twice, under its old id and its new one.
    assert!(site.store.live().await <= 1 + 3 * TRIES);
}

/// A request that ends in the middle of its body is none; the session is as it was.
pub async fn half_a_request_changes_nothing(kit: &Kit) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    let whole = Request::post("/current/save", "evil").cookie(ada.cookie());
    let whole = whole.into_bytes();
    for end in [10, 40, whole.len() - 10, whole.len() - 1] {
        let mut connection = site.connect().await;
        assert!(connection.send(&whole[..end]).await);
    }
    let mut garbage = site.connect().await;
    assert!(
        garbage
            .send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
            .await
    );
    drop(garbage);
    assert_eq!(ada.whoami().await, "ada:0");
}

/// Sends a request, and closes the connection while it is held at the gate.
async fn hang_up(site: &Site, ada: &Visitor, path: &str, gate: &Gate) {
    gate.hold(1);
    let mut connection = site.connect().await;
    let request = Request::post(path, "ada").cookie(ada.cookie());
    assert!(connection.send(&request.into_bytes()).await);
    gate.arrived(1).await;
    drop(connection);
    gate.release(1);
    drop(site.store.take_asked());
}

/// A store that takes several steps may still be between them, though nobody waits for it any more.
async fn one_is_left(site: &Site) {
    in_time(async {
        while site.store.live().await != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn works(site: &Site) {
    let visitor = site.signed_in("works").await;
    visitor.post("/current/update", "").await.expect(200);
    assert_eq!(visitor.whoami().await, "works:1");
    visitor.post("/current/logout", "").await.expect(200);
    assert_eq!(visitor.whoami().await, "nobody");
}

fn count(described: &str) -> u64 {
    let (_, count) = described.split_once(':').expect("the session is live");
    count.parse().expect("a count is a number")
}

/// The next text message of a WebSocket (RFC 6455, section 5.2), from server to client, short.
async fn message(connection: &mut Connection) -> String {
    let head = connection.exactly(2).await.expect("a message comes");
    assert_eq!(head[0], 0x81, "a text message in one frame");
    let text = connection.exactly(usize::from(head[1])).await;
    String::from_utf8(text.expect("a message comes")).expect("text is UTF-8")
}
