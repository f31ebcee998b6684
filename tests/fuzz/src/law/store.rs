//! Requests: whatever is asked in whatever order, nothing fails by Nacre's fault, and what is
//! stored fits together.

use nacre_core::{
    address::Address,
    error::Result,
    hash::Hash,
    id::{ContextId, User},
    json,
    level::Level,
    op::{
        Administration, Batch, BatchItem, Command, Edit, Expect, Idempotency, Import, ImportMode,
        Inspection, NewEntry, Op, Patch, Put, Read, Resolve, Which,
    },
    patch::JsonPatch,
    record::{EntryKind, Role},
    rules::Rules,
    store::{AsOf, Filter},
    value::{Object, Value},
    wire::{
        self, import,
        live::Message,
        operation::{BatchBody, PreviewBody},
        request::{
            self, AppendBody, InsightBody, MoveBody, ProgressBody, PutBody, RestoreBody,
            RollbackBody, UnsetBody,
        },
    },
};

use crate::{tape::Tape, world::World};

/// A request body in JSON, read as every kind of body there is, and done where it is one.
pub fn bodies(bytes: &[u8]) {
    let mut world = World::default();
    let put = r#"{"data":{"a":{"b":[1]},"token":"t"},"parent":"b","rules":{"/a":"lock"}}"#;
    let task = Address::parse("task", "t").expect("an address");
    let body = json::read(put.as_bytes(), 64).expect("JSON");
    let op = request::decode::<PutBody>(body)
        .and_then(|b| b.into_edit(task.clone(), true, Expect::Absent));
    world.ask(op.expect("a body"), None).expect("a context");
    for command in decoded(bytes, &task) {
        let _ = world.ask(command, None);
    }
    let lines = bytes.split(|byte| *byte == b'\n').map(import::line).collect();
    let _ = world.ask(Administration::Import(Import { mode: ImportMode::Replace, lines }), None);
    world.check();
}

/// Lines to open as a store: what opens can be exported, and that opens as the same.
pub fn exports(bytes: &[u8]) {
    let Ok(mut world) = World::opened(bytes) else { return };
    let text = world.exported(false);
    let mut again = World::opened(&text).expect("an export can be opened");
    assert_eq!(again.exported(false), text);
    let live = again.store().list(&Filter::default(), None, usize::MAX).expect("memory");
    for record in live {
        for seq in [record.seq, record.seq / 2] {
            let (address, path, reveal) = (record.address.clone(), None, false);
            let as_of = Some(AsOf::Seq(seq));
            let _ = again
                .ask(Read::Resolve(Resolve { address, path, as_of, explain: false, reveal }), None);
        }
    }
}

fn decoded(bytes: &[u8], task: &Address) -> Vec<Command> {
    let values = [wire::read_json(bytes), wire::read_body(nacre_msgpack::read, bytes)];
    let mut commands: Vec<Command> = Vec::new();
    for value in values.into_iter().flatten() {
        let expect = Expect::Anything;
        let at = || task.clone();
        commands.extend(body(&value).and_then(BatchBody::into_batch).map(Command::from));
        if let Ok(Message::Op { command, .. }) = Message::of(value.clone()) {
            commands.push(command);
        }
        let preview = body(&value).and_then(|body: PreviewBody| body.into_read(at()));
        commands.extend(preview.map(Command::from));
        let mut add = |edit: Result<Edit>| commands.extend(edit.map(Command::from));
        add(body(&value).and_then(|body: PutBody| body.into_edit(at(), true, expect)));
        add(body(&value).and_then(|body: UnsetBody| body.into_edit(at(), expect)));
        add(body(&value).and_then(|body: AppendBody| body.into_edit(at(), expect)));
        add(body(&value).map(|body: InsightBody| body.into_edit(at())));
        add(body(&value).map(|body: ProgressBody| body.into_edit(at())));
        add(body(&value).and_then(|body: MoveBody| body.into_edit(at(), expect)));
        add(body(&value).map(|body: RollbackBody| body.into_edit(at(), expect)));
        add(body(&value).map(|body: RestoreBody| body.into_edit(at())));
        add(request::patch(value.clone()).map(|patch| Edit::Update {
            address: at(),
            patch,
            summary: None,
            expect,
        }));
    }
    commands
}

