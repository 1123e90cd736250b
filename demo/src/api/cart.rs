use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;

use super::account::{Account, account, signed_in};
use super::work::Work;
use super::{Session, refuse};
use crate::error::ApiError;
use crate::json::JsonBody;
use crate::shopper::{Item, Shopper};

#[derive(Debug, Deserialize)]
pub(super) struct NewItem {
    item: String,
    #[serde(default)]
    work_ms: u64,
}

/// Adds with `update_async`: requests that come at the same time wait for each other, and none is lost.
pub(super) async fn add(
    session: Session,
    JsonBody(new): JsonBody<NewItem>,
) -> Result<Json<Account>, ApiError> {
    let session = session?;
    room_for_one_more(&signed_in(&session)?.1)?;
    let (item, work) = new.check()?;
    session
        .update_async(|mut shopper: Shopper| {
            let item = item.clone();
            async move {
                work.take_its_time().await;
                shopper.add(item);
                shopper
            }
        })
        .await?;
    account(&session)
}

/// Adds with `save`: whoever read before another request wrote is told so, and nothing is stored.
pub(super) async fn save(
    session: Session,
    JsonBody(new): JsonBody<NewItem>,
) -> Result<Json<Account>, ApiError> {
    let session = session?;
    let mut shopper = Shopper::clone(&signed_in(&session)?.1);
    room_for_one_more(&shopper)?;
    let (item, work) = new.check()?;
    work.take_its_time().await;
    shopper.add(item);
    session.save(shopper).await?;
    account(&session)
}

impl NewItem {
    fn check(self) -> Result<(Item, Work), ApiError> {
        Ok((Item::new(&self.item)?, Work::of_millis(self.work_ms)?))
    }
}

/// Requests at the same time may add a few more than the limit; the store has its own.
fn room_for_one_more(shopper: &Shopper) -> Result<(), ApiError> {
    if shopper.cart_is_full() {
        return Err(refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the cart is full; sign out and in again to empty it",
        ));
    }
    Ok(())
}
