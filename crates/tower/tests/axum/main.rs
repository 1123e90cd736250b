//! All HTTP scenarios against axum.

mod app;

use app::Axum;

cloakroom_testkit::scenarios!(Axum);
