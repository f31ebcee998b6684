//! Rows: what is written comes back, whatever it is; what was not written is refused; and a history
//! takes little room.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code stops at the first surprise"
)]

use std::{fmt::Debug, rc::Rc};

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    decide::{Setting, decide},
    entropy::Entropy,
    error::Code,
    hash::Hash,
    id::{ContextId, User},
    json,
    layer::Layer,
    level::Level,
    limits,
    memory::MemoryStore,
    moment::Moment,
    op::{
        Administration, Caller, Command, Edit, Expect, Import, ImportLine, ImportMode, Patch,
        Request,
    },
    patch::{JsonPatch, Operation},
    pointer::Pointer,
    record::{
        Audit, Change, Deed, Entry, EntryId, EntryKind, Heading, Member, Reach, Record, Replay,
        Role, State, Terms, Undo, Version,
    },
    revocation::{Revocation, Subject, TokenId},
    row::{ContextColumns, EntryColumns, MemberColumns, ReplayColumns, Row, VersionColumns},
    rules::{Rule, Rules},
    seal::{Keyring, MasterKeyring, SealContent},
    sensitive::SensitiveNames,
    sheet::{Sheet, SheetKind},
    store::{Reads, Write},
    value::{Object, Value},
};
use nacre_tests::{
    arbitrary::{config, name, object, value},
    shared_gz,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

// --- made-up rows

fn context_id() -> impl Strategy<Value = ContextId> {
    "[A-Za-z0-9._:~-]{1,16}".prop_map(|id| ContextId::stored(&id).unwrap())
}

fn address() -> impl Strategy<Value = Address> {
    (select(&Level::ALL[1..]), context_id()).prop_map(|(level, id)| Address { level, id })
}

fn user() -> impl Strategy<Value = User> {
    "[a-zé|@.]{1,20}".prop_map(|user| User::parse(&user).unwrap())
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..300u64, Just(limits::EXACT_INTEGER), any::<u64>()]
}

fn moment() -> impl Strategy<Value = Moment> {
    number().prop_map(Moment)
}

fn layer() -> impl Strategy<Value = Rc<Layer>> {
    object().prop_map(|data| Rc::new(Layer::from_value(&Value::Object(data)).unwrap()))
}

fn pointer() -> impl Strategy<Value = Pointer> {
    let tokens = prop_oneof![9 => vec(name(), 0..5), 1 => Just(vec!["n".repeat(5000)])];
    tokens.prop_map(|tokens| Pointer::from_tokens(tokens.iter().map(String::as_str)))
}

fn rules() -> impl Strategy<Value = Rules> {
    let rule = select(vec!["replace", "deep", "union", "append", "keyed:id", "lock"]);
    vec((vec("[a-z]{1,3}", 0..3), rule), 0..4).prop_map(|rules| {
        let mut object = Object::new();
        for (tokens, rule) in rules {
            Rule::parse(rule).unwrap();
            let pointer = Pointer::from_tokens(tokens.iter().map(String::as_str));
            object.insert(pointer.as_str(), rule.into());
        }
        Rules::from_object(&object).unwrap()
    })
}

fn record() -> impl Strategy<Value = Record> {
    let times = (moment(), moment());
    (
        address(),
        option::of(context_id()),
        number(),
        number(),
        layer(),
        rules(),
        times,
        user(),
        option::of(number()),
    )
        .prop_map(
            |(address, parent, version, seq, layer, rules, times, updated_by, deleted)| Record {
                heading: Rc::new(Heading {
                    address,
                    parent,
                    version,
                    seq,
                    rules: Rc::new(rules),
                    created_at: times.0,
                    updated_at: times.1,
                    updated_by,
                    deleted,
                }),
                layer,
            },
        )
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (pointer(), value()).prop_map(|(path, value)| Operation::Add { path, value }),
        pointer().prop_map(|path| Operation::Remove { path }),
        (pointer(), value()).prop_map(|(path, value)| Operation::Replace { path, value }),
        (pointer(), pointer()).prop_map(|(from, path)| Operation::Move { from, path }),
        (pointer(), pointer()).prop_map(|(from, path)| Operation::Copy { from, path }),
        (pointer(), value()).prop_map(|(path, value)| Operation::Test { path, value }),
    ]
}

fn version() -> impl Strategy<Value = Version> {
    let change = select(vec![
        Change::Create,
        Change::Update,
        Change::Delete,
        Change::Restore,
        Change::Rollback,
        Change::Move,
    ]);
    let undo = (vec(operation(), 0..4), option::of(rules()), option::of(context_id())).prop_map(
        |(operations, rules, parent)| Undo { data: JsonPatch { operations }, rules, parent },
    );
    let full = (layer(), rules(), option::of(context_id())).prop_map(|(layer, rules, parent)| {
        Box::new(State { layer, rules: Rc::new(rules), parent })
    });
    let columns = (address(), number(), number(), moment());
    (columns, user(), option::of(any::<String>()), change, option::of(undo), option::of(full))
        .prop_map(|((address, version, seq, at), by, summary, change, undo, full)| Version {
            address,
            version,
            seq,
            at,
            by,
            summary,
            change,
            undo,
            full,
        })
}

