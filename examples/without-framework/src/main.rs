//! What Cloakroom is made of, without a web framework.
//!
//! First ids and a store on their own; then whole requests, as an adapter for a framework of your own would
//! make them.

use std::error::Error;
use std::sync::Arc;

use cloakroom::{
    Clock, CookieName, Expect, KeyRing, MemoryStore, Record, Secret, Sessions, SetOutcome, Store,
    SystemClock, Times, new_session_id, verify_session_id,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    by_hand().await?;
    by_request().await?;
    Ok(())
}

/// An id, its signature, and a store, put together by hand.
async fn by_hand() -> Result<(), Box<dyn Error>> {
    let keys = KeyRing::new(&Secret::generate()?, &CookieName::new("__Host-sid")?);
    let store = MemoryStore::new();

    // A fresh id for fresh data: `Absent` makes sure that it adopts nothing.
    let (id, signed) = new_session_id(keys.signing_key())?;
    let record = Record::new(
        Arc::new("ada".to_owned()),
        Times::starting(SystemClock.now()),
    );
    let outcome = store.set(&id.key(), record, Expect::Absent).await?;
    assert_eq!(outcome, SetOutcome::Stored(1));

    // The signed form travels; what comes back is checked before the store is asked.
    let value = signed.as_str();
    let id = verify_session_id(value, &keys)?;
    let record = store
        .get(&id.key())
        .await?
        .ok_or("it was stored a moment ago")?;
    assert_eq!(*record.data, "ada");

    let mut forged = value.to_owned();
    forged.replace_range(..1, if value.starts_with('A') { "B" } else { "A" });
    assert!(verify_session_id(&forged, &keys).is_err());

    // Once it has ended, a write that still knows the session does not bring it back.
    store.destroy(&id.key()).await?;
    let late = store.set(&id.key(), record, Expect::Version(1)).await?;
    assert_eq!(late, SetOutcome::Gone);
    Ok(())
}

/// Requests: cookies go in, and out comes what the response needs.
async fn by_request() -> Result<(), Box<dyn Error>> {
    let sessions: Sessions<String> =
        Sessions::builder(MemoryStore::new(), Secret::generate()?).build()?;

    let sign_in = sessions.for_request([""]);
    sign_in.resave("ada".to_owned()).await?;
    let response = sign_in.finish().await;
    let set_cookie = response.set_cookie().ok_or("a session was created")?;
    let cookie = set_cookie.split(';').next().unwrap_or_default().to_owned();

    let visit = sessions.for_request([cookie.clone()]);
    let session = visit.load().await?;
    assert_eq!(session.data().as_deref().map(String::as_str), Some("ada"));
    let response = visit.finish().await;
    assert!(response.set_cookie().is_none() && response.vary());

    let sign_out = sessions.for_request([cookie.clone()]);
    sign_out.logout().await?;
    let removal = sign_out.finish().await;
    assert!(
        removal
            .set_cookie()
            .is_some_and(|cookie| cookie.contains("Max-Age=0"))
    );
    assert!(
        sessions
            .for_request([cookie])
            .load()
            .await?
            .data()
            .is_none()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn by_hand() {
        super::by_hand().await.unwrap();
    }

    #[tokio::test]
    async fn by_request() {
        super::by_request().await.unwrap();
    }
}
