//! Whole histories, split and judged.

use cloakroom::Handle;

use super::{Model, Rules, families, judge};
use crate::Ids;
use crate::history::{Answer, Call, Moment, Op, Value};

const RULES: Rules = Rules {
    model: Model {
        idle_timeout: 60_000,
    },
    rotates_in_two: false,
    ids: Ids::Kept,
};

fn key(digit: char) -> Handle {
    String::from_iter([digit; 32]).parse().unwrap()
}

fn op(number: u64, called: u64, returned: u64, call: Call, answer: Answer) -> Op {
    let moment = |tick| Moment { tick, millis: 0 };
    Op {
        number,
        client: 1,
        app: 0,
        owner: 7,
        call,
        answer,
        called: moment(called),
        returned: moment(returned),
        renewed: None,
        by_old_id: false,
    }
}

fn begin(number: u64, called: u64, of: char) -> Op {
    let handle = key(of);
    let value = Value {
        version: 1,
        writer: number,
        count: 1,
    };
    let stored = Answer::Stored {
        handle,
        value,
        base: None,
    };
    op(number, called, called + 1, Call::Begin { count: 1 }, stored)
}

fn complaints(ops: &[Op]) -> Vec<String> {
    let split = families(ops, RULES);
    assert!(split.strays.is_empty());
    let judged = split.families.iter();
    judged
        .filter_map(|family| judge(family, RULES.model, ops))
        .map(|example| example.to_string())
        .collect()
}

/// A request rotates the session, and before it can read it again somebody ends all others. So the session was found dead
/// under the key that all know, and was ended under one that nobody knows.
#[test]
fn what_is_ended_in_the_middle_of_a_rotation_is_dead_for_the_list_too() {
    let rotated = op(3, 10, 50, Call::Rotate(key('a')), Answer::Gone);
    let listed = op(4, 12, 45, Call::List, Answer::Listed(Vec::new()));
    let loaded = op(5, 20, 25, Call::Load(key('a')), Answer::Found(None));
    let ended = op(6, 30, 40, Call::DestroyOthers(key('b')), Answer::Done);
    let stranger = Op {
        owner: 8,
        ..begin(2, 3, 'b')
    };
    let history = [begin(1, 1, 'a'), stranger, rotated, listed, loaded, ended];
    assert_eq!(complaints(&history), [""; 0]);
    let without = &history[..5];
    assert_eq!(complaints(without).len(), 1, "nobody ended it");
}
