//! Times as the servers keep and compare them: twenty digits. The order of these texts is that of the times, whatever
//! the dates, so that scripts need not calculate: their numbers do not tell the farthest dates apart.
//!
//! A time from 1970 on is a one and its milliseconds; an earlier one is a nought and what is left of 10¹⁹. Never is after
//! all of them.

use cloakroom_store::Timestamp;

pub(crate) const WIDTH: usize = 20;
const NEVER: [u8; WIDTH] = [b'9'; WIDTH];
/// 1970. No time of 64 bits is as far from it as that.
const START: u64 = 10_000_000_000_000_000_000;

pub(crate) fn digits(time: Option<Timestamp>) -> [u8; WIDTH] {
    let Some(millis) = time.map(Timestamp::as_millis) else {
        return NEVER;
    };
    match u64::try_from(millis) {
        Ok(millis) => {
            let mut digits = padded(millis);
            digits[0] = b'1';
            digits
        }
        Err(_) => padded(START - millis.unsigned_abs()),
    }
}

/// The time of such a text; nothing if it is none.
pub(crate) fn of_digits(digits: &[u8]) -> Option<Option<Timestamp>> {
    if digits == NEVER {
        return Some(None);
    }
    let (first, rest) = digits
        .split_first()
        .filter(|(_, rest)| rest.len() == WIDTH - 1)?;
    let rest = number(rest)?;
    let millis = match first {
        b'1' => i64::try_from(rest).ok()?,
        b'0' => 0_i64.checked_sub_unsigned(START.checked_sub(rest)?)?,
        _ => return None,
    };
    Some(Some(Timestamp::from_millis(millis)))
}

/// A span in milliseconds, or none: the same, without the one.
pub(crate) fn span_digits(millis: Option<u64>) -> [u8; WIDTH] {
    // The longest that scripts can add to a time.
    millis.map_or(NEVER, |millis| padded(millis.min(i64::MAX as u64)))
}

pub(crate) fn of_span_digits(digits: &[u8]) -> Option<Option<u64>> {
    match digits == NEVER {
        true => Some(None),
        false => number(digits)
            .filter(|&span| span <= i64::MAX as u64)
            .map(Some),
    }
}

/// A number with noughts before it.
pub(crate) fn padded<const N: usize>(mut number: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        if number == 0 {
            break;
        }
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// A number of such digits, and nothing else.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    // Nineteen digits are never too much, so only the rest has to be watched.
    let (first, rest) = digits.split_at(digits.len().min(19));
    let value = |digit: &u8| digit.checked_sub(b'0').filter(|digit| *digit < 10);
    let sum = first.iter().try_fold(0_u64, |sum, digit| {
        Some(sum * 10 + u64::from(value(digit)?))
    })?;
    rest.iter().try_fold(sum, |sum, digit| {
        sum.checked_mul(10)?.checked_add(value(digit)?.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_texts_is_that_of_the_times() {
        let far = [i64::MIN, i64::MIN + 1, -1_763_900_000_000, -10, -9, -1];
        let near = [0, 1, 9, 10, 1_763_900_000_000, i64::MAX - 1, i64::MAX];
        let times = far.into_iter().chain(near).map(Timestamp::from_millis);
        let times: Vec<_> = times.map(Some).chain([None]).collect();
        let texts: Vec<_> = times.iter().map(|&time| digits(time)).collect();
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        for (time, text) in times.into_iter().zip(texts) {
            assert_eq!(of_digits(&text), Some(time));
        }
        let now = digits(Some(Timestamp::from_millis(1_763_900_000_000)));
        assert_eq!(&now, b"10000001763900000000");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for bad in [
            "",
            "1",
            "1000000000000000000",
            "100000000000000000000",
            "19223372036854775808",
            "00776627963145224191",
            "20000000000000000000",
            "1000000000000000000:",
            "-0000000000000000001",
        ] {
            assert_eq!(of_digits(bad.as_bytes()), None, "{bad:?}");
        }
        for span in [Some(0), Some(7), Some(i64::MAX as u64), None] {
            assert_eq!(of_span_digits(&span_digits(span)), Some(span));
        }
        assert_eq!(of_span_digits(b"09223372036854775808"), None);
        assert_eq!(padded::<3>(255), *b"255");
    }
}
