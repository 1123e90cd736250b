//! The scenarios about many requests at once, about late writes and about requests that end early, through each
//! adapter and on each store. The servers are started once for all of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../actix/tests/actix/app.rs"]
mod actix;
#[path = "../../../tower/tests/axum/app.rs"]
mod axum;
mod broken;
mod stock;

use crate::actix::Actix;
use crate::axum::Axum;
use cloakroom_testkit::Kit;

/// The tests of all scenarios that belong here, on one store through one adapter.
macro_rules! scenarios {
    ($framework:ty, $stock:ty) => {
        scenarios! { $framework, $stock;
            orders::two_requests_in_every_order
            parallel::of_64_updates_none_is_lost
            parallel::of_64_updates_with_work_to_do_none_is_lost
            parallel::of_64_updates_on_two_instances_none_is_lost
            parallel::of_64_updates_none_outlives_a_logout
            parallel::of_64_saves_one_wins
            parallel::of_64_sign_ins_each_has_its_own_session
            parallel::of_64_first_saves_each_has_its_own_session
            races::of_two_rotations_one_wins
            commit::no_header_leaves_before_the_store_answered
            commit::no_logout_is_acknowledged_before_it_happened
            commit::a_streamed_response_is_stored_before_its_body
            commit::a_panic_after_a_sign_in_leaves_no_lock_behind
            commit::a_panic_within_an_update_changes_nothing
            commit::a_failure_after_a_sign_in_carries_the_cookie
            commit::a_client_that_hangs_up_leaves_nothing_half_done
            commit::clients_that_hang_up_at_any_moment_break_nothing
            secrets::nothing_of_a_session_is_logged
        }
    };
    ($framework:ty, $stock:ty; $($area:ident::$scenario:ident)*) => {
        $(#[test]
        fn $scenario() {
            if <$stock>::is_here() {
                let scenario = cloakroom_testkit::scenarios::$area::$scenario;
                cloakroom_testkit::run_on::<$framework, $stock>(scenario);
            }
        })*
    };
}

macro_rules! on_every_store {
    ($adapter:ident, $framework:ty; $($store:ident $stock:ident)*) => {
        mod $adapter {
            $(mod $store {
                scenarios!($framework, crate::stock::$stock);
            })*
        }
    };
    ($adapter:ident, $framework:ty) => {
        on_every_store! { $adapter, $framework;
            sqlite Sqlite
            postgres Postgres
            mariadb MariaDb
            redis Redis
            redis_cluster RedisCluster
        }
    };
}

/// What a database's driver logs is among what is searched.
#[test]
fn the_statements_of_drivers_are_searched() {
    cloakroom_testkit::run_on::<Axum, stock::Sqlite>(async |kit: &Kit| {
        let site = kit.site().await;
        site.signed_in("ada").await;
        let logged = kit.notebook.logged();
        assert!(logged.contains("sqlx::query") && logged.contains("INSERT INTO"));
    });
}

on_every_store!(through_axum, crate::Axum);
on_every_store!(through_actix, crate::Actix);
