//! RS256 keys: which ones are taken (RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 §3.3).
//!
//! Verifying with them is left to the platform: it is several times faster than big integers in
//! wasm, and the crate `rsa` has an advisory without a fix (RUSTSEC-2023-0071).

/// Size of a modulus, in bits: the minimum of RFC 7518 §3.3, and a maximum that bounds the cost of
/// a check.
const MODULUS_BITS: core::ops::RangeInclusive<usize> = 2048..=4096;

/// The one exponent, 65537: everybody uses it, and the platform takes none other but 3, which
/// forgives careless padding checks.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// The part of an RSA key that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The modulus is even, below 2048 or above 4096 bits.
    Modulus,
    /// The exponent is not 65537.
    Exponent,
}

/// An RSA public key with the exponent 65537.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaKey {
    modulus: Vec<u8>,
}

impl RsaKey {
    /// Takes the modulus and the exponent, big endian.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<RsaKey, Malformed> {
        // Some libraries include the sign byte of ASN.1, which changes nothing.
        let modulus = without_zeros(modulus);
        let (Some(first), Some(last)) = (modulus.first(), modulus.last()) else {
            return Err(Malformed::Modulus);
        };
        let bits = modulus.len() * 8 - first.leading_zeros() as usize;
        if !MODULUS_BITS.contains(&bits) || last % 2 == 0 {
            return Err(Malformed::Modulus);
        }
        if without_zeros(exponent) != EXPONENT {
            return Err(Malformed::Exponent);
        }
        Ok(RsaKey { modulus: modulus.into() })
    }

    /// The modulus, big endian, without zeros before it. A signature is as long.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The exponent, big endian.
    pub fn exponent(&self) -> &[u8] {
        &EXPONENT
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
