//! All HTTP scenarios against actix-web.

mod app;

use app::Actix;

cloakroom_testkit::scenarios!(Actix);
