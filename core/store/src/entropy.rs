//! Randomness as an argument: one seed from the shell gives all bytes that a decision needs.
//!
//! A shell draws 32 bytes from its platform for **each request** and passes them as an [`Entropy`].
//! The reasons for one seed per request:
//! - the core stays pure: the same request, reads and seed give the same plan, nonces included,
//!   so that vectors can assert ciphertext and a simulation can be replayed;
//! - drawing can fail, and on Workers is only allowed inside a handler. It happens once, before
//!   anything is decided, so no decision has to handle a failure midway;
//! - a seed for two requests would repeat nonces, which breaks AES-GCM. So an `Entropy` cannot be
//!   cloned, and must not be kept for the next request.
//!
//! The stream is BLAKE3's extendable output, in key derivation mode with Nacre's own context
//! string, so that other uses of the seed give other streams.

use core::fmt;

use zeroize::Zeroize;

const CONTEXT: &str = "nacre 2026-11 v1 entropy of one request";

/// A deterministic stream of uniformly distributed bytes. Wiped when dropped.
pub struct Entropy {
    seed: [u8; 32],
    /// Started with the first byte that is needed; reads need none.
    stream: Option<blake3::OutputReader>,
}

impl Entropy {
    /// The stream of one seed: 32 bytes from the platform's secure source, used for nothing else.
    pub fn from_seed(seed: [u8; 32]) -> Entropy {
        Entropy { seed, stream: None }
    }

    /// Fills `bytes` with the next bytes of the stream.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.stream.get_or_insert_with(|| begin(&mut self.seed)).fill(bytes);
    }

    /// The next `N` bytes: a key, a nonce, an id.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

fn begin(seed: &mut [u8; 32]) -> blake3::OutputReader {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(seed);
    seed.zeroize();
    let stream = hasher.finalize_xof();
    hasher.zeroize();
    stream
}

impl Drop for Entropy {
    fn drop(&mut self) {
        self.seed.zeroize();
        self.stream.zeroize();
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_does_not_depend_on_how_it_is_cut() {
        let whole: [u8; 100] = Entropy::from_seed([7; 32]).array();
        let mut cut = [0; 100];
        let mut entropy = Entropy::from_seed([7; 32]);
        let (head, tail) = cut.split_at_mut(31);
        entropy.fill(head);
        entropy.fill(tail);
        assert_eq!(whole, cut);
    }

    #[test]
    fn seeds_and_positions_give_different_bytes() {
        let mut entropy = Entropy::from_seed([7; 32]);
        let first: [u8; 32] = entropy.array();
        let second: [u8; 32] = entropy.array();
        let other: [u8; 32] = Entropy::from_seed([8; 32]).array();
        assert!(first != second && first != other && second != other);
    }
}
