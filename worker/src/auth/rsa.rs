//! RS256: verifying RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2, RFC 7518 §3.3).
//!
//! Only this: the crate `rsa` brings decryption and signing along, and with them an advisory that
//! has no fix (RUSTSEC-2023-0071). Verifying handles public values alone, and compares the whole
//! block with the one it must be instead of parsing it.

use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use sha2::{Digest, Sha256};

/// Sizes of a modulus, in bits: what RFC 7518 §3.3 asks for at least, and what a check may cost at
/// most.
const MODULUS_BITS: core::ops::RangeInclusive<u32> = 2048..=4096;

/// Smallest exponent: F4, which everybody uses. Smaller ones forgive careless padding checks.
const LEAST_EXPONENT: u32 = 65_537;

/// DER of `DigestInfo { sha256, NULL }` up to the digest itself (RFC 8017 §9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The part of an RSA key that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The modulus is even, below 2048 or above 4096 bits.
    Modulus,
    /// The exponent is even, below 65537 or longer than 32 bits.
    Exponent,
}

/// An RSA public key with what Montgomery multiplication needs of its modulus.
#[derive(Clone, Debug)]
pub(super) struct RsaKey {
    modulus: BoxedMontyParams,
    exponent: u32,
    /// Length of a signature in bytes.
    size: usize,
}

impl RsaKey {
    /// Takes the modulus and the exponent, big endian.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<RsaKey, Malformed> {
        // Some libraries write the sign byte of ASN.1 along; it changes nothing.
        let modulus = without_zeros(modulus);
        let exponent = without_zeros(exponent);

        let first = modulus.first().ok_or(Malformed::Modulus)?;
        let bits = u32::try_from(modulus.len() * 8).map_err(|_| Malformed::Modulus)?;
        if !MODULUS_BITS.contains(&(bits - first.leading_zeros())) {
            return Err(Malformed::Modulus);
        }
        let size = modulus.len();
        let modulus = BoxedUint::from_be_slice(modulus, bits).map_err(|_| Malformed::Modulus)?;
        let modulus = Odd::new(modulus).into_option().ok_or(Malformed::Modulus)?;

        if exponent.len() > size_of::<u32>() {
            return Err(Malformed::Exponent);
        }
        let exponent = exponent.iter().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte));
        if exponent < LEAST_EXPONENT || exponent % 2 == 0 {
            return Err(Malformed::Exponent);
        }
        Ok(RsaKey { modulus: BoxedMontyParams::new_vartime(modulus), exponent, size })
    }

    /// Whether the signature is the message's.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.size {
            return false;
        }
        let precision = self.modulus.bits_precision();
        let (Ok(signature), Ok(block)) = (
            BoxedUint::from_be_slice(signature, precision),
            BoxedUint::from_be_slice(&self.block(message), precision),
        ) else {
            return false;
        };
        // RFC 8017 §5.2.2: a signature is a number below the modulus; others would pass reduced.
        signature < *self.modulus.modulus().as_ref() && self.power(signature) == block
    }

    /// `signature ^ exponent mod modulus`, by squaring and multiplying from the exponent's second
    /// bit on; nothing here is secret.
    fn power(&self, signature: BoxedUint) -> BoxedUint {
        let base = BoxedMontyForm::new(signature, &self.modulus);
        let lower_bits = u32::BITS - 1 - self.exponent.leading_zeros();
        let power = (0..lower_bits).rev().fold(base.clone(), |power, bit| {
            let squared = power.square();
            if self.exponent >> bit & 1 == 1 { squared.mul(&base) } else { squared }
        });
        power.retrieve()
    }

    /// The one block that a signature of the message stands for: `00 01 ff … ff 00 DigestInfo`
    /// (EMSA-PKCS1-v1_5, RFC 8017 §9.2).
    fn block(&self, message: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest(message);
        let filling = self.size.saturating_sub(3 + DIGEST_INFO.len() + digest.len());
        let mut block = Vec::with_capacity(self.size);
        block.extend([0x00, 0x01]);
        block.extend(core::iter::repeat_n(0xff, filling));
        block.push(0x00);
        block.extend(DIGEST_INFO);
        block.extend(digest);
        block
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}
