//! The compact form of a signed token (RFC 7515 §7.1), read strictly.

use base64ct::{Base64UrlUnpadded, Encoding};
use nacre_core::{json, limits, value::Value};

use super::refusal::Refusal;

/// Longest token, in bytes: the usual limit of proxies for one header.
pub const TOKEN_BYTES: usize = 8 << 10;

/// The signature algorithms that are accepted (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519: `EdDSA` (RFC 8037), or by its newer name `Ed25519` (RFC 9864).
    Ed25519,
}

impl Algorithm {
    /// Reads an `alg`; `None` for every other, `none` among them. Names are case-sensitive.
    pub fn parse(name: &str) -> Option<Algorithm> {
        match name {
            "HS256" => Some(Algorithm::Hs256),
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" | "Ed25519" => Some(Algorithm::Ed25519),
            _ => None,
        }
    }
}

/// A token whose signature is not checked yet. Until then its payload is not accessible, and only
/// those header members are that choose among trusted keys; `jwk`, `jku`, `x5u` and `x5c` are
/// ignored.
#[derive(Debug)]
pub(super) struct Jws<'a> {
    token: &'a str,
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// Header and payload with the dot between them, as they were signed.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Jws<'a> {
    /// Reads the header and splits the rest.
    pub(super) fn read(token: &'a str) -> Result<Jws<'a>, Refusal> {
        if token.len() > TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Shape)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::Shape)?;
        if payload.contains('.') {
            return Err(Refusal::Shape);
        }
        let (algorithm, key_id) = read_header(&decode(header)?)?;
        Ok(Jws { token, algorithm, key_id, message, payload, signature })
    }

    /// The payload, if `verify` accepts the signature of the message.
    pub(super) fn open(
        &self,
        verify: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<Vec<u8>, Refusal> {
        if !verify(self.message(), &self.signature()?) {
            return Err(Refusal::Signature);
        }
        self.payload()
    }

    /// The whole token.
    pub(super) fn token(&self) -> &'a str {
        self.token
    }

    /// The bytes that were signed.
    pub(super) fn message(&self) -> &'a [u8] {
        self.message.as_bytes()
    }

    /// The signature.
    pub(super) fn signature(&self) -> Result<Vec<u8>, Refusal> {
        decode(self.signature)
    }

    /// The payload, for whoever knows that the signature holds.
    pub(super) fn payload(&self) -> Result<Vec<u8>, Refusal> {
        decode(self.payload)
    }
}

/// Decodes base64url without padding (RFC 7515 §2); unused bits must be zero, so that each value
/// has exactly one text.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| Refusal::Encoding)
}

fn read_header(bytes: &[u8]) -> Result<(Algorithm, Option<String>), Refusal> {
    // The reader refuses repeated members (RFC 7515 §4).
    let header = json::read(bytes, limits::DEPTH).map_err(|_| Refusal::Header)?;
    let header = header.as_object().ok_or(Refusal::Header)?;
    // No extension is supported, so none may be critical. `b64` changes the signed bytes (RFC 7797)
    // and must be listed in `crit`; on its own it is a mistake or an attack.
    if header.contains("crit") || header.contains("b64") {
        return Err(Refusal::Extension);
    }
    let text = |name| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Refusal::Header),
    };
    let algorithm = text("alg")?.ok_or(Refusal::Header)?;
    let algorithm = Algorithm::parse(algorithm).ok_or(Refusal::Algorithm)?;
    if text("typ")?.is_some_and(|media_type| !is_access_token(media_type)) {
        return Err(Refusal::Type);
    }
    Ok((algorithm, text("kid")?.map(String::from)))
}

/// Whether a token of this type may identify a user: `JWT` (RFC 7519 §5.1) or `at+jwt` (RFC 9068
/// §2.1). An issuer signs other kinds of tokens with the same keys, such as logouts, security
/// events or proofs of possession (RFC 8725 §3.11).
fn is_access_token(media_type: &str) -> bool {
    let lower = media_type.to_ascii_lowercase();
    matches!(lower.strip_prefix("application/").unwrap_or(&lower), "jwt" | "at+jwt")
}
