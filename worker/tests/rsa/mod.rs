//! RS256 as these tests verify it: the Worker asks the platform, which they run without
//! (`tests/e2e/issuer.test.mjs` asks it).
//!
//! Public values alone are handled, and the whole block is compared with the one it must be instead
//! of being parsed (RFC 8017 §8.2.2).

use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use nacre_worker::auth::Unverified;
use sha2::{Digest, Sha256};

/// DER of `DigestInfo { sha256, NULL }` up to the digest itself (RFC 8017 §9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Whether the signature of a token holds.
pub(crate) fn holds(token: &Unverified<'_>) -> bool {
    let (modulus, signature) = (token.key().modulus(), token.signature());
    assert_eq!(signature.len(), modulus.len(), "the platform is asked about no other");
    let number = |bytes: &[u8]| {
        BoxedUint::from_be_slice(bytes, u32::try_from(modulus.len() * 8).unwrap()).unwrap()
    };
    // RFC 8017 §5.2.2: a signature is a number below the modulus; others would pass reduced.
    if number(signature) >= number(modulus) {
        return false;
    }
    let params = BoxedMontyParams::new_vartime(Odd::new(number(modulus)).unwrap());
    let base = BoxedMontyForm::new(number(signature), &params);
    // 65537 is 2^16 + 1.
    assert_eq!(token.key().exponent(), [1, 0, 1]);
    let power = (0..16).fold(base.clone(), |power, _| power.square()).mul(&base);
    power.retrieve() == number(&block(token.message(), modulus.len()))
}

/// The one block that a signature of the message stands for: `00 01 ff … ff 00 DigestInfo`
/// (EMSA-PKCS1-v1_5, RFC 8017 §9.2).
fn block(message: &[u8], size: usize) -> Vec<u8> {
    let digest = Sha256::digest(message);
    let mut block = vec![0x00, 0x01];
    block.resize(size - 1 - DIGEST_INFO.len() - digest.len(), 0xff);
    block.push(0x00);
    block.extend(DIGEST_INFO);
    block.extend(digest);
    block
}
