//! The clock and the randomness of the platform, which the core gets as arguments. Both work only
//! inside handlers.

use std::cell::{Cell, RefCell};

use js_sys::{Date, Function, Promise, futures::JsFuture};
use nacre_core::{
    entropy::Entropy,
    error::{Error, Result},
    moment::Moment,
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(then: &Function, millis: u32) -> Result<JsValue, JsValue>;
}

/// The current time. The clock stands still while code runs, so it is the same for a whole request.
pub(crate) fn now() -> Moment {
    Moment(Date::now() as u64)
}

/// Lets other requests of the object come first, between two parts of long work.
///
/// The `Delay` of `worker` keeps the waker of its first poll, which here may be that of `promptly`,
/// and then never ends.
pub(crate) async fn give_way() {
    pause(1).await;
}

/// Waits so long, in milliseconds; other events come meanwhile.
pub(crate) async fn pause(millis: u32) {
    let mut wait = |resolve: Function, _| {
        let _ = set_timeout(&resolve, millis);
    };
    // It cannot fail: nobody rejects it.
    let _ = JsFuture::from(Promise::new(&mut wait)).await;
}

/// After so long without a request nobody is taken to be waiting, in milliseconds.
const QUIET_MILLIS: u64 = 200;

/// The longest wait for that, in milliseconds.
const PATIENCE_MILLIS: u64 = 1_000;

/// How often that is looked at, in milliseconds.
const LOOK_MILLIS: u32 = 25;

thread_local! {
    /// How often a request has come to this isolate or was answered, for whatever object. It is no
    /// time: to ask the clock is a call into JavaScript, for each request.
    static HEARD: Cell<u64> = const { Cell::new(0) };

    /// That number when it was looked at, and since when it is the same.
    static SEEN: Cell<(u64, Moment)> = const { Cell::new((0, Moment(0))) };
}

/// Notes that a request has come, or was answered.
pub(crate) fn note_request() {
    HEARD.set(HEARD.get().wrapping_add(1));
}

/// Gives way until requests have ceased for a moment, before work that cannot be interrupted: what
/// comes in the midst of it would wait. Under steady load it goes on from time to time all the same.
pub(crate) async fn wait_for_quiet() {
    give_way().await;
    let begun = now();
    while !is_quiet() && now() < begun.later(PATIENCE_MILLIS) {
        pause(LOOK_MILLIS).await;
    }
}

/// Whether no request has come for a moment.
fn is_quiet() -> bool {
    let (heard, (seen, since)) = (HEARD.get(), SEEN.get());
    if heard == seen {
        return now() >= since.later(QUIET_MILLIS);
    }
    SEEN.set((heard, now()));
    false
}

/// Random bytes that one request takes.
const DRAWN: usize = 44;

/// Bytes that one call into JavaScript draws, for a hundred requests.
const POOL: usize = 100 * DRAWN;

thread_local! {
    /// Drawn bytes that no request has taken yet.
    static UNUSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The random bytes of one request.
pub(crate) struct Draw {
    /// The randomness for its decisions.
    pub(crate) entropy: Entropy,
    id: [u8; 12],
}

impl Draw {
    /// Takes bytes that no one else has or will get.
    ///
    /// # Errors
    /// `internal` if the platform has no randomness.
    pub(crate) fn new() -> Result<Draw> {
        let bytes = UNUSED.with(|unused| {
            let mut unused =
                unused.try_borrow_mut().map_err(|_| Error::bug("randomness is borrowed"))?;
            take(&mut unused)
        })?;
        let (mut seed, mut id) = ([0; 32], [0; 12]);
        for (to, from) in seed.iter_mut().chain(&mut id).zip(bytes) {
            *to = from;
        }
        Ok(Draw { entropy: Entropy::from_seed(seed), id })
    }

    /// An id for a request that has none.
    pub(crate) fn request_id(&self) -> String {
        self.id.iter().fold(String::with_capacity(24), |mut name, byte| {
            for digit in [byte >> 4, byte & 15] {
                name.extend(char::from_digit(digit.into(), 16));
            }
            name
        })
    }
}

/// The next bytes of the pool, which is filled first when it is empty.
fn take(unused: &mut Vec<u8>) -> Result<[u8; DRAWN]> {
    if unused.is_empty() {
        let mut drawn = vec![0; POOL];
        get_random_values(&mut drawn)
            .map_err(|_| Error::bug("the platform gave no random bytes"))?;
        *unused = drawn;
    }
    let mut bytes = [0; DRAWN];
    let rest = unused.len().saturating_sub(DRAWN);
    for (to, from) in bytes.iter_mut().zip(unused.iter_mut().skip(rest)) {
        // What was taken must not stay in memory.
        *to = std::mem::take(from);
    }
    unused.truncate(rest);
    Ok(bytes)
}

/// An id for a request that has none.
pub(crate) fn request_id() -> String {
    Draw::new().map_or_else(|_| "none".into(), |draw| draw.request_id())
}
