//! What the processors are to each other: those of a virtual machine may be two threads of one core, now and then or always,
//! and then each is slower while the other works. Whatever runs on both, servers with their clients above all, costs more than alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

const TRIES: usize = 7;

/// How fast each of so many runs while all do, as a share of how fast one runs alone. One if they share nothing.
pub fn speed_beside_others(processors: usize) -> f64 {
    let best = |threads| (0..TRIES).map(|_| slowest_of(threads)).min().unwrap_or_default();
    let (alone, together) = (best(1), best(processors.max(1)));
    alone.as_secs_f64() / together.as_secs_f64()
}

fn slowest_of(threads: usize) -> Duration {
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let took = running.into_iter().map(|thread| thread.join().expect("no panic"));
        took.max().unwrap_or_default()
    })
}

/// Some 30 ms of arithmetic in four independent rows, which is what fills a core, and no memory.
fn work() -> Duration {
    let start = Instant::now();
    let mut rows: [u64; 4] = black_box([1, 2, 3, 4]);
    for step in 0..20_000_000_u64 {
        rows[0] = rows[0].wrapping_mul(3).wrapping_add(1);
        rows[1] ^= rows[1] << 1;
        rows[2] = rows[2].wrapping_add(step);
        rows[3] = rows[3].wrapping_add(rows[2] ^ step);
    }
    black_box(rows);
    start.elapsed()
}
