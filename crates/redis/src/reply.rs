//! Reading what servers answer.

use redis::Value;

use crate::error::RedisStoreError;

/// A text, whatever it is sent as. Nothing is the empty text.
pub(crate) fn text(value: Value) -> Result<Vec<u8>, RedisStoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        Value::VerbatimString { text, .. } => Ok(text.into_bytes()),
        Value::Int(number) => Ok(number.to_string().into_bytes()),
        Value::Okay => Ok(b"OK".to_vec()),
        Value::Nil => Ok(Vec::new()),
        _ => Err(RedisStoreError::unexpected()),
    }
}

/// Whole numbers.
pub(crate) fn number(value: Value) -> Result<u64, RedisStoreError> {
    parse(&text(value)?)
}

pub(crate) fn parse(text: &[u8]) -> Result<u64, RedisStoreError> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(RedisStoreError::unexpected)
}

pub(crate) fn list(value: Value) -> Result<Vec<Value>, RedisStoreError> {
    match value {
        Value::Array(values) | Value::Set(values) => Ok(values),
        _ => Err(RedisStoreError::unexpected()),
    }
}

pub(crate) fn texts(value: Value) -> Result<Vec<Vec<u8>>, RedisStoreError> {
    list(value)?.into_iter().map(text).collect()
}

/// A list of texts that has at least one: what it says first, and the rest.
pub(crate) fn outcome(value: Value) -> Result<(Vec<u8>, Vec<Value>), RedisStoreError> {
    let mut values = list(value)?;
    if values.is_empty() {
        return Err(RedisStoreError::unexpected());
    }
    let rest = values.split_off(1);
    let first = values.pop().expect("one is left");
    Ok((text(first)?, rest))
}
