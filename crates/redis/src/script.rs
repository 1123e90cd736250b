//! The Lua scripts, and what is sent to a server.

use std::sync::LazyLock;

use cloakroom_store::Timestamp;
use redis::Cmd;

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
    BURY = ["parts/common.lua", "parts/head.lua", "parts/found.lua", "bury.lua"], "allow-oom";
    EXPECT = ["parts/common.lua", "parts/head.lua", "expect.lua"], "";
    FORGET = ["forget.lua"], "allow-oom";
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
}

/// One thing to ask of a server: a command, or a script.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    verb: Verb,
    keys: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
    /// Arguments that are always the same, after the others.
    constants: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    /// A command that only reads: it may be sent again when its answer got lost.
    Read(&'static str),
    /// A script. It is never sent again unless the server said that it did not run it.
    Script(&'static Script),
}

impl Request {
    pub(crate) fn read(command: &'static str, key: impl Into<Vec<u8>>) -> Self {
        Self {
            verb: Verb::Read(command),
            keys: vec![key.into()],
            arguments: Vec::new(),
            constants: &[],
        }
    }

    /// A whole session.
    pub(crate) fn session(key: String) -> Self {
        Self::read("GET", key)
    }

    /// What stands before the data of a session.
    pub(crate) fn head(key: String) -> Self {
        let mut request = Self::read("GETRANGE", key);
        request.constants = &["0", head::LAST];
        request
    }

    pub(crate) fn script(script: &'static Script, key: impl Into<Vec<u8>>) -> Self {
        Self {
            verb: Verb::Script(script),
            keys: vec![key.into()],
            arguments: Vec::new(),
            constants: &[],
        }
    }

    pub(crate) fn key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.keys.push(key.into());
        self
    }

    pub(crate) fn arg(mut self, argument: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A time, or none.
    pub(crate) fn moment(self, time: Option<Timestamp>) -> Self {
        self.arg(moment::digits(time))
    }

    /// A number, or an empty argument for none.
    pub(crate) fn number(self, number: Option<i64>) -> Self {
        self.arg(number.map(|number| number.to_string()).unwrap_or_default())
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.arguments.extend(arguments);
        self
    }

    /// The key that decides where a cluster keeps it.
    pub(crate) fn first_key(&self) -> &[u8] {
        &self.keys[0]
    }

    pub(crate) fn only_reads(&self) -> bool {
        matches!(self.verb, Verb::Read(_))
    }

    /// As it is sent: a script by its SHA-1, or `whole` where the server has forgotten it.
    pub(crate) fn command(&self, whole: bool) -> Cmd {
        let parts = self.keys.iter().chain(&self.arguments).map(Vec::len);
        let count = parts.clone().count() + self.constants.len() + 3;
        // Short words are the rest.
        let mut command = Cmd::with_capacity(count, parts.sum::<usize>() + 16 * count);
        match self.verb {
            Verb::Read(name) => {
                command.arg(name);
            }
            Verb::Script(script) => {
                command.arg(if whole { "EVAL" } else { "EVALSHA" });
                command.arg(if whole { script.code } else { &script.sha1 });
                command.arg(self.keys.len());
            }
        }
        for part in self.keys.iter().chain(&self.arguments) {
            command.arg(part.as_slice());
        }
        for constant in self.constants {
            command.arg(*constant);
        }
        command
    }
}
