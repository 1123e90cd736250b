//! The scenarios, by what they protect. Each is an async function that takes a [`Kit`](crate::Kit).

pub mod carrier;
pub mod commit;
pub mod composition;
pub mod connection;
pub mod cookie;
pub mod csrf;
pub mod devices;
pub mod duplicates;
pub mod economy;
pub mod expiry;
pub mod fixation;
pub mod freshness;
pub mod garbled;
pub mod id_header;
pub mod id_header_lines;
pub mod keys;
pub mod limits;
pub mod live;
pub mod orders;
pub mod outage;
pub mod parallel;
pub mod pre_session;
pub mod races;
pub mod renewal;
pub mod secrets;

/// Makes a test of each scenario for a [`Framework`](crate::Framework): `scenarios!(Axum);` at the top of a
/// file in `tests/`.
#[macro_export]
macro_rules! scenarios {
    ($framework:ty) => {
        $crate::scenarios! { $framework;
            fixation {
                a_forged_id_is_never_adopted
                signing_in_over_a_forged_cookie_gives_a_fresh_one
                a_changed_cookie_is_never_adopted
                a_signed_but_unknown_id_is_never_adopted
                a_dead_id_is_never_adopted
                an_id_of_another_server_is_never_adopted
                an_id_of_another_secret_over_the_same_store_is_never_adopted
                a_stored_key_opens_nothing
                an_id_known_before_the_sign_in_is_worth_nothing_after_it
            }
            garbled {
                garbled_values_are_nobody
                every_byte_is_answered
                unicode_spaces_are_not_trimmed
                a_name_in_another_spelling_is_another_name
                quotes_and_versions_mean_nothing
                a_value_is_taken_as_it_is
                bad_pairs_do_not_hide_the_good_one
                sizes_up_to_a_megabyte_are_answered
                a_hundred_thousand_pairs_are_answered
            }
            duplicates {
                a_bad_cookie_beside_the_good_one_is_ignored
                a_dead_cookie_beside_the_good_one_is_ignored
                two_good_cookies_are_nobody
                signing_out_with_two_good_cookies_ends_both
                too_many_cookies_are_nobody
                every_cookie_field_is_read
                two_good_cookies_in_two_fields_are_nobody
                the_crumbs_of_http2_are_read
            }
            carrier {
                an_id_outside_of_the_cookie_is_ignored
                a_value_of_another_cookie_is_ignored
            }
            connection {
                visitors_who_share_a_connection_share_no_session
                pipelined_requests_share_no_session
                a_session_is_not_kept_by_the_connection
            }
            cookie {
                the_default_cookie_has_every_protection
                a_removal_has_the_attributes_of_the_cookie
                a_logout_removes_only_what_was_presented
                one_cookie_is_sent_of_several_changes
                the_applications_cookies_are_kept
                a_cookie_of_our_name_set_by_hand_gives_way
                vary_is_merged
                a_response_with_the_cookie_is_not_cached
                a_response_with_an_id_is_not_cached_by_a_delivery_network
                the_cookie_is_sent_with_redirects_and_errors
                a_head_request_gets_the_same_fields
            }
            economy {
                a_handler_that_ignores_the_session_costs_nothing
                looking_without_a_cookie_costs_nothing
                a_read_costs_one_operation
                a_write_costs_two_operations
                the_first_save_costs_one_operation
                a_sign_in_costs_two_operations_or_one
                a_rotation_costs_two_operations
                a_logout_costs_one_operation
                a_dead_cookie_costs_one_operation_and_is_left_alone
                an_idle_timeout_costs_one_touch_a_minute
                a_short_idle_timeout_is_touched_every_tenth
                middleware_and_handler_share_one_read
            }
            commit {
                no_header_leaves_before_the_store_answered
                no_logout_is_acknowledged_before_it_happened
                a_streamed_response_is_stored_before_its_body
                no_id_is_minted_after_the_response_started
                an_upgrade_carries_the_session
                a_panic_after_a_sign_in_leaves_no_lock_behind
                a_panic_within_an_update_changes_nothing
                a_failure_after_a_sign_in_carries_the_cookie
                a_client_that_hangs_up_leaves_nothing_half_done
                clients_that_hang_up_at_any_moment_break_nothing
                half_a_request_changes_nothing
            }
            outage {
                a_store_that_is_down_is_a_503_and_no_logout
                what_needs_no_store_works_during_an_outage
                a_logout_during_an_outage_is_no_success
                a_write_that_fails_sends_no_cookie
                a_touch_that_fails_fails_no_request
                the_cause_is_logged_and_not_sent
                a_store_without_room_sends_no_cookie
                a_session_that_does_not_decode_is_left_alone
                a_session_that_does_not_decode_can_be_ended
                undecodable_data_is_an_error_if_so_configured
                an_outage_is_not_hammered
            }
            races {
                a_slow_write_brings_no_ended_session_back
                a_write_on_its_way_brings_no_ended_session_back
                an_end_after_a_write_is_an_end
                a_write_before_a_slow_end_does_not_outlive_it
                a_rotation_keeps_what_others_wrote
                a_slow_sign_in_is_a_fresh_session
                of_two_rotations_one_wins
                a_late_touch_brings_no_ended_session_back
                a_save_over_a_newer_one_is_refused
                an_overtaken_update_runs_again
                a_late_read_takes_no_new_cookie_away
                an_end_counts_on_every_instance
            }
            orders {
                two_requests_in_every_order
            }
            parallel {
                of_64_updates_none_is_lost
                of_64_updates_with_work_to_do_none_is_lost
                of_64_updates_on_two_instances_none_is_lost
                of_64_updates_none_outlives_a_logout
                of_64_saves_one_wins
                of_64_sign_ins_each_has_its_own_session
                of_64_first_saves_each_has_its_own_session
            }
            secrets {
                nothing_of_a_session_is_logged
            }
            id_header {
                the_id_travels_in_the_header_and_nowhere_else
                a_rotation_sends_the_new_id_and_the_old_one_is_dead
                a_sign_out_sends_the_header_empty
                a_cookie_means_nothing_where_a_header_carries_the_id
                a_header_means_nothing_where_a_cookie_carries_the_id
                caches_tell_apart_by_the_header
                a_header_of_our_name_set_by_hand_gives_way
                the_header_is_sent_with_redirects_and_errors
                trouble_sends_no_header
                a_renewed_id_comes_in_the_header
                a_pre_session_comes_in_the_header
                nothing_of_an_id_in_a_header_is_logged
            }
            id_header_lines {
                two_good_headers_are_nobody_and_signing_out_ends_both
                a_garbled_header_is_nobody
                a_large_header_is_answered
                the_scheme_is_compared_without_case
            }
            pre_session {
                a_pre_session_stores_nothing
                a_handler_that_ignores_the_session_begins_none
                the_first_save_mints_another_id
                a_dead_id_gets_no_new_pre_session
                a_garbled_cookie_is_replaced_by_a_pre_session
                a_logout_begins_no_pre_session
            }
            keys {
                an_old_secret_stays_valid_until_it_is_taken_out
                only_the_first_secret_signs
                a_csrf_token_survives_the_change
            }
            expiry {
                a_session_ends_when_its_time_is_over
                a_rotation_does_not_put_the_end_off
                a_sign_in_begins_a_new_time
                an_idle_session_ends
                use_does_not_put_the_absolute_end_off
                a_clock_that_steps_back_does_no_harm
                a_remembered_session_lives_longer
                a_short_session_ends_early
                a_browser_session_says_nothing_of_its_age
                no_cookie_is_to_last_longer_than_browsers_keep_it
                one_session_may_have_an_idle_timeout_of_its_own
                an_expired_session_starts_anew
            }
            csrf {
                a_token_is_good_for_its_session_only
                a_token_never_looks_the_same
                a_token_dies_with_the_id
                a_garbled_token_is_refused
                a_pre_session_has_a_token_that_dies_at_sign_in
                nobody_has_no_token
            }
            devices {
                a_list_of_devices_shows_what_was_said_and_nothing_that_opens
                only_a_trusted_proxy_names_the_address
                a_device_is_revoked_by_its_owner_only
                the_others_are_signed_out_and_this_one_is_not
                signed_out_everywhere_is_signed_out_everywhere
                a_sign_in_while_all_are_ended_is_ended_or_listed
            }
            limits {
                one_sign_in_too_many_ends_the_oldest
                or_it_is_refused
                of_64_sign_ins_at_once_as_many_stay_as_allowed
            }
            freshness {
                what_needs_a_fresh_sign_in_is_a_403_with_a_reason
                proving_anew_gives_a_fresh_id_and_new_limits
            }
            renewal {
                a_session_in_use_gets_a_fresh_id_in_time
                requests_in_flight_keep_working_with_the_old_id
                of_64_requests_at_the_moment_of_renewal_none_is_signed_out
                a_lost_response_signs_nobody_out
                an_old_id_after_the_new_one_was_used_ends_the_session
                a_sign_out_with_the_old_id_signs_out
            }
            live {
                a_stream_ends_with_its_session
                a_stream_outlives_renewals_and_outages
                a_stream_ends_with_a_session_that_another_instance_ended
            }
            composition {
                middleware_and_handler_share_one_session
                a_refusal_by_a_middleware_carries_the_cookie
                a_session_that_ended_under_a_middleware_is_a_401
                two_types_of_session_do_not_mix
                sessions_of_one_type_within_others_do_not_mix
                data_is_for_those_who_have_some
                a_destroyed_session_keeps_its_cookie
                a_missing_layer_says_in_the_log_what_to_add
            }
        }
    };
    ($framework:ty; $($area:ident { $($scenario:ident)* })*) => {
        $(mod $area {
            use super::*;

            $(#[test]
            fn $scenario() {
                $crate::run::<$framework>($crate::scenarios::$area::$scenario);
            })*
        })*
    };
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// A scenario that is not in the list above would never run.
    #[test]
    fn every_scenario_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scenarios");
        let list = fs::read_to_string(folder.join("mod.rs")).unwrap();
        let mut count = 0;
        for file in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            for line in text.lines() {
                let Some(function) = line.strip_prefix("pub async fn ") else {
                    continue;
                };
                let name = function.split('(').next().unwrap();
                assert!(list.lines().any(|line| line.trim() == name), "{name}");
                count += 1;
            }
        }
        assert!(count > 80, "{count}");
    }
}
