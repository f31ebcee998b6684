//! What a store with history takes, in bytes.

use std::collections::BTreeMap;

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    decide::{Setting, decide},
    entropy::Entropy,
    id::{ContextId, User},
    level::Level,
    memory::MemoryStore,
    moment::Moment,
    op::{
        Administration, Caller, Command, Edit, Expect, Import, ImportLine, ImportMode, Patch,
        Request,
    },
    patch::{JsonPatch, Operation},
    pointer::Pointer,
    row::Row,
    seal::{Keyring, MasterKeyring, SealContent},
    sensitive::SensitiveNames,
    store::{Reads, Write},
    value::{Object, Value},
};

use crate::{
    chains::{Row as Context, govuk},
    made_up::{self, Dice},
    report::Report,
};

/// Edits of every context.
const EDITS: usize = 20;

/// Contexts in one commit of an import, as the Worker takes them.
const BLOCK: usize = 500;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "storage",
        "Every context of a set is imported, then edited 20 times: a value changes, a list gets \
         longer, a member comes. The edits go through `decide`, the rows it plans are compressed \
         and sealed as the Worker's store holds them. *Stored*: the sealed values with their \
         columns and keys, as SQLite writes them into a row. *Raw JSON*: the canonical text of all \
         versions of all contexts. *zstd -19*: all of the raw JSON in one stream, unsealed; no \
         store that can read one version alone gets there.",
    );
    let sets = [("large-global", Some(made_up::rows())), ("govuk", govuk())];
    for (name, rows) in sets {
        let Some(rows) = rows else { continue };
        let taken = Taken::measure(&rows);
        let raw = taken.raw.len();
        let limit = zstd::bulk::compress(&taken.raw, 19).expect("zstd compresses").len();
        let history = taken.versions + taken.contexts;
        let line = |what: &str, bytes: usize| {
            let percent = format!("{:.1} %", 100.0 * bytes as f64 / raw as f64);
            [what.into(), bytes.to_string(), percent]
        };
        report.table(
            name,
            &[
                ["what", "bytes", "of the raw JSON"].map(String::from),
                line("raw JSON of all versions", raw),
                line("stored: contexts", taken.contexts),
                line("stored: versions", taken.versions),
                line("stored: contexts and versions", history),
                line("stored: audit trail", taken.audit),
                line("stored: secrets", taken.secrets),
                line("stored: everything", taken.all()),
                line("zstd -19 of the raw JSON", limit),
            ],
        );
        report.say(&format!(
            "{} contexts, {} versions; a version takes {:.0} bytes on average.",
            rows.len(),
            taken.count,
            taken.versions as f64 / taken.count as f64,
        ));
        if name == "govuk" {
            let share = |bytes: usize| bytes as f64 / raw as f64;
            report.at_most("govuk: contexts and versions", share(history), 1.0 / 3.0);
            report.at_most("govuk: everything", share(taken.all()), 1.0 / 3.0);
        }
    }
    report.crates(&["zstd"]);
    report.finish();
}

/// Bytes, by table.
#[derive(Default)]
struct Taken {
    /// The canonical text of every version.
    raw: Vec<u8>,
    contexts: usize,
    versions: usize,
    audit: usize,
    secrets: usize,
    /// Rows of versions.
    count: usize,
}

impl Taken {
    fn all(&self) -> usize {
        self.contexts + self.versions + self.audit + self.secrets
    }

    fn measure(rows: &[Context]) -> Taken {
        let mut taken = Taken::default();
        let mut shell = Shell::new();
        let mut current = BTreeMap::new();
        for rows in rows.chunks(BLOCK) {
            let lines = rows.iter().map(|row| Ok(line(row))).collect();
            let op = Administration::Import(Import { mode: ImportMode::Create, lines });
            shell.perform(op.into(), &mut taken, &mut current);
        }
        let mut dice = Dice(19);
        for edit in 0..EDITS {
            for row in rows {
                let address = address(row);
                let now = shell.store.record(&address).expect("a read").expect("it is there");
                let data = now.layer.to_value().expect("a layer is a value");
                let op = Edit::Update {
                    patch: Patch::Json(JsonPatch {
                        operations: vec![change(&mut dice, edit, &data)],
                    }),
                    address,
                    summary: None,
                    expect: Expect::Version(now.version),
                };
                shell.perform(op.into(), &mut taken, &mut current);
            }
        }
        taken.contexts = current.values().sum();
        taken
    }
}

/// What the Worker's object is to the core: keys, a clock, a store that keeps what is planned.
struct Shell {
    keys: Keyring,
    names: SensitiveNames,
    caller: Caller,
    store: MemoryStore<'static>,
    /// Requests so far; an edit comes every minute.
    requests: u64,
}

impl Shell {
    fn new() -> Shell {
        let user = User::parse("alice").expect("a user");
        let masters = MasterKeyring::parse(&format!("m:{}=", "A".repeat(43))).expect("a key");
        let wrapped = Keyring::create(&user, &masters, &mut Entropy::from_seed([1; 32]));
        let keys = wrapped.and_then(|wrapped| Keyring::unwrap(&user, &wrapped, &masters));
        let scopes = Scopes::READ.with(Scopes::WRITE);
        Shell {
            keys: keys.expect("keys"),
            names: SensitiveNames::default(),
            caller: Caller { user: user.clone(), owner: user, scopes },
            store: MemoryStore::new(),
            requests: 0,
        }
    }

