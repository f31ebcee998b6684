//! Sealing: Wycheproof's AES-GCM cases, tampering, rotation, and the properties that hold for any
//! data.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code stops at the first surprise"
)]

use std::{
    cell::RefCell,
    fmt::{Debug, Write as _},
    rc::Rc,
};

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::{Code, Error, Result},
    id::User,
    json,
    marker::{Fingerprint, markers, reveal},
    memory::MemoryStore,
    record::{Audit, Entry, EntryId, EntryKind, Heading, Member, Record, Replay, Secret, Version},
    revocation::Revocation,
    seal::{
        KeyId, Keyring, MasterKeyring, NewSecret, RowIdentity, WrappedKey, aead::Cipher, open_row,
        open_secret, reseal_row, reseal_secret, seal_row, sealed_with,
    },
    sensitive::SensitiveNames,
    sheet::{Sheet, SheetKind},
    store::{AsOf, Filter, Reads, Write},
    value::{Object, Value},
};
use nacre_topics::{Json, hex, list, seal::seal_in_project, text, to_hex};
use proptest::prelude::*;

// --- third-party cases

/// Every case with a 256-bit key, a 96-bit nonce and a 128-bit tag, through the cipher that seals
/// everything here.
#[test]
fn wycheproof_aes_gcm() {
    let Some(suite) = nacre_tests::shared_gz("vectors/wycheproof-aes-gcm.json.gz") else { return };
    let suite: Json = serde_json::from_slice(&suite).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in list(&suite["testGroups"]) {
        if group["keySize"] != 256 || group["ivSize"] != 96 || group["tagSize"] != 128 {
            continue;
        }
        for case in list(&group["tests"]) {
            let cipher = Cipher::new(&bytes(&case["key"]).try_into().unwrap());
            let nonce = bytes(&case["iv"]).try_into().unwrap();
            let context = bytes(&case["aad"]);
            let sealed = [bytes(&case["ct"]), bytes(&case["tag"])].concat();
            let opened = cipher.open(&nonce, &context, &sealed);
            let mut made = bytes(&case["msg"]);
            cipher.seal(&nonce, &context, &mut made).unwrap();
            match text(&case["result"]) {
                "valid" => {
                    assert_eq!(opened, Some(bytes(&case["msg"])), "case {}", case["tcId"]);
                    assert_eq!(made, sealed, "case {}", case["tcId"]);
                    valid += 1;
                }
                "invalid" => {
                    assert_eq!(opened, None, "case {}", case["tcId"]);
                    assert_ne!(made, sealed, "case {}", case["tcId"]);
                    invalid += 1;
                }
                other => panic!("unknown result {other}"),
            }
        }
    }
    assert!(valid >= 30 && invalid >= 20, "{valid} valid and {invalid} invalid cases ran");
}

// --- tampering

#[test]
fn no_changed_byte_goes_unnoticed() {
    let store = Store::new();
    let fingerprint = store.seal(&mut object(&[("token", "a secret".into())]))[0].fingerprint;
    let row = RowIdentity::new("contexts").text("global");
    let mut opened = 0;
    for plain in ["{}".to_owned(), format!("[{}1]", "12345,".repeat(40))] {
        let envelope = seal_row(&store.keys, &row, plain.as_bytes(), [9; 12]).unwrap();
        assert_eq!(open_row(&store.keys, &row, &envelope).unwrap(), plain.as_bytes());
        opened += 1;
        for damaged in damages(&envelope) {
            assert_unproven(open_row(&store.keys, &row, &damaged));
            assert_unproven(reseal_row(&store.keys, &row, &damaged, [8; 12]));
        }
    }
    assert_eq!(opened, 2);

    let secret = store.rows.borrow().secret(&fingerprint).unwrap().unwrap().sealed;
    for damaged in damages(&secret) {
        assert_unproven(open_secret(&store.keys, &fingerprint, &damaged));
        assert_unproven(reseal_secret(&store.keys, &fingerprint, &damaged, [8; 12]));
    }

    for wrapped in &store.wrapped {
        for damaged in damages(wrapped.as_bytes()) {
            let others = store.wrapped.iter().filter(|other| other.id() != wrapped.id());
            let mut ring: Vec<WrappedKey> = others.cloned().collect();
            let unwrapped = WrappedKey::from_bytes(damaged).and_then(|damaged| {
                ring.push(damaged);
                Keyring::unwrap(&store.user, &ring, &store.masters)
            });
            assert_unproven(unwrapped);
        }
    }
}

