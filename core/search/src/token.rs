//! Tokens: the names of terms in postings.

use alloc::string::String;

/// What stands for a term outside of sealed rows. Nothing can be read from it but equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// The digits of a token's text (RFC 4648, lower case).
const DIGITS: [u8; 32] = *b"abcdefghijklmnopqrstuvwxyz234567";

impl Token {
    /// The token as a word of letters and digits, for an index of another kind: `t`, then its bits,
    /// five a digit, in 13 digits.
    pub fn to_text(self) -> String {
        let digit = |place: u32| {
            let five = (self.0 >> (5 * place)) as usize & 31;
            DIGITS.get(five).map(|digit| char::from(*digit))
        };
        ['t'].into_iter().chain((0..13).rev().filter_map(digit)).collect()
    }
}

/// Gives terms their tokens. A keyed one (an HMAC of the term under the user's key, cut to 64 bits)
/// keeps the words of documents out of whatever holds the tokens.
pub trait TermKey {
    /// The token of a term, always the same.
    fn token(&self, term: &str) -> Token;
}

impl<F: Fn(&str) -> Token> TermKey for F {
    fn token(&self, term: &str) -> Token {
        self(term)
    }
}

/// Tokens without a key, for an index that does not leave the place where its documents are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unkeyed;

impl TermKey for Unkeyed {
    /// FNV-1a of the term, its bits mixed as in `MurmurHash3`.
    fn token(&self, term: &str) -> Token {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in term.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Token(hash ^ (hash >> 33))
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn every_token_has_a_word_of_its_own() {
        assert_eq!(Token(0).to_text(), "taaaaaaaaaaaaa");
        assert_eq!(Token(31).to_text(), "taaaaaaaaaaaa7");
        assert_eq!(Token(1 << 60).to_text(), "tbaaaaaaaaaaaa");
        assert_eq!(Token(u64::MAX).to_text(), "tp777777777777");
    }
}
