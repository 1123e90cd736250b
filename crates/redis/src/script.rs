//! The Lua scripts, and what is sent to a server.

use std::borrow::Cow;
use std::sync::LazyLock;

use cloakroom_store::Timestamp;
use redis::{Arg, Cmd};

use crate::{head, moment};

/// A script with its SHA-1, by which servers know it.
#[derive(Debug)]
pub(crate) struct Script {
    code: &'static str,
    sha1: String,
}

/// A script is made of the parts that it needs, in that order: what it defines is made anew at every call.
macro_rules! scripts {
    ($($name:ident = [$($file:literal),*], $flags:literal;)*) => {$(
        pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                "#!lua flags=", $flags, "\n",
                $(include_str!(concat!("lua/", $file)),)*
            ))
        });
    )*};
    // Nearly all of them stand on the same parts.
    (standing $($name:ident = $file:literal, $flags:literal;)*) => {
        scripts! {$(
            $name = [
                "parts/common.lua", "parts/head.lua", "parts/found.lua", "parts/expiry.lua", "parts/index.lua", $file
            ], $flags;
        )*}
    };
}

// With the first line a server that may not run the whole script runs nothing of it. What ends sessions or takes
// no room runs on a server that is out of memory, too; not `TAKE`, after which a session has to be written.
scripts! {
    BURY = ["parts/common.lua", "parts/mark.lua", "parts/head.lua", "parts/found.lua", "bury.lua"], "allow-oom";
    EXPECT = ["parts/common.lua", "parts/head.lua", "expect.lua"], "";
    FORGET = ["forget.lua"], "allow-oom";
    MARK = ["parts/common.lua", "parts/mark.lua", "mark.lua"], "allow-oom";
    PEEK = ["parts/common.lua", "parts/head.lua", "parts/found.lua", "peek.lua"], "no-writes";
    SET = ["set.lua", "parts/expiry.lua", "parts/index.lua", "set_index.lua"], "";
    SET_SPREAD = ["parts/common.lua", "parts/head.lua", "parts/found.lua", "set_spread.lua"], "";
}
scripts! { standing
    ADMIT = "admit.lua", "";
    DESTROY = "destroy.lua", "allow-oom";
    DESTROY_OWNER = "destroy_owner.lua", "allow-oom";
    ENTER = "enter.lua", "";
    FIT = "fit.lua", "allow-oom";
    LIST_OWNER = "list_owner.lua", "allow-oom";
    PURGE = "purge.lua", "allow-oom";
    RESERVE = "reserve.lua", "";
    ROTATE = "rotate.lua", "";
    TAKE = "take.lua", "";
    TIDY = "tidy.lua", "allow-oom";
    TOUCH = "touch.lua", "allow-oom";
}

impl Script {
    fn new(code: &'static str) -> Self {
        let sha1 = redis::Script::new(code).get_hash().to_owned();
        Self { code, sha1 }
    }

    /// What can be done about the second of two keys first, so that the script itself has to know the other one only.
    fn before(&self) -> Option<&'static Self> {
        let is = |other: &Self| self.sha1 == other.sha1;
        if is(&DESTROY) {
            return Some(&FORGET);
        }
        is(&BURY).then_some(&*MARK)
    }
}

/// One thing to ask of a server: a command, or a script. It is kept as it is sent, so that no part is copied twice.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    verb: Verb,
    command: Cmd,
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    /// A command that only reads: it may be sent again when its answer got lost.
    Read,
    /// A script. It is never sent again unless the server said that it did not run it.
    Script(&'static Script),
}

/// Room for most requests, without a whole session.
pub(crate) const ROOM: usize = 320;
/// What stands before the keys of a script: the command, the script, and how many keys there are.
const BEFORE_KEYS: usize = 3;

impl Request {
    pub(crate) fn read(command: &str, key: impl AsRef<[u8]>) -> Self {
        let key = key.as_ref();
        let mut request = Self {
            verb: Verb::Read,
            // Room for the bounds of a range.
            command: Cmd::with_capacity(4, command.len() + key.len() + 8),
        };
        request.command.arg(command);
        request.arg(key)
    }

