//! The sessions of one user: seen and ended by that user, and by nobody else.

use cloakroom::{ClientAddress, Owner, SessionsBuilder};

use crate::{Data, Kit, Plan, Request, Site, Visitor};

/// Handles, times, what clients said; never an id, a signature or a key.
pub async fn a_list_of_devices_shows_what_was_said_and_nothing_that_opens(kit: &Kit) {
    let site = kit
        .plan()
        .configure(|it| owned(it).record_clients(ClientAddress::connection()));
    let site = site.start().await;
    let long = format!("Phone/2 \t{}", "x".repeat(1_000));
    let ada = arriving(&site, "ada", &[("User-Agent", "Desktop/1")]).await;
    let phone = arriving(
        &site,
        "ada",
        &[("User-Agent", &long), ("X-Forwarded-For", "203.0.113.1")],
    )
    .await;
    let _bob = arriving(&site, "bob", &[("User-Agent", "Tablet/3")]).await;

    let list = ada.get("/current/devices").await.expect(200).to_owned();
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert!(
        lines
            .iter()
            .any(|line| line.ends_with(" this 127.0.0.1 Desktop/1")),
        "{list}"
    );
    let other = lines
        .iter()
        .find(|line| line.contains(" other "))
        .expect("there are two");
    let agent = other
        .split_once("127.0.0.1 ")
        .expect("the header is not believed")
        .1;
    assert!(
        agent.starts_with("Phone/2  xxx") && agent.len() == 256,
        "{agent}"
    );
    for value in [ada.value(), phone.value()] {
        let (id, tag) = value.split_once('.').expect("a value has two parts");
        assert!(!list.contains(id) && !list.contains(tag));
        let id = site
            .app
            .sessions
            .verify_session_id(&value)
            .expect("it is good");
        let key: String = id
            .key()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(!list.contains(&key[..32]));
    }
    assert_eq!(site.visitor().get("/current/devices").await.status, 401);
}

/// Behind a proxy that is named, its header counts; what the client wrote into it does not.
pub async fn only_a_trusted_proxy_names_the_address(kit: &Kit) {
    for (field, sent) in [
        ("X-Forwarded-For", "198.51.100.66, 203.0.113.1"),
        (
            "Forwarded",
            "for=198.51.100.66, for=203.0.113.1;proto=https",
        ),
    ] {
        let trusted = ClientAddress::forwarded(field, ["127.0.0.0/8"]).expect("it is one");
        let site = kit.plan().configure(|it| owned(it).record_clients(trusted));
        let site = site.start().await;
        let ada = arriving(&site, "ada", &[(field, sent)]).await;
        let list = ada.get("/current/devices").await.expect(200).to_owned();
        assert!(list.contains(" this 203.0.113.1 nothing"), "{list}");

        let elsewhere = ClientAddress::forwarded(field, ["10.0.0.0/8"]).expect("it is one");
        let site = kit
            .plan()
            .configure(|it| owned(it).record_clients(elsewhere));
        let site = site.start().await;
        let ada = arriving(&site, "ada", &[(field, sent)]).await;
        let list = ada.get("/current/devices").await.expect(200).to_owned();
        assert!(list.contains(" this 127.0.0.1 nothing"), "{list}");
    }
}

/// By a handle from the list; another user's handle ends nothing.
pub async fn a_device_is_revoked_by_its_owner_only(kit: &Kit) {
    let site = plan(kit).start().await;
    let (ada, phone, bob) = (
        site.signed_in("ada").await,
        site.signed_in("ada").await,
        site.signed_in("bob").await,
    );
    let handle = handles(&ada, "other").await.remove(0);
    assert_eq!(
        bob.post("/current/revoke", &handle).await.expect(200),
        "false"
    );
    assert_eq!(phone.whoami().await, "ada:0");
    assert_eq!(
        ada.post("/current/revoke", &handle).await.expect(200),
        "true"
    );
    assert_eq!(phone.whoami().await, "nobody");
    assert_eq!(
        ada.post("/current/revoke", &handle).await.expect(200),
        "false"
    );
    assert_eq!(ada.whoami().await, "ada:0");
    for nonsense in ["", "0", "00000000000000000000000000000000"] {
        assert_ne!(ada.post("/current/revoke", nonsense).await.text(), "true");
    }
    // One's own may be revoked too.
    let own = handles(&bob, "this").await.remove(0);
    assert_eq!(bob.post("/current/revoke", &own).await.expect(200), "true");
    assert_eq!(bob.whoami().await, "nobody");
}

