//! RS256 signatures, verified by the platform (Web Cryptography, RSASSA-PKCS1-v1_5).

use base64ct::{Base64UrlUnpadded, Encoding as _};
use js_sys::{Array, JSON, Promise, Uint8Array, futures::JsFuture};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::console_error;

use crate::auth::Unverified;

// As with the storage: whatever can throw says so with `catch`.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = verify)]
    fn verify(
        algorithm: &JsValue,
        key: &JsValue,
        signature: &Uint8Array,
        message: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// RS256, as the platform calls it.
const ALGORITHM: &str = r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#;

/// Whether the signature of a token holds.
pub(crate) async fn holds(token: &Unverified<'_>) -> bool {
    match ask(token).await {
        Ok(verdict) => verdict.as_bool() == Some(true),
        Err(thrown) => {
            console_error!("a signature cannot be verified: {}", worker::Error::from(thrown));
            false
        }
    }
}

/// The platform's verdict. The key is taken in for each token anew: a token comes here once for each
/// isolate, and is remembered then.
async fn ask(token: &Unverified<'_>) -> Result<JsValue, JsValue> {
    let [modulus, exponent] =
        [token.key().modulus(), token.key().exponent()].map(Base64UrlUnpadded::encode_string);
    let key = JSON::parse(&format!(r#"{{"kty":"RSA","n":"{modulus}","e":"{exponent}"}}"#))?;
    let algorithm = JSON::parse(ALGORITHM)?;
    let usages = Array::of1(&"verify".into());
    let key = JsFuture::from(import_key("jwk", &key, &algorithm, false, &usages)?).await?;
    let signature = Uint8Array::from(token.signature());
    let message = Uint8Array::from(token.message());
    JsFuture::from(verify(&algorithm, &key, &signature, &message)?).await
}
