use std::cell::RefCell;

use zeroize::Zeroize;

use super::fork;
use crate::Error;

/// Fetched at once. A system call costs several hundred nanoseconds, as much as all else that a sign-in does; these are
/// 32 ids for little more than the price of one. Not more: what is fetched lies in memory until it is used.
const SIZE: usize = 1024;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::empty()) };
}

/// Fills `bytes`, which are at most [`SIZE`], with bytes that nobody else has or had: each is handed out once.
///
/// # Errors
/// `Randomness` if the operating system's generator fails. There is no fallback.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), Error> {
    // While a thread ends, its pool may be gone before the last id is asked for.
    POOL.try_with(|pool| pool.borrow_mut().fill(bytes, fork::generation()))
        .unwrap_or_else(|_| fetch(bytes))
}

struct Pool {
    bytes: [u8; SIZE],
    /// Handed out already, and overwritten with zeros.
    used: usize,
    /// In which process: a child of this one must not hand out what its parent does.
    generation: usize,
}

impl Pool {
    const fn empty() -> Self {
        Self {
            bytes: [0; SIZE],
            used: SIZE,
            generation: 0,
        }
    }

    fn fill(&mut self, bytes: &mut [u8], generation: usize) -> Result<(), Error> {
        if bytes.len() > SIZE - self.used || self.generation != generation {
            // Until it succeeds there is nothing to hand out.
            self.used = SIZE;
            fetch(&mut self.bytes)?;
            self.used = 0;
            self.generation = generation;
        }
        let next = &mut self.bytes[self.used..self.used + bytes.len()];
        bytes.copy_from_slice(next);
        next.zeroize();
        self.used += bytes.len();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

fn fetch(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(Error::randomness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_handed_out_twice_and_nothing_used_is_kept() {
        let mut pool = Pool::empty();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            let mut id = [0; 32];
            pool.fill(&mut id, 1).unwrap();
            assert!(seen.insert(id));
            assert!(pool.bytes[..pool.used].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn what_was_fetched_before_a_fork_is_thrown_away() {
        let mut pool = Pool::empty();
        pool.fill(&mut [0; 32], 1).unwrap();
        let parents = pool.bytes;
        let mut childs = [0; 32];
        pool.fill(&mut childs, 2).unwrap();
        assert_ne!(childs, parents[32..64]);
        assert_eq!(pool.used, 32);
    }

    #[test]
    fn sizes_that_do_not_divide_the_pool_are_filled_whole() {
        let mut pool = Pool::empty();
        for _ in 0..50 {
            let mut bytes = [0; 100];
            pool.fill(&mut bytes, 1).unwrap();
            assert!(bytes[90..].iter().any(|byte| *byte != 0));
        }
    }
}
