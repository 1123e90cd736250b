//! What a signed session costs at least: the steps that none can leave out, one after the other, nothing else.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::sync::{Arc, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use sha2::{Digest, Sha256};

use super::{App, Jar, Settings};
use crate::case::User;

const SHARDS: usize = 64;
const NAME: &[u8] = b"__Host-sid";

type Shard = RwLock<HashMap<[u8; 32], Kept, BuildHasherDefault<FirstBytes>>>;

struct Kept {
    ends_at: i64,
    user: Arc<User>,
}

/// Keys are hashes already.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub struct OptimumApp {
    keyed: Hmac<Sha256>,
    shards: Vec<Shard>,
    /// Ids to make cookies of.
    next: u64,
    sign_in: bool,
    cookie: Option<HeaderValue>,
    found: Option<Arc<User>>,
}

impl OptimumApp {
    pub fn new(_: &Settings) -> Self {
        Self {
            keyed: Hmac::new_from_slice(b"a key of some length, thirty-two").expect("any length"),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            next: 0,
            sign_in: false,
            cookie: None,
            found: None,
        }
    }

    fn tag(&self, id: &[u8; 32]) -> [u8; 32] {
        self.keyed.clone().chain_update(id).finalize().into_bytes().into()
    }

    fn shard(&self, key: &[u8; 32]) -> &Shard {
        &self.shards[usize::from(key[31]) % SHARDS]
    }

    /// The pipeline.
    fn read(&self, field: &[u8]) -> Option<Arc<User>> {
        let value = value_of(field)?;
        if value.len() != 87 || value[43] != b'.' {
            return None;
        }
        let (id, tag) = (decode(&value[..43])?, decode(&value[44..])?);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&self.tag(&id)[..], &tag[..])) {
            return None;
        }
        let key: [u8; 32] = Sha256::digest(id).into();
        let shard = self.shard(&key).read().expect("nobody panics");
        let kept = shard.get(&key)?;
        (kept.ends_at > coarse_now()).then(|| Arc::clone(&kept.user))
    }

    fn add(&mut self) -> String {
        self.next += 1;
        let id: [u8; 32] = Sha256::digest(self.next.to_le_bytes()).into();
        let key: [u8; 32] = Sha256::digest(id).into();
        let kept = Kept { ends_at: i64::MAX, user: Arc::new(User::ada()) };
        self.shard(&key).write().expect("nobody panics").insert(key, kept);
        format!("{}.{}", encode(&id), encode(&self.tag(&id)))
    }
}

/// Only a sign-in that fills the store and reads are of interest here.
impl App for OptimumApp {
    fn prepare(&mut self, path: &'static str, cookie: Option<&HeaderValue>) {
        self.sign_in = path == "/sign-in";
        self.cookie = cookie.cloned();
    }

    fn serve(&mut self) {
        if let (false, Some(cookie)) = (self.sign_in, &self.cookie) {
            self.found = black_box(self.read(black_box(cookie.as_bytes())));
        }
    }

    fn finish(&mut self, jar: &mut Jar) {
        if self.sign_in {
            let value = self.add();
            jar.add(&format!("__Host-sid={value}"));
        } else {
            assert!(self.found.take().is_some(), "the session is there");
        }
    }
}

/// What a measurement costs by itself.
pub struct NothingApp;

impl App for NothingApp {
    fn prepare(&mut self, _: &'static str, _: Option<&HeaderValue>) {}
    fn serve(&mut self) {}
    fn finish(&mut self, _: &mut Jar) {}
}

fn value_of(field: &[u8]) -> Option<&[u8]> {
    field.split(|&byte| byte == b';').find_map(|pair| {
        let pair = pair.trim_ascii_start();
        pair.strip_prefix(NAME)?.strip_prefix(b"=")
    })
}

fn coarse_now() -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a `timespec` that outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut now) };
    now.tv_sec
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut at = 0;
    while at < 64 {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
};

fn encode(bytes: &[u8; 32]) -> String {
    let mut text = String::with_capacity(43);
    for group in bytes.chunks(3) {
        let mut bits = 0u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(group.get(at).copied().unwrap_or(0));
        }
        for at in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

fn decode(text: &[u8]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let mut invalid = 0;
    for (group, out) in text.chunks(4).zip(bytes.chunks_mut(3)) {
        let mut bits = 0u32;
        for at in 0..4 {
            let value = group.get(at).map_or(0, |&byte| VALUES[usize::from(byte)]);
            invalid |= value & 128;
            bits = bits << 6 | u32::from(value & 63);
        }
        for (at, byte) in out.iter_mut().enumerate() {
            *byte = (bits >> (16 - 8 * at)) as u8;
        }
    }
    (invalid == 0).then_some(bytes)
}