/// What one does after a change of password.
pub async fn the_others_are_signed_out_and_this_one_is_not(kit: &Kit) {
    let site = plan(kit).start().await;
    let ada = site.signed_in("ada").await;
    let others = [site.signed_in("ada").await, site.signed_in("ada").await];
    let bob = site.signed_in("bob").await;
    assert_eq!(
        ada.post("/current/logout-others", "").await.expect(200),
        "2"
    );
    for other in &others {
        assert_eq!(other.whoami().await, "nobody");
    }
    assert_eq!(
        (ada.whoami().await, bob.whoami().await),
        ("ada:0".into(), "bob:0".into())
    );
    assert_eq!(
        ada.post("/current/logout-others", "").await.expect(200),
        "0"
    );
}

/// This one too, and its cookie goes.
pub async fn signed_out_everywhere_is_signed_out_everywhere(kit: &Kit) {
    let site = plan(kit).start().await;
    let ada = site.signed_in("ada").await;
    let (phone, bob) = (site.signed_in("ada").await, site.signed_in("bob").await);
    let response = ada.post("/current/logout-everywhere", "").await;
    assert_eq!(response.expect(200), "2");
    let cookie = response
        .set_cookie(site.cookie_name())
        .expect("it is removed");
    assert!(cookie.is_removal());
    assert_eq!(phone.whoami().await, "nobody");
    assert_eq!(bob.whoami().await, "bob:0");
    assert_eq!(site.store.live().await, 1);
}

/// A sign-in that began before all of a user's sessions were ended, and finished after it, is over or in the next
/// list; it is never one that lives and that nobody sees.
pub async fn a_sign_in_while_all_are_ended_is_ended_or_listed(kit: &Kit) {
    let site = plan(kit).start().await;
    let owner = Owner::new("ada").expect("it is a name");
    for _ in 0..4 {
        let strangers: Vec<_> = (0..8).map(|_| site.visitor()).collect();
        let arriving: Vec<_> = strangers
            .iter()
            .map(|stranger| stranger.meanwhile("/lazy/resave", "ada"))
            .collect();
        let ending = site.app.sessions.destroy_by_owner(&owner).await;
        ending.expect("the store answers");
        let mut alive = Vec::new();
        for one in arriving {
            let response = one.answer().await;
            response.expect(200);
            let cookie = response
                .set_cookie(site.cookie_name())
                .expect("it was stored");
            let visitor = site.visitor_with(&cookie.pair());
            if visitor.whoami().await != "nobody" {
                alive.push(visitor);
            }
        }
        let listed = site.app.sessions.list_by_owner(&owner).await;
        assert_eq!(listed.expect("the store answers").len(), alive.len());
        let ended = site.app.sessions.destroy_by_owner(&owner).await;
        assert_eq!(ended.expect("the store answers"), alive.len() as u64);
        for visitor in alive {
            assert_eq!(visitor.whoami().await, "nobody");
        }
    }
}

pub(super) fn owned(builder: SessionsBuilder<Data>) -> SessionsBuilder<Data> {
    builder.owned_by(|data: &Data| data.name.clone())
}

fn plan(kit: &Kit) -> Plan<'_> {
    kit.plan().configure(owned)
}

/// Somebody who signs in with these fields.
async fn arriving(site: &Site, name: &str, fields: &[(&str, &str)]) -> Visitor {
    let visitor = site.visitor();
    let mut request = Request::post("/lazy/resave", name);
    for (field, value) in fields {
        request = request.field(field, value);
    }
    visitor.send(request).await.expect(200);
    visitor
}

/// The handles of the devices that are marked so.
async fn handles(visitor: &Visitor, mark: &str) -> Vec<String> {
    let response = visitor.get("/current/devices").await;
    let lines = response.expect(200).lines();
    let marked = lines.filter(|line| line.split(' ').nth(1) == Some(mark));
    marked.map(|line| line[..32].to_owned()).collect()
}