#[test]
fn a_secret_opens_under_its_own_name_only() {
    let store = Store::new();
    let mut data = object(&[("token", "one".into()), ("secret", "two".into())]);
    let [one, two] = store.seal(&mut data).try_into().unwrap();
    assert!(open_secret(&store.keys, &one.fingerprint, &one.sealed).is_ok());
    assert_unproven(open_secret(&store.keys, &one.fingerprint, &two.sealed));
    assert_unproven(open_secret(&store.keys, &two.fingerprint, &one.sealed));
}

#[test]
fn another_user_shares_neither_keys_nor_fingerprints() {
    let alice = Store::new();
    let bob = Store::of("bob", 2);
    let row = RowIdentity::new("contexts").text("global");
    let envelope = seal_row(&alice.keys, &row, b"{}", [9; 12]).unwrap();
    assert_unproven(open_row(&bob.keys, &row, &envelope));
    let of_alice = alice.seal(&mut object(&[("token", "x".into())]));
    let of_bob = bob.seal(&mut object(&[("token", "x".into())]));
    assert_ne!(of_alice[0].fingerprint, of_bob[0].fingerprint);
}

// --- rotation

#[test]
fn a_master_key_rotates_by_wrapping_again() {
    let mut entropy = Entropy::from_seed([5; 32]);
    let user = User::parse("alice").unwrap();
    let old = MasterKeyring::parse(&master("old", 1)).unwrap();
    let both = MasterKeyring::parse(&format!("{},{}", master("new", 2), master("old", 1))).unwrap();
    let new = MasterKeyring::parse(&master("new", 2)).unwrap();
    let row = RowIdentity::new("contexts").text("global");

    let before = Keyring::create(&user, &old, &mut entropy).unwrap();
    let keys = Keyring::unwrap(&user, &before, &old).unwrap();
    let envelope = seal_row(&keys, &row, b"{}", entropy.array()).unwrap();
    assert!(before.iter().all(|key| key.master() == "old" && !key.needs_rewrap(&old)));
    assert!(before.iter().all(|key| key.needs_rewrap(&both)));
    assert_unproven(Keyring::unwrap(&user, &before, &new));

    let after: Vec<WrappedKey> =
        before.iter().map(|key| key.rewrap(&user, &both, &mut entropy).unwrap()).collect();
    assert!(after.iter().all(|key| key.master() == "new" && !key.needs_rewrap(&both)));
    let stored = after.iter().map(|key| key.as_bytes().to_vec());
    let read: Vec<WrappedKey> =
        stored.map(|bytes| WrappedKey::from_bytes(bytes).unwrap()).collect();
    assert_eq!(read, after);
    let keys = Keyring::unwrap(&user, &read, &new).unwrap();
    assert_eq!(open_row(&keys, &row, &envelope).unwrap(), b"{}");
    let bob = User::parse("bob").unwrap();
    assert_unproven(before[0].rewrap(&bob, &both, &mut entropy));
}

