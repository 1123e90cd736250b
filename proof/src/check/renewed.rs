use std::borrow::Cow;
use std::collections::HashMap;

use cloakroom::Handle;

use crate::history::Op;

/// The same history with one name for all the ids that a session was renewed to: each of them finds it, so for whoever
/// asks they are one.
pub(super) fn as_one(ops: &[Op]) -> Cow<'_, [Op]> {
    let mut names = Names::default();
    for (one, other) in ops.iter().filter_map(|op| op.renewed) {
        names.join(one, other);
    }
    if names.0.is_empty() {
        return Cow::Borrowed(ops);
    }
    let ops = ops.iter();
    ops.map(|op| op.with_names(|handle| names.of(handle)))
        .collect()
}

/// What stands for a name.
#[derive(Default)]
struct Names(HashMap<Handle, Handle>);

impl Names {
    fn of(&self, mut handle: Handle) -> Handle {
        while let Some(next) = self.0.get(&handle) {
            handle = *next;
        }
        handle
    }

    fn join(&mut self, one: Handle, other: Handle) {
        let (one, other) = (self.of(one), self.of(other));
        if one != other {
            self.0.insert(other, one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_joined_in_any_order_are_one() {
        let name = |digit: char| -> Handle { String::from_iter([digit; 32]).parse().unwrap() };
        let mut names = Names::default();
        for (one, other) in [('a', 'b'), ('c', 'd'), ('b', 'c'), ('a', 'd')] {
            names.join(name(one), name(other));
        }
        let first = names.of(name('a'));
        assert!("bcd".chars().all(|digit| names.of(name(digit)) == first));
        assert_ne!(names.of(name('e')), first);
    }
}