fn body<T: for<'de> serde::Deserialize<'de>>(value: &Value) -> Result<T> {
    request::decode(value.clone())
}

/// A history of requests off a tape.
pub fn requests(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let mut world = World::default();
    for _ in 0..24 {
        if tape.is_done() {
            break;
        }
        let command = command(&mut tape);
        let key = command.is_write().then(|| key(&mut tape, &command)).flatten();
        let first = world.ask(command.clone(), key.clone());
        if key.is_some() && first.is_ok() {
            let again = world.ask(command, key).expect("a key gives its answer again");
            assert!(matches!(again, nacre_core::plan::Reply::Replayed(_)));
        }
    }
    world.check();
}

/// One of few keys, used for one kind of thing each, or none.
fn key(tape: &mut Tape<'_>, request: &impl std::fmt::Debug) -> Option<Idempotency> {
    let choice = tape.byte();
    (choice > 223).then(|| {
        let request = Hash::of(format!("{request:?}").as_bytes());
        Idempotency { key: format!("k{choice}"), request }
    })
}

fn command(tape: &mut Tape<'_>) -> Command {
    match tape.byte() % 16 {
        0 => {
            let transaction = tape.byte() < 128;
            let operations = (0..tape.below(6))
                .map(|_| {
                    let op = op(tape);
                    let idempotency = op.is_write().then(|| key(tape, &op)).flatten();
                    Ok(BatchItem { op, idempotency })
                })
                .collect();
            Batch { transaction, operations }.into()
        }
        1 => {
            let edits = (0..tape.below(4)).map(|_| edit(tape)).collect();
            Read::Preview { address: address(tape), edits }.into()
        }
        2 => Administration::PutMember {
            user: User::parse("bob").expect("a user"),
            project: ContextId::parse("p0").expect("an id"),
            terms: Role::Reader.into(),
        }
        .into(),
        3 => Inspection::Audit { before: None, limit: tape.byte().into() }.into(),
        _ => op(tape).into(),
    }
}

fn op(tape: &mut Tape<'_>) -> Op {
    if tape.byte() < 176 { edit(tape).into() } else { read(tape).into() }
}

fn edit(tape: &mut Tape<'_>) -> Edit {
    let choice = tape.byte() % 20;
    let address = address(tape);
    let summary = choice.is_multiple_of(3).then(|| "why".into());
    match choice {
        0..=7 => {
            let data = data(tape);
            Edit::Put(Put {
                parent: parent(tape, address.level),
                address,
                rules: rules(tape),
                data,
                summary,
                create_parents: tape.byte() < 128,
                expect: expect(tape),
            })
        }
        8..=10 => {
            let patch = Patch::Merge(tape.value());
            Edit::Update { address, patch, summary, expect: expect(tape) }
        }
        11..=12 => {
            let patch = Patch::Json(patch(tape));
            Edit::Update { address, patch, summary, expect: expect(tape) }
        }
        13 => {
            let pointers = (0..tape.below(3)).map(|_| tape.pointer(&Value::Null)).collect();
            Edit::Update { address, patch: Patch::Unset(pointers), summary, expect: expect(tape) }
        }
        14 => {
            let pointer = tape.pointer(&Value::Null);
            let values = (0..tape.below(3)).map(|_| tape.value()).collect();
            let patch = Patch::Append { pointer, values };
            Edit::Update { address, patch, summary, expect: expect(tape) }
        }
        15 => Edit::Delete { address, cascade: tape.byte() < 128, summary, expect: expect(tape) },
        16 => Edit::Restore { address, summary },
        17 => {
            let version = tape.byte().into();
            Edit::Rollback { address, version, summary, expect: expect(tape) }
        }
        18 => Edit::Move {
            parent: parent(tape, address.level).unwrap_or_else(ContextId::global),
            address,
            summary,
            expect: expect(tape),
        },
        _ => Edit::AddEntry(NewEntry {
            address,
            kind: kind(tape),
            content: tape.name(),
            category: (tape.byte() < 128).then(|| tape.name()),
            importance: Some(f64::from(tape.byte()) / 200.0),
            agent: None,
        }),
    }
}