    fn perform(
        &mut self,
        command: Command,
        taken: &mut Taken,
        current: &mut BTreeMap<Address, usize>,
    ) {
        self.requests += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.requests.to_be_bytes());
        let mut entropy = Entropy::from_seed(seed);
        let id = format!("{:032x}", u128::from_be_bytes(entropy.array()));
        let request =
            Request { caller: self.caller.clone(), command, idempotency: None, id: Some(id) };
        let at = Moment(1_790_000_000_000 + self.requests * 60_000);
        let (keys, names) = (Some(&self.keys), &self.names);
        let keys = keys.map(|keys| keys as _);
        let content = SealContent::Seal(credentials::find);
        let mut setting = Setting { at, entropy: &mut entropy, keys, names, content };
        let plan = decide(&self.store, &mut setting, &request).expect("the edit is decided");
        for write in &plan.writes {
            let sealed = |value: nacre_core::error::Result<Vec<u8>>| value.expect("sealed").len();
            match write {
                Write::Record(row) => {
                    taken.raw.extend_from_slice(row.layer.text());
                    let parent = row.parent.as_ref().map_or("", |parent| parent.as_str());
                    let bytes = sealed(row.seal(&self.keys, &mut entropy));
                    let columns =
                        columns(&[row.address.id.as_str(), parent], &[row.updated_at.0, 3]);
                    current.insert(row.address.clone(), bytes + columns);
                }
                Write::Version(row) => {
                    let id = row.address.id.as_str();
                    taken.count += 1;
                    taken.versions += sealed(row.seal(&self.keys, &mut entropy))
                        + columns(&[id], &[row.version, row.seq, row.at.0, 3]);
                }
                Write::Audit(row) => {
                    taken.audit += sealed(row.seal(&self.keys, &mut entropy))
                        + columns(&[], &[row.seq, row.at.0]);
                }
                Write::Secret(secret) => {
                    // Key and fingerprint are text of this length in the marker.
                    taken.secrets +=
                        secret.sealed.len() + columns(&["f1.0123456789012345678901"], &[]);
                }
                other => panic!("the edits make no such row: {other:?}"),
            }
        }
        self.store.apply(&plan.writes);
    }
}

/// What columns take in an SQLite record (its file format, §2.1): a header byte for each and for
/// the sealed value two, texts as they are, integers in as many bytes as they need, and six for the
/// record's own length and its cell.
fn columns(texts: &[&str], numbers: &[u64]) -> usize {
    let number = |number: u64| match number {
        0..=1 => 0,
        2..=0x7f => 1,
        0x80..=0x7fff => 2,
        0x8000..=0x7f_ffff => 3,
        0x80_0000..=0x7fff_ffff => 4,
        0x8000_0000..=0x7fff_ffff_ffff => 6,
        _ => 8,
    };
    texts.iter().map(|text| text.len() + 1).sum::<usize>()
        + numbers.iter().map(|&n| number(n) + 1).sum::<usize>()
        + 8
}

fn address((level, id, ..): &Context) -> Address {
    Address::parse(level, id).expect("an address")
}

fn line(row: &Context) -> ImportLine {
    let (_, _, parent, data) = row;
    let address = address(row);
    let parent = parent
        .as_deref()
        .filter(|_| address.level > Level::Project)
        .map(|parent| ContextId::parse(parent).expect("an id"));
    let data = data.as_object().expect("an object").clone();
    ImportLine { address, parent, data, rules: None, past: None }
}

/// One edit as agents and people make them: most change a value, some add to a list or note
/// something new.
fn change(dice: &mut Dice, edit: usize, data: &Value) -> Operation {
    let mut scalars = Vec::new();
    let mut lists = Vec::new();
    places(data, &mut Pointer::root(), &mut scalars, &mut lists);
    let kind = dice.below(10);
    if kind < 2 && !lists.is_empty() {
        let mut path = lists.swap_remove(dice.below(lists.len()));
        path.push("-");
        return Operation::Add { path, value: dice.sentences(1).into() };
    }
    if kind < 5 || scalars.is_empty() {
        let mut note = Object::new();
        note.insert("at", format!("2026-11-{:02}T09:{:02}:00Z", 1 + edit, dice.below(60)).into());
        note.insert("text", dice.sentences(1).into());
        let path = Pointer::from_tokens([format!("note_{edit}_{}", dice.below(100)).as_str()]);
        return Operation::Add { path, value: Value::Object(note) };
    }
    let (path, old) = scalars.swap_remove(dice.below(scalars.len()));
    let value = match old {
        Value::Bool(old) => Value::Bool(!old),
        Value::Number(_) => Value::from(dice.below(10_000) as u64),
        Value::String(old) if old.len() > 30 => dice.sentences(1).into(),
        _ => format!("{}-{}", dice.pick(made_up::WORDS), dice.below(1000)).into(),
    };
    Operation::Replace { path, value }
}

/// All scalars and all lists, with where they are.
fn places(
    value: &Value,
    at: &mut Pointer,
    scalars: &mut Vec<(Pointer, Value)>,
    lists: &mut Vec<Pointer>,
) {
    match value {
        // A sealed value is written anew by those who have it, not edited.
        Value::Object(object) if object.get(nacre_core::value::SEALED).is_some() => {}
        Value::Object(object) => {
            for (name, value) in object.iter() {
                at.push(name);
                places(value, at, scalars, lists);
                at.pop();
            }
        }
        Value::Array(_) => lists.push(at.clone()),
        Value::Null => {}
        scalar => scalars.push((at.clone(), scalar.clone())),
    }
}
