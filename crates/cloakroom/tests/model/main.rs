//! The engine and its memory store against a small model: random requests of several browsers, open side by side,
//! with every verb, late ones too, and time that passes. What differs is shown as the shortest story that still
//! differs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod broken;
mod model;
mod play;
mod story;

use std::time::Duration;

use cloakroom::{ManualClock, MemoryStore, Store};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use play::Play;
use story::{Step, story};

/// The first story on which the engine, over such a store, and the model differ.
fn first_difference<S: Store<u32>>(
    mut runner: TestRunner,
    open: impl Fn(ManualClock) -> S,
) -> Result<(), TestError<(bool, Vec<Step>)>> {
    runner.run(&story(), |(idle_timeout, steps)| {
        let played = futures_lite::future::block_on(Play::new(idle_timeout, &open).all(&steps));
        played.map_err(TestCaseError::fail)
    })
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    }
}

fn memory(clock: ManualClock) -> MemoryStore<u32> {
    let builder = MemoryStore::builder().clock(clock);
    builder.purge_interval(Duration::ZERO).build()
}

#[test]
fn the_engine_does_what_the_model_says() {
    // More with PROPTEST_CASES=100000.
    let cases = std::env::var("PROPTEST_CASES").map_or(1_000, |cases| cases.parse().unwrap());
    match first_difference(TestRunner::new(config(cases)), memory) {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
}

/// The shortest story on which such a store gives itself away, as it is told.
fn told<S: Store<u32>>(open: impl Fn(ManualClock) -> S) -> String {
    // Always the same stories: whether it is found does not depend on luck.
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let runner = TestRunner::new_with_rng(config(2_000), random);
    match first_difference(runner, open) {
        Err(TestError::Fail(reason, (_, steps))) => {
            assert!(steps.len() <= 8, "not short: {reason}");
            reason.to_string()
        }
        other => panic!("the broken store was not caught: {other:?}"),
    }
}

#[test]
fn a_store_that_brings_the_dead_back_is_caught() {
    let story = told(broken::upsert);
    assert!(
        story.ends_with("Ok(()), but the model says Err(Gone)"),
        "{story}"
    );
}

#[test]
fn a_store_that_loses_updates_is_caught() {
    let story = told(broken::last_one_wins);
    assert!(
        story.ends_with("but the model says Err(Conflict)"),
        "{story}"
    );
}

#[test]
fn a_store_whose_rotation_leaves_the_old_one_alive_is_caught() {
    let story = told(broken::copies_at_rotation);
    assert!(story.contains("Rotate"), "{story}");
}

#[test]
fn a_store_whose_touch_revives_is_caught() {
    let story = told(broken::touch_revives);
    assert!(story.contains("time passes"), "{story}");
}

#[test]
fn a_store_that_forgets_to_note_use_is_caught() {
    let story = told(broken::deaf_to_touch);
    assert!(story.contains("time passes"), "{story}");
}