fn entry() -> impl Strategy<Value = Entry> {
    let kind = select(vec![EntryKind::Insight, EntryKind::Progress]);
    let id = (number(), number()).prop_map(|(seq, n)| EntryId { seq, n });
    let text = || option::of(any::<String>());
    (
        address(),
        kind,
        id,
        moment(),
        user(),
        any::<String>(),
        text(),
        option::of(0.0..=1.0f64),
        text(),
    )
        .prop_map(|(address, kind, id, at, by, content, category, importance, agent)| Entry {
            address,
            kind,
            id,
            at,
            by,
            content,
            category,
            importance,
            agent,
        })
}

fn member() -> impl Strategy<Value = Member> {
    let role = select(vec![Role::Reader, Role::Writer]);
    let reach = select(vec![Reach::FromShare, Reach::All]);
    let terms = (role, reach, any::<bool>(), any::<bool>())
        .prop_map(|(role, reach, reveal, global)| Terms { role, reach, reveal, global });
    (user(), context_id(), terms, moment(), any::<u64>())
        .prop_map(|(user, project, terms, since, seq)| Member { user, project, terms, since, seq })
}

fn revocation() -> impl Strategy<Value = Revocation> {
    let token = TokenId::parse("6f1c/ä").unwrap();
    let subject = prop_oneof![user().prop_map(Subject::User), Just(Subject::Token(token))];
    (subject, option::of(moment()), moment(), user())
        .prop_map(|(subject, time, at, by)| Revocation { subject, time, at, by })
}

fn sheet() -> impl Strategy<Value = Sheet> {
    let kind = select(vec![SheetKind::Promotion, SheetKind::Template]);
    (kind, "[a-z0-9_]{1,20}", any::<bool>(), vec(any::<u8>(), 1..90))
        .prop_map(|(kind, name, waits, text)| Sheet { kind, name, waits, text: text.into() })
}

fn replay() -> impl Strategy<Value = Replay> {
    (user(), any::<String>(), any::<[u8; 32]>(), vec(any::<u8>(), 0..90), moment()).prop_map(
        |(user, key, request, answer, expires)| Replay {
            user,
            key,
            request: Hash::from_bytes(request),
            answer,
            expires,
        },
    )
}

fn audit() -> impl Strategy<Value = Audit> {
    let action = select(vec![
        "create",
        "update",
        "delete",
        "restore",
        "rollback",
        "move",
        "add_insight",
        "add_progress",
        "put_member",
        "delete_member",
        "revoke_user",
        "revoke_token",
        "unrevoke_user",
        "unrevoke_token",
        "reveal",
        "propose_promotion",
        "approve_promotion",
        "decline_promotion",
        "undo_promotion",
        "put_template",
        "delete_template",
    ]);
    let pointers = vec(any::<String>(), 0..3);
    let deed = (action, option::of(address()), option::of(number()), option::of(user()), pointers)
        .prop_map(|(action, address, version, member, pointers)| Deed {
            action,
            address,
            version,
            member,
            pointers,
        });
    (number(), moment(), user(), option::of(any::<String>()), vec(deed, 0..4))
        .prop_map(|(seq, at, by, request, deeds)| Audit { seq, at, by, request, deeds })
}

// --- properties

fn ring() -> Keyring {
    let masters = MasterKeyring::parse(&format!("m:{}=", "A".repeat(43))).unwrap();
    let alice = User::parse("alice").unwrap();
    let wrapped = Keyring::create(&alice, &masters, &mut Entropy::from_seed([1; 32])).unwrap();
    Keyring::unwrap(&alice, &wrapped, &masters).unwrap()
}

/// A row comes back from its bytes and from its sealed value; cut short or with any byte changed
/// it is something else or refused, and nothing panics.
fn comes_back<R: Row + Debug + PartialEq>(row: &R, seed: [u8; 32]) -> Result<(), TestCaseError> {
    let plain = row.encode().unwrap();
    prop_assert_eq!(&R::decode(row.columns(), plain.clone()).unwrap(), row);
    for length in 0..plain.len().min(200) {
        if let Err(error) = R::decode(row.columns(), plain[..length].to_vec()) {
            prop_assert_eq!(error.code(), Code::StoreUnavailable);
        }
        let mut bent = plain.clone();
        bent[length] ^= 1 << (seed[length % 32] % 8);
        if let Err(error) = R::decode(row.columns(), bent) {
            prop_assert_eq!(error.code(), Code::StoreUnavailable);
        }
    }
    let keys = ring();
    let sealed = row.seal(&keys, &mut Entropy::from_seed(seed)).unwrap();
    prop_assert_eq!(&R::open(row.columns(), &keys, &sealed).unwrap(), row);
    Ok(())
}

