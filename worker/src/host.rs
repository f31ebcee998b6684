//! The clock and the randomness of the platform, which the core gets as arguments. Both work only
//! inside handlers.

use js_sys::Date;
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
}

/// The current time. The clock stands still while code runs, so it is the same for a whole request.
pub(crate) fn now() -> Moment {
    Moment(Date::now() as u64)
}

/// The random bytes of one request.
pub(crate) struct Draw {
    /// The randomness for its decisions.
    pub(crate) entropy: Entropy,
    id: [u8; 12],
}

impl Draw {
    /// Draws fresh bytes with one call into JavaScript.
    ///
    /// # Errors
    /// `internal` if the platform has no randomness.
    pub(crate) fn new() -> Result<Draw> {
        let mut bytes = [0; 44];
        get_random_values(&mut bytes)
            .map_err(|_| Error::bug("the platform gave no random bytes"))?;
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

/// An id for a request that has none.
pub(crate) fn request_id() -> String {
    Draw::new().map_or_else(|_| "none".into(), |draw| draw.request_id())
}
