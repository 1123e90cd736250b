//! Does the time that a cookie's verification takes say how much of a forged tag is right?
//!
//! `cargo run --release -p cloakroom --example verification_timing [measurements]`
//!
//! After dudect (Reparaz, Balasch, Verbauwhede, 2017): values of two classes are verified in random order, and
//! Welch's t-test compares the times, cropped at several percentiles, since what interrupts a measurement only ever
//! makes it longer. Below 4.5 nothing was found; above 10 something is there. The last comparison is of a verification
//! that does stop at the first wrong byte, to show that a leak would be seen.

#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use cloakroom::{CookieName, KeyRing, Secret, new_session_id, verify_session_id};

/// Where the tag begins in a value.
const TAG: usize = 44;
/// What both classes are made of: which characters they have must not tell them apart.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Verifications in one measurement: a clock's tick is longer than a difference of one.
const BATCH: usize = 4;

type Values<'a> = &'a dyn Fn(&mut Random) -> String;

fn main() -> Result<(), Box<dyn Error>> {
    let measurements = match std::env::args().nth(1) {
        Some(number) => number.parse()?,
        None => 1_000_000,
    };
    let keys = KeyRing::new(&Secret::generate()?, &CookieName::new("sid")?);
    let good = new_session_id(keys.signing_key())?.1.as_str().to_owned();
    println!("{measurements} measurements of {BATCH} verifications; t by how many are kept\n");

    let verify = |value: &str| verify_session_id(value, &keys).is_ok();
    let all_wrong = |random: &mut Random| forge(&good, TAG, random);
    let most_right = |random: &mut Random| forge(&good, TAG + 40, random);
    let mut random = Random::new()?;
    let mut compare = |what: &str, verify: &dyn Fn(&str) -> bool, classes: [Values<'_>; 2]| {
        let results = measure(measurements, &mut random, verify, classes);
        report(what, results);
    };
    compare(
        "nothing of the tag right, or nearly all",
        &verify,
        [&all_wrong, &most_right],
    );

    let stops = |value: &str| {
        let mut pairs = value.bytes().zip(good.bytes());
        verify(value) || pairs.all(|(one, other)| black_box(one) == black_box(other))
    };
    compare(
        "as the first, of a check that stops early",
        &stops,
        [&all_wrong, &most_right],
    );
    Ok(())
}

/// The good value, with other characters from there on, such as a tag may have.
fn forge(good: &str, from: usize, random: &mut Random) -> String {
    let mut value = good.as_bytes().to_vec();
    let length = value.len();
    for (at, byte) in value.iter_mut().enumerate().skip(from) {
        // Of the last of 43 characters the lower two bits are zero.
        let step = if at + 1 == length { 4 } else { 1 };
        let old = *byte;
        while *byte == old {
            *byte = ALPHABET[random.below(64 / step) * step];
        }
    }
    String::from_utf8(value).expect("the alphabet is ASCII")
}

/// The times of each class, in nanoseconds.
fn measure(
    measurements: usize,
    random: &mut Random,
    verify: &dyn Fn(&str) -> bool,
    classes: [Values<'_>; 2],
) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..measurements {
        let class = random.below(2);
        // Copied in both classes, so that the allocator and the caches see the same of each.
        let values: [String; BATCH] = std::array::from_fn(|_| {
            let both = [classes[0](random), classes[1](random)];
            both[class].clone()
        });
        let start = Instant::now();
        for value in &values {
            black_box(verify(black_box(value)));
        }
        let time = start.elapsed().as_nanos() as f64;
        // The first ones warm the caches.
        if number > measurements / 100 {
            times[class].push(time);
        }
    }
    times
}

fn report(what: &str, mut times: [Vec<f64>; 2]) {
    let mut sorted: Vec<f64> = times.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let percentiles = [50, 75, 90, 95, 99, 100];
    let results = percentiles.map(|percent| {
        let limit = sorted[(sorted.len() - 1) * percent / 100];
        welch(times.each_ref().map(|times| Moments::of(times, limit)))
    });
    let verdict = match results.iter().fold(0.0, |most: f64, t| most.max(t.abs())) {
        t if t < 4.5 => "nothing found",
        t if t < 10.0 => "inconclusive: run it longer, on a quiet machine",
        _ => "they differ",
    };
    let medians = times.each_mut().map(|times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2] / BATCH as f64
    });
    println!("{what}: {verdict}");
    println!("  medians {} and {} ns", medians[0], medians[1]);
    for (percent, t) in percentiles.iter().zip(results) {
        println!("  {percent:>3} %: t = {t:.2}");
    }
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    /// Of the times up to the limit.
    fn of(times: &[f64], limit: f64) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for time in times.iter().filter(|time| **time <= limit) {
            count += 1.0;
            let off = time - mean;
            mean += off / count;
            squares += off * (time - mean);
        }
        Self {
            count,
            mean,
            variance: squares / (count - 1.0),
        }
    }
}

/// Welch's t, for two samples of unequal variance.
fn welch([a, b]: [Moments; 2]) -> f64 {
    (a.mean - b.mean) / (a.variance / a.count + b.variance / b.count).sqrt()
}

/// xorshift64*. Nothing that it decides is a secret.
struct Random(u64);

impl Random {
    fn new() -> Result<Self, Box<dyn Error>> {
        let seed = Secret::generate()?.to_hex();
        Ok(Self(u64::from_str_radix(&seed[..16], 16)? | 1))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        (number as usize * limit) >> 32
    }
}
