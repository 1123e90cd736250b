use std::time::Duration;

use crate::conformance::stage::{DAY, HOUR, MINUTE, Stage, key, touched};
use crate::conformance::{Coverage, Harness, Payload, Violation};
use crate::{Expect, ManualClock, RotateOutcome, SetOutcome, Store, Timestamp};

/// Law 13: time zones, a clock that steps back, years past 2038 change nothing: a session lives exactly as
/// long as its times say, by the store's clock alone.
///
/// # Errors
/// The violation that was found.
pub async fn law_13_clocks_and_dates_change_nothing<S: Store<Payload>>(
    harness: &Harness<S>,
) -> Result<Coverage, Violation> {
    for (day, millis) in DAYS {
        let clock = ManualClock::at(Timestamp::from_millis(millis));
        let stage = Stage::open_at(harness, 13, clock).await;
        a_session_lives_as_long_as_it_says(&stage, day).await?;
    }
    let stage = Stage::open(harness, 13).await;
    far_dates_come_back(&stage).await?;
    the_clock_steps_back(&stage).await?;
    Ok(Coverage::full())
}

/// Days on which clocks, calendars and integers have failed, in milliseconds.
const DAYS: [(&str, i64); 9] = [
    ("an hour before 1970", -3_600_000),
    ("the first second of 1970", 0),
    ("2016-12-31, before a leap second", 1_483_228_799_000),
    (
        "2025-03-30, when clocks in Europe are set forward",
        1_743_296_399_000,
    ),
    (
        "2025-10-26, when clocks in Europe are set back",
        1_761_440_399_000,
    ),
    ("2038-01-19, the end of 32 bits", 2_147_483_647_000),
    ("2106-02-07, the end of unsigned 32 bits", 4_294_967_295_000),
    (
        "2262-04-11, the end of 64-bit nanoseconds",
        9_223_372_036_854,
    ),
    ("9999-12-31", 253_402_300_799_000),
];

async fn a_session_lives_as_long_as_it_says<S: Store<Payload>>(
    stage: &Stage<'_, S>,
    day: &str,
) -> Result<(), Violation> {
    let client = stage.client(1);
    for lasts in [MINUTE, HOUR, 25 * HOUR] {
        stage.scene(&format!("a session of {lasts:?}, begun on {day}"));
        let mut absolute = stage.full(1);
        absolute.times.ends_at = Some(stage.now().plus(lasts));
        absolute.times.idle_timeout = None;
        let mut idle = stage.full(2);
        idle.times.ends_at = None;
        idle.times.idle_timeout = Some(lasts);
        let records = [absolute, idle];
        let keys = [
            stage.create(&records[0]).await?,
            stage.create(&records[1]).await?,
        ];
        let moment = Duration::from_millis(1);
        for step in [Duration::ZERO, lasts / 2, lasts - lasts / 2 - moment] {
            stage.advance(step);
            for (key, record) in keys.iter().zip(&records) {
                stage.same(client.get(key).await?, record, 1)?;
            }
        }
        stage.advance(moment);
        for key in &keys {
            stage.dead(client.get(key).await?, "a session outlived its end")?;
        }
    }
    Ok(())
}

async fn far_dates_come_back<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    stage.scene("records with the farthest dates");
    let client = stage.client(1);
    let year_9999 = Timestamp::from_millis(253_402_300_799_999);
    let ages = Duration::from_secs(36_500 * 86_400);
    for (begin, end, idle) in [
        (Timestamp::from_millis(0), Some(year_9999), Some(ages)),
        (Timestamp::from_millis(-1), Some(Timestamp::MAX), None),
        (Timestamp::MIN, None, Some(ages)),
        (year_9999, Some(Timestamp::MAX), None),
        (Timestamp::from_millis(1), None, None),
    ] {
        let mut record = stage.full(1);
        record.times.created_at = begin;
        record.times.authenticated_at = Some(begin);
        record.times.ends_at = end;
        record.times.idle_timeout = idle;
        let key = stage.create(&record).await?;
        stage.same(client.get(&key).await?, &record, 1)?;
        record.times = touched(record.times, stage.now().plus(MINUTE));
        stage.equal(client.touch(&key, &record.times).await?, true, "touch")?;
        let found = client.get(&key).await?;
        let found = found.ok_or_else(|| stage.violation("a touched session is dead"))?;
        stage.alike(&found, &record)?;
    }
    Ok(())
}

async fn the_clock_steps_back<S: Store<Payload>>(stage: &Stage<'_, S>) -> Result<(), Violation> {
    for back in [Duration::from_millis(1), HOUR, 400 * DAY] {
        stage.scene("the clock is set back, and forward again");
        let client = stage.client(1);
        let start = stage.now();
        let mut record = stage.idle(1, HOUR);
        let from = stage.create(&record).await?;
        let destroyed = stage.create(&record).await?;
        stage.equal(client.destroy(&destroyed).await?, true, "destroy")?;

        stage.clock.set(start.minus(back));
        stage.log.note(format!("the clock is set back by {back:?}"));
        stage.same(client.get(&from).await?, &record, 1)?;
        stage.dead(client.get(&destroyed).await?, "a destroyed session is live")?;
        let write = client
            .set(&from, record.clone(), Expect::Version(1))
            .await?;
        stage.equal(write, SetOutcome::Stored(2), "set")?;
        record.times = touched(record.times, stage.now());
        stage.equal(client.touch(&from, &record.times).await?, true, "touch")?;
        let to = key();
        let moved = client.rotate(&from, &to, record.times).await?;
        let RotateOutcome::Moved { version, .. } = moved else {
            return Err(stage.violation("a live session was not moved"));
        };
        stage.same(client.get(&to).await?, &record, version)?;
        if stage.enumerates() {
            stage.check(client.count().await? >= 1, "a live session is not counted")?;
            client.purge_expired().await?;
        }
        stage.same(client.get(&to).await?, &record, version)?;

        // It was last used before the clock was set right again.
        stage.clock.set(start.minus(back).plus(HOUR));
        stage.log.note("its idle time is over");
        stage.dead(client.get(&to).await?, "an expired session is live")?;
        stage.clock.set(start);
        stage.log.note("the clock is set right");
    }
    new_sessions_begin_as_ever(stage).await
}

async fn new_sessions_begin_as_ever<S: Store<Payload>>(
    stage: &Stage<'_, S>,
) -> Result<(), Violation> {
    stage.scene("the clock leaps forward by a century");
    let client = stage.client(1);
    stage.advance(36_525 * DAY);
    let record = stage.full(1);
    let fresh = key();
    let created = client.set(&fresh, record.clone(), Expect::Absent).await?;
    stage.equal(created, SetOutcome::Stored(1), "a new session")?;
    stage.same(client.get(&fresh).await?, &record, 1)
}
