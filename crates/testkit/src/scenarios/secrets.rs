//! Whatever happens to a session, nobody reads it in the log: not its id, its tag, its key, a token or its data.
//! The search itself is that of every scenario, at its end.

use crate::{Kit, Op, Request};

/// A name that is in the session's data and nowhere else.
const NAME: &str = "swordfish-of-ada";

/// Every verb, several failures, and a panic that quotes all that a handler can lay its hands on.
pub async fn nothing_of_a_session_is_logged(kit: &Kit) {
    kit.notebook.token("a session's data", NAME);
    let site = kit.site().await;
    let ada = site.visitor();
    for verb in ["save", "resave", "update", "overwrite", "rotate", "read"] {
        ada.post(&format!("/current/{verb}"), NAME)
            .await
            .expect(200);
    }
    let token = ada.get("/current/csrf").await.expect(200).to_owned();
    kit.notebook.token("a CSRF token", token.as_str());
    let checked = ada.post("/current/csrf-check", &token).await;
    assert_eq!(checked.expect(200), "good");

    let old = ada.twin();
    site.work().hold(1);
    let late = ada.meanwhile("/current/slow-save", NAME);
    site.work().arrived(1).await;
    ada.post("/current/save", NAME).await.expect(200);
    site.work().release(1);
    late.answer().await.expect(409);
    ada.post("/current/rotate", "").await.expect(200);
    assert_eq!(old.whoami().await, "nobody");
    let changed = format!("{}x", ada.cookie());
    assert_eq!(site.visitor_with(&changed).whoami().await, "nobody");

    site.store.fail(&Op::ALL);
    ada.post("/current/save", NAME).await.expect(503);
    site.store.recover();

    let quoting = Request::post("/current/panic-with-all", NAME);
    if let Some(response) = ada.try_send(quoting).await {
        assert!(response.status >= 500);
    }
    let logged = kit.notebook.logged();
    assert!(
        logged.contains("this panic shows"),
        "panics are searched too"
    );
    ada.post("/current/logout", "").await.expect(200);
}
