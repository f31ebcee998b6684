//! An issuer's public key: one value, one algorithm.

use p256::ecdsa::signature::Verifier as _;

use super::{
    jws::{Algorithm, Jws, decode},
    refusal::Refusal,
    rsa::{Malformed, RsaKey},
    unverified::{Opened, Unverified},
};
use nacre_core::value::Object;

/// Why an entry of a key set is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Not RSA, P-256 or Ed25519; a shared secret (`oct`) is never published.
    Kind,
    /// `use` or `key_ops` do not allow verifying.
    Purpose,
    /// `alg` is not the one algorithm accepted for this kind of key.
    Algorithm,
    /// A member is missing, of a wrong type or not base64url.
    Member,
    /// The private part stands beside the public one.
    Private,
    /// An RSA modulus that is even, below 2048 or above 4096 bits.
    Modulus,
    /// An RSA exponent that is not 65537.
    Exponent,
    /// Not a point of the curve, or one of small order.
    Point,
}

impl From<Malformed> for Unusable {
    fn from(malformed: Malformed) -> Unusable {
        match malformed {
            Malformed::Modulus => Unusable::Modulus,
            Malformed::Exponent => Unusable::Exponent,
        }
    }
}

/// A key with its one algorithm. No case is a MAC, so a public key can never be used as a shared
/// secret.
#[derive(Clone, Debug)]
pub(super) enum PublicKey {
    Rs256(RsaKey),
    Es256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// Reads a JWK (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
    pub(super) fn read(jwk: &Object) -> Result<PublicKey, Unusable> {
        if !meant_for_signatures(jwk)? {
            return Err(Unusable::Purpose);
        }
        // A key whose private part is published must not be trusted.
        if jwk.contains("d") {
            return Err(Unusable::Private);
        }
        let key = match (text(jwk, "kty")?, jwk.contains("crv")) {
            ("RSA", _) => PublicKey::Rs256(RsaKey::new(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?),
            ("EC", true) if text(jwk, "crv")? == "P-256" => PublicKey::Es256(p256_key(jwk)?),
            ("OKP", true) if text(jwk, "crv")? == "Ed25519" => {
                PublicKey::Ed25519(ed25519_key(jwk)?)
            }
            _ => return Err(Unusable::Kind),
        };
        match jwk.get("alg") {
            None => Ok(key),
            Some(_) if Algorithm::parse(text(jwk, "alg")?) == Some(key.algorithm()) => Ok(key),
            Some(_) => Err(Unusable::Algorithm),
        }
    }

    /// The algorithm of this key.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            PublicKey::Rs256(_) => Algorithm::Rs256,
            PublicKey::Es256(_) => Algorithm::Es256,
            PublicKey::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Opens a token that names this key's algorithm.
    pub(super) fn open<'t>(&self, jws: Jws<'t>) -> Result<Opened<'t>, Refusal> {
        let payload = match self {
            PublicKey::Rs256(key) => return Unverified::of(jws, key).map(Opened::Unverified),
            // r and s of 32 bytes each (RFC 7518 §3.4). Both signs of s are valid in JWS.
            PublicKey::Es256(key) => jws.open(|message, signature| {
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }),
            PublicKey::Ed25519(key) => jws.open(|message, signature| {
                ed25519_dalek::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }),
        };
        payload.map(Opened::Payload)
    }
}

/// `use` and `key_ops`, where they are there, must allow verifying (RFC 7517 §4.2, §4.3).
fn meant_for_signatures(jwk: &Object) -> Result<bool, Unusable> {
    let by_use = !jwk.contains("use") || text(jwk, "use")? == "sig";
    let by_operations = match jwk.get("key_ops") {
        None => true,
        Some(operations) => {
            let operations = operations.as_array().ok_or(Unusable::Member)?;
            operations.iter().any(|operation| operation.as_str() == Some("verify"))
        }
    };
    Ok(by_use && by_operations)
}

fn p256_key(jwk: &Object) -> Result<p256::ecdsa::VerifyingKey, Unusable> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    // RFC 7518 §6.2.1.2: coordinates have their full length.
    if x.len() != 32 || y.len() != 32 {
        return Err(Unusable::Point);
    }
    let uncompressed = [[0x04].as_slice(), &x, &y].concat();
    p256::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed).map_err(|_| Unusable::Point)
}

fn ed25519_key(jwk: &Object) -> Result<ed25519_dalek::VerifyingKey, Unusable> {
    let x: [u8; 32] = bytes(jwk, "x")?.try_into().map_err(|_| Unusable::Point)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&x).map_err(|_| Unusable::Point)?;
    // A point of small order would accept forged signatures.
    if key.is_weak() { Err(Unusable::Point) } else { Ok(key) }
}

fn text<'a>(jwk: &'a Object, name: &str) -> Result<&'a str, Unusable> {
    jwk.get(name).and_then(|value| value.as_str()).ok_or(Unusable::Member)
}

fn bytes(jwk: &Object, name: &str) -> Result<Vec<u8>, Unusable> {
    decode(text(jwk, name)?).map_err(|_| Unusable::Member)
}