#[test]
fn a_data_key_rotates_while_old_rows_stay_readable() {
    let mut store = Store::new();
    let row = RowIdentity::new("contexts").text("global");
    let plain = format!("[{}1]", "12345,".repeat(40));
    let old_row = seal_row(&store.keys, &row, plain.as_bytes(), [1; 12]).unwrap();
    let old_secrets = store.seal(&mut object(&[("token", "x".into())]));
    let old_secret = &old_secrets[0];

    store.rotate();
    assert_eq!(store.keys.newest(), KeyId::Data(2));
    assert_eq!(open_row(&store.keys, &row, &old_row).unwrap(), plain.as_bytes());
    assert_eq!(sealed_with(&old_row), Some(KeyId::Data(1)));
    // The same secret keeps its name, so it is known already.
    assert_eq!(store.seal(&mut object(&[("token", "x".into())])), []);

    let new_row = reseal_row(&store.keys, &row, &old_row, [2; 12]).unwrap();
    let new_secret =
        reseal_secret(&store.keys, &old_secret.fingerprint, &old_secret.sealed, [3; 12]).unwrap();
    assert_eq!(sealed_with(&new_row), Some(KeyId::Data(2)));
    assert_eq!(sealed_with(&new_secret), Some(KeyId::Data(2)));

    store.forget(KeyId::Data(1));
    assert_eq!(open_row(&store.keys, &row, &new_row).unwrap(), plain.as_bytes());
    let opened = open_secret(&store.keys, &old_secret.fingerprint, &new_secret).unwrap();
    assert_eq!(opened, "x".into());
    assert_unproven(open_row(&store.keys, &row, &old_row));
    assert_unproven(open_secret(&store.keys, &old_secret.fingerprint, &old_secret.sealed));
}

// --- what holds for any data

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn revealing_what_was_sealed_gives_it_back(data in document()) {
        let store = Store::new();
        let mut changed = data.clone();
        let new = store.seal(&mut changed);

        let text = String::from_utf8(json::write(&changed)).unwrap();
        prop_assert!(!text.contains(PLANTED), "{text}");

        // Sealing again changes nothing and makes nothing.
        let mut again = changed.clone();
        prop_assert_eq!(store.seal(&mut again), vec![]);
        prop_assert_eq!(&again, &changed);

        // Every secret made is used, and every marker leads to a secret.
        let mut used: Vec<Fingerprint> = markers(&changed).collect();
        used.sort();
        used.dedup();
        let mut made: Vec<Fingerprint> = new.iter().map(|secret| secret.fingerprint).collect();
        made.sort();
        prop_assert_eq!(used, made);

        store.reveal(&mut changed);
        prop_assert_eq!(changed, data);
    }

    #[test]
    fn any_bytes_come_back(
        plain in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..3000),
            "[a-f]{0,3000}".prop_map(String::into_bytes),
        ],
    ) {
        let store = Store::new();
        let row = RowIdentity::new("t").number(plain.len() as u64);
        let sealed = seal_row(&store.keys, &row, &plain, [1; 12]).unwrap();
        prop_assert!(sealed.len() <= plain.len() + 32);
        prop_assert_eq!(open_row(&store.keys, &row, &sealed).unwrap(), plain);
    }

    /// A separator outside ASCII ends no word that did not end before, but keeps the quick check
    /// over letters from answering.
    #[test]
    fn the_quick_check_of_names_misses_none(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "token", "Token", "TOKEN", "s", "S", "ies", "y", "api", "API", "Api", "key", "Key",
                "KEYS", "pass", "word", "Word", "secret", "_", "-", " ", "2", "x", "X", "credential",
            ]),
            0..6,
        ),
    ) {
        let name = pieces.concat();
        let names = SensitiveNames::default();
        prop_assert_eq!(names.holds(&name), names.holds(&format!("{name}\u{3000}")), "{}", name);
        prop_assert!(!names.holds(&name) || names.holds(&format!("my_{name}_2")), "{}", name);
    }

    #[test]
    fn no_bytes_make_opening_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".*") {
        let store = Store::new();
        prop_assert!(open_row(&store.keys, &RowIdentity::new("t"), &bytes).is_err());
        prop_assert!(WrappedKey::from_bytes(bytes).is_err());
        let _ = MasterKeyring::parse(&text);
        let _ = SensitiveNames::default().holds(&text);
        if let Ok(names) = SensitiveNames::parse(&text) {
            let entries: Vec<&str> = text.split(',').map(str::trim).filter(|e| !e.is_empty()).collect();
            prop_assert!(entries.iter().all(|entry| names.holds(entry)), "{text:?}");
        }
        if let Ok(fingerprint) = text.parse::<Fingerprint>() {
            prop_assert_eq!(fingerprint.to_string(), text);
        }
    }
}