fn refused<R: Row + Debug>(row: &R, columns: R::Columns) -> Result<(), TestCaseError> {
    let keys = ring();
    let sealed = row.seal(&keys, &mut Entropy::from_seed([3; 32])).unwrap();
    prop_assert_eq!(R::open(columns, &keys, &sealed).unwrap_err().code(), Code::StoreUnavailable);
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn contexts_come_back(row in record(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn versions_come_back(row in version(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn entries_come_back(row in entry(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn members_come_back(row in member(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn revocations_come_back(row in revocation(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn sheets_come_back(row in sheet(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn replays_come_back(row in replay(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn audits_come_back(row in audit(), seed: [u8; 32]) { comes_back(&row, seed)?; }

    #[test]
    fn any_bytes_are_a_row_or_refused(
        bytes in vec(any::<u8>(), 0..200),
        a in record(), b in version(), c in entry(), d in member(), e in replay(), f in audit(),
    ) {
        let bytes = [&[1][..], &bytes].concat();
        let codes = [
            Record::decode(a.columns(), bytes.clone()).err(),
            Version::decode(b.columns(), bytes.clone()).err(),
            Entry::decode(c.columns(), bytes.clone()).err(),
            Member::decode(d.columns(), bytes.clone()).err(),
            Replay::decode(e.columns(), bytes.clone()).err(),
            Audit::decode(f.columns(), bytes).err(),
        ];
        for error in codes.into_iter().flatten() {
            prop_assert_eq!(error.code(), Code::StoreUnavailable);
        }
    }

    #[test]
    fn a_value_opens_beside_no_other_columns(
        a in record(), b in version(), c in entry(), d in member(), e in replay(), f in audit(),
        other in context_id(),
    ) {
        let address = |of: &Address| Address { level: of.level, id: other.clone() };
        prop_assume!([&a.address, &b.address, &c.address].iter().all(|of| of.id != other));
        prop_assume!(a.parent.as_ref() != Some(&other) && d.project != other);
        let columns = a.columns();
        refused(&a, ContextColumns { address: address(&a.address), ..columns.clone() })?;
        refused(&a, ContextColumns { parent: Some(other.clone()), ..columns.clone() })?;
        refused(&a, ContextColumns { updated_at: Moment(a.updated_at.0 ^ 1), ..columns.clone() })?;
        let deleted = if a.deleted.is_some() { None } else { Some(1) };
        refused(&a, ContextColumns { deleted, ..columns })?;
        let columns = b.columns();
        refused(&b, VersionColumns { address: address(&b.address), ..columns.clone() })?;
        refused(&b, VersionColumns { version: b.version ^ 1, ..columns.clone() })?;
        refused(&b, VersionColumns { seq: b.seq ^ 1, ..columns.clone() })?;
        refused(&b, VersionColumns { at: Moment(b.at.0 ^ 1), ..columns })?;
        let columns = c.columns();
        refused(&c, EntryColumns { address: address(&c.address), ..columns.clone() })?;
        let id = EntryId { seq: c.id.seq, n: c.id.n ^ 1 };
        refused(&c, EntryColumns { id, ..columns.clone() })?;
        refused(&c, EntryColumns { at: Moment(c.at.0 ^ 1), ..columns })?;
        refused(&d, MemberColumns { project: other, ..d.columns() })?;
        let expires = Moment(e.expires.0 ^ 1);
        refused(&e, ReplayColumns { expires, ..e.columns() })?;
        let mut columns = f.columns();
        columns.seq ^= 1;
        refused(&f, columns)?;
    }
}

/// A version whose whole state would not fit a row keeps the way back and leaves the state out.
#[test]
fn a_version_that_is_too_large_for_a_row_keeps_no_whole_state() {
    let noise = |seed| {
        let mut bytes = vec![0; 700_000];
        Entropy::from_seed([seed; 32]).fill(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(b' ' + byte % 90))
            .filter(|c| *c != '"' && *c != '\\')
            .collect::<String>()
    };
    let mut data = Object::new();
    (0..2).for_each(|n| drop(data.insert(format!("{n}"), noise(n).into())));
    let layer = Rc::new(Layer::from_value(&Value::Object(data)).unwrap());
    let operation =
        Operation::Replace { path: Pointer::from_tokens(["0"]), value: noise(9).into() };
    let version = Version {
        address: Address::global(),
        version: 32,
        seq: 40,
        at: Moment(1),
        by: User::parse("alice").unwrap(),
        summary: None,
        change: Change::Update,
        undo: Some(Undo {
            data: JsonPatch { operations: vec![operation] },
            rules: None,
            parent: None,
        }),
        full: Some(Box::new(State { layer, rules: Rc::default(), parent: None })),
    };
    let keys = ring();
    let sealed = version.seal(&keys, &mut Entropy::from_seed([3; 32])).unwrap();
    assert!(sealed.len() < nacre_core::row::VALUE_BYTES);
    let opened = Version::open(version.columns(), &keys, &sealed).unwrap();
    assert_eq!(opened, Version { full: None, ..version });
}

// --- room

/// Columns as SQLite stores them, about: a header byte for each, small integers short.
fn column_bytes(texts: &[&str], numbers: usize) -> usize {
    texts.iter().map(|text| text.len() + 1).sum::<usize>() + numbers * 6
}

#[test]
fn the_history_of_govuk_takes_a_third_of_its_json() {
    const EDITS: u64 = 20;
    let Some(lines) = shared_gz("layers/govuk.ndjson.gz") else { return };
    let names = SensitiveNames::default();
    let keys = ring();
    let alice = User::parse("alice").unwrap();
    let caller =
        Caller { user: alice.clone(), owner: alice, scopes: Scopes::READ.with(Scopes::WRITE) };
    let mut store = MemoryStore::new();
    let (mut raw, mut stored, mut rows) = (0, 0, 0);
    let mut current = std::collections::BTreeMap::new();
    let mut commit = |store: &mut MemoryStore<'static>, command: Command, n: u64| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&n.to_be_bytes());
        let mut entropy = Entropy::from_seed(seed);
        let request = Request { caller: caller.clone(), command, idempotency: None, id: None };
        let at = Moment(1_790_000_000_000 + n * 60_000);
        let content = SealContent::Seal(credentials::find);
        let vault = Some(&keys as _);
        let names = &names;
        let mut setting = Setting { at, entropy: &mut entropy, keys: vault, names, content };
        let plan = decide(store, &mut setting, &request).unwrap();
        for write in &plan.writes {
            let (value, columns) = match write {
                Write::Record(row) => {
                    raw += row.layer.text().len();
                    let parent = row.parent.as_ref().map_or("", |parent| parent.as_str());
                    let value = row.seal(&keys, &mut entropy).unwrap().len();
                    let columns = column_bytes(&[row.address.id.as_str(), parent], 3);
                    current.insert(row.address.clone(), value + columns);
                    continue;
                }
                Write::Version(row) => (
                    row.seal(&keys, &mut entropy).unwrap().len(),
                    column_bytes(&[row.address.id.as_str()], 4),
                ),
                Write::Audit(row) => {
                    (row.seal(&keys, &mut entropy).unwrap().len(), column_bytes(&[], 2))
                }
                Write::Secret(secret) => {
                    (secret.sealed.len(), column_bytes(&["f1.0123456789012345678901"], 1))
                }
                other => panic!("{other:?}"),
            };
            rows += 1;
            stored += value + columns;
        }
        store.apply(&plan.writes);
    };
    let mut addresses = Vec::new();
    let lines: Vec<_> = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            let line = json::read(line, limits::DEPTH).unwrap();
            let line = line.as_object().unwrap();
            let text = |name| line.get(name).and_then(Value::as_str);
            let address = Address::parse(text("level").unwrap(), text("id").unwrap()).unwrap();
            addresses.push(address.clone());
            let parent = text("parent").map(|parent| ContextId::parse(parent).unwrap());
            let data = line.get("data").unwrap().as_object().unwrap().clone();
            Ok(ImportLine { address, parent, data, rules: None, past: None })
        })
        .collect();
    commit(
        &mut store,
        Administration::Import(Import { mode: ImportMode::Create, lines }).into(),
        0,
    );
    for edit in 0..EDITS {
        for (place, address) in addresses.iter().enumerate() {
            // What agents do: note something new, or change what was noted.
            let mut patch = Object::new();
            patch.insert(
                format!("note_{}", edit % 7),
                format!("checked by run {edit}, {place} ok").into(),
            );
            let op = Edit::Update {
                address: address.clone(),
                patch: Patch::Merge(Value::Object(patch)),
                summary: None,
                expect: Expect::Anything,
            };
            commit(&mut store, op.into(), 1 + edit * addresses.len() as u64 + place as u64);
        }
    }
    assert_eq!(store.seq(), Ok(1 + EDITS * addresses.len() as u64));
    let stored = stored + current.values().sum::<usize>();
    println!(
        "govuk with {EDITS} edits a context: {raw} bytes of JSON in all versions, {stored} bytes stored in {rows} rows of history and audit ({:.1} %)",
        100.0 * stored as f64 / raw as f64
    );
    assert!(stored * 3 <= raw, "{stored} bytes for {raw}");
}