    /// A whole session.
    pub(crate) fn session(key: String) -> Self {
        Self::read("GET", key)
    }

    /// What stands before the data of a session.
    pub(crate) fn head(key: String) -> Self {
        Self::read("GETRANGE", key).arg("0").arg(head::LAST)
    }

    pub(crate) fn script(script: &'static Script, keys: &[impl AsRef<[u8]>]) -> Self {
        Self::script_of(script, keys, ROOM)
    }

    /// The same with room for arguments of about so many bytes.
    pub(crate) fn script_of(
        script: &'static Script,
        keys: &[impl AsRef<[u8]>],
        room: usize,
    ) -> Self {
        let mut command = Cmd::with_capacity(16, room);
        command.arg("EVALSHA").arg(&script.sha1).arg(keys.len());
        let request = Self {
            verb: Verb::Script(script),
            command,
        };
        keys.iter().fold(request, Self::arg)
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<[u8]>) -> Self {
        self.command.arg(argument.as_ref());
        self
    }

    /// A time, or none.
    pub(crate) fn moment(self, time: Option<Timestamp>) -> Self {
        self.arg(moment::digits(time))
    }

    /// A number, or an empty argument for none.
    pub(crate) fn number(mut self, number: Option<i64>) -> Self {
        match number {
            Some(number) => {
                self.command.arg(number);
                self
            }
            None => self.arg(""),
        }
    }

    pub(crate) fn args(self, arguments: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// The key that decides where a cluster keeps it.
    pub(crate) fn first_key(&self) -> &[u8] {
        let place = match self.verb {
            Verb::Read => 1,
            Verb::Script(_) => BEFORE_KEYS,
        };
        self.words().nth(place).unwrap_or_default()
    }

    /// The same in two steps that concern one key each, in this order, if that is as good. In a cluster nothing
    /// is done that concerns two keys while their slot is being moved, as each may be on another server.
    pub(crate) fn apart(&self) -> Option<[Self; 2]> {
        let Verb::Script(script) = self.verb else {
            return None;
        };
        let words: Vec<_> = self.words().skip(BEFORE_KEYS - 1).collect();
        let [b"2", first, second, arguments @ ..] = words.as_slice() else {
            return None;
        };
        let step = |script, key: &[u8]| Self::script(script, &[key]).args(arguments);
        Some([step(script.before()?, second), step(script, first)])
    }

    pub(crate) fn only_reads(&self) -> bool {
        matches!(self.verb, Verb::Read)
    }

    /// As it is sent: a script by its SHA-1, or `whole` where the server has forgotten it.
    pub(crate) fn command(&self, whole: bool) -> Cow<'_, Cmd> {
        match self.verb {
            Verb::Script(script) if whole => {
                let mut command = redis::cmd("EVAL");
                command.arg(script.code);
                for word in self.words().skip(BEFORE_KEYS - 1) {
                    command.arg(word);
                }
                Cow::Owned(command)
            }
            _ => Cow::Borrowed(&self.command),
        }
    }

    fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.command.args_iter().map(|word| match word {
            Arg::Simple(word) => word,
            // Nothing else was put in.
            _ => &[],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(request: &Request) -> Vec<&[u8]> {
        request.words().skip(1).collect()
    }

    #[test]
    fn what_concerns_two_keys_is_done_to_the_second_one_first() {
        for (script, before) in [(&DESTROY, &FORGET), (&BURY, &MARK)] {
            let request = Request::script(script, &["a", "b"]).arg("c").arg("d");
            let [first, then] = request.apart().expect("it can be done in two steps");
            let expected = |script: &Script, key: &str| {
                let words = [script.sha1.as_str(), "1", key, "c", "d"];
                words.map(|word| word.as_bytes().to_vec())
            };
            assert_eq!(words(&first), expected(before, "b"));
            assert_eq!(words(&then), expected(script, "a"));
            assert!(first.apart().is_none() && then.apart().is_none());
        }
        let request = Request::script(&SET_SPREAD, &["a", "b"]);
        assert!(request.apart().is_none());
        assert!(Request::session("a".to_owned()).apart().is_none());
    }
}