#[test]
fn data_at_the_depth_limit_is_sealed_and_one_deeper_is_refused() {
    for (depth, fits) in [(64, true), (65, false)] {
        for innermost in ["token", "name"] {
            let mut data = Value::from("x");
            for level in 0..depth {
                let name = if level == 0 { innermost } else { "a" };
                let mut object = Object::new();
                object.insert(name, data);
                data = object.into();
            }
            let store = Store::new();
            let entropy = &mut store.entropy.borrow_mut();
            let sealed = seal_in_project(&mut data, &store.keys, &MemoryStore::new(), entropy);
            match sealed {
                Ok(_) => assert!(fits, "{depth} levels"),
                Err(error) => assert!(!fits && error.code() == Code::TooDeep, "{error}"),
            }
        }
    }
}

/// A store that cannot be read.
struct Broken;

fn gone<T>() -> Result<T> {
    Err(Error::new(Code::StoreUnavailable, "gone"))
}

impl Reads for Broken {
    fn seq(&self) -> Result<u64> {
        gone()
    }
    fn record(&self, _: &Address) -> Result<Option<Rc<Record>>> {
        gone()
    }
    fn list(&self, _: &Filter, _: Option<&Address>, _: usize) -> Result<Vec<Rc<Heading>>> {
        gone()
    }
    fn deleted_by(&self, _: u64) -> Result<Vec<Rc<Heading>>> {
        gone()
    }
    fn versions_from(&self, _: &Address, _: u64, _: usize) -> Result<Vec<Version>> {
        gone()
    }
    fn versions_before(&self, _: &Address, _: Option<u64>, _: usize) -> Result<Vec<Version>> {
        gone()
    }
    fn version_as_of(&self, _: &Address, _: AsOf) -> Result<Option<Version>> {
        gone()
    }
    fn entries(
        &self,
        _: &Address,
        _: EntryKind,
        _: Option<EntryId>,
        _: usize,
    ) -> Result<Vec<Entry>> {
        gone()
    }
    fn replay(&self, _: &User, _: &str) -> Result<Option<Replay>> {
        gone()
    }
    fn members(&self, _: Option<&User>) -> Result<Vec<Member>> {
        gone()
    }
    fn each_revocation(&self, _: &mut dyn FnMut(&Revocation)) -> Result<()> {
        gone()
    }
    fn sheet(&self, _: SheetKind, _: &str) -> Result<Option<Sheet>> {
        gone()
    }
    fn sheets(&self, _: SheetKind, _: bool, _: Option<&str>, _: usize) -> Result<Vec<Sheet>> {
        gone()
    }
    fn audit(&self, _: Option<u64>, _: usize) -> Result<Vec<Audit>> {
        gone()
    }
    fn secret(&self, _: &Fingerprint) -> Result<Option<Secret>> {
        gone()
    }
}

