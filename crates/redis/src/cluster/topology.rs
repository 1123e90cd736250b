use std::sync::Arc;

use redis::Value;

use crate::error::RedisStoreError;
use crate::layout::SLOTS;
use crate::reply;

/// Where a server of a cluster listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
}

impl Address {
    pub(crate) fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Where a `MOVED` or `ASK` points to: `3999 127.0.0.1:6381`. Without a host it is that of the server that
    /// said so.
    pub(crate) fn of_redirection(details: &str, said_by: &Self) -> Option<Self> {
        let (_, address) = details.split_once(' ')?;
        let (host, port) = address.split_whitespace().next()?.rsplit_once(':')?;
        let port = port.parse().ok()?;
        let host = host.trim_matches(['[', ']']);
        Some(match host {
            "" => Self::new(&said_by.host, port),
            _ => Self::new(host, port),
        })
    }
}

/// Which primary serves which slot, as far as is known.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    primaries: Vec<Address>,
    /// For each slot the number of its primary.
    slots: Vec<Option<u16>>,
}

impl Default for Topology {
    fn default() -> Self {
        Self {
            primaries: Vec::new(),
            slots: vec![None; usize::from(SLOTS)],
        }
    }
}

impl Topology {
    /// From the answer to `CLUSTER SLOTS`.
    pub(crate) fn parse(answer: Value, said_by: &Address) -> Result<Self, RedisStoreError> {
        let mut topology = Self::default();
        for range in reply::list(answer)? {
            let mut range = reply::list(range)?.into_iter();
            let mut next = || range.next().ok_or_else(RedisStoreError::unexpected);
            let first = reply::number(next()?)?;
            let last = reply::number(next()?)?;
            let mut node = reply::list(next()?)?.into_iter();
            let host = reply::text(node.next().unwrap_or_default())?;
            let port = reply::number(node.next().unwrap_or_default())?;
            // Servers that do not know their name leave it out.
            let host = match std::str::from_utf8(&host) {
                Ok("" | "?") | Err(_) => &*said_by.host,
                Ok(host) => host,
            };
            let port = u16::try_from(port).map_err(|_| RedisStoreError::unexpected())?;
            if last >= u64::from(SLOTS) {
                return Err(RedisStoreError::unexpected());
            }
            let address = Address::new(host, port);
            for slot in first..=last {
                topology.assign(slot as u16, &address);
            }
        }
        Ok(topology)
    }

    pub(crate) fn primary_of(&self, slot: u16) -> Option<&Address> {
        let number = self.slots[usize::from(slot)]?;
        self.primaries.get(usize::from(number))
    }

    pub(crate) fn assign(&mut self, slot: u16, address: &Address) {
        let number = match self.primaries.iter().position(|known| known == address) {
            Some(number) => number,
            None => {
                self.primaries.push(address.clone());
                self.primaries.len() - 1
            }
        };
        self.slots[usize::from(slot)] = u16::try_from(number).ok();
    }

    /// All that have slots.
    pub(crate) fn primaries(&self) -> &[Address] {
        &self.primaries
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.slots.iter().all(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_point_somewhere() {
        let here = Address::new("here", 1);
        let of = |details| Address::of_redirection(details, &here);
        assert_eq!(
            of("3999 127.0.0.1:6381"),
            Some(Address::new("127.0.0.1", 6381))
        );
        assert_eq!(of("3999 ::1:6381"), Some(Address::new("::1", 6381)));
        assert_eq!(of("3999 :6381"), Some(Address::new("here", 6381)));
        for bad in ["", "3999", "3999 host", "3999 host:port", "3999 host:70000"] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_answer_of_a_cluster_is_read() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let range = |first, last, host, port| {
            let node = Value::Array(vec![host, Value::Int(port), text("id")]);
            Value::Array(vec![Value::Int(first), Value::Int(last), node])
        };
        let here = Address::new("here", 1);
        let answer = Value::Array(vec![
            range(0, 100, text("a"), 7),
            range(101, 200, Value::Nil, 8),
        ]);
        let mut topology = Topology::parse(answer, &here).unwrap();
        assert_eq!(topology.primary_of(100), Some(&Address::new("a", 7)));
        assert_eq!(topology.primary_of(101), Some(&Address::new("here", 8)));
        assert_eq!(topology.primary_of(201), None);
        assert!(!topology.is_complete());
        topology.assign(100, &Address::new("b", 9));
        assert_eq!(topology.primary_of(100), Some(&Address::new("b", 9)));
        assert_eq!(topology.primaries().len(), 3);

        let too_many = Value::Array(vec![range(0, 16_384, text("a"), 7)]);
        Topology::parse(too_many, &here).unwrap_err();
        Topology::parse(Value::Int(1), &here).unwrap_err();
    }
}
