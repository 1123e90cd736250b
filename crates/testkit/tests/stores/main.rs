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
            devices::a_list_of_devices_shows_what_was_said_and_nothing_that_opens
            devices::a_device_is_revoked_by_its_owner_only
            devices::the_others_are_signed_out_and_this_one_is_not
            devices::signed_out_everywhere_is_signed_out_everywhere
            devices::a_sign_in_while_all_are_ended_is_ended_or_listed
            limits::one_sign_in_too_many_ends_the_oldest
            limits::or_it_is_refused
            limits::of_64_sign_ins_at_once_as_many_stay_as_allowed
            freshness::proving_anew_gives_a_fresh_id_and_new_limits
            renewal::a_session_in_use_gets_a_fresh_id_in_time
            renewal::requests_in_flight_keep_working_with_the_old_id
            renewal::of_64_requests_at_the_moment_of_renewal_none_is_signed_out
            renewal::a_lost_response_signs_nobody_out
            renewal::an_old_id_after_the_new_one_was_used_ends_the_session
            renewal::a_sign_out_with_the_old_id_signs_out
            live::a_stream_ends_with_a_session_that_another_instance_ended
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
            rusqlite Rusqlite
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