#[test]
fn an_error_of_the_store_is_passed_on() {
    let store = Store::new();
    for mut data in [
        object(&[("token", "x".into())]),
        object(&[("x", object(&[("$sealed", "f1.AAAAAAAAAAAAAAAAAAAAAA".into())]))]),
    ] {
        let mut entropy = store.entropy.borrow_mut();
        let sealed = seal_in_project(&mut data, &store.keys, &Broken, &mut entropy);
        assert_eq!(sealed.unwrap_err().code(), Code::StoreUnavailable);
    }
    let mut data = object(&[("x", object(&[("$sealed", "f1.AAAAAAAAAAAAAAAAAAAAAA".into())]))]);
    let error = reveal(&mut data, &mut |_| Err(Error::not_found())).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[test]
fn a_value_past_the_limit_is_refused() {
    let store = Store::new();
    let row = RowIdentity::new("t");
    let limit = nacre_core::seal::PLAINTEXT_BYTES;
    let mut plain = vec![b'x'; limit];
    let sealed = seal_row(&store.keys, &row, &plain, [0; 12]).unwrap();
    assert!(open_row(&store.keys, &row, &sealed).unwrap() == plain);
    plain.push(b'x');
    let error = seal_row(&store.keys, &row, &plain, [0; 12]).unwrap_err();
    assert_eq!((error.code(), error.limit_value()), (Code::TooLarge, Some(limit as u64)));
}

// --- nothing shows

/// Formats every type and every error with planted secrets: neither keys nor plaintext show, in
/// no usual notation.
#[test]
fn nothing_that_can_be_printed_shows_a_secret() {
    let planted = *b"PLANTED-PLANTED-PLANTED-PLANTED!";
    let mut entropy = Entropy::from_seed(planted);
    let masters = MasterKeyring::parse(&format!("m:{}", base64(&planted))).unwrap();
    let user = User::parse("alice").unwrap();
    let wrapped = Keyring::create(&user, &masters, &mut Entropy::from_seed([3; 32])).unwrap();
    let keys = Keyring::unwrap(&user, &wrapped, &masters).unwrap();
    // The keys that `create` drew: 32 bytes each, a nonce between them.
    let drawn: [u8; 76] = Entropy::from_seed([3; 32]).array();

    let row = RowIdentity::new("t").text(PLANTED).bytes(&planted);
    let plain = PLANTED.repeat(40);
    let envelope = seal_row(&keys, &row, plain.as_bytes(), [0; 12]).unwrap();
    let mut data = object(&[("token", PLANTED.into())]);
    let names = SensitiveNames::default();
    let void = MemoryStore::new();
    let secrets = seal_in_project(&mut data, &keys, &void, &mut entropy).unwrap().new;

    let mut nested = object(&[("x", object(&[("$sealed", PLANTED.into())]))]);
    let mut inside = object(&[("token", nested.clone())]);
    let refused = [
        seal_in_project(&mut nested, &keys, &void, &mut entropy).unwrap_err(),
        seal_in_project(&mut inside, &keys, &void, &mut entropy).unwrap_err(),
        open_row(&keys, &RowIdentity::new(PLANTED), &envelope).unwrap_err(),
        open_secret(&keys, &secrets[0].fingerprint, plain.as_bytes()).unwrap_err(),
        MasterKeyring::parse(&base64(&planted)).unwrap_err(),
        MasterKeyring::parse(&format!("{}:{PLANTED}", base64(&planted))).unwrap_err(),
        MasterKeyring::parse(&format!("m:{}\nm:{}", base64(&planted), base64(&planted)))
            .unwrap_err(),
        WrappedKey::from_bytes(planted.to_vec()).unwrap_err(),
        PLANTED.parse::<Fingerprint>().unwrap_err(),
        PLANTED.parse::<KeyId>().unwrap_err(),
        SensitiveNames::parse("").unwrap_err(),
    ];

    let cipher = Cipher::new(&planted);
    let mut shown = String::new();
    let all: [&dyn Debug; 13] = [
        &entropy,
        &masters,
        &wrapped,
        &keys,
        &row,
        &secrets,
        &data,
        &cipher,
        &refused,
        &names,
        &keys.newest(),
        &user,
        &secrets[0].fingerprint,
    ];
    for value in all {
        writeln!(shown, "{value:?} {value:#?}").unwrap();
    }
    refused.iter().for_each(|error| writeln!(shown, "{error} {}", error.detail()).unwrap());

    let shown_lower = shown.to_lowercase();
    for secret in [&planted[..8], PLANTED.as_bytes(), &drawn[..32], &drawn[44..]] {
        let decimal = secret[..4].iter().map(u8::to_string).collect::<Vec<_>>();
        for form in [
            String::from_utf8_lossy(secret).to_lowercase(),
            to_hex(&secret[..4]),
            base64(&secret[..6]).to_lowercase(),
            decimal.join(", "),
            decimal.join(",\n"),
        ] {
            assert!(!shown_lower.contains(&form), "{form:?} shows in {shown}");
        }
    }
    assert!(shown.contains("Keyring(d1, f1)") && shown.contains("NewSecret(f1."), "{shown}");
}

// --- what the tests share

const PLANTED: &str = "PLANTED-PLAINTEXT";

/// One user's keys and secrets, as a store holds them.
struct Store {
    user: User,
    masters: MasterKeyring,
    wrapped: Vec<WrappedKey>,
    keys: Keyring,
    entropy: RefCell<Entropy>,
    rows: RefCell<MemoryStore<'static>>,
}

impl Store {
    fn new() -> Store {
        Store::of("alice", 1)
    }

    fn of(user: &str, seed: u8) -> Store {
        let user = User::parse(user).unwrap();
        let masters = MasterKeyring::parse(&master("m", 1)).unwrap();
        let mut entropy = Entropy::from_seed([seed; 32]);
        let wrapped = Keyring::create(&user, &masters, &mut entropy).unwrap();
        let keys = Keyring::unwrap(&user, &wrapped, &masters).unwrap();
        Store {
            user,
            masters,
            wrapped,
            keys,
            entropy: RefCell::new(entropy),
            rows: RefCell::default(),
        }
    }

    fn rotate(&mut self) {
        let entropy = self.entropy.get_mut();
        self.wrapped.push(self.keys.rotate(&self.user, &self.masters, entropy).unwrap());
        self.keys = Keyring::unwrap(&self.user, &self.wrapped, &self.masters).unwrap();
    }

    fn forget(&mut self, id: KeyId) {
        self.wrapped.retain(|key| key.id() != id);
        self.keys = Keyring::unwrap(&self.user, &self.wrapped, &self.masters).unwrap();
    }

    fn seal(&self, data: &mut Value) -> Vec<NewSecret> {
        let mut entropy = self.entropy.borrow_mut();
        let sealed = seal_in_project(data, &self.keys, &*self.rows.borrow(), &mut entropy);
        let new = sealed.unwrap().new;
        self.rows.borrow_mut().apply(&new.iter().cloned().map(Write::Secret).collect::<Vec<_>>());
        new
    }

    fn reveal(&self, data: &mut Value) {
        let rows = self.rows.borrow();
        let sealed = |name: &Fingerprint| rows.secret(name).unwrap().unwrap().sealed;
        reveal(data, &mut |name| open_secret(&self.keys, name, &sealed(name))).unwrap();
    }
}

/// Documents in which exactly the sensitive strings and objects hold [`PLANTED`].
fn document() -> impl Strategy<Value = Value> {
    let scalar = || {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
        ]
    };
    let planted = "\\PC{0,4}".prop_map(|text| Value::from(format!("{text}{PLANTED}")));
    let secret = prop_oneof![
        3 => planted.clone(),
        1 => (planted, "[a-z]{1,8}", scalar()).prop_map(|(planted, name, scalar)| {
            let mut object = Object::new();
            object.insert(name, scalar);
            object.insert("password", planted);
            object.into()
        }),
        1 => any::<u64>().prop_map(Value::from),
    ];
    let sensitive =
        prop::sample::select(vec!["token", "apiKey", "db_passwords", "X-Secret", "JWTtoken"]);
    let plain_name = "[a-zé~/😀]{0,3}".prop_map(|name| format!("{name}_tokenizer"));
    let value = scalar().prop_recursive(5, 40, 6, move |inner| {
        let member = prop_oneof![
            2 => (plain_name.clone(), inner.clone()),
            1 => (sensitive.clone().prop_map(String::from), secret.clone()),
        ];
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            prop::collection::vec(member, 0..6).prop_map(from_members),
        ]
    });
    prop::collection::vec(("[a-z]{0,4}", value), 0..5).prop_map(from_members)
}

fn from_members(members: Vec<(String, Value)>) -> Value {
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    object.into()
}

fn object(members: &[(&str, Value)]) -> Value {
    from_members(members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

/// Each byte changed in its lowest and its highest bit, each prefix, and one byte more.
fn damages(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let flipped = (0..bytes.len()).flat_map(move |at| {
        [0x01, 0x80].map(|bit| {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= bit;
            damaged
        })
    });
    let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    flipped.chain(cut).chain([[bytes, &[0]].concat()])
}

#[track_caller]
fn assert_unproven<T: Debug>(opened: Result<T>) {
    let error = opened.unwrap_err();
    assert_eq!(error.code(), Code::StoreUnavailable);
}

fn master(id: &str, fill: u8) -> String {
    format!("{id}:{}", base64(&[fill; 32]))
}

fn bytes(field: &Json) -> Vec<u8> {
    hex(text(field))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(DIGITS[bits >> (18 - 6 * digit) & 63]));
        }
    }
    text
}