fn read(tape: &mut Tape<'_>) -> Read {
    let address = address(tape);
    match tape.byte() % 8 {
        0 => Read::Get {
            address,
            which: match tape.byte() % 3 {
                0 => Which::Current,
                1 => Which::Version(tape.byte().into()),
                _ => Which::AsOf(as_of(tape)),
            },
            reveal: true,
        },
        1 => Read::List {
            filter: Filter { under: Some(address), ..Filter::default() },
            after: None,
            limit: tape.byte().into(),
            data: true,
            reveal: true,
        },
        2 => Read::ViewDiff { address, from: as_of(tape), to: Some(as_of(tape)) },
        3 => Read::Entries { address, kind: kind(tape), before: None, limit: 1, reveal: false },
        4 => Read::History { address, before: Some(tape.byte().into()), limit: tape.byte().into() },
        5 => Read::Diff { address, from: tape.byte().into(), to: Some(tape.byte().into()) },
        _ => Read::Resolve(Resolve {
            address,
            path: (tape.byte() < 128).then(|| tape.pointer(&Value::Null)),
            as_of: (tape.byte() < 128).then(|| as_of(tape)),
            explain: tape.byte() < 128,
            reveal: tape.byte() < 128,
        }),
    }
}

/// Two contexts a level.
fn address(tape: &mut Tape<'_>) -> Address {
    let choice = tape.byte();
    let (level, letter) = match choice % 8 {
        0 => return Address::global(),
        1..=2 => ("project", 'p'),
        3..=4 => ("branch", 'b'),
        _ => ("task", 't'),
    };
    Address::parse(level, &format!("{letter}{}", choice / 128)).expect("an address")
}

fn parent(tape: &mut Tape<'_>, level: Level) -> Option<ContextId> {
    let letter = match level {
        Level::Global | Level::Project => return None,
        Level::Branch => 'p',
        Level::Task => 'b',
    };
    ContextId::parse(&format!("{letter}{}", tape.byte() / 128)).ok()
}

fn data(tape: &mut Tape<'_>) -> Object {
    tape.object()
}

fn rules(tape: &mut Tape<'_>) -> Option<Rules> {
    if tape.byte() < 192 {
        return None;
    }
    let mut table = Object::new();
    for _ in 0..tape.below(3) {
        let rule = ["replace", "deep", "union", "append", "keyed:id", "lock"];
        let rule = rule[tape.below(rule.len())];
        table.insert(tape.pointer(&Value::Null).as_str(), rule.into());
    }
    Rules::from_object(&table).ok()
}

fn patch(tape: &mut Tape<'_>) -> JsonPatch {
    let mut operations = Vec::new();
    for _ in 0..tape.below(4) {
        let mut operation = Object::new();
        let names = ["add", "remove", "replace", "move", "copy", "test"];
        operation.insert("op", names[tape.below(names.len())].into());
        operation.insert("path", tape.pointer(&Value::Null).as_str().into());
        operation.insert("from", tape.pointer(&Value::Null).as_str().into());
        operation.insert("value", tape.value());
        operations.push(Value::Object(operation));
    }
    JsonPatch::parse(Value::Array(operations)).unwrap_or_default()
}

fn expect(tape: &mut Tape<'_>) -> Expect {
    match tape.byte() {
        0..=199 => Expect::Anything,
        200..=209 => Expect::Absent,
        210..=219 => Expect::NoneMatch,
        220..=229 => Expect::Present,
        version => Expect::Version(u64::from(version) - 229),
    }
}

fn as_of(tape: &mut Tape<'_>) -> AsOf {
    let when = u64::from(tape.byte());
    if when < 128 {
        AsOf::Seq(when)
    } else {
        AsOf::Time(nacre_core::moment::Moment((when - 128) * 500))
    }
}

fn kind(tape: &mut Tape<'_>) -> EntryKind {
    if tape.byte() < 128 { EntryKind::Insight } else { EntryKind::Progress }
}
