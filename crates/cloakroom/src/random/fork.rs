//! Whether this process is a child that was forked, with a copy of its parent's memory.

/// Another number after each fork, in the child.
pub(super) use imp::generation;

#[cfg(all(unix, not(miri)))]
#[allow(unsafe_code, reason = "only the C library can tell of a fork")]
mod imp {
    use std::sync::Once;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static GENERATION: AtomicUsize = AtomicUsize::new(1);

    pub(in crate::random) fn generation() -> usize {
        static REGISTER: Once = Once::new();
        REGISTER.call_once(|| {
            // SAFETY: `in_child` is a function with the C calling convention that lives as long as the program. It is
            // called in the child before `fork` returns there, and only adds to an atomic: no lock, no allocation, so
            // it is sound in a child of a process with several threads.
            let registered = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
            // It fails only for want of memory. Then every use takes a fresh generation: slow, and safe.
            if registered != 0 {
                UNKNOWN.store(true, Ordering::Relaxed);
            }
        });
        if UNKNOWN.load(Ordering::Relaxed) {
            return GENERATION.fetch_add(1, Ordering::Relaxed);
        }
        GENERATION.load(Ordering::Relaxed)
    }

    static UNKNOWN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

    unsafe extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(test)]
    mod tests {
        use super::super::super::fill;
        use std::io::Read;
        use std::os::fd::FromRawFd;

        #[test]
        fn a_forked_child_hands_out_other_bytes_than_its_parent() {
            fill(&mut [0; 32]).unwrap();
            let mut pipe = [0; 2];
            // SAFETY: `pipe` has room for the two descriptors.
            assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
            // SAFETY: the child calls only what is safe to call after a fork: it copies from the pool or asks the
            // system for bytes, writes to a pipe, and ends at once without running anything else.
            let child = unsafe { libc::fork() };
            assert!(child >= 0, "the test needs a child");
            let mut bytes = [0; 32];
            if child == 0 {
                let filled = fill(&mut bytes).is_ok();
                // SAFETY: the descriptor is open, the bytes are there.
                unsafe {
                    libc::write(pipe[1], bytes.as_ptr().cast(), bytes.len());
                    libc::_exit(i32::from(!filled));
                }
            }
            fill(&mut bytes).unwrap();
            // SAFETY: both are this process's own, and each is given away once.
            let (mut from_child, to_parent) = unsafe {
                (
                    std::fs::File::from_raw_fd(pipe[0]),
                    std::fs::File::from_raw_fd(pipe[1]),
                )
            };
            drop(to_parent);
            let mut childs = [0; 32];
            from_child.read_exact(&mut childs).unwrap();
            // SAFETY: it is this process's child; nobody asks for its status.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            assert_ne!(childs, bytes);
            assert!(childs.iter().any(|byte| *byte != 0));
        }
    }
}

/// No forks here, or none that can be noticed: Miri knows no `pthread_atfork`.
#[cfg(not(all(unix, not(miri))))]
mod imp {
    pub(in crate::random) fn generation() -> usize {
        1
    }
}
