//! Counts the instructions that a piece of this program runs on this very processor, one by one: a parent process
//! has a child stop after each (`PTRACE_SINGLESTEP`).
//!
//! Virtual machines mostly have no hardware counter, and valgrind shows programs a processor without the newer
//! instructions, SHA-256 in hardware among them, which is most of what a signed session costs. Instructions inside
//! the kernel are not counted. A repeated string instruction counts once, as hardware counters do.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::Failure;

pub const AVAILABLE: bool = true;

/// What the child leaves in `rax` at the stop that begins a count.
const BEGIN: u64 = 0x636f_756e_7462_6567;

/// In the child: counts what `measured` runs. Ends the process if there is no parent that counts.
pub fn counted(measured: &mut dyn FnMut()) {
    // SAFETY: a breakpoint that changes nothing; the tracing parent reads the two registers and goes on behind it.
    unsafe {
        std::arch::asm!("int3", in("rax") BEGIN, in("rdi") end_of_count as *const () as u64);
    }
    measured();
    end_of_count();
}

/// Where counting ends.
#[inline(never)]
extern "C" fn end_of_count() {
    std::hint::black_box(());
}

/// In the parent: runs the command, and answers what each [`counted`] in it ran, in order. What counting itself
/// adds is the same for each.
pub fn count_in(command: &mut Command) -> Result<Vec<u64>, Failure> {
    // SAFETY: between fork and exec only this one system call is made.
    unsafe {
        command.pre_exec(|| {
            if libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) == -1 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
    let child = command.stdout(Stdio::null()).spawn()?;
    let processors = stay_on_one_processor()?;
    let counts = follow(child);
    processors.restore();
    counts.map_err(|error| format!("{command:?}: {error}").into())
}

fn follow(child: Child) -> Result<Vec<u64>, Failure> {
    let pid = libc::pid_t::try_from(child.id())?;
    let mut counts = Vec::new();
    loop {
        match wait(pid)? {
            Stop::Ended(0) => return Ok(counts),
            Stop::Ended(code) => return Err(format!("ended with {code}").into()),
            Stop::Signal(libc::SIGTRAP) => {
                let registers = registers(pid)?;
                if registers.rax == BEGIN {
                    counts.push(step_until(pid, registers.rdi)?);
                }
                go_on(pid, libc::PTRACE_CONT, 0)?;
            }
            Stop::Signal(signal) => go_on(pid, libc::PTRACE_CONT, signal)?,
        }
    }
}

/// Both processes on one processor: a step is then a switch between them, and no interrupt to another processor.
pub fn stay_on_one_processor() -> Result<Processors, Failure> {
    let mut before = std::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
    let size = size_of::<libc::cpu_set_t>();
    // SAFETY: the call fills the set, of which zeroed is a valid value; the other call only reads one.
    unsafe {
        if libc::sched_getaffinity(0, size, before.as_mut_ptr()) == -1 {
            return Err(std::io::Error::last_os_error().into());
        }
        let before = before.assume_init();
        let all = 0..libc::CPU_SETSIZE as usize;
        let first = all.into_iter().find(|&cpu| libc::CPU_ISSET(cpu, &before)).unwrap_or(0);
        let mut one = std::mem::zeroed();
        libc::CPU_SET(first, &mut one);
        libc::sched_setaffinity(0, size, &raw const one);
        Ok(Processors(before))
    }
}

/// Where this thread may run.
pub struct Processors(libc::cpu_set_t);

impl Processors {
    /// Lets it run where it did before.
    pub fn restore(self) {
        // SAFETY: the call only reads the set.
        unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const self.0) };
    }
}

enum Stop {
    Ended(i32),
    Signal(i32),
}

fn wait(pid: libc::pid_t) -> Result<Stop, Failure> {
    let mut status = 0;
    // SAFETY: the pointer is to an integer that outlives the call.
    if unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) } == -1 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(if libc::WIFSTOPPED(status) {
        Stop::Signal(libc::WSTOPSIG(status))
    } else if libc::WIFEXITED(status) {
        Stop::Ended(libc::WEXITSTATUS(status))
    } else {
        Stop::Ended(128 + libc::WTERMSIG(status))
    })
}

fn step_until(pid: libc::pid_t, end: u64) -> Result<u64, Failure> {
    let mut count = 0;
    let mut before = 0;
    let mut signal = 0;
    loop {
        go_on(pid, libc::PTRACE_SINGLESTEP, signal)?;
        signal = match wait(pid)? {
            Stop::Signal(libc::SIGTRAP) => 0,
            Stop::Signal(other) => other,
            Stop::Ended(code) => return Err(format!("ended with {code} while counted").into()),
        };
        let now = instruction_pointer(pid)?;
        if now == end {
            return Ok(count);
        }
        // Within a repeated string instruction it stays where it is.
        count += u64::from(now != before);
        before = now;
    }
}

fn go_on(pid: libc::pid_t, request: libc::c_uint, signal: i32) -> Result<(), Failure> {
    // SAFETY: the child is stopped, and neither request writes to this process.
    if unsafe { libc::ptrace(request, pid, 0, libc::c_long::from(signal)) } == -1 {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok(())
}

fn instruction_pointer(pid: libc::pid_t) -> Result<u64, Failure> {
    let offset = std::mem::offset_of!(libc::user_regs_struct, rip);
    // SAFETY: the child is stopped, and the request reads one word of its registers.
    let word = unsafe { libc::ptrace(libc::PTRACE_PEEKUSER, pid, offset, 0) };
    // An address in user space is never negative.
    if word == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(word as u64) }
}

fn registers(pid: libc::pid_t) -> Result<libc::user_regs_struct, Failure> {
    let mut registers = std::mem::MaybeUninit::<libc::user_regs_struct>::zeroed();
    // SAFETY: the child is stopped, and the request fills the structure of that type.
    if unsafe { libc::ptrace(libc::PTRACE_GETREGS, pid, 0, registers.as_mut_ptr()) } == -1 {
        return Err(std::io::Error::last_os_error().into());
    }
    // SAFETY: zeroed is a valid value of it, and it was filled.
    Ok(unsafe { registers.assume_init() })
}
