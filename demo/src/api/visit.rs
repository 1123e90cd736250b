use axum::Json;
use serde_json::{Value, json};

use super::Session;
use crate::error::ApiError;
use crate::shopper::Shopper;

/// Counts a visit of anybody; the first one begins a session.
pub(super) async fn count(session: Session) -> Result<Json<Value>, ApiError> {
    let visits = session?.update_or_default(Shopper::count_visit).await?;
    Ok(Json(json!({ "visits": visits })))
}
