//! Sealing: what is drawn of a seed, keys, rows, sensitive names, and the fields that they name.

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    entropy::Entropy,
    error::Result,
    id::{ContextId, User},
    memory::MemoryStore,
    op::Caller,
    seal::{
        Held, Keyring, MasterKeyring, Purpose, RowIdentity, SealContent, SealRules, Sealed, Target,
        WrappedKey, open_row, open_secret, seal_fields, seal_row, sealed_with,
    },
    sensitive::SensitiveNames,
    store::{Reads, Write},
    value::Value,
};
use serde_json::json;

use crate::{Case, Json, Topic, error, from_serde, hex, list, text, to_hex, to_serde};

pub(crate) const ENTROPY: Topic =
    Topic::new("seal/entropy", &["seed", "lengths"], &["bytes"], |case| {
        let mut entropy = entropy(case);
        let lengths = list(&case["lengths"]).iter();
        let taken = lengths.map(|length| {
            let mut bytes = vec![0; length.as_u64().unwrap() as usize];
            entropy.fill(&mut bytes);
            to_hex(&bytes)
        });
        vec![taken.collect()]
    });

pub(crate) const KEYRING: Topic = Topic::new(
    "seal/keyring",
    &["user", "masters", "wrapped"],
    &["ids", "needs_rewrap", "error"],
    |case| {
        let keys = ring(case);
        let error = error(&keys);
        let Ok(keys) = keys else { return vec![Json::Null, Json::Null, error] };
        let masters = MasterKeyring::parse(text(&case["masters"])).unwrap();
        let stale: Vec<bool> =
            wrapped(case).iter().map(|wrapped| wrapped.needs_rewrap(&masters)).collect();
        vec![keys.ids().map(|id| id.to_string()).collect(), stale.into(), error]
    },
);

pub(crate) const ROWS: Topic = Topic::new(
    "seal/rows",
    &["user", "masters", "wrapped", "row", "nonce", "envelope"],
    &["plain", "sealed_with", "error"],
    |case| {
        let keys = ring(case).unwrap();
        let row = identity(&case["row"]);
        let envelope = bytes(&case["envelope"]);
        let named = sealed_with(&envelope).map(|id| id.to_string());
        let opened = open_row(&keys, &row, &envelope);
        let error = error(&opened);
        let Ok(plain) = opened else { return vec![Json::Null, named.into(), error] };
        // Another DEFLATE may compress otherwise, and only the newest key seals.
        if envelope[1] == 0 && sealed_with(&envelope) == Some(keys.newest()) {
            let nonce = bytes(&case["nonce"]).try_into().unwrap();
            let sealed = seal_row(&keys, &row, &plain, nonce).unwrap();
            assert_eq!(to_hex(&sealed), to_hex(&envelope));
        }
        vec![String::from_utf8(plain).unwrap().into(), named.into(), error]
    },
);

pub(crate) const NAMES: Topic =
    Topic::new("seal/names", &["words"], &["names", "numbers"], |case| {
        let names = match case["words"].as_str() {
            Some(words) => SensitiveNames::parse(words).unwrap(),
            None => SensitiveNames::default(),
        };
        let all = case["names"].as_object().unwrap().keys();
        let held = all.clone().map(|name| (name.clone(), Json::from(names.holds(name))));
        let of_numbers = all.filter(|name| names.holds_number(name));
        vec![held.collect(), of_numbers.map(String::as_str).collect()]
    });

/// `known` lists values that the project holds as secrets.
pub(crate) const FIELDS: Topic = Topic::new(
    "seal/fields",
    &["user", "masters", "wrapped", "seed", "known", "data"],
    &["sealed", "secrets", "error"],
    |case| {
        let keys = ring(case).unwrap();
        let mut store = MemoryStore::new();
        for known in list(&case["known"]) {
            let mut data = from_serde(&json!({ "secret": known }));
            let mut entropy = Entropy::from_seed([9; 32]);
            let new = seal_in_project(&mut data, &keys, &store, &mut entropy).unwrap().new;
            new.into_iter().for_each(|secret| store.write(Write::Secret(secret)));
        }
        let mut data = from_serde(&case["data"]);
        let sealed = seal_in_project(&mut data, &keys, &store, &mut entropy(case));
        let error = error(&sealed);
        let Ok(sealed) = sealed else { return vec![Json::Null, Json::Array(vec![]), error] };
        let secrets = sealed.new.iter().map(|secret| {
            let plain = open_secret(&keys, &secret.fingerprint, &secret.sealed).unwrap();
            json!({
                "fingerprint": secret.fingerprint.to_string(),
                "plaintext": to_serde(&plain),
                "box": to_hex(&secret.sealed),
            })
        });
        vec![to_serde(&data), secrets.collect(), error]
    },
);

/// Seals data as the owner's write to the project `p` does, with the built-in rules.
///
/// # Errors
/// Those of [`seal_fields`].
pub fn seal_in_project(
    data: &mut Value,
    keys: &Keyring,
    reads: &dyn Reads,
    entropy: &mut Entropy,
) -> Result<Sealed> {
    let names = SensitiveNames::default();
    let rules = SealRules { names: &names, content: SealContent::Seal(credentials::find) };
    let user = User::parse("alice")?;
    let caller = Caller { user: user.clone(), owner: user, scopes: Scopes::UNSTATED };
    let target = Target {
        reads,
        caller: Some(&caller),
        address: &Address::parse("project", "p")?,
        parent: Some(&ContextId::global()),
        held: &Held::default(),
        purpose: Purpose::Store,
    };
    seal_fields(data, rules, keys, &target, entropy)
}

fn ring(case: &Case) -> Result<Keyring> {
    let masters = MasterKeyring::parse(text(&case["masters"])).unwrap();
    Keyring::unwrap(&User::parse(text(&case["user"])).unwrap(), &wrapped(case), &masters)
}

fn wrapped(case: &Case) -> Vec<WrappedKey> {
    let wrapped = list(&case["wrapped"]).iter();
    wrapped.map(|wrapped| WrappedKey::from_bytes(bytes(wrapped)).unwrap()).collect()
}

fn identity(row: &Json) -> RowIdentity {
    list(&row["key"]).iter().fold(
        RowIdentity::new(text(&row["table"])),
        |identity, part| match text(&part[0]) {
            "text" => identity.text(text(&part[1])),
            "number" => identity.number(part[1].as_u64().unwrap()),
            "bytes" => identity.bytes(&bytes(&part[1])),
            other => panic!("no such part: {other}"),
        },
    )
}

fn entropy(case: &Case) -> Entropy {
    Entropy::from_seed(bytes(&case["seed"]).try_into().unwrap())
}

fn bytes(field: &Json) -> Vec<u8> {
    hex(text(field))
}
