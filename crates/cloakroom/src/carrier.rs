use crate::cookie;
use crate::id_header;
use crate::key_ring::Place;
use crate::presented::Presented;
use crate::{CookieName, IdHeader, KeyRing, RequestHead};

/// What carries the signed id between client and server: see [`Sessions::carrier`](crate::Sessions::carrier).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A cookie of that name: [`CookieOptions`](crate::CookieOptions).
    Cookie(CookieName),
    /// That header: [`id_in_header`](crate::SessionsBuilder::id_in_header).
    Header(IdHeader),
}

impl Carrier {
    /// The field of requests that carries it, in lower case: `cookie`, or the header's name. What a response says to a
    /// request varies by it.
    #[must_use]
    pub fn request_field(&self) -> &str {
        match self {
            Self::Cookie(_) => "cookie",
            Self::Header(header) => header.request_name(),
        }
    }

    pub(crate) fn read<H: RequestHead + ?Sized>(&self, head: &H, keys: &KeyRing) -> Presented {
        match self {
            Self::Cookie(name) => cookie::read(head, name.as_str(), keys),
            Self::Header(header) => id_header::read(head, header, keys),
        }
    }
}

impl<'a> From<&'a Carrier> for Place<'a> {
    fn from(carrier: &'a Carrier) -> Self {
        match carrier {
            Carrier::Cookie(name) => name.into(),
            Carrier::Header(header) => header.into(),
        }
    }
}
